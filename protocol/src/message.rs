//! Messages between engine, zygote and workers: fixed size, plain data, over socket pairs.

use bytemuck::{Pod, Zeroable};

use crate::ids::{Block, Slot};

/// Phases of a worker's start, in order, as `pool` names them.
pub const PHASES: [&str; 4] = ["fork", "map", "lock", "ready"];

/// From the engine to the zygote: fork one worker.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ForkOrder {
    /// Comes back with the answer.
    pub ticket: u64,
}

/// From the zygote to the engine.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ZygoteSays {
    /// One of the constants below.
    pub what: u32,
    /// `FORKED`, `ENDED`: the worker's process id.
    pub pid: u32,
    /// `FORKED`, `FAILED`: the order's ticket.
    pub ticket: u64,
    /// `WARM`: microseconds that the warm-up took. `FORKED`: that the fork took. `ENDED`: the exit status, or minus the
    /// signal. `FAILED`: the error's number.
    pub figure: i64,
}

impl ZygoteSays {
    /// Tables are built and sealed; workers can be forked.
    pub const WARM: u32 = 1;
    /// A worker was forked; its pidfd and its socket come along.
    pub const FORKED: u32 = 2;
    /// A worker ended.
    pub const ENDED: u32 = 3;
    /// A worker could not be forked.
    pub const FAILED: u32 = 4;
}

/// From the keeper to the engine.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct KeeperSays {
    /// One of the constants below.
    pub what: u32,
    /// `ENDED`: the worker's process id.
    pub pid: u32,
    /// `ENDED`: as in [`ZygoteSays`].
    pub figure: i64,
}

impl KeeperSays {
    /// There is a zygote, the first or another one; the socket to it comes along.
    pub const ZYGOTE: u32 = 1;
    /// A worker ended whose zygote is gone.
    pub const ENDED: u32 = 2;
}

/// From a worker to the engine: ready to take a lane.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct WorkerSays {
    /// Microseconds of each phase of its start, as in [`PHASES`].
    pub phases_us: [u32; 4],
    /// 1 if it has real-time priority.
    pub is_realtime: u32,
    /// 1 if its memory is locked.
    pub is_locked: u32,
}

/// From the engine to a worker: take this lane, whose segment comes along, writable.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct AttachOrder {
    /// Which lane.
    pub lane: u16,
    /// Keeps the alignment.
    pub reserved: u16,
    /// Which incarnation this is.
    pub generation: u32,
    /// Modules of the lane that must not be run; those that are not used have slot 0.
    pub quarantined: [Quarantined; QUARANTINED_MAX],
}

/// Modules on one lane that may be in quarantine at once.
pub const QUARANTINED_MAX: usize = 16;

/// A module that killed its workers: passed by instead of run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Quarantined {
    /// Which.
    pub slot: Slot,
    /// Keeps the alignment.
    pub reserved: u32,
    /// As long as its birth lies before this block: one that is born again is tried again.
    pub born_before: Block,
}
