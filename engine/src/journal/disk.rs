//! A session's folder on a real disk, locked for as long as it is used.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::generation::Sort;
use super::store::{Log, Store};

/// The file that is locked. It is never removed: who waits for a removed one and who makes a new one would both hold a lock.
const LOCK: &str = "lock";

/// Longest file that is read: a hundred times what the largest patch takes.
const FILE_MAX: u64 = 256 << 20;

/// A session's folder.
pub struct Disk {
    path: PathBuf,
    /// The kernel gives it back when the process ends, however it ends. `None`: the folder could not be used so far.
    lock: Option<File>,
}

impl Disk {
    /// Makes the folder, where it is not there, takes its lock, and lists what it holds. Where the system refuses one of these, the
    /// folder is tried again by [`Store::prepare`].
    pub fn open(path: &Path) -> (Disk, io::Result<Vec<String>>) {
        let mut disk = Disk { path: path.to_owned(), lock: None };
        let names = lock(path).and_then(|lock| {
            let names = disk.names()?;
            disk.lock = Some(lock);
            Ok(names)
        });
        (disk, names)
    }
}

/// Whether another engine has the lock.
pub fn is_in_use(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

fn lock(folder: &Path) -> io::Result<File> {
    create(folder)?;
    let file = match File::options().read(true).write(true).create(true).truncate(false).open(folder.join(LOCK)) {
        // A session can be resumed from where nothing can be written: the folder itself is locked. Not always, as NFS wants a file
        // that is open for writing.
        Err(error) if is_read_only(&error) => File::open(folder)?,
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(io::ErrorKind::ResourceBusy, "another engine uses it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Makes a folder and those above it, and has their names on disk.
fn create(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(folder)?;
    missing.iter().filter_map(|made| made.parent()).try_for_each(|above| File::open(above)?.sync_all())
}

impl Store for Disk {
    type Log = DiskLog;

    fn prepare(&mut self) -> io::Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        let lock = lock(&self.path)?;
        let is_ours =
            |name: &String| [Sort::Snapshot, Sort::Journal].iter().any(|sort| sort.generation(name).is_some());
        if self.names()?.iter().any(is_ours) {
            // It was out of reach when the engine started: what lies there was not read, and must not be written over.
            return Err(io::Error::other("it holds a session already, which could not be read at the start"));
        }
        self.lock = Some(lock);
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path.join(name))?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(io::Error::other(format!("longer than {FILE_MAX} bytes")));
        }
        Ok(bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // One name for each file: what a process that died left of it is written over.
        let temporary = self.path.join(format!(".{name}.tmp"));
        let written = (|| {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, self.path.join(name))
        })();
        if written.is_err() {
            // It holds nothing that anybody waits for, and takes room on a full disk.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn append(&self, name: &str) -> io::Result<DiskLog> {
        Ok(DiskLog(File::options().append(true).open(self.path.join(name))?))
    }

    fn cut(&self, name: &str, bytes: u64) -> io::Result<()> {
        let file = File::options().write(true).open(self.path.join(name))?;
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }
}

/// A journal on disk.
pub struct DiskLog(File);

impl Log for DiskLog {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        // The length too, which fdatasync includes where it is needed to read the data.
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_engine_at_a_time_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/session");
        let (first, names) = Disk::open(&path);
        assert_eq!(names.unwrap(), [LOCK]);
        let (_, names) = Disk::open(&path);
        assert!(is_in_use(&names.unwrap_err()));
        drop(first);
        assert!(Disk::open(&path).1.is_ok());
    }

    #[test]
    fn a_folder_that_could_not_be_used_is_tried_again_but_nothing_in_it_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session");
        fs::write(&path, "in the way").unwrap();
        let (mut disk, names) = Disk::open(&path);
        assert!(!is_in_use(&names.unwrap_err()) && disk.prepare().is_err());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("snapshot-3"), "an older one").unwrap();
        assert!(disk.prepare().unwrap_err().to_string().contains("holds a session already"));
        fs::remove_file(path.join("snapshot-3")).unwrap();
        disk.prepare().unwrap();
        disk.write("snapshot-1", b"x").unwrap();
        disk.append("snapshot-1").unwrap().add(b"yz").unwrap();
        disk.cut("snapshot-1", 2).unwrap();
        assert_eq!(disk.read("snapshot-1").unwrap(), b"xy");
        disk.rename("snapshot-1", "snapshot.corrupt-1").unwrap();
        let mut names = disk.names().unwrap();
        names.sort();
        assert_eq!(names, ["lock", "snapshot.corrupt-1"]);
    }
}
