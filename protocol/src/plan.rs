//! What the engine tells a lane to compute: modules in order, their cables, where everything lies.
//!
//! A lane's plan is written whole into a free slot of the engine segment, then made valid from a block on. Offsets into lanes
//! are counted in [`GRAIN`]s.

use bytemuck::{Pod, Zeroable};

use crate::ids::{Block, Slot};
use crate::ramp::Ramp;

/// In place of a block number: the first block for which this plan is valid. Only the conductor knows it.
pub const AT_FLIP: Block = u64::MAX;

/// Blocks between the plan with a new cable and the start of its fade. An output that nobody read was not computed: an oscillator's
/// band-limited edges need 32 frames, two of the shortest blocks, before it is as if it always had been.
pub const WARM_BLOCKS: u64 = 2;

/// In place of a block number: no such block.
pub const NEVER: Block = u64::MAX - 1;

/// Unit of offsets within a lane, in bytes: a cache line.
pub const GRAIN: usize = 64;

/// Modules on one lane at most.
pub const LANE_MODULES_MAX: usize = 1024;

/// Cables into the modules of one lane at most.
pub const LANE_CABLES_MAX: usize = 4096;

/// Initial param values on one lane at most.
pub const LANE_VALUES_MAX: usize = 16_384;

/// Plans of one lane that may be valid at once: one per block of the last [`RING_BLOCKS`](crate::segment::RING_BLOCKS), with room
/// for those that are being written.
pub const PLAN_SLOTS: usize = 16;

/// Head of a plan.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct PlanHead {
    /// Modules, in the order in which they are computed.
    pub modules: u32,
    /// Cables.
    pub cables: u32,
}

/// One module of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct ModulePlan {
    /// First block that the module computes, from reset; or [`AT_FLIP`].
    pub birth: Block,
    /// What its randomness starts from.
    pub seed: u64,
    /// Block at which its bypass began to change, or [`AT_FLIP`].
    pub bypass_start: Block,
    /// Which module.
    pub slot: Slot,
    /// Index into the catalogue.
    pub kind: u16,
    /// 1..=16.
    pub channels: u16,
    /// Where its [`ModuleHead`](crate::segment::ModuleHead) lies, in grains.
    pub head_at: u32,
    /// Where its two state banks lie, in grains.
    pub state_at: u32,
    /// Bytes of one bank; a multiple of [`GRAIN`].
    pub state_bytes: u32,
    /// Where the ring of its outputs lies, in grains.
    pub outputs_at: u32,
    /// Samples of all its outputs in one block.
    pub output_samples: u32,
    /// Where its tape lies, in grains.
    pub tape_at: u32,
    /// Frames of each ring of tape; 0 for none.
    pub tape_frames: u32,
    /// Rings of tape, of all its channels.
    pub tape_rings: u32,
    /// Bit per output that somebody reads.
    pub wanted: u32,
    /// First of its cables in the plan.
    pub first_cable: u32,
    /// How many.
    pub cables: u32,
    /// First of its initial param values in the plan.
    pub first_value: u32,
    /// How many.
    pub values: u32,
    /// Share of its own sound before `bypass_start`, and after the fade.
    pub active: [f32; 2],
    /// Keeps the alignment.
    pub reserved: u32,
    /// Bit per other lane that hears it, and so may be asleep when it commits.
    pub listeners: u64,
}

/// One cable of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct CablePlan {
    /// First block that the source computes, or [`AT_FLIP`]; before it, the cable is silent.
    pub source_birth: Block,
    /// Block at which it fades in, or [`AT_FLIP`] for [`WARM_BLOCKS`] after the flip; [`NEVER`] for a cable that was there before the first frame.
    pub born: Block,
    /// Block at which it fades out, or [`AT_FLIP`] as above; [`NEVER`] for one that stays.
    pub died: Block,
    /// Gain between its fades.
    pub gain: f32,
    /// Keeps the alignment.
    pub reserved2: u32,
    /// Where the source's [`ModuleHead`](crate::segment::ModuleHead) lies in its lane, in grains.
    pub head_at: u32,
    /// Where the ring of the source's port begins, in grains.
    pub samples_at: u32,
    /// Samples from one block of that ring to the next.
    pub stride: u32,
    /// Samples of the port in one block.
    pub samples: u32,
    /// Input index of the destination.
    pub input: u16,
    /// Channels of the source.
    pub channels: u16,
    /// Lane of the source.
    pub lane: u16,
    /// 1 if the cable closes a loop and so carries the block before.
    pub delay: u16,
    /// How often to look before sleeping, if the source is late.
    pub spins: u32,
    /// Keeps the size a multiple of 8.
    pub reserved: u32,
}

