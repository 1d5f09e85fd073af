//! Who runs first, and where: real-time priority and cores.

use std::io;

use nix::sched::CpuSet;

/// The order of Tine's real-time threads. A hung worker can only be killed by something above it.
pub mod priority {
    /// The device's callback.
    pub const CALLBACK: i32 = 75;
    /// Takes dead workers' lanes to spares, kills hung ones.
    pub const SUPERVISOR: i32 = 80;
    /// Starts each cycle.
    pub const CONDUCTOR: i32 = 70;
    /// Compute.
    pub const WORKER: i32 = 65;
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
