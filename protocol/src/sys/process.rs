//! Starting, watching and ending processes.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub use nix::sys::signal::Signal;
use rustix::process::{Pid, PidfdFlags};

/// A process that we started.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub pid: u32,
    /// Becomes readable when it dies; cannot come to mean another process.
    pub pidfd: OwnedFd,
}

/// Starts this very binary again in another role: `program` with `arguments`, shown as `name` by `ps`. It inherits
/// `descriptors` under the numbers that they have here, and dies (SIGKILL) when the calling thread's process does.
///
/// # Errors
/// As the system says it.
pub fn start_self(
    name: &str,
    arguments: &[OsString],
    descriptors: &[BorrowedFd<'_>],
    is_own_session: bool,
) -> io::Result<Started> {
    #[cfg(feature = "faults")]
    super::fault::refuse("exec")?;
    let kept: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let parent = std::process::id();
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).args(arguments);
    // SAFETY: runs in the forked child before exec. It only makes system calls that are safe there, on descriptors that the caller
    // holds open across this call; `kept` is moved in and neither grows nor is freed before exec.
    unsafe {
        command.pre_exec(move || {
            die_with_parent(parent)?;
            if is_own_session {
                nix::unistd::setsid()?;
            }
            for &descriptor in &kept {
                if libc::fcntl(descriptor, libc::F_SETFD, 0) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    let child = command.spawn()?;
    Ok(Started { pid: child.id(), pidfd: watch(child.id())? })
}

/// Has the process that `command` will start killed (SIGKILL) when the thread that starts it dies.
pub fn tie(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: runs in the forked child before exec, and only makes system calls that are safe there.
    unsafe {
        command.pre_exec(move || die_with_parent(parent));
    }
}

/// Has this process killed when its parent, which must still be `parent`, dies.
///
/// # Errors
/// If the parent is gone already.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the line above.
    if nix::unistd::getppid().as_raw() as u32 != parent {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the parent is gone"));
    }
    Ok(())
}

/// Who may become the parent of a process that called [`outlive_parent`].
static GUARDIAN: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(0);

/// Has this process live on when its parent, which must still be `parent`, dies and it becomes a child of `guardian`; and end when it
/// becomes anybody else's. Also under [`seccomp`](super::seccomp).
///
/// # Errors
/// If the parent is gone already, or as the system says it.
pub fn outlive_parent(parent: u32, guardian: u32) -> io::Result<()> {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};
    extern "C" fn look(_: libc::c_int) {
        // SAFETY: both calls may be made in a signal handler. A new parent is in place before the signal is sent.
        unsafe {
            if libc::getppid() != GUARDIAN.load(std::sync::atomic::Ordering::Relaxed) {
                libc::_exit(1);
            }
        }
    }
    GUARDIAN.store(guardian as i32, std::sync::atomic::Ordering::Relaxed);
    let action = SigAction::new(SigHandler::Handler(look), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler calls only what may be called in one (above).
    unsafe { sigaction(Signal::SIGUSR1, &action)? };
    nix::sys::prctl::set_pdeathsig(Signal::SIGUSR1)?;
    // The parent may have died before the line above.
    let now = nix::unistd::getppid().as_raw() as u32;
    if now != parent && now != guardian {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the parent is gone"));
    }
    Ok(())
}

/// The parent of this process.
pub fn parent() -> u32 {
    nix::unistd::getppid().as_raw() as u32
}

/// Kills (SIGKILL) the children of this process that belong to the group that `leader` founded. Where there is none, nothing happens: the
/// number may be another group's by now.
pub fn kill_children_of_group(leader: u32) {
    use nix::sys::wait::{WaitPidFlag, waitpid};
    let group = nix::unistd::Pid::from_raw(leader as i32);
    let members = waitpid(nix::unistd::Pid::from_raw(-group.as_raw()), Some(WaitPidFlag::WNOHANG));
    if members != Err(nix::errno::Errno::ECHILD) {
        // ESRCH: the last of them has just ended, which is what was wanted.
        let _ = nix::sys::signal::killpg(group, Signal::SIGKILL);
    }
}

/// The two sides of a fork.
pub enum Forked {
    /// We are the new process.
    Child,
    /// We are the old one; this is the new one's id.
    Parent(u32),
}

/// Splits this process in two. Only a process with one thread may do so: another thread's locks would stay locked for ever in the
/// child.
///
/// # Errors
/// If this process has more threads than one, or as the system says it.
pub fn fork() -> io::Result<Forked> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("only a process with one thread may fork"));
    }
    #[cfg(feature = "faults")]
    super::fault::refuse("fork")?;
    // SAFETY: this process has one thread (checked above), so no lock is held by anybody else.
    match unsafe { nix::unistd::fork()? } {
        nix::unistd::ForkResult::Child => Ok(Forked::Child),
        nix::unistd::ForkResult::Parent { child } => Ok(Forked::Parent(child.as_raw() as u32)),
    }
}

/// A descriptor that becomes readable when process `pid` dies. Call it before anybody can reap that process.
///
/// # Errors
/// If there is no such process.
pub fn watch(pid: u32) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(pid as i32).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
}

