//! The contract of a module: plain state per channel, and one pure function of a block.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::KindSpec;

use crate::block::Block;
use crate::sounds::{Prepared, Recording};

/// A kind of module. `process` is a pure function of `(state, params, events, inputs)`: it reads no clock, no
/// global, no address, no file, draws randomness only from its state, does not allocate, lock or panic, and
/// sums in a fixed order (DESIGN 4).
pub trait Module: 'static {
    /// Names, units and ranges of everything that the kind offers.
    const SPEC: KindSpec;

    /// State of one channel: fixed layout, no pointer. It lives in shared memory in two banks, so that a
    /// block can be executed again from where it began.
    type Voice: Pod;

    /// Rings of [`Tapes`](crate::Tapes) that one channel has, all as long as [`Module::tape_frames`] says.
    const TAPES: usize = 1;

    /// Frames of [`Tape`](crate::Tape) that one channel needs at `rate_hz`: its longest delay. 0 for none.
    fn tape_frames(_rate_hz: f32) -> usize {
        0
    }

    /// What a `file` param of this kind is to hold of `recording`, at `rate_hz` and in blocks of `frames`. Called on an ordinary
    /// thread when the file is loaded: it may allocate and take its time.
    ///
    /// # Errors
    /// A sentence in the player's words, if the file is of no use to this kind.
    fn prepare(_recording: &Recording, _rate_hz: f32, _frames: usize) -> Result<Prepared, String> {
        Err("this kind plays no files".to_owned())
    }

    /// Sets a zeroed `voice` to the state before the first block. `seed` differs from module to module and
    /// stays the same for a module's id; mix in `channel` where channels must differ.
    fn reset(_voice: &mut Self::Voice, _channel: usize, _seed: u64, _rate_hz: f32) {}

    /// Computes one block for `W` channels side by side (`W` is 1, 4 or 8; `voices` has `W` elements).
    ///
    /// Channels never mix, and each gives the same bits whatever `W` is. Implementations are
    /// `#[inline(always)]`, so that the loop is compiled once per SIMD level; they use no fused multiply-add,
    /// so that every level gives the same bits.
    fn process<const W: usize>(voices: &mut [Self::Voice; W], block: &mut Block<'_, W>);
}

/// The `Voice` of a kind that remembers nothing.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct Stateless(u32);
