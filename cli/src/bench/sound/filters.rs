//! The filters' rows, and those of what else is measured: where corners lie, what resonance sings, what drive adds.

use std::path::Path;

use tine_modules::measure::{corner_off_cents, singing};
use tine_modules::spectrum::{octaves_off_db, periodic};

use super::{RATE_HZ, ROOM, Take};

/// A filter's corner: model, slope, how far down it lies there, and the target in cents.
const CORNERS: [(&str, u32, f64, f64); 4] =
    [("svf", 12, -3.0103, 0.1), ("svf", 24, -3.0103, 0.1), ("ladder", 12, -6.0206, 1.0), ("ladder", 24, -12.0412, 1.0)];

/// Cutoffs of SOUND.md, with the best ladder that saturates (VCV VCF), and others between them.
const CUTOFFS: [(f64, Option<&str>); 8] = [
    (20.0, None),
    (110.0, None),
    (1_000.0, Some("0 VCV")),
    (2_345.0, None),
    (4_000.0, Some("20 VCV")),
    (8_000.0, Some("77 VCV")),
    (12_345.0, None),
    (16_000.0, Some("267 Csound")),
];

/// What sings: model with slope, resonance, the lowest cutoff that has settled in time, and the target in cents.
const SINGERS: [((&str, u32), f64, f64, f64); 3] =
    [(("svf", 12), 1.0, 50.0, 0.1), (("ladder", 24), 0.9, 400.0, 1.0), (("ladder", 24), 1.0, 50.0, 2.0)];

/// Pitches that they sing.
const SUNG_HZ: [f64; 6] = [55.0, 110.0, 440.0, 1_760.0, 7_040.0, 14_000.0];

/// Tones driven by 20 dB, and the alias that is allowed at 2x and at 4x.
const DRIVEN: [(f64, [f64; 2], Option<&str>); 3] =
    [(1_244.5, [-100.0, -140.0], Some("-66")), (4_978.0, [-25.0, -50.0], Some("-29")), (831.0, [-100.0, -140.0], None)];

/// Frames of silence before and after the impulse: the sampler fades a recording in and out.
const SILENCE: usize = 4_800;

/// Writes the recording that filters answer to: small, so that a ladder's tanh is a straight line.
pub fn write_impulse(path: &Path) -> Result<(), String> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let failed = |error: hound::Error| format!("{}: {error}", path.display());
    let mut writer = hound::WavWriter::create(path, spec).map_err(failed)?;
    for frame in 0..=2 * SILENCE {
        writer.write_sample(if frame == SILENCE { 1e-3f32 } else { 0.0 }).map_err(failed)?;
    }
    writer.finalize().map_err(failed)
}

pub fn takes() -> Vec<Take> {
    let mut takes = Vec::new();
    for (model, slope, fall_db, below) in CORNERS {
        takes.extend(CUTOFFS.map(|(hz, peer)| corner(model, slope, fall_db, hz, below, peer)));
    }
    for ((model, slope), res, lowest_hz, below) in SINGERS {
        let sung = SUNG_HZ.into_iter().filter(|&hz| hz >= lowest_hz);
        takes.extend(sung.map(|hz| song(model, slope, res, hz, below)));
    }
    for model in ["svf", "ladder"] {
        for (hz, below, peer) in DRIVEN {
            takes.extend(
                ["2x", "4x"].into_iter().zip(below).map(|(quality, below)| driven(model, quality, hz, below, peer)),
            );
        }
    }
    takes.push(amplified("vca gain=0.7", "in", "vca"));
    takes.push(amplified("mix gain1=0.7", "in1", "mix"));
    takes.push(
        Take::new("pink noise", format!("create noise --id n color=pink\nconnect n > out --gain {ROOM}\n"))
            .lasting(60.0)
            .read("off -3 dB per octave, 20 Hz to 20 kHz", "dB", 0.5, None, |sound| {
                octaves_off_db(sound, RATE_HZ, -3.0103)
            }),
    );
    takes
}

fn corner(model: &str, slope: u32, fall_db: f64, hz: f64, below: f64, peer: Option<&'static str>) -> Take {
    let patch = format!(
        "create sampler --id s file=\"impulse.wav\"\ncreate vcf --id f model={model} slope={slope} cutoff={hz}\n\
         connect s.left > f\nconnect f > out --gain {ROOM}\ntrig s\n"
    );
    let peer = peer.filter(|_| model == "ladder");
    Take::new(format!("{model} {slope} dB, cutoff {hz} Hz"), patch).lasting(if hz < 500.0 { 2.5 } else { 0.6 }).read(
        "corner off",
        "cents",
        below,
        peer,
        move |sound| corner_off_cents(sound, RATE_HZ, hz, fall_db).abs(),
    )
}

fn song(model: &str, slope: u32, res: f64, hz: f64, below: f64) -> Take {
    let peer = (model == "ladder").then_some("3 Csound");
    let patch =
        format!("create vcf --id f model={model} slope={slope} res={res} cutoff={hz}\nconnect f > out --gain {ROOM}\n");
    Take::new(format!("{model} {slope} dB sings, res {res}, {hz} Hz"), patch)
        .lasting(if hz < 1_000.0 { 6.0 } else { 3.6 })
        .read("out of tune", "cents", below, peer, move |sound| singing(sound, RATE_HZ, hz).off_cents.abs())
        .read("change of level", "dB", 0.05, None, move |sound| singing(sound, RATE_HZ, hz).drift_db.abs())
}

fn driven(model: &str, quality: &str, hz: f64, below: f64, peer: Option<&'static str>) -> Take {
    let patch = format!(
        "create vco --id v freq={hz}\n\
         create vcf --id f model={model} slope=24 quality={quality} drive=10 cutoff=12khz res=0.25\n\
         connect v.sine > f\nconnect f > out --gain {ROOM}\n"
    );
    Take::new(format!("{model} driven by 20 dB, {quality}, {hz} Hz"), patch).read(
        "alias",
        "dB",
        below,
        peer,
        move |sound| periodic(sound, RATE_HZ, hz).alias_db,
    )
}

fn amplified(module: &str, port: &str, name: &str) -> Take {
    let patch = format!(
        "create vco --id v freq=997\ncreate {module} --id a\nconnect v.sine > a.{port}\nconnect a > out --gain {ROOM}\n"
    );
    Take::new(format!("sine 997 Hz through {name}"), patch)
        .read("noise", "dB", -140.0, None, |sound| periodic(sound, RATE_HZ, 997.0).noise_db)
        .read("harmonics", "dB", -140.0, None, |sound| periodic(sound, RATE_HZ, 997.0).thd_db)
}
