//! Layout of the shared segments, proved at compile time.
//!
//! | segment | writer | holds |
//! |---|---|---|
//! | engine | the engine: conductor the cycle area, session the plan area | cycle, per lane: start word, plan tags, events; plans |
//! | lane | the lane's worker, alone | done word, telemetry, per module: count, two state banks, output rings, tape |
//! | tables | nobody, once sealed | tables of the oscillators |
//! | sounds | the engine's session | sound files, as the kinds that play them have prepared them |

use std::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use crate::ids::Block;
use crate::plan::{
    CablePlan, GRAIN, LANE_CABLES_MAX, LANE_MODULES_MAX, LANE_VALUES_MAX, LaneEvent, ModulePlan, PLAN_SLOTS, PlanHead,
};

/// Lanes at most: 64 of workers, and the engine's own.
pub const LANES_MAX: usize = 65;

/// Blocks that params, events and output rings remember, so that a late lane catches up exactly and a spare can re-execute.
pub const RING_BLOCKS: usize = 8;

/// Events that reach one lane in one block at most.
pub const BLOCK_EVENTS_MAX: usize = 512;

/// Bytes of a lane segment. Sparse: only what modules use is ever allocated.
pub const LANE_BYTES: usize = 256 << 20;

/// Bytes of the segment of sound files. Sparse as well.
pub const SOUNDS_BYTES: usize = 1 << 30;

/// First words of every segment.
pub const MAGIC: u64 = u64::from_le_bytes(*b"tine seg");

/// Changes whenever a layout does; both sides of a segment check it.
pub const LAYOUT_HASH: u64 = {
    let sizes = [
        size_of::<EngineHead>(),
        size_of::<LaneControl>(),
        size_of::<EventBlock>(),
        size_of::<TempoBlock>(),
        size_of::<HeardBlock>(),
        size_of::<LanePlan>(),
        size_of::<LaneHead>(),
        size_of::<ModuleHead>(),
        size_of::<ModulePlan>(),
        size_of::<CablePlan>(),
        size_of::<LaneEvent>(),
        LANES_MAX,
        RING_BLOCKS,
        PLAN_SLOTS,
        LANE_BYTES,
        // Fields may move without a size changing: count this up when they do.
        6,
    ];
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut index = 0;
    while index < sizes.len() {
        hash = (hash ^ sizes[index] as u64).wrapping_mul(0x100_0000_01b3);
        index += 1;
    }
    hash
};

/// Head of the engine segment.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct EngineHead {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`LAYOUT_HASH`].
    pub layout: u64,
    /// The cycle that is being computed.
    pub cycle: u64,
    /// Frames per second.
    pub rate_hz: u32,
    /// Frames per block.
    pub frames: u32,
    /// Blocks that a fade of cables takes.
    pub fade_blocks: u32,
    /// Lanes in use.
    pub lanes: u32,
    /// 1 once the workers are to end.
    pub quit: u32,
    /// The lane whose end the conductor sleeps for, plus 1; 0: for none, or it is awake.
    pub awaited: u32,
    /// Engines before the present one: it goes on with what they left.
    pub incarnation: u32,
    /// Keeps the alignment.
    pub reserved: u32,
    /// When the engine before died, on the monotonic clock; 0 where there was none.
    pub died_ns: u64,
}

/// What a lane is told per cycle.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct LaneControl {
    /// This many blocks are to be finished. The lane sleeps on it.
    pub start: u64,
    /// A lane that had nothing to do begins again at this block.
    pub resume: Block,
    /// Per plan slot: the first block for which it is valid, plus 1; 0 while it is not.
    pub valid: [u64; PLAN_SLOTS],
    /// Fills the cache lines.
    pub reserved2: [u64; 6],
}

/// Musical time of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct TempoBlock {
    /// Which block, plus 1; another value: the transport stands at 0.
    pub block: u64,
    /// Beats since the start, at its first frame.
    pub beat: f64,
    /// Beats per frame.
    pub beats_per_frame: f64,
}

