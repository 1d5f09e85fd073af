//! The vco against the targets of SOUND.md.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{Periodic, cents, droop_db, frequency, periodic};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;
/// Two seconds.
const BLOCKS: usize = 1_500;

fn vco(shape: &str) -> Rig {
    let (_, kind) = kind("vco").unwrap();
    Rig::new(kind, 1, RATE_HZ as f32, FRAMES).only(&[shape])
}

fn steady(shape: &str, freq_hz: f32) -> Vec<f32> {
    vco(shape).with("freq", freq_hz).render(shape, BLOCKS)
}

/// Renders while `cables` are fed by functions of the frame.
fn modulated(mut rig: Rig, shape: &str, cables: &[(&str, &dyn Fn(f64) -> f64)]) -> Vec<f32> {
    let numbers: Vec<usize> = cables.iter().map(|(input, _)| rig.patch(input, 1.0)).collect();
    let mut heard = Vec::new();
    for block in 0..BLOCKS {
        for (&number, (_, signal)) in numbers.iter().zip(cables) {
            rig.feed(number, |_, frame| signal((block * FRAMES + frame) as f64) as f32);
        }
        rig.step();
        heard.extend(rig.output(shape, 0));
    }
    heard
}

fn turn(hz: f64, frame: f64) -> f64 {
    (TAU * (hz / RATE_HZ * frame).fract()).sin()
}

/// Amplitude of a harmonic against the first.
fn ideal(shape: &str, number: usize) -> f64 {
    match shape {
        "saw" => 1.0 / number as f64,
        "pulse" if number % 2 == 1 => 1.0 / number as f64,
        "tri" if number % 2 == 1 => 1.0 / (number * number) as f64,
        _ => 0.0,
    }
}

/// Pitches and the alias that SOUND.md allows there.
const TARGETS: [(f64, f64); 5] =
    [(110.0, -140.0), (440.0, -135.0), (1_760.0, -130.0), (3_520.0, -130.0), (7_040.0, -125.0)];

fn assert_clean(name: &str, sound: &[f32], f0: f64, shape: &str, alias_db: f64) {
    let Periodic { alias_db: alias, worst_dbc, dc, .. } = periodic(sound, RATE_HZ, f0);
    assert!(alias <= alias_db, "{name} {shape} {f0}: alias {alias:.1} dB");
    assert!(worst_dbc <= -125.0, "{name} {shape} {f0}: worst line {worst_dbc:.1} dBc");
    assert!(dc.abs() <= 1e-6, "{name} {shape} {f0}: dc {dc}");
    let droop = droop_db(sound, RATE_HZ, f0, |number| ideal(shape, number));
    assert!(droop.abs() <= 0.05, "{name} {shape} {f0}: droop {droop} dB");
    let off = cents(frequency(sound, RATE_HZ, f0), f0);
    assert!(off.abs() <= 0.001, "{name} {shape} {f0}: {off} cents");
}

#[test]
fn steady_shapes_meet_the_targets_for_alias_dc_droop_and_tuning() {
    for (f0, alias_db) in TARGETS {
        for shape in ["saw", "pulse", "tri"] {
            assert_clean("steady", &steady(shape, f0 as f32), f0, shape, alias_db);
        }
    }
}

#[test]
fn the_path_for_moving_pitch_is_as_clean_at_a_pitch_that_rests() {
    for (f0, alias_db) in TARGETS {
        for shape in ["saw", "pulse", "tri"] {
            let sound = modulated(vco(shape).with("freq", f0 as f32), shape, &[("fm", &|_| 0.0)]);
            assert_clean("moving", &sound, f0, shape, alias_db);
        }
    }
}

#[test]
fn a_pulse_of_any_width_is_clean_and_free_of_dc() {
    for pw in [0.05, 0.3, 0.9] {
        let found = periodic(&vco("pulse").with("freq", 440.0).with("pw", pw).render("pulse", BLOCKS), RATE_HZ, 440.0);
        assert!(found.alias_db <= -135.0 && found.dc.abs() <= 1e-6, "{pw}: {found:?}");
    }
}

#[test]
fn the_sine_is_140_db_above_everything_else() {
    for (f0, _) in TARGETS {
        let found = periodic(&steady("sine", f0 as f32), RATE_HZ, f0);
        assert!(found.noise_db <= -140.0 && found.thd_db <= -140.0 && found.dc.abs() <= 1e-6, "{f0}: {found:?}");
    }
}

