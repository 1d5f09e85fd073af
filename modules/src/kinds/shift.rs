//! Frequency shifter: moves every partial by the same number of hertz, so that harmonics no longer are. Bode's, not a pitch shifter.
//!
//! Single-sideband modulation: of two copies of the signal a quarter of a cycle apart ([`hilbert`](crate::dsp::hilbert)), each
//! is multiplied by one of two sines a quarter apart, and one sideband cancels, to -82 dB. `shift` passes through zero: below it
//! partials go down, and those that would fall below 0 Hz come back from there, mirrored, as in Bode's. Half `mix` and a
//! shift of less than a hertz make a barber pole: the copies' bent phases leave notches that wander up or down for ever.
//! What is shifted beyond half the rate folds back: at 48 kHz never lower than 19 kHz, for `shift` ends at 5 kHz.
//!
//! Source: Bode & Moog, "A high-accuracy frequency shifter for professional audio applications", JAES 20:6, 1972; Wardle, "A Hilbert-transformer
//! frequency shifter for audio", DAFx-98.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::hilbert::{Hilbert, Memory};
use crate::dsp::wave::{CYCLE, QUARTER, sine};
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to shift"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the signal and its upward shift, as mix says"),
    Up: PortSpec::new("up", Signal::Audio, "shifted up by shift"),
    Down: PortSpec::new("down", Signal::Audio, "shifted down by shift"),
} }

const SHIFT_MAX_HZ: f32 = 5_000.0;

table! { P: ParamSpec = PARAMS {
    Shift: ParamSpec::linear("shift", Unit::Hertz, (-SHIFT_MAX_HZ, SHIFT_MAX_HZ), 50.0).smooth(5.0)
        .help("how far each partial moves; a cable adds hertz"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 1.0).smooth(20.0).help("0: only the signal; 1: only the shifted"),
} }

/// The `shift` kind.
pub struct Shift;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    chains: [Memory; 2],
    late: f64,
    /// Of the sine; 2^32 is one cycle.
    phase: u32,
    reserved: u32,
}

impl Module for Shift {
    const SPEC: KindSpec = KindSpec {
        name: "shift",
        summary: "frequency shifter: every partial moves by the same number of hertz",
        source: "Bode & Moog 1972; Wardle, \"A Hilbert-transformer frequency shifter for audio\", DAFx-98",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let (shift, mix) = (block.param(P::Shift), block.param(P::Mix));
        let cycles_per_hz = CYCLE / f64::from(block.rate_hz);
        let frames = block.frames;
        let mut hilbert = Hilbert::<W>::load(
            #[inline(always)]
            |channel| (voices[channel].chains, voices[channel].late),
        );
        let mut phase = [0u32; W];
        for channel in 0..W {
            phase[channel] = voices[channel].phase;
        }
        let (_, mut outputs) = block.tapes_and_outputs(0);
        for frame in 0..frames {
            let (shift, mix) = (shift.at(frame), mix.at(frame));
            let mut entering = [0.0; W];
            for channel in 0..W {
                entering[channel] = f64::from(input[frame][channel]);
            }
            let [behind, ahead] = hilbert.step(entering);
            let (mut out, mut up, mut down) = ([0.0; W], [0.0; W], [0.0; W]);
            for channel in 0..W {
                // To a whole 2^-32 of a cycle a frame: 0.00001 Hz.
                phase[channel] = phase[channel].wrapping_add((f64::from(shift[channel]) * cycles_per_hz) as i64 as u32);
                let (cos, sin) = (sine(phase[channel].wrapping_add(QUARTER)), sine(phase[channel]));
                let (level, turned) = (behind[channel] as f32 * cos, ahead[channel] as f32 * sin);
                up[channel] = level + turned;
                down[channel] = level - turned;
                out[channel] = input[frame][channel] * (1.0 - mix[channel]) + up[channel] * mix[channel];
            }
            outputs.of(Out::Main)[frame] = out;
            outputs.of(Out::Up)[frame] = up;
            outputs.of(Out::Down)[frame] = down;
        }
        for channel in 0..W {
            let (chains, late) = hilbert.store(channel);
            voices[channel] = Voice { chains, late, phase: phase[channel], reserved: 0 };
        }
    }
}
