//! No click on any param step.
//!
//! A click is energy where a smooth change has none: the output is high-passed at 10 kHz, and what the step adds must
//! be less than what a bare jump of -80 dBFS gives there. What the module does anyway, at the old setting or the new
//! one (noise, the edges of a square), counts as its own.

use tine_modules::Kind;
use tine_modules::rig::Rig;
use tine_protocol::spec::{ParamSpec, PortSpec, Signal};

use crate::signal::{FRAMES, RATE_HZ, kinds, sine};

const TAPS: usize = 127;

/// Windowed-sinc high-pass at 10 kHz, Blackman-Harris: stop band below -90 dB from 8 kHz down.
fn high_pass(heard: &[f32]) -> Vec<f32> {
    use std::f64::consts::{PI, TAU};
    let cut = 10_000.0 / f64::from(RATE_HZ);
    let middle = (TAPS / 2) as f64;
    let taps: Vec<f64> = (0..TAPS)
        .map(|n| {
            let t = n as f64 - middle;
            let low = if t == 0.0 { 2.0 * cut } else { libm::sin(TAU * cut * t) / (PI * t) };
            let x = TAU * n as f64 / (TAPS - 1) as f64;
            let window = 0.35875 - 0.48829 * libm::cos(x) + 0.14128 * libm::cos(2.0 * x) - 0.01168 * libm::cos(3.0 * x);
            (if t == 0.0 { 1.0 - low } else { -low }) * window
        })
        .collect();
    // The window leaves the taps' sum a little off zero; a high-pass passes no DC.
    let off = taps.iter().sum::<f64>() / TAPS as f64;
    let pass = |w: &[f32]| w.iter().zip(&taps).map(|(&x, tap)| f64::from(x) * (tap - off)).sum::<f64>() as f32;
    heard.windows(TAPS).map(pass).collect()
}

fn peak(heard: &[f32]) -> f32 {
    heard.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

/// The high-passed peak of a bare jump of -80 dBFS.
fn jump_80() -> f32 {
    let step: Vec<f32> = (0..4 * TAPS).map(|frame| if frame < 2 * TAPS { 0.0 } else { 1e-4 }).collect();
    peak(&high_pass(&step))
}

/// Blocks before the step, and after it.
const BEFORE: usize = 250;
const AFTER: usize = 600;

/// A start without a corner, whose echoes would be heard later.
fn faded_in(frame: usize) -> f32 {
    let part = (frame as f32 / 2_000.0).min(1.0);
    part * part * (3.0 - 2.0 * part)
}

/// The loudest of what the step from `from` to `to` adds, over the loudest that is allowed.
fn click(kind: &'static Kind, param: &ParamSpec, output: &str, [from, to]: [f32; 2], background: f32) -> f32 {
    let heard = listen(kind, param, output, [from, to], background);
    // Audible level 1 is full scale; what is louder is judged against itself.
    let scale = peak(&heard).max(1.0);
    let highs = high_pass(&heard);
    let step = BEFORE * FRAMES - TAPS;
    let added = peak(&highs[step..]);
    let settled = peak(&highs[step / 2..step - 2]).max(peak(&highs[highs.len() - 9600..]));
    if added <= (1.3 * settled).max(jump_80() * scale) {
        return 0.0;
    }
    // What the new setting does from its own start is its character: a short attack is one in mid-envelope too.
    let onset = peak(&high_pass(&listen(kind, param, output, [to, to], background)));
    added / (1.3 * settled.max(onset)).max(jump_80() * scale)
}

/// What `output` gives while `param` steps from one value to the other, with gates held on and audio in every input.
fn listen(kind: &'static Kind, param: &ParamSpec, output: &str, [from, to]: [f32; 2], background: f32) -> Vec<f32> {
    let spec = kind.spec;
    // Musical time runs, for the clocks.
    let mut rig = Rig::new(kind, 1, RATE_HZ, FRAMES).at_tempo(120.0);
    // Fast enough that each stretch that is looked at holds several cycles and their edges.
    if spec.name == "lfo" {
        rig = rig.with("rate", 40.0);
    }
    rig = rig.with(param.name, from);
    let audio = spec.inputs.iter().filter(|port| port.signal == Signal::Audio);
    let cables: Vec<usize> = audio.map(|port| rig.patch(port.name, 1.0)).collect();
    let mut heard = Vec::new();
    for block in 0..BEFORE + AFTER {
        for &cable in &cables {
            let frame = block * FRAMES;
            rig.feed(cable, |_, offset| background * faded_in(frame + offset) * sine(440.0, frame + offset));
        }
        // Not in the first block: the high-pass looks back.
        if block == 4 {
            for port in spec.inputs.iter().filter(|port| matches!(port.signal, Signal::Gate | Signal::Trigger)) {
                rig.event(port.name, 0, 1.0, 0);
            }
        }
        if block == BEFORE {
            rig.event(param.name, 10, to, (param.smooth_ms * 1e-3 * RATE_HZ) as u32);
        }
        rig.step();
        heard.extend(rig.output(output, 0));
    }
    heard
}

#[test]
fn a_step_of_any_param_makes_no_click() {
    let mut faults = Vec::new();
    for kind in kinds() {
        for param in kind.spec.params {
            // A gate is an edge and a melody goes by steps: there is no sound in them that could click. A meter's needle is no sound: the
            // quicker it is, the more of the wave itself it shows.
            let is_step = |signal| matches!(signal, Signal::Gate | Signal::Trigger | Signal::Pitch);
            let is_needle = |output: &PortSpec| kind.spec.name == "meter" && output.signal != Signal::Audio;
            let is_heard = |output: &&PortSpec| !is_step(output.signal) && !is_needle(output);
            for output in kind.spec.outputs.iter().filter(is_heard) {
                for way in [[param.default, param.min], [param.min, param.max], [param.max, param.default]] {
                    for background in [0.0, 0.5] {
                        let excess = click(kind, param, output.name, way, background);
                        if excess > 1.0 {
                            let db = 20.0 * libm::log10f(excess);
                            let [from, to] = way;
                            faults.push(format!(
                                "{}.{} {from} -> {to} at {}, background {background}: {db:.1} dB too loud",
                                kind.spec.name, param.name, output.name
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_ear_hears_a_bare_jump_and_not_a_slow_ramp() {
    let sound = |gain: &dyn Fn(usize) -> f32| -> f32 {
        peak(&high_pass(&(0..9_600).map(|frame| gain(frame) * sine(440.0, frame)).collect::<Vec<_>>()))
    };
    assert!(sound(&|frame| if frame < 4_820 { 0.5 } else { 0.501 }) > jump_80());
    assert!(sound(&|frame| 0.5 + frame as f32 * 1e-5) < jump_80());
}