#[test]
fn linear_fm_and_through_zero_fm_stay_clean() {
    for (depth, alias_db) in [(0.9, -125.0), (2.0, -120.0)] {
        for shape in ["saw", "pulse", "tri", "sine"] {
            let rig = vco(shape).with("freq", 880.0).with("fm_depth", depth);
            let found = periodic(&modulated(rig, shape, &[("fm", &|frame| turn(110.0, frame))]), RATE_HZ, 110.0);
            assert!(found.alias_db <= alias_db, "{shape} by {depth}: {found:?}");
        }
    }
}

#[test]
fn pulse_width_modulation_at_audio_rate_stays_clean() {
    for (freq_hz, by_hz, depth) in
        [(880.0, 110.0, 0.4), (1_760.0, 110.0, 0.4), (190.0, 190.0, 0.3), (570.0, 190.0, 0.45)]
    {
        let rig = vco("pulse").with("freq", freq_hz);
        let found = periodic(&modulated(rig, "pulse", &[("pw", &|frame| depth * turn(by_hz, frame))]), RATE_HZ, by_hz);
        assert!(found.alias_db <= -130.0, "{freq_hz} by {by_hz}: {found:?}");
    }
}

#[test]
fn fm_of_other_pitches_and_depths_stays_clean() {
    for (freq_hz, by_hz, depth, alias_db) in [
        (440.0, 110.0, 0.5, -120.0),
        (110.0, 110.0, 0.9, -120.0),
        (2_090.0, 190.0, 0.7, -120.0),
        (440.0, 55.0, 4.0, -110.0),
        (570.0, 190.0, 3.0, -110.0),
    ] {
        for shape in ["saw", "pulse", "tri", "sine", "sub"] {
            let rig = vco(shape).with("freq", freq_hz).with("fm_depth", depth);
            // One octave of room, so that the divided square is periodic with the modulator too.
            let period_hz = if shape == "sub" { 0.5 * by_hz } else { by_hz };
            let found = periodic(&modulated(rig, shape, &[("fm", &|frame| turn(by_hz, frame))]), RATE_HZ, period_hz);
            assert!(found.alias_db <= alias_db, "{shape} of {freq_hz} Hz by {by_hz} Hz x {depth}: {found:?}");
        }
    }
}

#[test]
fn hard_sync_stays_clean() {
    for (f0, by_phase_db, by_sine_db) in [(110.0, -140.0, -140.0), (440.0, -135.0, -135.0), (1_760.0, -130.0, -85.0)] {
        let master = steady("phase", f0 as f32);
        let phase = |frame: f64| f64::from(master[frame as usize]);
        let sine = |frame: f64| turn(f0, frame);
        for shape in ["saw", "pulse", "tri"] {
            let sources: [(&dyn Fn(f64) -> f64, f64); 2] = [(&phase, by_phase_db), (&sine, by_sine_db)];
            for (number, (source, alias_db)) in sources.into_iter().enumerate() {
                for ratio in [2.63, 1.27] {
                    let rig = vco(shape).with("freq", (ratio * f0) as f32);
                    let found = periodic(&modulated(rig, shape, &[("sync", source)]), RATE_HZ, f0);
                    assert!(found.alias_db <= alias_db, "{shape} {ratio} x {f0} by source {number}: {found:?}");
                }
            }
        }
    }
}

#[test]
fn exponential_fm_at_audio_rate_stays_clean() {
    // The mean of 2^(d sin) is I0(d ln 2): with the frequency divided by it, cycles fit the modulator's again.
    let bessel_i0 =
        |x: f64| (0..30).fold((0.0, 1.0), |(sum, term), k| (sum + term, term * (0.5 * x / f64::from(k + 1)).powi(2))).0;
    for (hz, by_hz, depth, alias_db) in
        [(880.0, 110.0, 1.0, -120.0), (880.0, 110.0, 2.0, -120.0), (1_330.0, 190.0, 0.5, -120.0)]
    {
        for shape in ["saw", "pulse", "tri", "sine"] {
            let freq = hz / bessel_i0(depth * std::f64::consts::LN_2);
            let rig = vco(shape).with("freq", freq as f32).with("xfm_depth", depth as f32);
            let found = periodic(&modulated(rig, shape, &[("xfm", &|frame| turn(by_hz, frame))]), RATE_HZ, by_hz);
            assert!(found.alias_db <= alias_db, "{shape} of {hz} Hz by {depth} octaves: {found:?}");
        }
    }
}