/// A change that reaches a module in a certain block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct LaneEvent {
    /// Which module.
    pub slot: Slot,
    /// Input index (ports, then params), or `u32::MAX` for a reset.
    pub input: u32,
    /// For a port: the channel, or `u32::MAX` for all.
    pub channel: u32,
    /// Frame of the block.
    pub frame: u32,
    /// For a param: frames until its value is reached.
    pub ramp_frames: u32,
    /// New value, in the input's unit.
    pub value: f32,
}

impl ModulePlan {
    /// The same with `flip`, the first block of its plan, in place of [`AT_FLIP`].
    pub fn resolved(self, flip: Block) -> ModulePlan {
        ModulePlan { birth: resolve(self.birth, flip), bypass_start: resolve(self.bypass_start, flip), ..self }
    }

    /// Share of the module's own sound during `block`, when a fade takes `fade_blocks`.
    pub fn active_at(&self, block: Block, fade_blocks: u32) -> Ramp {
        let [before, after] = self.active;
        rise(self.bypass_start, block, fade_blocks).between(before, after)
    }
}

impl CablePlan {
    /// The same with `flip`, the first block of its plan, in place of [`AT_FLIP`].
    pub fn resolved(self, flip: Block) -> CablePlan {
        CablePlan {
            source_birth: resolve(self.source_birth, flip),
            born: fade_start(self.born, flip),
            died: fade_start(self.died, flip),
            ..self
        }
    }

    /// Gain during `block`, when a fade takes `fade_blocks`.
    pub fn gain_at(&self, block: Block, fade_blocks: u32) -> Ramp {
        let came = if self.born == NEVER { Ramp::constant(1.0) } else { rise(self.born, block, fade_blocks) };
        let left = if self.died == NEVER { Ramp::constant(0.0) } else { rise(self.died, block, fade_blocks) };
        Ramp::constant(self.gain).times(came).times(left.between(1.0, 0.0))
    }
}

/// When a cable's fade begins: `block`, or in place of [`AT_FLIP`] [`WARM_BLOCKS`] after `flip`. Both fades wait, so that the one cable
/// goes as the other comes where a gain is changed.
pub fn fade_start(block: Block, flip: Block) -> Block {
    if block == AT_FLIP { flip + WARM_BLOCKS } else { block }
}

fn resolve(block: Block, flip: Block) -> Block {
    if block == AT_FLIP { flip } else { block }
}

/// 0 up to the start of block `start`, then an S-shaped way (3p^2 - 2p^3) to 1, reached exactly after `blocks`.
fn rise(start: Block, block: Block, blocks: u32) -> Ramp {
    let length = blocks as f32;
    let part = |now: Block| (now.saturating_sub(start) as f32 / length).min(1.0);
    let ends = [part(block), part(block + 1)];
    Ramp { value: ends.map(|p| p * p * (3.0 - 2.0 * p)), slope: ends.map(|p| 6.0 * p * (1.0 - p) / length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_joins_from_block_to_block_and_arrives_exactly() {
        let cable =
            CablePlan { gain: 0.3, born: AT_FLIP, died: NEVER, ..Default::default() }.resolved(10 - WARM_BLOCKS);
        assert_eq!(cable.gain_at(9, 4).resting(), Some(0.0));
        assert_eq!(cable.gain_at(10, 4).value[0], 0.0);
        for block in 9..16 {
            let (now, next) = (cable.gain_at(block, 4), cable.gain_at(block + 1, 4));
            assert_eq!((now.value[1], now.slope[1]), (next.value[0], next.slope[0]));
        }
        assert_eq!(cable.gain_at(14, 4).resting(), Some(0.3));
        let dying = CablePlan { died: 12, ..cable };
        assert_eq!(
            dying.gain_at(12, 4).value[0],
            cable.gain_at(12, 4).value[0],
            "no jump when it dies before it is fully there"
        );
        assert_eq!(dying.gain_at(16, 4).resting(), Some(0.0));
    }
}
