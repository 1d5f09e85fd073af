//! lfo, adsr, sh, slew, mix, scope, vca: what each is for.

use crate::signal::{FRAMES, RATE_HZ, hash, play, rig, sine};

/// Frame at which `rows` first satisfies `is`, counted from 0.
fn first(rows: &[f32], is: impl Fn(f32) -> bool) -> usize {
    rows.iter().position(|&row| is(row)).expect("it comes to that")
}

#[test]
fn an_lfo_keeps_its_rate_and_range_in_every_shape() {
    for (shape, name) in ["sine", "tri", "saw", "ramp", "square"].iter().enumerate() {
        let heard = rig("lfo").with("shape", shape as f32).with("rate", 3.0).render("out", 1500);
        let (low, high) = heard.iter().fold((0f32, 0f32), |(low, high), &x| (low.min(x), high.max(x)));
        assert!((-1.0..-0.999).contains(&low) || low == -1.0, "{name} from {low}");
        assert!(high <= 1.0 && high > 0.999, "{name} to {high}");
        // 3 Hz at 48 kHz: a cycle of exactly 16000 frames.
        // Jumps lie at halves of it, where a rounded phase may come a frame early or late.
        for frame in (0..heard.len() - 16_000).filter(|frame| (2..7_998).contains(&(frame % 8_000))) {
            assert!((heard[frame] - heard[frame + 16_000]).abs() < 1e-6, "{name} at {frame}");
        }
        let mean = heard[..16_000].iter().map(|&x| f64::from(x)).sum::<f64>() / 16_000.0;
        assert!(mean.abs() < 2e-4, "{name} has DC {mean}");
    }
}

#[test]
fn a_sine_lfo_is_a_sine_to_120_db() {
    let heard = rig("lfo").with("rate", 375.0).render("out", 100);
    for (frame, &x) in heard.iter().enumerate() {
        assert!((x - sine(375.0, frame)).abs() < 1e-6, "frame {frame}: {x}");
    }
}

#[test]
fn a_random_lfo_holds_one_value_a_cycle_and_follows_its_seed() {
    let render = |seed| rig("lfo").seed(seed).with("shape", 5.0).with("rate", 100.0).render("out", 750);
    let heard = render(1);
    let steps: Vec<usize> = (1..heard.len()).filter(|&frame| heard[frame] != heard[frame - 1]).collect();
    assert!(steps.len() >= 98);
    assert!(steps.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(480) <= 1));
    assert!(heard.iter().all(|x| (-1.0..1.0).contains(x)));
    assert_eq!(heard, render(1));
    assert_ne!(heard, render(2));
}

#[test]
fn a_reset_starts_the_cycle_in_its_very_frame() {
    let mut lfo = rig("lfo").with("shape", 3.0).with("rate", 7.0);
    lfo.render("out", 10);
    lfo.event("reset", 17, 1.0, 0);
    let heard = lfo.render("out", 1);
    assert!(heard[16] > -0.9);
    assert_eq!(heard[17], -1.0);
    assert!(heard[18] > -1.0);
}

#[test]
fn an_envelope_keeps_its_times() {
    let [attack, decay, sustain, release] = [0.1, 0.5, 0.4, 0.25f32];
    let mut adsr = rig("adsr").with("attack", attack).with("decay", decay);
    adsr = adsr.with("sustain", sustain).with("release", release);
    adsr.event("gate", 5, 1.0, 0);
    let heard = adsr.render("out", 750);
    assert!(heard[..5].iter().all(|&x| x == 0.0) && heard[5] > 0.0, "the gate is met to the frame");
    let full = first(&heard, |x| x == 1.0);
    assert!((full - 5).abs_diff(4_800) <= 1, "attack took {} frames", full - 5);
    // 60 dB of the way from 1 to 0.4.
    let fallen = first(&heard[full..], |x| x <= 0.4 + 0.6 * 1e-3);
    assert!(fallen.abs_diff(24_000) <= 10, "decay took {fallen} frames");
    adsr.event("gate", 0, 0.0, 0);
    let heard = adsr.render("out", 1_500);
    let fallen = first(&heard, |x| x <= 0.4e-3);
    assert!(fallen.abs_diff(12_000) <= 10, "release took {fallen} frames");
    assert_eq!(*heard.last().unwrap(), 0.0);
}

