//! The descriptors that a role is started with, as they stand in its arguments: `--inherit socket,engine,tables,lane,lane,...`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use tine_protocol::sys::process;

/// What engine and zygote inherit from the keeper.
pub struct Inherited {
    /// Engine and zygote speak to each other over it.
    pub socket: OwnedFd,
    /// The engine segment: writable for the engine, read-only for the zygote.
    pub engine: OwnedFd,
    /// The table segment.
    pub tables: OwnedFd,
    /// The lanes: writable for the engine, which hands them on, read-only for the zygote.
    pub lanes: Vec<OwnedFd>,
}

impl Inherited {
    /// Takes the descriptors named by `text` as this process's own.
    ///
    /// # Errors
    /// If `text` has another form, or one of them was not inherited.
    pub fn take(text: &str) -> io::Result<Inherited> {
        let mut numbers = Vec::new();
        for word in text.split(',') {
            let number: RawFd = word.parse().map_err(|_| invalid(text))?;
            if numbers.contains(&number) {
                return Err(invalid(text));
            }
            numbers.push(number);
        }
        let mut descriptors = numbers.into_iter().map(process::inherit);
        let mut next = || descriptors.next().unwrap_or_else(|| Err(invalid(text)));
        let (socket, engine, tables) = (next()?, next()?, next()?);
        Ok(Inherited { socket, engine, tables, lanes: descriptors.collect::<io::Result<_>>()? })
    }

    /// The text for [`Inherited::take`].
    pub fn text(descriptors: &[BorrowedFd<'_>]) -> String {
        descriptors.iter().map(|descriptor| descriptor.as_raw_fd().to_string()).collect::<Vec<_>>().join(",")
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("--inherit {text}: tine starts this role by itself"))
}
