//! The wave of an lfo as a sound: its edges go through the residual tables of the oscillators.
//!
//! Each edge has its time from the path of the phase through the last four frames ([`crate::dsp::cubic`]). A reset comes in its
//! frame, as it does in `out`.

use bytemuck::{Pod, Zeroable};

use super::shape::{self, RANDOM, wave};
use crate::dsp::cubic::Cubic;
use crate::dsp::residual::{self, BEST, Residuals, TAPS};
use crate::dsp::steady::CHUNK;

/// What one channel of an lfo did in one frame.
#[derive(Clone, Copy, Default)]
pub(super) struct Moment {
    /// The phase that was read, 0..1.
    pub(super) phase: f64,
    /// The value of `random`.
    pub(super) held: f32,
    /// What `out` gave.
    pub(super) out: f32,
    /// The cycle was started again in this very frame.
    pub(super) is_reset: bool,
    /// The shapes that sound, and the share of the second.
    pub(super) shapes: [usize; 2],
    pub(super) share: f32,
}

impl Moment {
    /// A property of the shapes, as they are mixed.
    fn mixed(&self, of: impl Fn(usize) -> f64) -> f64 {
        let [from, to] = self.shapes.map(of);
        let share = f64::from(self.share);
        if self.shapes[0] == self.shapes[1] { to } else { from + (to - from) * share }
    }
}

/// State of one channel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Tone {
    /// The phase in the last frame.
    phase: f64,
    /// How far it moved in the last two, oldest first.
    steps: [f64; 2],
    held: f32,
    /// Whether the block before was drawn.
    is_live: u32,
    /// What past edges still add to the frames to come.
    tail: [f32; TAPS],
}

impl Tone {
    /// Nobody listens.
    #[inline(always)]
    pub(super) fn skip(&mut self) {
        self.is_live = 0;
    }

    /// A chunk of the sound, [`BEST`] late.
    #[inline(never)]
    pub(super) fn draw(&mut self, moments: &[Moment], residuals: &Residuals) -> [f32; CHUNK] {
        let frames = moments.len().min(CHUNK);
        if let (0, Some(first)) = (self.is_live, moments.first()) {
            *self = Tone { phase: first.phase, steps: [0.0; 2], held: first.held, is_live: 1, tail: [0.0; TAPS] };
            self.tail[..BEST.latency].fill(first.out);
        }
        let mut canvas = [0.0; CHUNK + TAPS];
        canvas[..TAPS].copy_from_slice(&self.tail);
        for (frame, moment) in moments[..frames].iter().enumerate() {
            let into = &mut canvas[frame..];
            let moved = if moment.is_reset { self.steps[1] } else { nearest(moment.phase - self.phase) };
            let path = Cubic::new(self.steps[0], self.steps[1], moved);
            let drawn = moment.held - self.held;
            // Where the phase of a reset cycle would be, and what it held.
            let end = self.phase + path.at(1.0);
            let quarters = ((4.0 * self.phase).floor() as i32, (4.0 * end).floor() as i32);
            for quarter in quarters.0.min(quarters.1) + 1..=quarters.0.max(quarters.1) {
                let (level, kind) = (0.25 * f64::from(quarter), quarter.rem_euclid(4));
                let time = path.time_of(level - self.phase, 0.0, 1.0);
                let (age, side) = ((1.0 - time) as f32, if quarters.1 > quarters.0 { 1.0 } else { -1.0 });
                let jump = moment.mixed(|shape| match shape {
                    RANDOM if kind == 0 && side > 0.0 && !moment.is_reset => f64::from(drawn),
                    _ => side * shape::jump(shape, kind),
                });
                let bend = moment.mixed(|shape| shape::bend(shape, kind));
                residual::add(&residuals.step, into, age, jump as f32);
                residual::add(&residuals.ramp, into, age, (bend * path.slope(time).abs()) as f32);
                residual::add(&residuals.bow, into, age, (side * bend * path.bend(time)) as f32);
            }
            if moment.is_reset {
                let before = end - end.floor();
                let jump = moment.mixed(|shape| match shape {
                    RANDOM => f64::from(drawn),
                    _ => f64::from(wave(shape, &[moment.phase], &[0.0])[0] - wave(shape, &[before], &[0.0])[0]),
                });
                let slope = |phase| moment.mixed(|shape| shape::slope(shape, phase));
                residual::add(&residuals.step, into, 0.0, jump as f32);
                residual::add(&residuals.ramp, into, 0.0, (moved * (slope(moment.phase) - slope(before))) as f32);
            }
            canvas[BEST.latency + frame] += moment.out;
            (self.phase, self.held, self.steps) = (moment.phase, moment.held, [self.steps[1], moved]);
        }
        self.tail.copy_from_slice(&canvas[frames..frames + TAPS]);
        let mut sound = [0.0; CHUNK];
        sound.copy_from_slice(&canvas[..CHUNK]);
        sound
    }
}

/// A movement of the phase the short way round.
fn nearest(moved: f64) -> f64 {
    if moved > 0.5 {
        moved - 1.0
    } else if moved < -0.5 {
        moved + 1.0
    } else {
        moved
    }
}