/// Whether the process behind `pidfd` is dead.
pub fn is_dead(pidfd: &OwnedFd) -> bool {
    let mut set = [nix::poll::PollFd::new(pidfd.as_fd(), nix::poll::PollFlags::POLLIN)];
    matches!(nix::poll::poll(&mut set, nix::poll::PollTimeout::ZERO), Ok(count) if count > 0)
}

/// Lets a write beyond the limit of file sizes (`ulimit -f`) fail as one to a full disk does, here and in every process that is started from here;
/// otherwise it would end the process.
pub fn outlive_file_limit() {
    // SAFETY: ignoring a signal installs no code.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// Kills the process behind `pidfd` at once. One that is dead already is no error.
pub fn kill(pidfd: &OwnedFd) {
    // ESRCH: it is dead, which is what was wanted.
    let _ = rustix::process::pidfd_send_signal(pidfd, rustix::process::Signal::KILL);
}

/// Asks the process behind `pidfd` to end.
pub fn terminate(pidfd: &OwnedFd) {
    // ESRCH: it is dead, which is what was wanted.
    let _ = rustix::process::pidfd_send_signal(pidfd, rustix::process::Signal::TERM);
}

/// Sleeps until one of `descriptors` is readable or hung up, or until `timeout_ms` is over (`None`: for ever); tells which are.
pub fn wait_any<const N: usize>(descriptors: [BorrowedFd<'_>; N], timeout_ms: Option<u16>) -> [bool; N] {
    let mut set = descriptors.map(|descriptor| nix::poll::PollFd::new(descriptor, nix::poll::PollFlags::POLLIN));
    let timeout = timeout_ms.map_or(nix::poll::PollTimeout::NONE, nix::poll::PollTimeout::from);
    // EINTR: nothing is ready yet, and the caller looks again.
    let _ = nix::poll::poll(&mut set, timeout);
    set.map(|entry| entry.any().unwrap_or(false))
}

/// The same for a number of descriptors that changes, and with a finer limit.
pub fn wait_list(descriptors: &[BorrowedFd<'_>], timeout_ns: Option<u64>) -> Vec<bool> {
    use rustix::event::{PollFd, PollFlags};
    let mut set: Vec<_> =
        descriptors.iter().map(|&descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN)).collect();
    let timeout = timeout_ns.map(super::clock::timespec);
    // EINTR: as above.
    let _ = rustix::event::poll(&mut set, timeout.as_ref());
    set.iter().map(|entry| !entry.revents().is_empty()).collect()
}

/// Closes every descriptor of this process above standard error but `kept`.
///
/// # Errors
/// As the system says it.
pub fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().map(|&fd| fd as u32).collect();
    kept.sort_unstable();
    let mut first = 3u32;
    for border in kept.into_iter().chain([u32::MAX]) {
        if first < border {
            // SAFETY: the caller gives up everything that owns one of these descriptors (worker::zygote: the child never returns from
            // its role, and so drops no owner).
            if unsafe { libc::syscall(libc::SYS_close_range, first, border - 1, 0) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        first = border.saturating_add(1);
    }
    Ok(())
}

/// Takes descriptor `number`, which this process inherited, as its own.
///
/// # Errors
/// If there is no such descriptor.
pub fn inherit(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_SETFD touches only the descriptor table; a number that is not open is an error.
    if number < 3 || unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("descriptor {number} was not inherited")));
    }
    // SAFETY: it is open (above), and it was passed for us to own: each number stands once in the arguments (inherit.rs).
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(number) })
}

/// Keeps what this process touches in memory, so that no block waits for a page: pages are locked as they are first used,
/// because locking a sparse segment whole would allocate its holes.
///
/// # Errors
/// Where the limit on locked memory (`ulimit -l`) does not allow it.
pub fn lock_memory() -> io::Result<()> {
    // SAFETY: locking changes no contents.
    let outcome = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Names this process for `ps` and `top`; at most 15 bytes are shown.
pub fn set_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        // Cosmetic: a system without it loses nothing.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// Ends this process at once, without running what other code registered for an exit.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit never returns and runs no destructor.
    unsafe { libc::_exit(status) }
}

/// How a child ended, in words a player understands: `killed (SIGKILL)`, `exited (1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal.
    Killed(i32),
}

/// The name of a signal: `SIGKILL`.
pub fn signal_name(signal: i32) -> Option<&'static str> {
    Signal::try_from(signal).ok().map(Signal::as_str)
}

/// Takes one dead child off the system's hands; `None` when none is dead.
pub fn reap() -> Option<(u32, Ended)> {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(pid, status)) => Some((pid.as_raw() as u32, Ended::Exited(status))),
        Ok(WaitStatus::Signaled(pid, signal, _)) => Some((pid.as_raw() as u32, Ended::Killed(signal as i32))),
        _ => None,
    }
}

