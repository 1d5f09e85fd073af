//! Ways to go wrong, for tests (feature `faults`).

use nix::sys::signal::{Signal, raise};

/// Has this process die, hang or stop: `kill segv abort panic exit stop loop` (`scribble` is `kill`); or do what it may not: `open socket exec ptrace signal fork
/// memory`.
///
/// # Panics
/// For `panic`, for a word that is none of these, and if it may do after all what it may not.
pub fn commit(fault: &str) {
    match fault {
        "kill" | "scribble" => drop(raise(Signal::SIGKILL)),
        // SAFETY: none is claimed: the write to an address that is never mapped ends the process, which is what is wanted.
        "segv" => unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) },
        "abort" => std::process::abort(),
        "exit" => super::process::exit_now(0),
        "stop" => drop(raise(Signal::SIGSTOP)),
        "loop" => loop {
            std::hint::spin_loop();
        },
        "panic" => panic!("ordered by a test"),
        "open" => panic!("allowed: {:?}", std::fs::File::open("/etc/passwd")),
        "socket" => panic!("allowed: {:?}", std::net::UdpSocket::bind("127.0.0.1:0")),
        "exec" => panic!("allowed: {:?}", nix::unistd::execv(c"/bin/true", &[c"true"])),
        "signal" => panic!("allowed: {:?}", nix::sys::signal::kill(nix::unistd::getppid(), Signal::SIGKILL)),
        "ptrace" => {
            // SAFETY: a system call that is refused; it touches no memory of ours.
            panic!("allowed: {}", unsafe { libc::ptrace(libc::PTRACE_ATTACH, libc::getppid(), 0, 0) })
        }
        "fork" => {
            // SAFETY: a worker has one thread. The call is refused.
            panic!("allowed: {}", unsafe { libc::fork() })
        }
        "memory" => {
            let (length, code) = (super::memory::PAGE, libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            // SAFETY: a fresh mapping overlaps nothing. The call is refused.
            panic!("allowed: {:?}", unsafe { libc::mmap(std::ptr::null_mut(), length, code, flags, -1, 0) })
        }
        other => panic!("TINE_FAULT: no fault {other:?}"),
    }
}
