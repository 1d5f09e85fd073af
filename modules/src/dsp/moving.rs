//! An oscillator whose pitch, pulse width or sync moves from frame to frame.
//!
//! First the [`Course`] of its phase, then per shape: the naive wave, and a residual at each edge.

use super::course::{Course, Offset, bits};
use super::cubic::Cubic;
use super::divider::{Divider, Square};
use super::residual::{self, Residuals};
use super::steady::Canvas;
use super::wave::{self, Break, QUARTER, THREE_QUARTERS, Wave};

impl Course {
    /// Adds this chunk of a wave to `canvas`, as late as its residuals are.
    #[inline(always)]
    pub fn draw(&self, wave: Wave, tables: &Residuals, canvas: &mut Canvas) {
        let late = tables.latency();
        match wave {
            Wave::Saw => {
                self.naive(
                    late,
                    canvas,
                    #[inline(always)]
                    |phase, _| wave::saw(phase),
                );
                self.jumps(Offset::Fixed(0), -2.0, tables, canvas);
            }
            Wave::Pulse => {
                self.naive(late, canvas, wave::pulse);
                self.jumps(Offset::Fixed(0), 2.0, tables, canvas);
                self.jumps(Offset::Width, -2.0, tables, canvas);
            }
            Wave::Tri => {
                self.naive(
                    late,
                    canvas,
                    #[inline(always)]
                    |phase, _| wave::tri(phase),
                );
                self.bends(Offset::Fixed(QUARTER), -8.0, tables, canvas);
                self.bends(Offset::Fixed(THREE_QUARTERS), 8.0, tables, canvas);
            }
            Wave::Sine => self.naive(
                late,
                canvas,
                #[inline(always)]
                |phase, _| wave::sine(phase),
            ),
        }
        self.breaks(wave, tables, canvas);
    }

    /// Adds this chunk of the divided square.
    #[inline(always)]
    pub fn draw_sub(&self, mut square: Square<'_>) -> Divider {
        for frame in bits(self.suspects(Offset::Fixed(0))) {
            let parts = self.parts(frame, Offset::Fixed(0));
            for (part, (crossings, _)) in parts.iter().enumerate() {
                if part == 1 && self.resets >> frame & 1 == 1 {
                    square.edge(frame, (1.0 - self.sync_times[frame]) as f32, true);
                }
                for (time, is_rising) in crossings.iter() {
                    square.edge(frame, (1.0 - time) as f32, is_rising);
                }
            }
        }
        square.hold(self.frames);
        square.divider
    }

    #[inline(always)]
    fn naive(&self, late: usize, canvas: &mut Canvas, shape: impl Fn(u32, u32) -> f32) {
        let frames = self.frames;
        let (phases, widths) = (&self.phases[1..=frames], &self.widths[3..frames + 3]);
        for ((value, &phase), &width) in canvas[late..late + frames].iter_mut().zip(phases).zip(widths) {
            *value += shape(phase, width);
        }
    }

    /// Jumps of `amount` where the phase rises past the offset, of minus that where it falls back.
    #[inline(always)]
    fn jumps(&self, offset: Offset, amount: f32, tables: &Residuals, canvas: &mut Canvas) {
        self.edges(
            offset,
            #[inline(always)]
            |frame, time, is_rising, _| {
                let amount = if is_rising { amount } else { -amount };
                residual::add(&tables.step, &mut canvas[frame..], (1.0 - time) as f32, amount);
            },
        );
    }

    /// Slopes that change by `amount` times the frequency, whatever its direction, and with them the curvature.
    #[inline(always)]
    fn bends(&self, offset: Offset, amount: f32, tables: &Residuals, canvas: &mut Canvas) {
        self.edges(
            offset,
            #[inline(always)]
            |frame, time, is_rising, phase| {
                let side = if is_rising { amount } else { -amount };
                let (age, into) = ((1.0 - time) as f32, &mut canvas[frame..]);
                residual::add(&tables.ramp, into, age, amount * phase.slope(time).abs() as f32);
                residual::add(&tables.bow, into, age, side * phase.bend(time) as f32);
            },
        );
    }

    /// What a sync itself does to a wave; edges before and after it in the same frame are ordinary ones.
    #[inline(never)]
    fn breaks(&self, wave: Wave, tables: &Residuals, canvas: &mut Canvas) {
        for frame in bits(self.syncs()) {
            let (time, motion) = (self.sync_times[frame], self.motion_at_sync(frame));
            let is_reset = self.resets >> frame & 1 == 1;
            let sync = if is_reset { Break::reset(wave, motion) } else { Break::turn(wave, motion) };
            let (age, into) = ((1.0 - time) as f32, &mut canvas[frame..]);
            residual::add(&tables.step, into, age, sync.step as f32);
            if !is_reset || matches!(wave, Wave::Tri | Wave::Sine) {
                residual::add(&tables.ramp, into, age, sync.ramp as f32);
                residual::add(&tables.bow, into, age, sync.bow as f32);
            }
        }
    }

    /// Tells `each` edge: frame, time within it, direction, and the path of the phase itself.
    #[inline(always)]
    fn edges(&self, offset: Offset, mut each: impl FnMut(usize, f64, bool, Cubic)) {
        for frame in bits(self.suspects(offset)) {
            for (crossings, phase) in &self.parts(frame, offset) {
                for (time, is_rising) in crossings.iter() {
                    each(frame, time, is_rising, *phase);
                }
            }
        }
    }
}