#[test]
fn the_sub_octave_counts_the_cycles_that_hard_sync_begins() {
    for (f0, alias_db) in [(110.0, -140.0), (440.0, -135.0), (1_760.0, -130.0)] {
        let master = steady("phase", f0 as f32);
        let phase = |frame: f64| f64::from(master[frame as usize]);
        // Three cycles begin in one of the master's: the square needs two of those.
        let rig = vco("sub").with("freq", (2.63 * f0) as f32);
        let found = periodic(&modulated(rig, "sub", &[("sync", &phase)]), RATE_HZ, 0.5 * f0);
        assert!(found.alias_db <= alias_db, "{f0}: {found:?}");
    }
}

#[test]
fn soft_sync_turns_every_shape_round_and_stays_clean() {
    // There and back again takes two cycles of the master. A sine has all derivatives, of which the residuals mend three: the odd ones
    // beyond that turn round too, and are heard once its cycle is only ten frames long.
    for (f0, alias_db, sine_db) in [(110.0, -140.0, -140.0), (440.0, -135.0, -125.0), (1_760.0, -130.0, -80.0)] {
        let master = steady("phase", f0 as f32);
        let phase = |frame: f64| f64::from(master[frame as usize]);
        for (shape, alias_db) in [("saw", alias_db), ("pulse", alias_db), ("tri", alias_db), ("sine", sine_db)] {
            let rig = vco(shape).with("freq", (2.63 * f0) as f32).with("sync_mode", 1.0);
            let found = periodic(&modulated(rig, shape, &[("sync", &phase)]), RATE_HZ, 0.5 * f0);
            assert!(found.alias_db <= alias_db, "{shape} {f0}: {found:?}");
        }
    }
}

#[test]
fn a_channel_that_soft_sync_left_running_backwards_runs_forwards_once_the_mode_is_hard() {
    let mut rig = vco("phase").with("freq", 100.0).with("sync_mode", 1.0);
    rig.event("sync", 30, 1.0, 0);
    let rise = |heard: &[f32]| heard[heard.len() - 1] - heard[heard.len() - 2];
    assert!(rise(&rig.render("phase", 2)) < 0.0);
    rig.event("sync_mode", 0, 0.0, 0);
    assert!(rise(&rig.render("phase", 1)) > 0.0);
}

#[test]
fn the_sub_octave_is_a_clean_square_one_or_two_octaves_below() {
    for (f0, alias_db) in TARGETS {
        for octaves in [1.0, 2.0] {
            let below = f0 / f64::from(2f32.powf(octaves));
            let rested = vco("sub").with("freq", f0 as f32).with("sub", octaves).render("sub", BLOCKS);
            let rig = vco("sub").with("freq", f0 as f32).with("sub", octaves);
            for sound in [rested, modulated(rig, "sub", &[("fm", &|_| 0.0)])] {
                let found = periodic(&sound, RATE_HZ, below);
                assert!(found.alias_db <= alias_db && found.worst_dbc <= -125.0, "{octaves} below {f0}: {found:?}");
                assert!(found.dc.abs() <= 1e-6, "{octaves} below {f0}: dc {}", found.dc);
                let off = cents(frequency(&sound, RATE_HZ, below), below);
                assert!(off.abs() <= 0.001, "{octaves} below {f0}: {off} cents");
            }
        }
    }
}

#[test]
fn low_latency_is_eight_frames_earlier_and_105_db_clean() {
    for (f0, _) in TARGETS {
        for shape in ["saw", "pulse", "tri", "sub"] {
            let rig = || vco(shape).with("freq", f0 as f32).with("latency", 1.0);
            let per_cycle = if shape == "sub" { 0.5 } else { 1.0 };
            for sound in [rig().render(shape, BLOCKS), modulated(rig(), shape, &[("fm", &|_| 0.0)])] {
                let found = periodic(&sound, RATE_HZ, per_cycle * f0);
                assert!(found.alias_db <= -105.0 && found.dc.abs() <= 1e-5, "{shape} {f0}: {found:?}");
                let droop = droop_db(&sound, RATE_HZ, f0, |number| ideal(shape, number));
                assert!(shape == "sub" || droop.abs() <= 0.05, "{shape} {f0}: droop {droop} dB");
            }
        }
    }
    let best = steady("sine", 1_000.0);
    let low = vco("sine").with("freq", 1_000.0).with("latency", 1.0).render("sine", 10);
    assert_eq!(best[100..200], low[92..192]);
}