/// Waits until child `pid` is dead and takes it off the system's hands.
pub fn wait_for(pid: u32) -> Option<Ended> {
    use nix::sys::wait::{WaitStatus, waitpid};
    loop {
        match waitpid(nix::unistd::Pid::from_raw(pid as i32), None) {
            Ok(WaitStatus::Exited(_, status)) => return Some(Ended::Exited(status)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Some(Ended::Killed(signal as i32)),
            Err(nix::errno::Errno::EINTR) | Ok(_) => {}
            Err(_) => return None,
        }
    }
}

/// Waits until this process has no child left, adopted ones included.
pub fn wait_for_all() {
    use nix::sys::wait::waitpid;
    while !matches!(waitpid(None, None), Err(nix::errno::Errno::ECHILD)) {}
}

/// Has descendants whose parent dies become children of this process.
///
/// # Errors
/// As the system says it.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// Signals that are delivered as reads instead of interrupting.
pub struct Signals(nix::sys::signalfd::SignalFd);

impl Signals {
    /// Blocks `signals` in this thread, and in those that it starts from now on, and collects them here.
    ///
    /// # Errors
    /// As the system says it.
    pub fn take(signals: &[Signal]) -> io::Result<Signals> {
        let set: nix::sys::signal::SigSet = signals.iter().copied().collect();
        set.thread_block()?;
        let flags = nix::sys::signalfd::SfdFlags::SFD_NONBLOCK | nix::sys::signalfd::SfdFlags::SFD_CLOEXEC;
        Ok(Signals(nix::sys::signalfd::SignalFd::with_flags(&set, flags)?))
    }

    /// The next signal that came, if any.
    pub fn next(&self) -> Option<Signal> {
        let info = self.0.read_signal().ok().flatten()?;
        Signal::try_from(info.ssi_signo as i32).ok()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Lets `signals` reach this process again, as a fresh one would have it.
pub fn unblock(signals: &[Signal]) {
    let set: nix::sys::signal::SigSet = signals.iter().copied().collect();
    // Cannot fail: SIG_UNBLOCK with a valid set.
    let _ = set.thread_unblock();
}

/// Points standard input and output at nothing: a worker neither reads nor prints.
///
/// # Errors
/// If /dev/null cannot be opened.
pub fn silence_standard_streams() -> io::Result<()> {
    let null: OwnedFd = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?.into();
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    Ok(())
}

/// Points all three standard streams to nothing: the terminal that they led to is gone, and who writes to it would hear of that.
///
/// # Errors
/// As the system says it.
pub fn leave_terminal() -> io::Result<()> {
    silence_standard_streams()?;
    nix::unistd::dup2_stderr(std::io::stdout().as_fd())?;
    Ok(())
}

/// Processor time that process `pid`, a live one of ours, has used; `None` if it is gone.
pub fn cpu_ns(pid: u32) -> Option<u64> {
    let clock = nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(pid as i32)).ok()?;
    let used = std::time::Duration::from(clock.now().ok()?);
    Some(used.as_nanos() as u64)
}

/// Whether process `pid` is running or waits for a core only: neither asleep nor stopped.
pub fn is_runnable(pid: u32) -> bool {
    // The state follows the name, which stands in brackets and may hold any letter.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('R'))
}

/// What the kernel says of one process. Kept open: asking is one system call, and the answer is never another process's.
#[derive(Debug)]
pub struct Status(File);

impl Status {
    /// Of process `pid`, which is there or at least not yet heard of by its parent.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn of(pid: u32) -> io::Result<Status> {
        File::open(format!("/proc/{pid}/stat")).map(Status)
    }

    /// Whether it is ending or has ended: it has run its last instruction. `None` if it is gone.
    pub fn is_ending(&self) -> Option<bool> {
        // 52 numbers of at most 20 digits.
        let mut stat = [0; 1200];
        let length = self.0.read_at(&mut stat, 0).ok()?;
        let stat = String::from_utf8_lossy(stat.get(..length)?);
        // State, parent, group, session, terminal, its group, flags: proc_pid_stat(5). PF_EXITING of linux/sched.h.
        let flags: u32 = stat.rsplit(')').next()?.split_whitespace().nth(6)?.parse().ok()?;
        Some(flags & 0x4 != 0)
    }
}

/// Page faults of this process so far that needed no disk.
pub fn minor_faults() -> u64 {
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_THREAD)
        .map_or(0, |usage| usage.minor_page_faults() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_process_is_seen_to_die() {
        // The test runner's own binary with a flag that makes it end at once.
        let started = start_self("tine-test", &["--help".into()], &[], false).unwrap();
        wait_any([started.pidfd.as_fd()], None);
        assert!(is_dead(&started.pidfd));
        // Its parent has not heard of it yet.
        let status = Status::of(started.pid).unwrap();
        assert_eq!(status.is_ending(), Some(true));
        assert_eq!(wait_for(started.pid), Some(Ended::Exited(0)));
        assert_eq!(status.is_ending(), None);
        assert_eq!(Status::of(std::process::id()).unwrap().is_ending(), Some(false));
    }

    #[test]
    fn a_descriptor_that_was_not_inherited_is_refused() {
        assert!(inherit(0).is_err());
        assert!(inherit(100_000).is_err());
    }
}
