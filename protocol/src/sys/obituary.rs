//! The kernel's first word of a death. It keeps a list of words of each thread that it marks when the thread ends (get_robust_list(2)), before it
//! takes the process apart; a pidfd becomes readable only after that, which takes four times as long.
//!
//! The list lies in memory that the process writes, so a mark proves nothing: `process::Status` does.

use std::io;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

use bytemuck::{Pod, Zeroable};
use rustix::thread::futex::{self, Wait, WaitFlags, WaitPtr};

use super::memory::{ReadMap, WriteMap};

/// What the kernel reads and marks: `struct robust_list_head`, its only entry, and the word of that.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Obituary {
    /// Address of the first entry.
    first: u64,
    /// From an entry to its word, in bytes.
    word_after: i64,
    /// Address of an entry that is about to be added: none.
    pending: u64,
    /// The entry: address of the next one, which is the head.
    next: u64,
    /// The thread's id, by which the kernel knows that the word is the thread's own, and whether anybody waits.
    word: u32,
    /// Keeps the alignment.
    reserved: u32,
}

/// Somebody waits for the word. `FUTEX_WAITERS` of linux/futex.h.
const WAITERS: u32 = 0x8000_0000;

/// Whose word it was ended. `FUTEX_OWNER_DIED`.
const ENDED: u32 = 0x4000_0000;

/// Words that can be waited for at once. `FUTEX_WAITV_MAX`.
pub const WORDS_MAX: usize = 128;

/// Has the kernel mark the obituary at `offset` of `map` when this thread ends. Wakes who waits for it, as it is another one's now.
///
/// # Errors
/// As the system says it.
pub fn file(map: &mut WriteMap, offset: usize) -> io::Result<()> {
    let head = map.address(offset, size_of::<Obituary>());
    let entry = head + offset_of!(Obituary, next) as u64;
    let word_after = (offset_of!(Obituary, word) - offset_of!(Obituary, next)) as i64;
    let word = nix::unistd::gettid().as_raw() as u32 | WAITERS;
    map.write(offset, Obituary { first: entry, word_after, pending: 0, next: head, word, reserved: 0 });
    // SAFETY: registers an address. The kernel reads there when this thread ends, and copes with whatever it finds; the mapping stays for
    // as long as the process. The C library's own list, which this replaces, serves robust mutexes, and there are none.
    let outcome = unsafe { libc::syscall(libc::SYS_set_robust_list, head, 3 * size_of::<u64>()) };
    if outcome < 0 {
        return Err(io::Error::last_os_error());
    }
    super::futex::wake_all(map.word(offset + offset_of!(Obituary, word)));
    Ok(())
}

/// The obituary at `offset` of `map`, as it stands now.
pub fn read(map: &ReadMap, offset: usize) -> u32 {
    map.word(offset + offset_of!(Obituary, word)).load(Ordering::Acquire)
}

/// Whether it says that its owner has ended.
pub fn says_ended(value: u32) -> bool {
    value & ENDED != 0
}

/// Sleeps until one of the obituaries at `offset` is no longer as it was `seen`, or `own` is no longer `own_seen`. May return at any time.
///
/// # Errors
/// `Unsupported` on a kernel before 5.16; `InvalidInput` for more than [`WORDS_MAX`] words; else as the system says it.
pub fn wait(seen: &[(&ReadMap, u32)], offset: usize, own: &AtomicU32, own_seen: u32) -> io::Result<()> {
    let wait = |address: *mut u32, value: u32| {
        let mut wait = Wait::new();
        wait.val = value.into();
        wait.uaddr = WaitPtr::new(address.cast());
        wait.flags = WaitFlags::SIZE_U32;
        wait
    };
    let mut waits = vec![wait(own.as_ptr(), own_seen)];
    waits.extend(seen.iter().map(|(map, value)| wait(map.word(offset + offset_of!(Obituary, word)).address(), *value)));
    if waits.len() > WORDS_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // The kernel only reads the words, which the borrowed maps and `own` keep where they are.
    match futex::waitv(&waits, futex::WaitvFlags::empty(), None, rustix::thread::ClockId::Monotonic) {
        // Or a word has changed already, or a signal came: whoever waits looks again.
        Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(()),
        Err(rustix::io::Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::memory::{self, PAGE};

    #[test]
    fn the_kernel_marks_the_word_of_a_thread_that_has_ended() {
        let segment = memory::create(c"test-obituary", PAGE).unwrap();
        let view = ReadMap::new(&segment, PAGE).unwrap();
        let mut map = WriteMap::new(&segment, PAGE).unwrap();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let owner = std::thread::spawn(move || {
            file(&mut map, 64).unwrap();
            // The mapping has to be there when the thread ends.
            gone.recv().unwrap_err();
            map
        });
        let own = AtomicU32::new(0);
        let look = |is_so: &dyn Fn(u32) -> bool| loop {
            let seen = read(&view, 64);
            if is_so(seen) {
                return seen;
            }
            wait(&[(&view, seen)], 64, &own, 0).unwrap();
        };
        let alive = look(&|seen| seen != 0);
        assert!(!says_ended(alive));
        drop(go);
        look(&says_ended);
        drop(owner.join().unwrap());
    }
}
