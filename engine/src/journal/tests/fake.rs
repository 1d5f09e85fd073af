//! A folder in memory that loses power. What was not synced may be there afterwards or not, in any part.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::journal::store::{Log, Store};

/// Clones are the same folder.
#[derive(Clone, Default)]
pub struct Fake(Arc<Mutex<Inner>>);

#[derive(Clone, Default)]
struct Inner {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    /// The names on disk, and what happened to names since.
    durable_names: BTreeMap<String, usize>,
    pending: Vec<Naming>,
    operations: usize,
    fails: Option<Fails>,
}

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    durable: usize,
}

#[derive(Clone)]
enum Naming {
    Set(String, usize),
    Rename(String, String),
    Remove(String),
}

/// When operations fail.
#[derive(Clone, Copy, Debug)]
pub enum Fails {
    /// This one alone.
    At(usize),
    /// This one and all after it.
    From(usize),
}

fn rename(names: &mut BTreeMap<String, usize>, naming: &Naming) {
    match naming {
        Naming::Set(name, file) => drop(names.insert(name.clone(), *file)),
        Naming::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Naming::Remove(name) => drop(names.remove(name)),
    }
}

impl Fake {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Has operations fail from now on.
    pub fn fail(&self, fails: Option<Fails>) {
        self.inner().fails = fails;
    }

    /// How many operations there were.
    pub fn operations(&self) -> usize {
        self.inner().operations
    }

    /// What a file holds.
    pub fn file(&self, name: &str) -> Vec<u8> {
        let inner = self.inner();
        inner.files[inner.names[name]].bytes.clone()
    }

    /// Has a file hold this, on disk.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut inner = self.inner();
        let file = inner.files.len();
        inner.files.push(File { bytes: bytes.to_vec(), durable: bytes.len() });
        inner.names.insert(name.to_owned(), file);
        inner.durable_names = inner.names.clone();
        inner.pending.clear();
    }

    /// Another folder that holds the same.
    pub fn copy(&self) -> Fake {
        Fake(Arc::new(Mutex::new(self.inner().clone())))
    }

    /// All names, in order.
    pub fn list(&self) -> Vec<String> {
        self.inner().names.keys().cloned().collect()
    }

    /// The folder after a loss of power: of each file `tear` bytes that were not synced are there, and of the changes of names
    /// since the last sync those whose bit is in `named`.
    pub fn after_power_loss(&self, tear: usize, named: u32) -> Fake {
        let mut inner = self.inner().clone();
        for file in &mut inner.files {
            file.bytes.truncate(file.durable.saturating_add(tear).min(file.bytes.len()));
            file.durable = file.bytes.len();
        }
        let mut names = inner.durable_names.clone();
        for (index, naming) in inner.pending.iter().enumerate() {
            if named >> (index % 32) & 1 == 1 {
                rename(&mut names, naming);
            }
        }
        inner.names = names.clone();
        inner.durable_names = names;
        inner.pending.clear();
        inner.fails = None;
        Fake(Arc::new(Mutex::new(inner)))
    }
}

impl Inner {
    /// Counts an operation.
    fn operate(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        match self.fails {
            Some(Fails::At(at)) if number == at => Err(io::ErrorKind::StorageFull.into()),
            Some(Fails::From(from)) if number >= from => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn named(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or(io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, naming: Naming) {
        rename(&mut self.names, &naming);
        self.pending.push(naming);
    }
}

impl Store for Fake {
    type Log = FakeLog;

    fn prepare(&mut self) -> io::Result<()> {
        self.inner().operate()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.list())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let inner = self.inner();
        Ok(inner.files[inner.named(name)?].bytes.clone())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        let file = inner.files.len();
        inner.files.push(File { bytes: bytes.to_vec(), durable: bytes.len() });
        inner.change(Naming::Set(name.to_owned(), file));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        inner.durable_names = inner.names.clone();
        inner.pending.clear();
        Ok(())
    }

    fn append(&self, name: &str) -> io::Result<FakeLog> {
        let mut inner = self.inner();
        inner.operate()?;
        let file = inner.named(name)?;
        Ok(FakeLog(self.clone(), file))
    }

    fn cut(&self, name: &str, bytes: u64) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        let file = inner.named(name)?;
        inner.files[file].bytes.truncate(bytes as usize);
        inner.files[file].durable = bytes as usize;
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        inner.named(from)?;
        assert!(inner.named(to).is_err(), "{to} is written over");
        inner.change(Naming::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        inner.operate()?;
        inner.named(name)?;
        inner.change(Naming::Remove(name.to_owned()));
        Ok(())
    }
}

/// A journal in memory.
pub struct FakeLog(Fake, usize);

impl Log for FakeLog {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.0.inner();
        // One that fails may have written all of it or nothing: how much is there is told by `after_power_loss`.
        inner.files[self.1].bytes.extend(bytes);
        inner.operate()?;
        let file = &mut inner.files[self.1];
        file.durable = file.bytes.len();
        Ok(())
    }
}
