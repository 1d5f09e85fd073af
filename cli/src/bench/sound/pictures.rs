//! Drawings of what is measured: oscillators beside their ideal, filters' responses, a reverb's decay.

use std::f64::consts::PI;
use std::fs;
use std::path::Path;

use tine_modules::spectrum::{LENGTH, db, gain_db, spectrum};

use super::{RATE_HZ, ROOM, render};
use crate::plot::chart::{Chart, Series, X};

/// Pitch of the oscillators: high enough for an eye to tell the harmonics apart.
const PITCH_HZ: f64 = 1_760.0;

/// Width of the pulse.
const WIDTH: f64 = 0.3;

/// Points of a line.
const POINTS: usize = 1_100;

/// Draws all into `pictures`, rendering in `folder`, where the impulse lies.
pub fn draw(pictures: &Path, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(pictures).map_err(|error| format!("{}: {error}", pictures.display()))?;
    for shape in ["saw", "pulse", "tri", "sine"] {
        oscillator(shape, folder)?.draw(&pictures.join(format!("{shape}.png")))?;
    }
    filters(
        "vcf, model svf, cutoff 1 khz, res 0.5",
        &["mode=lp", "mode=lp slope=24", "mode=bp", "mode=hp", "mode=notch"].map(|more| format!("res=0.5 {more}")),
        folder,
    )?
    .draw(&pictures.join("svf.png"))?;
    filters(
        "vcf, model ladder, slope 24, cutoff 1 khz",
        &[0.0, 0.25, 0.5, 0.75, 0.88].map(|res| format!("model=ladder slope=24 res={res}")),
        folder,
    )?
    .draw(&pictures.join("ladder.png"))?;
    reverb(folder)?.draw(&pictures.join("reverb.png"))
}

/// Amplitude of a harmonic of the ideal shape.
fn ideal(shape: &str, number: usize) -> f64 {
    let n = number as f64;
    match shape {
        "saw" => 2.0 / (PI * n),
        "pulse" => 4.0 / (PI * n) * (PI * n * WIDTH).sin().abs(),
        "tri" if number % 2 == 1 => 8.0 / (PI * PI * n * n),
        "sine" if number == 1 => 1.0,
        _ => 0.0,
    }
}

fn oscillator(shape: &str, folder: &Path) -> Result<Chart, String> {
    let patch = format!("create vco --id v freq={PITCH_HZ} pw={WIDTH}\nconnect v.{shape} > out --gain {ROOM}\n");
    let bins = spectrum(&render(&patch, 2.0, folder)?);
    let per_point = bins.len().div_ceil(POINTS);
    // The strongest line of each stretch.
    let line = bins.chunks(per_point).enumerate().map(|(point, bins)| {
        let strongest = bins.iter().map(|bin| bin.norm_sqr()).fold(0.0, f64::max);
        (((point * per_point) as f64 + 0.5 * per_point as f64) * RATE_HZ / LENGTH as f64, db(strongest))
    });
    let harmonics = (1..=(0.5 * RATE_HZ / PITCH_HZ) as usize).map(|number| (number, ideal(shape, number)));
    let dots = harmonics.filter(|(_, level)| *level > 1e-6);
    Ok(Chart {
        title: format!("vco {shape}, {PITCH_HZ} Hz"),
        x: X::Linear("Hz", 0.0..0.5 * RATE_HZ),
        y: ("dB", -180.0..5.0),
        series: vec![
            Series::line("vco", line.collect()),
            Series::dots("ideal", dots.map(|(number, level)| (number as f64 * PITCH_HZ, db(level * level))).collect()),
        ],
    })
}

fn filters(title: &str, params: &[String], folder: &Path) -> Result<Chart, String> {
    let mut series = Vec::new();
    for params in params {
        let patch = format!(
            "create sampler --id s file=\"impulse.wav\"\ncreate vcf --id f cutoff=1khz {params}\n\
             connect s.left > f\nconnect f > out --gain {ROOM}\ntrig s\n"
        );
        let response = render(&patch, 1.0, folder)?;
        let hz = |point: usize| 20.0 * 1_000f64.powf(point as f64 / 300.0);
        // The impulse is 60 dB below 1.
        let line = (0..=300).map(|point| (hz(point), gain_db(&response, RATE_HZ, hz(point)) + 60.0));
        series.push(Series::line(params, line.collect()));
    }
    Ok(Chart { title: title.to_owned(), x: X::Logarithmic("Hz", 20.0..20_000.0), y: ("dB", -80.0..25.0), series })
}

/// What is left of the energy, by Schroeder's backward integral ("New Method of Measuring Reverberation Time", JASA 37:3, 1965).
fn reverb(folder: &Path) -> Result<Chart, String> {
    let mut series = Vec::new();
    for decay_s in [0.5, 1.0, 2.0, 4.0] {
        let params = format!("decay={decay_s}s");
        let patch = format!(
            "create sampler --id s file=\"impulse.wav\"\ncreate reverb --id r mix=1 {params}\n\
             connect s.left > r\nconnect r.left > out --gain {ROOM}\ntrig s\n"
        );
        let sound = render(&patch, 8.0, folder)?;
        let mut left = 0.0;
        let mut energies: Vec<f64> = sound
            .iter()
            .rev()
            .map(|&sample| {
                left += f64::from(sample).powi(2);
                left
            })
            .collect();
        energies.reverse();
        let whole = energies[0];
        let step = energies.len() / POINTS;
        let line = energies
            .iter()
            .enumerate()
            .step_by(step)
            .map(|(frame, energy)| (frame as f64 / RATE_HZ, db(energy / whole)));
        series.push(Series::line(&params, line.filter(|(_, level)| *level > -95.0).collect()));
    }
    Ok(Chart {
        title: "reverb, what is left of an impulse".to_owned(),
        x: X::Linear("seconds", 0.0..6.0),
        y: ("dB", -90.0..3.0),
        series,
    })
}
