//! pan and scale: exact gains, equal power, no noise.

use tine_modules::rig::Rig;

use crate::signal::{FRAMES, RATE_HZ, hash, kind, rig, sine};

fn decibels(power: f64) -> f64 {
    10.0 * libm::log10(power)
}

#[test]
fn a_pan_keeps_its_power_everywhere_and_an_end_is_an_end() {
    for step in -50..=50 {
        let place = step as f32 / 50.0;
        let mut pan = rig("pan").with("pan", place);
        let cable = pan.patch("in", 1.0);
        pan.feed(cable, |_, _| 1.0);
        pan.step();
        let [left, right] = ["left", "right"].map(|side| f64::from(pan.output(side, 0).next().unwrap()));
        assert!(decibels(left * left + right * right).abs() < 1e-5, "{place}: {left} {right}");
        let angle = std::f64::consts::FRAC_PI_4 * (f64::from(place) + 1.0);
        assert!((left - libm::cos(angle)).abs() < 3e-7 && (right - libm::sin(angle)).abs() < 3e-7);
        match step {
            -50 => assert_eq!((left, right), (1.0, 0.0)),
            0 => assert!((decibels(left * left) + 3.0103).abs() < 1e-4 && (left - right).abs() < 2e-7),
            50 => assert_eq!((left, right), (0.0, 1.0)),
            _ => {}
        }
    }
}

#[test]
fn spread_lays_channels_out_evenly_from_left_to_right() {
    let mut pan = Rig::new(kind("pan"), 5, RATE_HZ, FRAMES).with("spread", 1.0);
    let cable = pan.patch("in", 1.0);
    pan.feed(cable, |_, _| 1.0);
    pan.step();
    for channel in 0..5 {
        let [left, right] = ["left", "right"].map(|side| f64::from(pan.output(side, channel).next().unwrap()));
        let degrees = libm::atan2(right, left).to_degrees();
        assert!((degrees - 22.5 * channel as f64).abs() < 1e-4, "channel {channel} at {degrees} degrees");
    }
    let mut alone = rig("pan").with("spread", 1.0);
    let cable = alone.patch("in", 1.0);
    alone.feed(cable, |_, _| 1.0);
    alone.step();
    assert_eq!(alone.output("left", 0).next(), rig_in_the_middle(), "one channel has nowhere to spread to");
}

fn rig_in_the_middle() -> Option<f32> {
    let mut pan = rig("pan");
    let cable = pan.patch("in", 1.0);
    pan.feed(cable, |_, _| 1.0);
    pan.step();
    pan.output("left", 0).next()
}

#[test]
fn a_channel_that_is_not_spread_is_the_mono_module_to_the_bit() {
    let mut mono = rig("pan").with("pan", 0.3);
    let cable = mono.patch("in", 1.0);
    let moves = mono.patch("pan", 1.0);
    mono.feed(cable, |_, frame| sine(440.0, frame));
    mono.feed(moves, |_, frame| 0.7 * sine(900.0, frame));
    mono.step();
    for channels in [3, 8, 11] {
        let mut poly = Rig::new(kind("pan"), channels, RATE_HZ, FRAMES).with("pan", 0.3);
        let cable = poly.patch("in", 1.0);
        let moves = poly.patch("pan", 1.0);
        poly.feed(cable, |_, frame| sine(440.0, frame));
        poly.feed(moves, |_, frame| 0.7 * sine(900.0, frame));
        poly.step();
        for (channel, side) in (0..channels).flat_map(|channel| [(channel, "left"), (channel, "right")]) {
            assert!(poly.output(side, channel).eq(mono.output(side, 0)), "channel {channel} of {channels}");
        }
    }
}

/// Power of the difference from `ideal` against the power of the signal, over a second.
fn noise_db(rig: &mut Rig, port: &str, ideal: impl Fn(f64) -> f64) -> f64 {
    let cable = rig.patch("in", 1.0);
    let (mut noise, mut power) = (0.0, 0.0);
    for block in 0..750 {
        rig.feed(cable, |_, frame| sine(997.0, block * FRAMES + frame));
        rig.step();
        for (frame, x) in rig.output(port, 0).enumerate() {
            let wanted = ideal(f64::from(sine(997.0, block * FRAMES + frame)));
            noise += (f64::from(x) - wanted) * (f64::from(x) - wanted);
            power += wanted * wanted;
        }
    }
    decibels(noise / power)
}

#[test]
fn pan_and_scale_add_no_noise() {
    // The gain itself is right to 3e-7; what it adds that is no sine is measured against the sine at that gain.
    let mut still = rig("pan").with("pan", 0.3);
    let cable = still.patch("in", 1.0);
    still.feed(cable, |_, _| 1.0);
    still.step();
    let gain = f64::from(still.output("left", 0).next().unwrap());
    let pan = noise_db(&mut rig("pan").with("pan", 0.3), "left", |x| gain * x);
    assert!(pan < -140.0, "pan: {pan} dB");
    let scale = noise_db(&mut rig("scale").with("scale", -0.7), "out", |x| f64::from(-0.7f32) * x);
    assert!(scale < -140.0, "scale: {scale} dB");
}

#[test]
fn scale_scales_inverts_and_shifts_and_passes_bits_at_rest() {
    let mut scale = rig("scale").with("scale", -0.5).with("offset", 0.25);
    let cable = scale.patch("in", 1.0);
    scale.feed(cable, |_, frame| frame as f32);
    assert!(scale.render("out", 1).iter().enumerate().all(|(frame, &x)| x == 0.25 - 0.5 * frame as f32));
    let mut still = rig("scale");
    let cable = still.patch("in", 1.0);
    still.feed(cable, |_, frame| hash(frame as u64));
    assert!(still.render("out", 1).iter().enumerate().all(|(frame, x)| x.to_bits() == hash(frame as u64).to_bits()));
}
