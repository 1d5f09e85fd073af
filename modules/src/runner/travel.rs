//! A param on its way: from value to value along its curve, without a corner, and what cables add to it.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{Curve, ParamSpec};

use super::Event;
use crate::dsp::math::exp2;

/// How far a param has travelled: part of the module's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Travel {
    from: f32,
    /// Where it is going.
    pub to: f32,
    done: u32,
    length: u32,
}

impl Travel {
    pub fn at(value: f32) -> Travel {
        Travel { from: value, to: value, done: 0, length: 0 }
    }

    /// Whether it has arrived.
    pub fn is_resting(&self) -> bool {
        self.done >= self.length
    }

    /// The value now; exactly `to` once it has arrived.
    fn value(&self, curve: Curve) -> f32 {
        if self.is_resting() {
            return self.to;
        }
        let part = eased(self.done, self.length);
        match curve {
            Curve::Linear => self.from + (self.to - self.from) * part,
            Curve::Exponential => self.from * exp2(part * libm::log2f(self.to / self.from)),
            Curve::Choice => self.to,
        }
    }
}

/// Frames over which a travel gathers speed, and loses it: 2.7 ms at 48 kHz.
const EASE_FRAMES: f32 = 128.0;

/// Part of the way after `done` of `length` frames: straight, but rounded at both ends.
///
/// A straight line has two corners, each as loud as a step of -70 dBFS for a gain that moves by 1 in 5 ms; rounded they
/// are below -90 dBFS (tests/clicks.rs). Ends and middle are where a straight line has them.
fn eased(done: u32, length: u32) -> f32 {
    let (done, length) = (done as f32, length as f32);
    let ease = EASE_FRAMES.min(0.5 * length);
    let speed = 1.0 / (length - ease);
    let left = length - done;
    if done < ease {
        speed * done * done / (2.0 * ease)
    } else if left < ease {
        1.0 - speed * left * left / (2.0 * ease)
    } else {
        speed * (done - 0.5 * ease)
    }
}

/// Walks a param through a block, telling `each` the value of every frame; returns where it stands after.
#[inline(always)]
pub fn follow(
    mut travel: Travel,
    spec: &ParamSpec,
    input: usize,
    events: &[Event],
    frames: u32,
    mut each: impl FnMut(usize, f32),
) -> Travel {
    let mut frame = 0;
    let mut walk = |travel: &mut Travel, to: u32| {
        while frame < to {
            each(frame as usize, travel.value(spec.curve));
            travel.done = (travel.done + 1).min(travel.length);
            frame += 1;
        }
    };
    for event in events.iter().filter(|event| event.input as usize == input) {
        walk(&mut travel, event.frame.min(frames));
        let now = travel.value(spec.curve);
        travel = Travel { from: now, to: event.value, done: 0, length: event.ramp_frames };
    }
    walk(&mut travel, frames);
    travel
}

/// Base values plus modulation in the param's own domain, within its range.
#[inline(always)]
pub fn modulate<const W: usize>(spec: &ParamSpec, base: &[f32], sum: &[[f32; W]], rows: &mut [[f32; W]]) {
    // Loops over lanes, not `map`: closures inside std's array functions are not compiled for the SIMD level.
    let (min, max) = (spec.min, spec.max);
    for ((row, sum), &base) in rows.iter_mut().zip(sum).zip(base) {
        match spec.curve {
            Curve::Linear => {
                for lane in 0..W {
                    row[lane] = (base + sum[lane]).clamp(min, max);
                }
            }
            Curve::Exponential => {
                for lane in 0..W {
                    row[lane] = (base * exp2(sum[lane])).clamp(min, max);
                }
            }
            Curve::Choice => {
                for lane in 0..W {
                    row[lane] = (base + sum[lane]).round().clamp(min, max);
                }
            }
        }
    }
}