#[test]
fn a_change_of_latency_fades_without_a_step() {
    let mut rig = vco("sine").with("freq", 200.0);
    let mut sound = rig.render("sine", 20);
    for latency in [1.0, 0.0] {
        rig.event("latency", 0, latency, 0);
        sound.extend(rig.render("sine", 20));
    }
    // A sine of 200 Hz bends by (2 pi 200 / 48000)^2 = 7e-4 a frame and frame.
    let bend = sound[TAIL..].windows(3).map(|at| (at[0] - 2.0 * at[1] + at[2]).abs()).fold(0.0, f32::max);
    assert!(bend < 1e-3, "{bend}");
}

#[test]
fn unison_detunes_evenly_and_spreads_with_equal_power() {
    let (_, kind) = kind("vco").unwrap();
    let mut rig = Rig::new(kind, 8, RATE_HZ as f32, FRAMES).with("freq", 440.0);
    rig = rig.with("voices", 4.0).with("detune", 30.0).with("spread", 1.0).with("shape", 3.0);
    let mut heard = vec![[const { Vec::new() }; 3]; 8];
    for _ in 0..BLOCKS {
        rig.step();
        for (channel, heard) in heard.iter_mut().enumerate() {
            for (heard, port) in heard.iter_mut().zip(["out", "left", "right"]) {
                heard.extend(rig.output(port, channel));
            }
        }
    }
    let mut starts = Vec::new();
    for (channel, [out, left, right]) in heard.iter().enumerate() {
        let wanted = [-30.0f32, -10.0, 10.0, 30.0][channel % 4];
        let pitch_hz = 440.0 * f64::from(wanted / 1_200.0).exp2();
        let off = cents(frequency(out, RATE_HZ, pitch_hz), pitch_hz);
        assert!(off.abs() < 0.001, "channel {channel}: {off} cents off");
        let place = f64::from([-1.0f32, 1.0 / 3.0, -1.0 / 3.0, 1.0][channel % 4]);
        let (sin, cos) = (std::f64::consts::FRAC_PI_4 * (1.0 + place)).sin_cos();
        let (frame, gain) = (5_000, 0.5 * std::f64::consts::SQRT_2 * f64::from(out[5_000]));
        assert!((f64::from(left[frame]) - gain * cos).abs() < 1e-6, "channel {channel} left");
        assert!((f64::from(right[frame]) - gain * sin).abs() < 1e-6, "channel {channel} right");
        starts.push(out[TAIL].to_bits());
    }
    starts.sort_unstable();
    starts.dedup();
    assert_eq!(starts.len(), 8, "voices start at phases of their own");
}

#[test]
fn one_voice_is_on_both_sides_what_out_is() {
    let mut rig = vco("out").with("freq", 440.0).with("detune", 100.0);
    rig = rig.only(&["out", "left", "right"]);
    for voices in [1.0, 7.0] {
        rig.event("voices", 0, voices, 0);
        rig.render("out", 20);
        let [out, left, right] = ["out", "left", "right"].map(|port| rig.output(port, 0).collect::<Vec<_>>());
        assert!(out == left && out == right, "a single channel is a note of one voice, whatever voices says");
    }
}

#[test]
fn pitches_beyond_half_the_rate_stay_finite_and_bounded() {
    for (freq, pitch) in [(20_000.0, 0.0), (20_000.0, 5.0), (20_000.0, 100.0), (0.01, -100.0)] {
        for shape in ["saw", "pulse", "tri", "sine"] {
            let still = modulated(vco(shape).with("freq", freq), shape, &[("pitch", &|_| pitch)]);
            let wild: &[(&str, &dyn Fn(f64) -> f64)] = &[
                ("pitch", &|_| pitch),
                ("fm", &|frame| 1e6 * turn(777.0, frame)),
                ("sync", &|frame| turn(5_000.0, frame)),
                ("pw", &|frame| 3.0 * turn(9_999.0, frame)),
            ];
            let wild = modulated(vco(shape).with("freq", freq), shape, wild);
            assert!(
                still.iter().chain(&wild).all(|sample| sample.abs() < 8.0),
                "{shape} at {freq} Hz + {pitch} octaves"
            );
        }
    }
}