/// Frames of a block at most.
pub const FRAMES_MAX: usize = 1024;

/// What the sound device heard, for one block.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct HeardBlock {
    /// Which block, plus 1; another value: silence.
    pub block: u64,
    /// Left and right, as many as a block has frames.
    pub frames: [[f32; 2]; FRAMES_MAX],
}

/// Events of one lane in one block.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct EventBlock {
    /// Which block, plus 1; another value: no events.
    pub block: u64,
    /// How many.
    pub count: u32,
    /// Keeps the alignment.
    pub reserved: u32,
    /// Sorted by module, then by frame.
    pub events: [LaneEvent; BLOCK_EVENTS_MAX],
}

/// One plan of one lane.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct LanePlan {
    /// Counts.
    pub head: PlanHead,
    /// Modules in order.
    pub modules: [ModulePlan; LANE_MODULES_MAX],
    /// Cables, grouped by destination.
    pub cables: [CablePlan; LANE_CABLES_MAX],
    /// Initial values of params, grouped by module.
    pub values: [f32; LANE_VALUES_MAX],
}

/// Head of a lane segment. Written by the lane's worker; nothing in it is trusted.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct LaneHead {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`LAYOUT_HASH`].
    pub layout: u64,
    /// This many blocks are finished. The conductor sleeps on it.
    pub done: u64,
    /// Generation of the worker that wrote last.
    pub generation: u32,
    /// Slot of the module whose code is running, or [`NOBODY`](lane::NOBODY).
    pub running: u32,
    /// Samples that were no numbers, so far.
    pub scrubbed: u32,
    /// Nanoseconds that the last block took to compute, waits left out.
    pub busy_ns: u32,
    /// Page faults so far.
    pub faults: u32,
    /// Slot of the module that noticed the last sample that was no number.
    pub scrubbed_slot: u32,
    /// The module on another lane whose commit this lane sleeps for, as [`awaited`](lane::awaited) names it; 0: for none, or it is awake.
    pub awaits: u64,
    /// Modules whose state the present worker found spoilt when it attached.
    pub spoilt: u32,
    /// Slot of the last of them.
    pub spoilt_slot: u32,
    /// When the present worker had finished what was due as it attached, on the monotonic clock.
    pub caught_up_ns: u64,
    /// Fills the cache line.
    pub reserved: [u64; 7],
}

/// Head of a module within its lane.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct ModuleHead {
    /// This many blocks are finished. Stored last, with release: it is what commits a block.
    pub count: u64,
    /// Nanoseconds that its last block took.
    pub busy_ns: u32,
    /// Keeps the alignment.
    pub reserved2: u32,
    /// The [`checksum`](crate::checksum::checksum) of each bank.
    pub checksums: [u64; 2],
    /// Fills the cache line.
    pub reserved: [u64; 4],
}

const _: () = {
    assert!(size_of::<EngineHead>() == 64);
    assert!(size_of::<LaneControl>() == 192);
    assert!(size_of::<LaneHead>() == 128);
    assert!(lane::OBITUARY + size_of::<crate::sys::obituary::Obituary>() <= lane::ARENA);
    assert!(size_of::<ModuleHead>() == GRAIN);
    assert!(size_of::<ModulePlan>() == 104);
    assert!(size_of::<CablePlan>() == 64);
    assert!(size_of::<LaneEvent>() == 24);
    assert!(size_of::<EventBlock>().is_multiple_of(8));
    assert!(size_of::<LanePlan>().is_multiple_of(8));
    assert!(LANE_BYTES / GRAIN <= u32::MAX as usize);
    assert!(PLAN_SLOTS >= RING_BLOCKS + 2);
};

/// Offsets within the engine segment.
pub mod engine {
    use super::*;

