//! One channel of an oscillator: its state, and how it is drawn.

use bytemuck::{Pod, Zeroable};

use super::WAVES;
use super::controls::{Controls, width_of};
use super::shapes::{Fades, Shapes};
use super::unison::Seating;
use crate::dsp::course::Course;
use crate::dsp::divider::{Divider, Square};
use crate::dsp::residual::{LOW, Residuals, TAPS};
use crate::dsp::steady::{CHUNK, Canvas, Steady};
use crate::dsp::switch::{Switch, blend};
use crate::dsp::sync::Sync;
use crate::dsp::wave::{self, Wave};
use crate::{Param, Tables};

/// What is drawn: the waves, and the sub-octave.
const DRAWN: usize = WAVES + 1;

/// The sub-octave's place among them.
const SUB: usize = WAVES;

/// What the player chose for a channel.
#[derive(Clone, Copy, Default)]
pub(super) struct Choices {
    pub(super) shape: usize,
    /// Soft sync instead of hard.
    pub(super) is_soft: bool,
    /// Octaves from the oscillator down to `sub`.
    pub(super) sub: u32,
    /// Which residuals.
    pub(super) latency: usize,
    /// Channels that sound a note together.
    pub(super) voices: usize,
}

/// State of one channel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// The phase, and its fraction: together 64 bits.
    phase: u32,
    fraction: u32,
    /// The last two steps of the phase, oldest first.
    steps: [i32; 2],
    /// -1 where soft sync has sent the phase backwards, else 0.
    sign: i32,
    /// The last three pulse widths, oldest first.
    widths: [u32; 3],
    /// Where the phase begins if it is one voice of several.
    random_phase: u32,
    pub(super) sync: Sync,
    divider: Divider,
    pub(super) seating: Seating,
    pub(super) shapes: Shapes,
    latency: Switch,
    /// Per latency, bit per wave whose tail is up to date.
    live: [u32; 2],
    is_started: u32,
    /// Per wave, what its past still adds to the frames to come.
    tails: [[f32; TAPS]; DRAWN],
    /// The same for `latency = low`.
    low_tails: [[f32; 2 * LOW.latency]; DRAWN],
}

/// How the phase of a channel moves through a chunk.
pub(super) enum Motion<'a> {
    Steady(Steady),
    Moving(&'a Course),
}

impl Motion<'_> {
    #[inline(always)]
    fn draw(&self, wave: Wave, frames: usize, tables: &Residuals, canvas: &mut Canvas) {
        match self {
            Motion::Steady(steady) => steady.draw(wave, frames, tables, canvas),
            Motion::Moving(course) => course.draw(wave, tables, canvas),
        }
    }

    #[inline(always)]
    fn draw_sub(&self, frames: usize, square: Square<'_>) -> Divider {
        match self {
            Motion::Steady(steady) => steady.draw_sub(frames, square),
            Motion::Moving(course) => course.draw_sub(square),
        }
    }

    /// The bare phase as a signal.
    #[inline(always)]
    pub(super) fn phases(&self, into: &mut [f32]) {
        match self {
            Motion::Steady(steady) => steady.bare(into),
            Motion::Moving(course) => {
                for (value, &phase) in into.iter_mut().zip(&course.phases[1..]) {
                    *value = wave::bare(phase);
                }
            }
        }
    }
}

impl Voice {
    /// Sets out where the seed says, should it be one voice of several.
    pub(super) fn seed(&mut self, drawn: f32) {
        self.random_phase = (drawn * 2_147_483_648.0) as i32 as u32;
    }

    /// Heeds the player's choices, at the start of a block. At the very first one no shape fades in, and the width has always
    /// been what it is.
    pub(super) fn begin(&mut self, choices: Choices, pw: f32, fades: Fades) {
        self.latency.meet(choices.latency, fades.switch + TAPS as u32);
        if self.is_started == 0 {
            self.is_started = 1;
            self.widths = [width_of(pw); 3];
            self.shapes = Shapes::only(choices.shape, fades);
            self.divider = Divider::new(choices.sub);
            if choices.voices > 1 {
                self.phase = self.random_phase;
            }
        }
    }

    /// The phase with as much of its fraction as [`Steady`] takes.
    #[inline(always)]
    pub(super) fn phase_48(&self) -> u64 {
        (u64::from(self.phase) << 32 | u64::from(self.fraction)) >> 16
    }

    #[inline(always)]
    pub(super) fn last_width(&self) -> u32 {
        self.widths[2]
    }

    #[inline(always)]
    pub(super) fn is_backward(&self) -> bool {
        self.sign != 0
    }

