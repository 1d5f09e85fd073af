//! The descriptors that a role is started with, as they stand in its arguments: `--inherit socket,engine,tables,memo,sounds,lane,lane,...`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use tine_protocol::sys::process;

/// What engine and zygote inherit from the keeper.
pub struct Inherited {
    /// The engine's goes to the keeper, who passes on one to the zygote; the zygote's goes to the engine.
    pub socket: OwnedFd,
    /// The engine segment: writable for the engine, read-only for the zygote.
    pub engine: OwnedFd,
    /// The table segment.
    pub tables: OwnedFd,
    /// What the engine's session remembers: writable for the engine, read-only for the zygote, which does not look at it.
    pub memo: OwnedFd,
    /// The sound files: writable for the engine, read-only for the zygote.
    pub sounds: OwnedFd,
    /// The lanes: writable for the engine, which hands them on, read-only for the zygote.
    pub lanes: Vec<OwnedFd>,
}

impl Inherited {
    /// Takes the descriptors with these numbers as this process's own.
    ///
    /// # Errors
    /// If there are too few, one stands twice, or one was not inherited.
    pub fn take(numbers: &[RawFd]) -> io::Result<Inherited> {
        let is_twice = |(index, number): (usize, &RawFd)| numbers[..index].contains(number);
        if numbers.len() < 6 || numbers.iter().enumerate().any(is_twice) {
            let reason = "--inherit: tine starts this role by itself";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let mut descriptors = numbers.iter().map(|&number| process::inherit(number)).collect::<io::Result<Vec<_>>>()?;
        let lanes = descriptors.split_off(5);
        let mut first = descriptors.into_iter();
        match (first.next(), first.next(), first.next(), first.next(), first.next()) {
            (Some(socket), Some(engine), Some(tables), Some(memo), Some(sounds)) => {
                Ok(Inherited { socket, engine, tables, memo, sounds, lanes })
            }
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The text for [`Inherited::take`].
    pub fn text(descriptors: &[BorrowedFd<'_>]) -> String {
        descriptors.iter().map(|descriptor| descriptor.as_raw_fd().to_string()).collect::<Vec<_>>().join(",")
    }
}
