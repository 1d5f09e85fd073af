//! The oscillators' rows: what lies between the harmonics, at rest and in motion.

use tine_modules::spectrum::{cents, droop_db, frequency, periodic};

use super::{RATE_HZ, ROOM, Take};

/// Pitches of SOUND.md, the alias that its target allows, and what fundsp's wavetable saw has there.
const SAW: [(f64, f64, &str); 5] = [
    (110.0, -140.0, "-98 fundsp"),
    (440.0, -135.0, "-92 fundsp"),
    (1_760.0, -130.0, "-100 fundsp"),
    (3_520.0, -130.0, "-100 fundsp"),
    (7_040.0, -125.0, "-101 fundsp"),
];

/// Other pitches, between those.
const OTHERS: [(f64, f64); 4] = [(61.7, -140.0), (293.7, -135.0), (1_318.5, -130.0), (5_274.0, -125.0)];

/// Hard sync: the master's pitch, the target for a ratio of 2.63, and the best peer.
const SYNC: [(f64, &str); 3] = [(110.0, "-49"), (440.0, "-42"), (1_760.0, "-40")];

pub fn takes() -> Vec<Take> {
    let mut takes = Vec::new();
    for (hz, below, peer) in SAW {
        takes.push(saw(hz, below, Some(peer)));
        takes.extend(["pulse", "tri"].map(|shape| alias(shape, hz, below)));
        takes.push(sine(hz));
        takes.push(wavetable(hz));
    }
    for (hz, below) in OTHERS {
        takes.push(saw(hz, below, None));
        takes.extend(["pulse", "tri"].map(|shape| alias(shape, hz, below)));
        takes.push(sine(hz));
    }
    for (hz, peer) in SYNC {
        takes.push(sync(hz, 2.63, Some(peer)));
        takes.extend([1.27, 3.71].map(|ratio| sync(hz, ratio, None)));
    }
    takes.push(fm(880.0, 110.0, 0.9, -120.0, Some("-75")));
    takes.push(fm(880.0, 110.0, 2.0, -110.0, Some("-42")));
    takes.push(fm(440.0, 110.0, 0.5, -120.0, None));
    takes.push(fm(440.0, 55.0, 4.0, -110.0, None));
    takes.push(fm(570.0, 190.0, 3.0, -110.0, None));
    takes.push(pwm(880.0, 110.0, 0.4, Some("-91")));
    takes.push(pwm(1_760.0, 110.0, 0.4, None));
    takes
}

/// Energy that is no harmonic of `hz`, below 16 kHz.
fn alias_db(hz: f64) -> impl Fn(&[f32]) -> f64 {
    move |sound| periodic(sound, RATE_HZ, hz).alias_db
}

/// A vco with these params, to `out`.
fn vco(params: &str, shape: &str) -> String {
    format!("create vco --id v {params}\nconnect v.{shape} > out --gain {ROOM}\n")
}

fn saw(hz: f64, below: f64, peer: Option<&'static str>) -> Take {
    let found = move |sound: &[f32]| periodic(sound, RATE_HZ, hz);
    Take::new(format!("saw {hz} Hz"), vco(&format!("freq={hz}"), "saw"))
        .read("alias", "dB", below, peer, move |sound| found(sound).alias_db)
        .read("worst line", "dBc", -125.0, None, move |sound| found(sound).worst_dbc)
        .read("DC", "x1e-6", 1.0, None, move |sound| 1e6 * found(sound).dc.abs())
        .read("off the ideal, to 16 kHz", "dB", 0.05, Some("0.1 Csound"), move |sound| {
            droop_db(sound, RATE_HZ, hz, |number| 1.0 / number as f64).abs()
        })
        .read("out of tune", "cents", 0.001, None, move |sound| cents(frequency(sound, RATE_HZ, hz), hz).abs())
}

fn alias(shape: &str, hz: f64, below: f64) -> Take {
    Take::new(format!("{shape} {hz} Hz"), vco(&format!("freq={hz} pw=0.3"), shape))
        .read("alias", "dB", below, None, alias_db(hz))
        .read("DC", "x1e-6", 1.0, None, move |sound| 1e6 * periodic(sound, RATE_HZ, hz).dc.abs())
}

fn sine(hz: f64) -> Take {
    let found = move |sound: &[f32]| periodic(sound, RATE_HZ, hz);
    Take::new(format!("sine {hz} Hz"), vco(&format!("freq={hz}"), "sine"))
        .read("noise", "dB", -140.0, Some("-150 SuperCollider"), move |sound| found(sound).noise_db)
        .read("harmonics", "dB", -140.0, None, move |sound| found(sound).thd_db)
}

fn wavetable(hz: f64) -> Take {
    let patch = format!("create wavetable --id w freq={hz} table=saw position=1\nconnect w > out --gain {ROOM}\n");
    Take::new(format!("wavetable saw {hz} Hz"), patch).read("alias", "dB", -105.0, Some("-98 fundsp"), alias_db(hz))
}

fn sync(hz: f64, ratio: f64, peer: Option<&'static str>) -> Take {
    let patch = format!(
        "create vco --id m freq={hz}\n{}connect m.phase > v.sync\n",
        vco(&format!("freq={}", ratio * hz), "saw")
    );
    Take::new(format!("hard sync, saw at {ratio} x {hz} Hz"), patch).read("alias", "dB", -125.0, peer, alias_db(hz))
}

fn fm(hz: f64, by_hz: f64, index: f64, below: f64, peer: Option<&'static str>) -> Take {
    let voice = vco(&format!("freq={hz} fm_depth={index}"), "saw");
    let patch = format!("create vco --id m freq={by_hz}\n{voice}connect m.sine > v.fm\n");
    let kind = if index > 1.0 { "through-zero FM" } else { "linear FM" };
    Take::new(format!("{kind}, saw {hz} Hz by {by_hz} Hz, index {index}"), patch).read(
        "alias",
        "dB",
        below,
        peer,
        alias_db(by_hz),
    )
}

fn pwm(hz: f64, by_hz: f64, depth: f64, peer: Option<&'static str>) -> Take {
    let voice = vco(&format!("freq={hz}"), "pulse");
    let patch = format!("create vco --id m freq={by_hz}\n{voice}connect m.sine > v.pw --gain {depth}\n");
    Take::new(format!("pulse width, {hz} Hz by {by_hz} Hz x {depth}"), patch).read(
        "alias",
        "dB",
        -130.0,
        peer,
        alias_db(by_hz),
    )
}