    /// Fills in a chunk in which the phase does not move evenly; the course knows its syncs already.
    #[inline(always)]
    pub(super) fn plot<const W: usize>(
        &mut self,
        course: &mut Course,
        controls: &Controls<'_, W>,
        lane: usize,
        start: usize,
        steps: &[[i32; W]],
        is_soft: bool,
    ) {
        let frames = steps.len();
        course.frames = frames;
        course.steps[..2].copy_from_slice(&self.steps);
        for (step, row) in course.steps[2..].iter_mut().zip(steps) {
            *step = row[lane];
        }
        course.widths[..3].copy_from_slice(&self.widths);
        let widths = &mut course.widths[3..frames + 3];
        match controls.pw {
            Param::Constant(pw) => widths.fill(width_of(pw)),
            Param::Varying(rows) => {
                for (width, row) in widths.iter_mut().zip(&rows[start..]) {
                    *width = width_of(row[lane]);
                }
            }
        }
        // Nothing would send it forwards again but soft sync.
        if self.is_backward() && (!is_soft || controls.sync.is_none()) && course.syncs() & 1 == 0 {
            course.turns |= 1;
            course.sync_times[0] = 0.0;
        }
        self.sign = course.set_phases(self.phase, self.sign);
    }

    /// Moves on to the end of a chunk.
    #[inline(always)]
    pub(super) fn advance(&mut self, motion: &Motion<'_>, frames: usize) {
        match motion {
            Motion::Steady(steady) => {
                let phase = steady.after(frames) << 16;
                self.phase = (phase >> 32) as u32;
                self.fraction = phase as u32;
                self.steps = [(steady.step >> 16) as i32; 2];
                self.widths = [steady.width; 3];
            }
            Motion::Moving(course) => {
                self.phase = course.phases[frames];
                self.steps.copy_from_slice(&course.steps[frames..frames + 2]);
                self.widths.copy_from_slice(&course.widths[frames..frames + 3]);
            }
        }
        self.latency.advance(frames);
        self.seating.advance(frames);
    }

    /// This chunk of a wave.
    #[inline(always)]
    pub(super) fn draw(
        &mut self,
        wave: Wave,
        motion: &Motion<'_>,
        frames: usize,
        tables: &Tables,
        fades: Fades,
        canvas: &mut Canvas,
    ) {
        self.render(
            wave as usize,
            frames,
            tables,
            fades,
            canvas,
            #[inline(always)]
            |tables, canvas| motion.draw(wave, frames, tables, canvas),
        )
    }

    /// This chunk of the sub-octave.
    #[inline(always)]
    pub(super) fn draw_sub(
        &mut self,
        octaves: u32,
        motion: &Motion<'_>,
        frames: usize,
        tables: &Tables,
        fades: Fades,
        canvas: &mut Canvas,
    ) {
        let before = self.divider;
        let mut after = before;
        self.render(
            SUB,
            frames,
            tables,
            fades,
            canvas,
            #[inline(always)]
            |tables, canvas| after = motion.draw_sub(frames, Square::new(before, octaves, tables, canvas)),
        );
        self.divider = after;
    }

    /// Draws with the residuals of the latency that is chosen; while that changes, with both.
    #[inline(always)]
    fn render(
        &mut self,
        wave: usize,
        frames: usize,
        tables: &Tables,
        fades: Fades,
        canvas: &mut Canvas,
        mut draw: impl FnMut(&Residuals, &mut Canvas),
    ) {
        let residuals = [&tables.residuals, &tables.low_residuals];
        let [from, to] = self.latency.choices();
        let mut old = None;
        // One place that draws, once around or twice: everything in it is compiled there.
        let mut latency = from;
        loop {
            self.lend_tail(wave, latency, canvas);
            draw(residuals[latency], canvas);
            self.keep_tail(wave, latency, &canvas[frames..]);
            if latency == to {
                break;
            }
            (old, latency) = (Some(*canvas), to);
        }
        match old {
            None => self.live[1 - to] &= !(1 << wave),
            Some(old) => {
                for (frame, (new, old)) in canvas[..frames].iter_mut().zip(&old).enumerate() {
                    *new = blend(*old, *new, self.latency.share(frame, fades.switch));
                }
            }
        }
    }

    /// Nobody hears the wave: its tails grow old.
    #[inline(always)]
    pub(super) fn skip(&mut self, wave: usize) {
        for live in &mut self.live {
            *live &= !(1 << wave);
        }
    }

    /// As [`Voice::skip`], for the sub-octave.
    #[inline(always)]
    pub(super) fn skip_sub(&mut self) {
        self.skip(SUB);
    }

    /// Begins a canvas with what earlier edges still owe; with nothing for a wave that was not drawn of late.
    #[inline(always)]
    fn lend_tail(&self, wave: usize, latency: usize, canvas: &mut Canvas) {
        *canvas = [0.0; CHUNK + TAPS];
        if self.live[latency] >> wave & 1 == 1 {
            match latency {
                0 => canvas[..TAPS].copy_from_slice(&self.tails[wave]),
                _ => canvas[..2 * LOW.latency].copy_from_slice(&self.low_tails[wave]),
            }
        }
    }

    #[inline(always)]
    fn keep_tail(&mut self, wave: usize, latency: usize, tail: &[f32]) {
        self.live[latency] |= 1 << wave;
        match latency {
            0 => self.tails[wave].copy_from_slice(&tail[..TAPS]),
            _ => self.low_tails[wave].copy_from_slice(&tail[..2 * LOW.latency]),
        }
    }
}
