//! What a module sees of one block: its inputs, its params, its outputs, its tape.
//!
//! Buffers are frame-major: `[frame][channel]`, `W` channels side by side, so that SIMD runs across channels.

use tine_protocol::spec::CHANNELS_MAX;

use crate::fft::Ffts;
use crate::sounds::{Sound, Sounds};
use crate::tables::Tables;
use crate::transport::Transport;

/// One block of one group of `W` channels.
pub struct Block<'a, const W: usize> {
    /// Frames in this block.
    pub frames: usize,
    /// Frames per second.
    pub rate_hz: f32,
    /// Read-only tables, built at warm-up.
    pub tables: &'a Tables,
    /// Fourier transforms, planned at warm-up.
    pub ffts: &'a Ffts,
    /// Musical time.
    pub transport: Transport,
    /// First channel of this group within the module.
    pub first_channel: usize,
    /// Channels of the module; those of the last group beyond it are padding.
    pub channels: usize,
    pub(crate) ports: usize,
    /// Per input (ports, then params): `frames` rows, valid where the bit in `varying` is set.
    pub(crate) inputs: &'a [f32],
    pub(crate) input_stride: usize,
    pub(crate) varying: u64,
    pub(crate) patched: u64,
    /// Per param: its value at the end of the block, before cables.
    pub(crate) constants: &'a [f32],
    pub(crate) silence: &'a [f32],
    /// Per output: `frames` rows at `output_stride`.
    pub(crate) outputs: &'a mut [f32],
    pub(crate) output_stride: usize,
    pub(crate) wanted: u32,
    pub(crate) tape: &'a mut [f32],
    pub(crate) tape_frames: usize,
    pub(crate) tapes: usize,
    pub(crate) position: u64,
    pub(crate) poly: &'a [[f32; CHANNELS_MAX]],
    pub(crate) poly_channels: usize,
    pub(crate) sounds: Sounds<'a>,
    /// What the device hears: frames of left and right.
    pub(crate) heard: &'a [[f32; 2]],
}

/// A param over one block, in its own unit and within its range, cables included.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a, const W: usize> {
    /// The same value in every frame and channel: control work is done once.
    Constant(f32),
    /// One row per frame.
    Varying(&'a [[f32; W]]),
}

impl<const W: usize> Param<'_, W> {
    /// The value in `frame`, per channel.
    #[inline(always)]
    pub fn at(&self, frame: usize) -> [f32; W] {
        match self {
            Param::Constant(value) => [*value; W],
            Param::Varying(rows) => rows[frame],
        }
    }

    /// The value if it is the same in every frame and channel.
    #[inline(always)]
    pub fn constant(&self) -> Option<f32> {
        match self {
            Param::Constant(value) => Some(*value),
            Param::Varying(_) => None,
        }
    }
}

