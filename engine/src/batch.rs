//! What session and conductor tell each other: batches of changes, reports, counters.

use std::sync::atomic::{AtomicU32, AtomicU64};

use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::plan::LaneEvent;

use crate::feed::SIDES;

/// Batches that may wait for their time.
pub const PENDING_MAX: usize = 1024;

/// Cycle times that may wait for the session, which looks twice a second: more than 16-frame blocks at 192 kHz make meanwhile.
pub const CYCLES_MAX: usize = 8192;

/// Changes that take effect at one block.
pub struct Batch {
    /// Which; the session's count.
    pub id: u64,
    /// Not before the block that holds this frame; 0: at once.
    pub due_frame: u64,
    /// Plans that become valid: lane and plan slot.
    pub flips: Vec<(LaneId, u8)>,
    /// With `flips`: all lanes that have something to compute from then on, in wake order.
    pub active: Vec<LaneId>,
    /// Events, by rising frame.
    pub events: Vec<DueEvent>,
    /// The last block that it changed, so far; set by the conductor.
    pub block: Block,
    /// When it was taken: its plans are valid from then on. 0 before. Set by the conductor.
    pub taken_ns: u64,
    /// When every lane had computed its last block; set by the conductor.
    pub done_ns: u64,
}

/// An event and its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DueEvent {
    /// The lane it goes to.
    pub lane: LaneId,
    /// When, in frames since the start of sound; 0: at once.
    pub frame: u64,
    /// What. Its own `frame` is filled in by the conductor.
    pub event: LaneEvent,
}

/// What the conductor tells the session.
pub enum Report {
    /// A batch takes effect at this block.
    Taken(u64, Block),
    /// Every lane has computed the block at which a batch took effect; the box comes back.
    Done(Box<Batch>),
    /// A block was late.
    Late {
        /// By how many nanoseconds, so far.
        late_ns: u64,
        /// The first lane that was not ready.
        lane: LaneId,
        /// The module whose code was running there, as its worker says.
        running: Option<Slot>,
    },
    /// The device went without this many frames since the last such report.
    Missed(u64),
}

/// Counters that others may read at any time.
#[derive(Default)]
pub struct Telemetry {
    /// Blocks computed so far.
    pub blocks: AtomicU64,
    /// When the block that was begun last was begun, on the monotonic clock; 0 where no device sets the pace.
    pub started_ns: AtomicU64,
    /// Blocks in which a lane was late.
    pub late_blocks: AtomicU64,
    /// Events that came too late for their frame, or found no room in their block, and were moved to the next.
    pub events_moved: AtomicU64,
    /// Events that found no room where a lane has been held up for longer than a second: there will be none.
    pub events_dropped: AtomicU64,
    /// Reports that found no room.
    pub reports_lost: AtomicU64,
    /// Cycle times that found no room, and are missing in the figures.
    pub cycles_lost: AtomicU64,
    /// Peak of each side since it was last asked for, as the bits of an f32.
    pub peaks: [AtomicU32; SIDES],
    /// Nanoseconds from the start of a cycle to its last sample, smoothed.
    pub cycle_ns: AtomicU64,
    /// Real-time priority was granted.
    pub is_realtime: AtomicU32,
}
