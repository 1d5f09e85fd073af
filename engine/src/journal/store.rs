//! What the journal asks of the folder that a session lies in. [`Disk`](super::disk::Disk) is one; tests have one that loses power.

use std::io;

/// A folder of files with names.
pub trait Store: Send + 'static {
    /// A file that grows.
    type Log: Log;

    /// Makes sure that files can be written, and by nobody else.
    ///
    /// # Errors
    /// As the system says.
    fn prepare(&mut self) -> io::Result<()>;

    /// The names of all files.
    ///
    /// # Errors
    /// As the system says.
    fn names(&self) -> io::Result<Vec<String>>;

    /// What a file holds.
    ///
    /// # Errors
    /// As the system says, or if it is longer than any of ours.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Writes a file whole or not at all. What it holds is on disk then; that it has this name, only after [`Store::sync`].
    ///
    /// # Errors
    /// As the system says; what had the name before has it still.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Has the names of all files on disk.
    ///
    /// # Errors
    /// As the system says. Which names are on disk is not known then.
    fn sync(&self) -> io::Result<()>;

    /// Opens a file to add to it.
    ///
    /// # Errors
    /// As the system says.
    fn append(&self, name: &str) -> io::Result<Self::Log>;

    /// Cuts a file to this length.
    ///
    /// # Errors
    /// As the system says.
    fn cut(&self, name: &str, bytes: u64) -> io::Result<()>;

    /// Gives a file another name, which is free.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that grows.
pub trait Log: Send {
    /// Adds to it and has that on disk.
    ///
    /// # Errors
    /// As the system says. How much of it is there is not known then.
    fn add(&mut self, bytes: &[u8]) -> io::Result<()>;
}