#[test]
fn every_segment_of_an_envelope_is_the_exact_exponential() {
    let [attack, decay, sustain, release] = [0.02, 0.1, 0.3, 0.2f32];
    let mut adsr = rig("adsr").with("attack", attack).with("decay", decay);
    adsr = adsr.with("sustain", sustain).with("release", release);
    adsr.event("gate", 0, 1.0, 0);
    let opened = adsr.render("out", 150);
    adsr.event("gate", 0, 0.0, 0);
    let closed = adsr.render("out", 150);
    let full = first(&opened, |x| x == 1.0);
    let elapsed = |frames: usize, seconds: f32| frames as f64 / f64::from(RATE_HZ) / f64::from(seconds);
    // Towards 1.3, which crosses 1 after the time that `attack` names; then by 60 dB in `decay` and `release`.
    let rise = |frame| 1.3 * (1.0 - libm::pow(0.3 / 1.3, elapsed(frame + 1, attack)));
    let held = f64::from(sustain);
    let fall = |frame| held + (1.0 - held) * libm::pow(1e-3, elapsed(frame - full, decay));
    for (frame, &x) in opened.iter().enumerate() {
        let exact = if frame < full { rise(frame) } else { fall(frame) };
        assert!((f64::from(x) - exact).abs() < 2e-7, "frame {frame}: {x}, not {exact}");
    }
    let from = f64::from(opened[opened.len() - 1]);
    for (frame, &x) in closed.iter().enumerate() {
        let exact = from * libm::pow(1e-3, elapsed(frame + 1, release));
        assert!((f64::from(x) - exact).abs() < 2e-7, "frame {frame} of the release: {x}, not {exact}");
    }
}

#[test]
fn a_gate_that_comes_back_attacks_from_the_present_level() {
    let mut adsr = rig("adsr").with("attack", 0.05);
    adsr.event("gate", 0, 1.0, 0);
    let mut heard = adsr.render("out", 20);
    adsr.event("gate", 0, 0.0, 0);
    adsr.event("gate", 30, 1.0, 0);
    heard.extend(adsr.render("out", 40));
    // The steepest that an attack of 2400 frames gets is 1.3 * 1.466 / 2400.
    assert!(heard.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 1e-3));
}

#[test]
fn a_minute_of_release_is_a_minute() {
    let mut adsr = rig("adsr").with("attack", 0.0005).with("sustain", 1.0).with("release", 60.0);
    adsr.event("gate", 0, 1.0, 0);
    adsr.render("out", 2);
    adsr.event("gate", 0, 0.0, 0);
    let heard = adsr.render("out", 6 * 750);
    // A tenth of the time is 6 of the 60 dB.
    let db = 20.0 * libm::log10f(heard[6 * 48_000 - 1]);
    assert!((db + 6.0).abs() < 1e-3, "{db} dB after 6 s");
}

#[test]
fn sample_and_hold_holds() {
    let mut sh = rig("sh");
    let (input, trig) = (sh.patch("in", 1.0), sh.patch("trig", 1.0));
    let is_on = |frame: usize| if frame % 100 < 50 { 1.0 } else { 0.0 };
    let mut feeds: [(usize, &mut dyn FnMut(usize) -> f32); 2] =
        [(input, &mut |frame| hash(frame as u64)), (trig, &mut |frame| is_on(frame))];
    let heard = play(&mut sh, "out", 0, 20, &mut feeds);
    for (frame, &x) in heard.iter().enumerate() {
        assert_eq!(x, hash((frame / 100 * 100) as u64), "frame {frame}");
    }
}

#[test]
fn the_audio_of_a_sample_and_hold_is_the_same_level_16_frames_later() {
    let mut sh = rig("sh");
    sh.event("in", 0, 0.7, 0);
    sh.event("trig", 10, 1.0, 0);
    assert_eq!(sh.render("out", 1)[9..11], [0.0, 0.7]);
    let heard = sh.render("audio", 2);
    assert!(heard.iter().all(|&x| (x - 0.7).abs() < 1e-4), "{:?}", &heard[..8]);
}

#[test]
fn slew_rises_and_falls_at_its_rates() {
    let mut slew = rig("slew").with("rise", 0.1).with("fall", 0.5);
    slew.event("in", 0, 2.0, 0);
    let heard = slew.render("out", 300);
    let there = first(&heard, |x| x == 2.0);
    assert!(there.abs_diff(9_600) <= 1, "rose by 2 in {there} frames");
    slew.event("in", 0, 1.5, 0);
    let heard = slew.render("out", 300);
    let there = first(&heard, |x| x == 1.5);
    assert!(there.abs_diff(12_000) <= 1, "fell by a half in {there} frames");

    let mut slow = rig("slew").with("rise", 60.0);
    slow.event("in", 0, 1.0, 0);
    let heard = slow.render("out", 1_500);
    assert!((heard[95_999] - 2.0 / 60.0).abs() < 1e-6, "{} after two seconds", heard[95_999]);
}