impl<'a, const W: usize> Block<'a, W> {
    /// The sum of what is patched into an input port, and of what `note`, `gate` and `trig` hold there; silence
    /// where there is nothing. `frames` rows, every value finite.
    #[inline(always)]
    pub fn input(&self, port: impl Into<usize>) -> &'a [[f32; W]] {
        let port = port.into();
        debug_assert!(port < self.ports);
        if self.varying >> port & 1 == 1 { self.rows(port) } else { &bytemuck::cast_slice(self.silence)[..self.frames] }
    }

    /// Whether a cable or a held value reaches the input port in this block. Where it is false the input is silence.
    #[inline(always)]
    pub fn is_patched(&self, port: impl Into<usize>) -> bool {
        self.patched >> port.into() & 1 == 1
    }

    /// A param, smoothed and modulated.
    #[inline(always)]
    pub fn param(&self, param: impl Into<usize>) -> Param<'a, W> {
        let param = param.into();
        let input = self.ports + param;
        if self.varying >> input & 1 == 1 {
            Param::Varying(self.rows(input))
        } else {
            Param::Constant(self.constants[param])
        }
    }

    /// The index of a choice, as it stands at the end of the block, per channel.
    #[inline(always)]
    pub fn choice(&self, param: impl Into<usize>) -> [usize; W] {
        self.param(param).at(self.frames - 1).map(|value| value as usize)
    }

    /// Whether anything reads this output. What nobody reads need not be computed.
    #[inline(always)]
    pub fn is_wanted(&self, port: impl Into<usize>) -> bool {
        self.wanted >> port.into() & 1 == 1
    }

    /// The output buffer: `frames` rows. It starts with unspecified contents: write every row of every wanted output.
    #[inline(always)]
    pub fn output(&mut self, port: impl Into<usize>) -> &mut [[f32; W]] {
        let start = port.into() * self.output_stride;
        bytemuck::cast_slice_mut(&mut self.outputs[start..start + self.frames * W])
    }

    /// Every channel of the cables into the port that is marked [`poly`](tine_protocol::spec::PortSpec::poly), and how many carry
    /// sound (0: nothing is patched). Unlike [`Block::input`] this does not fold them to the module's own channels.
    #[inline(always)]
    pub fn poly(&self) -> (&'a [[f32; CHANNELS_MAX]], usize) {
        (self.poly, self.poly_channels)
    }

    /// The sound that a `file` param names, as it stands at the end of the block; `None` while it names none.
    #[inline(always)]
    pub fn sound(&self, param: impl Into<usize>) -> Option<Sound<'a>> {
        self.sounds.at(self.param(param).at(self.frames - 1)[0] as usize)
    }

    /// What the sound device hears: `frames` rows of left and right; silence where nothing is plugged in.
    #[inline(always)]
    pub fn heard(&self) -> &'a [[f32; 2]] {
        self.heard
    }

    /// Frames since the module's reset, up to the start of this block.
    #[inline(always)]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The long memory of `channel` (0..W) of this group.
    #[inline(always)]
    pub fn tape(&mut self, channel: usize) -> Tape<'_> {
        let start = channel * self.tapes * self.tape_frames;
        Tape { cells: &mut self.tape[start..start + self.tape_frames], position: self.position }
    }

    /// The long memory of `channel` and the output buffer at once, for a loop that feeds back frame by frame.
    #[inline(always)]
    pub fn tape_and_output(&mut self, channel: usize, port: impl Into<usize>) -> (Tape<'_>, &mut [[f32; W]]) {
        let cells = channel * self.tapes * self.tape_frames;
        let start = port.into() * self.output_stride;
        (
            Tape { cells: &mut self.tape[cells..cells + self.tape_frames], position: self.position },
            bytemuck::cast_slice_mut(&mut self.outputs[start..start + self.frames * W]),
        )
    }

    /// All long memory of `channel`, and all outputs: for loops that feed back through several rings.
    #[inline(always)]
    pub fn tapes_and_outputs(&mut self, channel: usize) -> (Tapes<'_>, Outputs<'_, W>) {
        let length = self.tapes * self.tape_frames;
        (
            Tapes {
                cells: &mut self.tape[channel * length..(channel + 1) * length],
                frames: self.tape_frames,
                position: self.position,
            },
            Outputs { samples: self.outputs, stride: self.output_stride, frames: self.frames },
        )
    }

    #[inline(always)]
    fn rows(&self, input: usize) -> &'a [[f32; W]] {
        let start = input * self.input_stride;
        bytemuck::cast_slice(&self.inputs[start..start + self.frames * W])
    }
}

/// A ring that remembers what a block wrote, for delays longer than a state should be.
///
/// It holds at least [`Module::tape_frames`](crate::Module::tape_frames) plus two blocks, so a block that is executed again
/// finds everything that it read the first time. A block writes only its own frames. Nothing is cleared at a
/// reset: what was not written since then reads as 0.
pub struct Tape<'a> {
    cells: &'a mut [f32],
    /// Frames since the module's reset, up to the start of this block.
    position: u64,
}