    /// Count of the present cycle.
    pub const CYCLE: usize = offset_of!(EngineHead, cycle);
    /// The word that ends the workers.
    pub const QUIT: usize = offset_of!(EngineHead, quit);
    /// The lane that the conductor sleeps for.
    pub const AWAITED: usize = offset_of!(EngineHead, awaited);
    const CONTROLS: usize = size_of::<EngineHead>();
    const EVENTS: usize = CONTROLS + LANES_MAX * size_of::<LaneControl>();
    const TEMPOS: usize = EVENTS + LANES_MAX * RING_BLOCKS * size_of::<EventBlock>();
    const HEARD: usize = TEMPOS + RING_BLOCKS * size_of::<TempoBlock>();
    /// End of what the conductor writes and start of what the session writes.
    pub const PLANS: usize = (HEARD + RING_BLOCKS * size_of::<HeardBlock>()).next_multiple_of(crate::sys::memory::PAGE);
    /// Length of the segment.
    pub const BYTES: usize = PLANS + LANES_MAX * PLAN_SLOTS * size_of::<LanePlan>();

    /// The start word of `lane`.
    pub const fn start(lane: usize) -> usize {
        CONTROLS + lane * size_of::<LaneControl>() + offset_of!(LaneControl, start)
    }

    /// The block at which `lane` begins again.
    pub const fn resume(lane: usize) -> usize {
        CONTROLS + lane * size_of::<LaneControl>() + offset_of!(LaneControl, resume)
    }

    /// The validity of plan `slot` of `lane`.
    pub const fn valid(lane: usize, slot: usize) -> usize {
        CONTROLS + lane * size_of::<LaneControl>() + offset_of!(LaneControl, valid) + slot * size_of::<u64>()
    }

    /// The events of `lane` in `block`.
    pub const fn events(lane: usize, block: Block) -> usize {
        EVENTS + (lane * RING_BLOCKS + block as usize % RING_BLOCKS) * size_of::<EventBlock>()
    }

    /// Musical time of `block`.
    pub const fn tempo(block: Block) -> usize {
        TEMPOS + block as usize % RING_BLOCKS * size_of::<TempoBlock>()
    }

    /// What was heard for `block`.
    pub const fn heard(block: Block) -> usize {
        HEARD + block as usize % RING_BLOCKS * size_of::<HeardBlock>()
    }

    /// Plan `slot` of `lane`.
    pub const fn plan(lane: usize, slot: usize) -> usize {
        PLANS + (lane * PLAN_SLOTS + slot) * size_of::<LanePlan>()
    }
}

/// Offsets within a lane segment.
pub mod lane {
    use super::*;

    /// Count of finished blocks.
    pub const DONE: usize = offset_of!(LaneHead, done);
    /// Slot that is being computed, or [`NOBODY`].
    pub const RUNNING: usize = offset_of!(LaneHead, running);
    /// In place of a slot: no module's code is running.
    pub const NOBODY: u32 = u32::MAX;
    /// Count of modules whose state was found spoilt at the attach.
    pub const SPOILT: usize = offset_of!(LaneHead, spoilt);
    /// Generation of the present worker.
    pub const GENERATION: usize = offset_of!(LaneHead, generation);
    /// The module that the lane sleeps for.
    pub const AWAITS: usize = offset_of!(LaneHead, awaits);
    /// When the present worker had caught up.
    pub const CAUGHT_UP: usize = offset_of!(LaneHead, caught_up_ns);
    /// What the kernel marks when the worker ends: an [`Obituary`](crate::sys::obituary::Obituary).
    pub const OBITUARY: usize = size_of::<LaneHead>();
    /// Start of what the engine assigns to modules.
    pub const ARENA: usize = crate::sys::memory::PAGE;

    /// The name, never 0, by which a lane says that it sleeps for the module whose head lies at grain `head_at` of `lane`.
    pub const fn awaited(lane: u16, head_at: u32) -> u64 {
        (lane as u64 + 1) << 32 | head_at as u64
    }

    /// Where sample `index` of block `block` lies in a ring of `stride` samples per block that starts at grain `at`.
    pub const fn sample(at: u32, stride: u32, block: Block) -> usize {
        at as usize * GRAIN + block as usize % RING_BLOCKS * stride as usize * size_of::<f32>()
    }
}