#[test]
fn slew_passes_what_is_slow_enough() {
    let mut slew = rig("slew").with("rise", 0.001).with("fall", 0.001);
    let input = slew.patch("in", 1.0);
    let heard = play(&mut slew, "out", 0, 50, &mut [(input, &mut |frame| sine(100.0, frame))]);
    assert!(heard.iter().enumerate().all(|(frame, &x)| x == sine(100.0, frame)));
}

#[test]
fn mix_sums_in_the_order_of_its_inputs() {
    let mut mix = rig("mix");
    let mut expected = vec![0f32; FRAMES];
    for line in 0..8usize {
        let gain = 0.5 - line as f32 * 0.3;
        mix = mix.with(&format!("gain{}", line + 1), gain);
        let cable = mix.patch(&format!("in{}", line + 1), 1.0);
        mix.feed(cable, |_, frame| hash((line * FRAMES + frame) as u64));
        for (frame, sum) in expected.iter_mut().enumerate() {
            *sum += hash((line * FRAMES + frame) as u64) * gain;
        }
    }
    assert_eq!(mix.render("out", 1), expected);
}

/// How far `heard` is from `exact`, in dB below it.
fn snr_db(heard: &[f32], exact: impl Fn(usize) -> f64) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (frame, &x) in heard.iter().enumerate() {
        signal += exact(frame) * exact(frame);
        noise += (f64::from(x) - exact(frame)) * (f64::from(x) - exact(frame));
    }
    10.0 * libm::log10(signal / noise)
}

fn exact_sine(hz: f64, frame: usize) -> f64 {
    libm::sin(std::f64::consts::TAU * hz * frame as f64 / f64::from(RATE_HZ))
}

#[test]
fn a_vca_and_a_full_mix_have_an_snr_of_140_db() {
    for gain in [0.7f32, -0.123, 3.3] {
        let mut vca = rig("vca").with("gain", gain);
        let input = vca.patch("in", 1.0);
        let heard = play(&mut vca, "out", 0, 200, &mut [(input, &mut |frame| sine(997.0, frame))]);
        let snr = snr_db(&heard, |frame| f64::from(gain) * exact_sine(997.0, frame));
        assert!(snr > 140.0, "vca at {gain}: {snr} dB");
    }
    let lines: [(f32, f64); 8] = std::array::from_fn(|line| (0.9 - 0.21 * line as f32, 97.0 * (3 * line + 1) as f64));
    let mut mix = rig("mix");
    let mut cables = Vec::new();
    for (line, (gain, _)) in lines.iter().enumerate() {
        mix = mix.with(&format!("gain{}", line + 1), *gain);
        cables.push(mix.patch(&format!("in{}", line + 1), 1.0));
    }
    let mut heard = Vec::new();
    for block in 0..200 {
        for (&cable, &(_, hz)) in cables.iter().zip(&lines) {
            mix.feed(cable, |_, frame| sine(hz, block * FRAMES + frame));
        }
        heard.extend(mix.render("out", 1));
    }
    let exact = |frame| lines.iter().map(|&(gain, hz)| f64::from(gain) * exact_sine(hz, frame)).sum::<f64>();
    let snr = snr_db(&heard, exact);
    assert!(snr > 140.0, "mix: {snr} dB");
}

#[test]
fn scope_passes_the_same_bits_and_a_vca_at_1_too() {
    for name in ["scope", "vca"] {
        let mut module = rig(name);
        let input = module.patch("in", 1.0);
        let odd = |frame: usize| -> f32 { if frame.is_multiple_of(3) { -0.5 } else { 3.0 * hash(frame as u64) } };
        let heard = play(&mut module, "out", 0, 3, &mut [(input, &mut |frame| odd(frame))]);
        assert!(heard.iter().enumerate().all(|(frame, &x)| x.to_bits() == odd(frame).to_bits()), "{name}");
    }
}

#[test]
fn an_envelope_opens_a_vca_from_silence() {
    let mut vca = rig("vca").with("gain", 0.0);
    let (input, gain) = (vca.patch("in", 1.0), vca.patch("gain", 1.0));
    let mut feeds: [(usize, &mut dyn FnMut(usize) -> f32); 2] =
        [(input, &mut |_| 0.5), (gain, &mut |frame| frame as f32 / RATE_HZ)];
    let heard = play(&mut vca, "out", 0, 1, &mut feeds);
    assert!(heard.iter().enumerate().all(|(frame, &x)| x == 0.5 * (frame as f32 / RATE_HZ)));
}