impl Tape<'_> {
    /// Stores `value` for `frame` of this block.
    #[inline(always)]
    pub fn write(&mut self, frame: usize, value: f32) {
        let mask = self.cells.len() - 1;
        self.cells[(self.position as usize + frame) & mask] = value;
    }

    /// What was written `delay_frames` before `frame` of this block (0: this very frame); 0 before the reset.
    #[inline(always)]
    pub fn read(&self, frame: usize, delay_frames: usize) -> f32 {
        let now = self.position + frame as u64;
        if delay_frames as u64 > now {
            return 0.0;
        }
        self.cells[(now - delay_frames as u64) as usize & (self.cells.len() - 1)]
    }

    /// `N` neighbours at once, to interpolate between: what was written `delay_frames`, `delay_frames + 1`, ... before `frame`.
    #[inline(always)]
    pub fn neighbours<const N: usize>(&self, frame: usize, delay_frames: usize) -> [f32; N] {
        let mut values = [0.0; N];
        let now = self.position + frame as u64;
        let oldest = (delay_frames + N - 1) as u64;
        if oldest <= now {
            let start = (now - oldest) as usize & (self.cells.len() - 1);
            if let Some(cells) = self.cells.get(start..start + N) {
                for (value, cell) in values.iter_mut().zip(cells.iter().rev()) {
                    *value = *cell;
                }
                return values;
            }
        }
        for (k, value) in values.iter_mut().enumerate() {
            *value = self.read(frame, delay_frames + k);
        }
        values
    }

    /// Copies what was written from `delay_frames` before `frame` on: `into[k]` is [`Tape::read`] at `delay_frames - k`.
    #[inline(always)]
    pub fn copy(&self, frame: usize, delay_frames: usize, into: &mut [f32]) {
        let now = self.position + frame as u64;
        let early = (delay_frames as u64).saturating_sub(now).min(into.len() as u64) as usize;
        let (before, mut into) = into.split_at_mut(early);
        before.fill(0.0);
        let mut at = (now + early as u64).wrapping_sub(delay_frames as u64) as usize & (self.cells.len() - 1);
        while !into.is_empty() {
            let length = into.len().min(self.cells.len() - at);
            let (part, rest) = into.split_at_mut(length);
            part.copy_from_slice(&self.cells[at..at + length]);
            (into, at) = (rest, 0);
        }
    }
}

/// The rings of one channel of a kind that has several ([`Module::TAPES`](crate::Module::TAPES)).
pub struct Tapes<'a> {
    cells: &'a mut [f32],
    frames: usize,
    position: u64,
}

impl Tapes<'_> {
    /// Stores `value` on `ring` for `frame` of this block.
    #[inline(always)]
    pub fn write(&mut self, ring: usize, frame: usize, value: f32) {
        self.ring(ring).write(frame, value);
    }

    /// What was written on `ring` `delay_frames` before `frame` of this block; 0 before the reset.
    #[inline(always)]
    pub fn read(&mut self, ring: usize, frame: usize, delay_frames: usize) -> f32 {
        self.ring(ring).read(frame, delay_frames)
    }

    /// One ring by itself.
    #[inline(always)]
    pub fn ring(&mut self, ring: usize) -> Tape<'_> {
        Tape { cells: &mut self.cells[ring * self.frames..(ring + 1) * self.frames], position: self.position }
    }
}

/// All output buffers of one group of `W` channels.
pub struct Outputs<'a, const W: usize> {
    samples: &'a mut [f32],
    stride: usize,
    frames: usize,
}

impl<const W: usize> Outputs<'_, W> {
    /// The rows of one output, as [`Block::output`].
    #[inline(always)]
    pub fn of(&mut self, port: impl Into<usize>) -> &mut [[f32; W]] {
        let start = port.into() * self.stride;
        bytemuck::cast_slice_mut(&mut self.samples[start..start + self.frames * W])
    }
}
