//! Ways to go wrong, for tests (feature `faults`).

use nix::sys::signal::{Signal, raise};

/// Has this process die, hang or stop: `kill segv abort panic exit stop loop`.
///
/// # Panics
/// For `panic`, and for a word that is none of these.
pub fn commit(fault: &str) {
    match fault {
        "kill" => drop(raise(Signal::SIGKILL)),
        // SAFETY: none is claimed: the write to an address that is never mapped ends the process, which is what is wanted.
        "segv" => unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) },
        "abort" => std::process::abort(),
        "exit" => super::process::exit_now(0),
        "stop" => drop(raise(Signal::SIGSTOP)),
        "loop" => loop {
            std::hint::spin_loop();
        },
        "panic" => panic!("ordered by a test"),
        other => panic!("TINE_FAULT: no fault {other:?}"),
    }
}
