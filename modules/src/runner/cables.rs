//! What comes to an input: its cables, scrubbed and summed over what a player holds there.

use fearless_simd::Level;
use tine_protocol::ramp::Ramp;
use tine_protocol::spec::CHANNELS_MAX;

use super::{Cable, Event, Shape, Sources, at};
use crate::dsp::math::SIGNAL_MAX;

/// The values held at a port by the channels of `group`, per frame.
pub fn hold<const W: usize>(mut held: [f32; W], input: usize, group: usize, events: &[Event], rows: &mut [[f32; W]]) {
    let mut start = 0;
    for event in events.iter().filter(|event| event.input as usize == input) {
        let end = (event.frame as usize).clamp(start, rows.len());
        rows[start..end].fill(held);
        for lane in 0..W {
            if event.reaches(group * W + lane) {
                held[lane] = event.value;
            }
        }
        start = end;
    }
    rows[start..].fill(held);
}

/// Where the cables of a module end, for one group of its channels.
pub struct Inlet<'a> {
    /// What to compute with.
    pub level: Level,
    /// All cables into the module.
    pub cables: &'a [Cable],
    /// Channels of the module.
    pub channels: usize,
    /// Number of the group.
    pub group: usize,
    /// Work space: a block of the widest source.
    pub fetched: &'a mut [f32],
    /// Where their samples lie.
    pub sources: &'a mut dyn Sources,
}

impl Inlet<'_> {
    /// Adds the cables into `input` to `rows`. Returns how many samples were no signal, and were replaced.
    ///
    /// A mono source feeds all channels, a poly source into a mono input is summed: in general channel `c` of the
    /// wider side meets channel `c` modulo the narrower one.
    pub fn add_cables<const W: usize>(&mut self, input: usize, rows: &mut [[f32; W]]) -> u32 {
        let (level, channels, group) = (self.level, self.channels, self.group);
        let mut scrubbed = 0;
        for (index, cable) in self.cables.iter().enumerate().filter(|(_, cable)| cable.feeds(input)) {
            let (source, block) = self.fetch(index, cable, rows.len());
            at(
                level,
                #[inline(always)]
                || {
                    scrubbed += scrub(block);
                    add_cable(cable, source, channels, group, block, rows);
                },
            );
        }
        scrubbed
    }

    /// Sums the cables into the kind's poly port channel by channel, as they come. Returns how many channels carry sound.
    pub fn gather(&mut self, port: usize, poly: &mut [[f32; CHANNELS_MAX]]) -> usize {
        poly.fill([0.0; CHANNELS_MAX]);
        let frames = poly.len();
        let mut channels = 0;
        for (index, cable) in self.cables.iter().enumerate().filter(|(_, cable)| cable.feeds(port)) {
            let (source, block) = self.fetch(index, cable, frames);
            // Counted where the port's folded sum is made.
            scrub(block);
            channels = channels.max(cable.channels);
            let moving = MovingGain::new(cable.gain, frames);
            for channel in 0..cable.channels {
                let start = source.offset(channel, frames);
                for (frame, row) in poly.iter_mut().enumerate() {
                    let gain = cable.gain.resting().unwrap_or_else(|| moving.at(frame));
                    row[channel] += gain * block[start + frame * source.width];
                }
            }
        }
        channels
    }

    /// This block of what a cable comes from, and how it is laid out.
    #[inline(always)]
    fn fetch(&mut self, index: usize, cable: &Cable, frames: usize) -> (Shape, &mut [f32]) {
        let source = Shape::new(cable.channels);
        let block = &mut self.fetched[..source.stride() * frames];
        self.sources.fetch(index, block);
        (source, block)
    }
}

impl Cable {
    /// Whether it brings anything to `input`. One at rest at zero is as good as none: adding it could still turn -0.0 into 0.0.
    #[inline(always)]
    pub(super) fn feeds(&self, input: usize) -> bool {
        self.input == input && self.gain.resting() != Some(0.0)
    }
}

/// Replaces what a module must not see; returns how many samples that were.
#[inline(always)]
fn scrub(block: &mut [f32]) -> u32 {
    // As bits, what is no number is larger than what is infinite, and that than any signal. A loop, as closures of std's are not compiled
    // for the SIMD level.
    let mut largest = 0;
    for sample in &*block {
        largest = largest.max(sample.abs().to_bits());
    }
    if largest <= SIGNAL_MAX.to_bits() { 0 } else { replace(block) }
}

#[cold]
fn replace(block: &mut [f32]) -> u32 {
    let mut replaced = 0;
    for sample in block.iter_mut().filter(|sample| sample.is_nan() || sample.abs() > SIGNAL_MAX) {
        *sample = if sample.is_finite() { sample.clamp(-SIGNAL_MAX, SIGNAL_MAX) } else { 0.0 };
        replaced += 1;
    }
    replaced
}

#[inline(always)]
fn add_cable<const W: usize>(
    cable: &Cable,
    source: Shape,
    channels: usize,
    group: usize,
    block: &[f32],
    rows: &mut [[f32; W]],
) {
    match cable.gain.resting() {
        Some(gain) => add_samples(
            source,
            channels,
            group,
            block,
            rows,
            #[inline(always)]
            |_| gain,
        ),
        None => {
            let moving = MovingGain::new(cable.gain, rows.len());
            add_samples(
                source,
                channels,
                group,
                block,
                rows,
                #[inline(always)]
                |frame| moving.at(frame),
            );
        }
    }
}

/// A ramp as a polynomial, evaluated per frame.
pub struct MovingGain {
    coefficients: [f32; 4],
    per_frame: f32,
}

impl MovingGain {
    /// Over a block of `frames`.
    pub fn new(ramp: Ramp, frames: usize) -> MovingGain {
        MovingGain { coefficients: ramp.cubic(), per_frame: 1.0 / frames as f32 }
    }

    /// The gain of a frame.
    #[inline(always)]
    pub fn at(&self, frame: usize) -> f32 {
        let t = frame as f32 * self.per_frame;
        let [c0, c1, c2, c3] = self.coefficients;
        c0 + t * (c1 + t * (c2 + t * c3))
    }
}

#[inline(always)]
fn add_samples<const W: usize>(
    source: Shape,
    channels: usize,
    group: usize,
    block: &[f32],
    rows: &mut [[f32; W]],
    gain: impl Fn(usize) -> f32,
) {
    let frames = rows.len();
    if source.channels == channels && source.width == W {
        let theirs: &[[f32; W]] = bytemuck::cast_slice(&block[group * frames * W..(group + 1) * frames * W]);
        for (frame, (row, theirs)) in rows.iter_mut().zip(theirs).enumerate() {
            let gain = gain(frame);
            for lane in 0..W {
                row[lane] += gain * theirs[lane];
            }
        }
        return;
    }
    if source.channels == 1 {
        // Lanes beyond the module's channels hear it too: nobody hears them.
        for (frame, (row, sample)) in rows.iter_mut().zip(block).enumerate() {
            let sample = gain(frame) * sample;
            for lane in 0..W {
                row[lane] += sample;
            }
        }
        return;
    }
    for channel in 0..channels.max(source.channels) {
        let Some(lane) = (channel % channels).checked_sub(group * W).filter(|&lane| lane < W) else { continue };
        let start = source.offset(channel % source.channels, frames);
        for (frame, row) in rows.iter_mut().enumerate() {
            row[lane] += gain(frame) * block[start + frame * source.width];
        }
    }
}
