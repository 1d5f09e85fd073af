//! Who runs first, and where: real-time priority and cores.

use std::io;

use nix::sched::CpuSet;

/// The order of Tine's real-time threads. A hung worker can only be killed by something above it.
pub mod priority {
    /// Looks for stalls of the machine itself: above all that it is to be told apart from.
    pub const WATCH: i32 = 85;
    /// The device's callback.
    pub const CALLBACK: i32 = 75;
    /// Takes dead workers' lanes to spares, kills hung ones.
    pub const SUPERVISOR: i32 = 80;
    /// Starts each cycle.
    pub const CONDUCTOR: i32 = 70;
    /// Takes over a dead worker's lane: the others wait for it sooner or later, and would only be woken to see that it has not come.
    pub const FOLLOWER: i32 = 66;
    /// Compute.
    pub const WORKER: i32 = 65;
    /// Take what players ask for: below all sound, above whatever else the machine does.
    pub const CONTROL: i32 = 10;
}

/// Gives thread or process `pid` (0: this thread) first-in-first-out real-time scheduling.
///
/// # Errors
/// Where the limit (`ulimit -r`) does not allow it.
pub fn set_fifo(pid: u32, priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: reads `parameters` only.
    let outcome = unsafe { libc::sched_setscheduler(pid as i32, libc::SCHED_FIFO, &parameters) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes real-time scheduling from process `pid`, where it has any: others come first.
///
/// # Errors
/// If it is gone.
pub fn set_ordinary(pid: u32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: reads `parameters` only.
    let outcome = unsafe { libc::sched_setscheduler(pid as i32, libc::SCHED_OTHER, &parameters) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Cores that this process may use.
pub fn cores() -> Vec<u16> {
    let Ok(set) = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)) else { return vec![0] };
    (0..CpuSet::count() as u16).filter(|&core| set.is_set(usize::from(core)).unwrap_or(false)).collect()
}

/// Binds thread or process `pid` (0: this thread) to `cores`.
///
/// # Errors
/// If none of them exists, or the process is not ours.
pub fn bind(pid: u32, cores: &[u16]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(usize::from(core))?;
    }
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(pid as i32), &set)?;
    Ok(())
}

/// How a thread is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Shares the core fairly with everything else.
    Ordinary,
    /// Runs before all ordinary threads, at this priority.
    RealTime(i32),
}

/// How this thread is scheduled.
pub fn policy() -> Policy {
    let mut parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: reads this thread's own policy, and writes `parameters` only.
    let policy = unsafe {
        libc::sched_getparam(0, &mut parameters);
        libc::sched_getscheduler(0)
    };
    // A negative answer (no such thread) cannot be: the thread asks about itself.
    match policy & !libc::SCHED_RESET_ON_FORK {
        libc::SCHED_FIFO | libc::SCHED_RR => Policy::RealTime(parameters.sched_priority),
        _ => Policy::Ordinary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_may_be_real_time_says_that_it_is() {
        std::thread::spawn(|| {
            assert_eq!(policy(), Policy::Ordinary);
            // Where the limit forbids it, the thread stays what it was.
            match set_fifo(0, priority::WORKER) {
                Ok(()) => assert_eq!(policy(), Policy::RealTime(priority::WORKER)),
                Err(_) => assert_eq!(policy(), Policy::Ordinary),
            }
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_thread_bound_to_a_core_may_use_that_core_only() {
        std::thread::spawn(|| {
            let core = cores()[0];
            bind(0, &[core]).unwrap();
            assert_eq!(cores(), [core]);
        })
        .join()
        .unwrap();
    }
}
