//! Typed, fixed-width numbers, so that a lane cannot be taken for a slot.

use bytemuck::{Pod, Zeroable};
use serde::Serialize;

/// One worker seat, and the segment that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Pod, Zeroable, Serialize)]
#[repr(transparent)]
pub struct LaneId(pub u16);

/// Which incarnation of a lane's worker this is; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable, Serialize)]
#[repr(transparent)]
pub struct Generation(pub u32);

/// A module, for as long as the engine runs; never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub struct Slot(pub u32);

/// Number of a block, from 0 at the start of sound. At 48 kHz and 16 frames it lasts 194 million years.
pub type Block = u64;
