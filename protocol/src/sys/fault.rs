//! Ways to go wrong, for tests (feature `faults`).

use std::io;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::signal::{Signal, raise};

/// A system call that the environment orders to fail: `TINE_FAIL=ROLE:CALL:NTH`, as in `zygote:fork:3`. Roles are `keeper engine zygote worker`; all workers
/// of a zygote count together. Where `TINE_FAIL_ONCE` names a file, a process that was started again does not fail again: the file is removed.
struct Order {
    /// Of this process; a fork of it is a worker.
    pid: u32,
    role: &'static str,
    wanted: String,
    call: String,
    nth: u32,
    /// Calls so far; shared with the processes that are forked from this one.
    count: &'static AtomicU32,
}

static ORDER: OnceLock<Option<Order>> = OnceLock::new();

/// Refuses the call that is ordered to fail.
///
/// # Errors
/// `ENOMEM`, once.
///
/// # Panics
/// If the order cannot be understood: a test is wrong.
pub fn refuse(call: &str) -> io::Result<()> {
    let Some(order) = ORDER.get_or_init(order) else { return Ok(()) };
    let role = if order.pid == std::process::id() { order.role } else { "worker" };
    if role != order.wanted || call != order.call || order.count.fetch_add(1, Ordering::Relaxed) + 1 != order.nth {
        return Ok(());
    }
    if role != "worker"
        && let Some(mark) = std::env::var_os("TINE_FAIL_ONCE")
        && std::fs::remove_file(mark).is_err()
    {
        return Ok(());
    }
    eprintln!("refused: {role} {call} {}", order.nth);
    Err(io::Error::from_raw_os_error(libc::ENOMEM))
}

fn order() -> Option<Order> {
    let text = std::env::var("TINE_FAIL").ok()?;
    let [wanted, call, nth] = text.split(':').collect::<Vec<_>>()[..] else { panic!("TINE_FAIL={text}") };
    let role = match std::env::args().nth(1).as_deref() {
        Some("engine") => "engine",
        Some("zygote") => "zygote",
        _ => "keeper",
    };
    let page = NonZeroUsize::new(super::memory::PAGE).expect("a page is not empty");
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a fresh mapping of zeros overlaps nothing, and is never unmapped.
    let count =
        unsafe { mmap_anonymous(None, page, protection, MapFlags::MAP_SHARED).expect("a page").cast().as_ref() };
    let (wanted, call) = (wanted.to_owned(), call.to_owned());
    Some(Order { pid: std::process::id(), role, wanted, call, nth: nth.parse().expect("TINE_FAIL: a number"), count })
}

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