#[test]
fn a_change_of_shape_has_neither_a_step_nor_a_corner() {
    // So slow that every shape stands still: what moves is the fade. 6 / 240^2 is the bend of a cubic ease over 5 ms.
    let mut rig = vco("out").with("freq", 0.01);
    let mut sound = rig.render("out", 20);
    for shape in [1, 3, 0, 2, 1, 2] {
        rig.event("shape", 0, shape as f32, 0);
        sound.extend(rig.render("out", 10));
    }
    let bend = sound[TAIL..].windows(3).map(|at| (at[0] - 2.0 * at[1] + at[2]).abs()).fold(0.0, f32::max);
    assert!(bend < 2.1 * 6.0 / (240.0 * 240.0), "{bend}");
    assert!((sound[sound.len() - 1]).abs() < 0.02, "a triangle near its start: {}", sound[sound.len() - 1]);
}

/// Frames after which the onset of the very first block is over.
const TAIL: usize = 64;

/// What a channel of a poly module hears: pitch, fm, sync, pw.
fn part(channel: usize, frame: usize, input: usize) -> f32 {
    let frame = frame as f64;
    let hz = 100.0 * (channel + 1) as f64;
    match input {
        // Every third channel rests, so that both paths meet in one group.
        0 => channel as f32 * 0.1,
        1 if !channel.is_multiple_of(3) => turn(hz * 1.3, frame) as f32,
        2 if channel % 3 == 1 => turn(hz * 0.7, frame) as f32,
        3 if channel % 3 == 2 => 0.4 * turn(hz * 0.3, frame) as f32,
        _ => 0.0,
    }
}

const PART_INPUTS: [&str; 4] = ["pitch", "fm", "sync", "pw"];

fn blocks_of(channels: usize, first: usize, patched: usize, blocks: usize) -> Vec<Vec<f32>> {
    let (_, kind) = kind("vco").unwrap();
    let mut rig = Rig::new(kind, channels, RATE_HZ as f32, FRAMES).with("freq", 300.0);
    let cables: Vec<usize> = PART_INPUTS[..patched].iter().map(|input| rig.patch_poly(input, 1.0, channels)).collect();
    let mut heard = vec![Vec::new(); channels];
    for block in 0..blocks {
        for (input, &cable) in cables.iter().enumerate() {
            rig.feed(cable, |channel, frame| part(first + channel, block * FRAMES + frame, input));
        }
        if block == 5 {
            rig.event("shape", 7, 2.0, 0);
        }
        rig.step();
        for output in ["out", "saw", "pulse", "tri", "sine", "phase", "sub"] {
            for (channel, heard) in heard.iter_mut().enumerate() {
                heard.extend(rig.output(output, channel));
            }
        }
    }
    heard
}

#[test]
fn a_channel_gives_the_same_bits_alone_and_among_others() {
    for patched in [1, 2, 4] {
        let wide = blocks_of(11, 0, patched, 20);
        let narrow = blocks_of(3, 0, patched, 20);
        for channel in 0..11 {
            let alone = &blocks_of(1, channel, patched, 20)[0];
            let same = |heard: &Vec<f32>| alone.iter().zip(heard).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same(&wide[channel]), "channel {channel} of 11, {patched} inputs");
            assert!(channel >= 3 || same(&narrow[channel]), "channel {channel} of 3, {patched} inputs");
        }
    }
}

#[test]
fn a_block_that_is_executed_again_gives_the_same_bits() {
    let (_, kind) = kind("vco").unwrap();
    let mut rig = Rig::new(kind, 5, RATE_HZ as f32, FRAMES).with("freq", 700.0);
    let cables = PART_INPUTS.map(|input| rig.patch_poly(input, 1.0, 5));
    for block in 0..10 {
        for (input, &cable) in cables.iter().enumerate() {
            rig.feed(cable, |channel, frame| part(channel, block * FRAMES + frame, input));
        }
        if block == 0 {
            // The first block of all starts from reset, whatever the state.
            rig.step();
        }
        let (state, _) = rig.snapshot();
        let run = |rig: &mut Rig| {
            rig.event("shape", 3, (block % 4) as f32, 0);
            rig.step();
            let heard: Vec<u32> =
                ["out", "saw", "tri"].iter().flat_map(|port| rig.output(port, 4)).map(f32::to_bits).collect();
            (heard, rig.snapshot().0)
        };
        let first = run(&mut rig);
        rig.rewind(&state);
        assert_eq!(first, run(&mut rig), "block {block}");
    }
}

#[test]
fn the_state_of_a_channel_stays_near_a_kilobyte() {
    assert!(size_of::<super::vco::Voice>() <= 1_152, "{}", size_of::<super::vco::Voice>());
}
