//! A picture of a recording: its waveform, its spectrum, its spectrogram.

mod analysis;
pub mod chart;

use std::ops::Range;
use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use analysis::{FLOOR_DB, Sound};

/// Width and height in pixels.
const SIZE: (u32, u32) = (1200, 1200);

/// Lowest and highest frequency that is drawn, in Hz: what can be heard, as far as the rate allows.
const HEARD_HZ: (f64, f64) = (20.0, 24_000.0);

/// Levels of the spectrogram, in dB.
const SPECTROGRAM_DB: (f64, f64) = (-110.0, 0.0);

/// Letters that need no font of the system: DejaVu Sans, ASCII only (fonts/LICENSE-DejaVu).
const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-ascii.ttf");
const FAMILY: &str = "sans-serif";

const SIDES: [(&str, RGBColor); 2] = [("left", RGBColor(31, 97, 166)), ("right", RGBColor(208, 92, 30))];

/// Draws the WAV at `recording` into a PNG at `picture`.
///
/// # Errors
/// If one cannot be read, or the other not be written.
pub fn draw(recording: &Path, picture: &Path, title: &str) -> Result<(), String> {
    let sound = Sound::read(recording)?;
    prepare(picture)?;
    draw_all(&sound, picture, title).map_err(|error| format!("{}: {error}", picture.display()))
}

/// Before anything is drawn into `picture`.
fn prepare(picture: &Path) -> Result<(), String> {
    if picture.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("png")) {
        return Err(format!("{}: a picture is a .png", picture.display()));
    }
    static REGISTERED: Once = Once::new();
    // It is a font: the tests draw with it.
    REGISTERED.call_once(|| drop(register_font(FAMILY, FontStyle::Normal, FONT)));
    Ok(())
}

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

fn draw_all(sound: &Sound, picture: &Path, title: &str) -> Drawn {
    let root = BitMapBackend::new(picture, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let ascii: String = title.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { ' ' }).collect();
    let root = root.titled(&ascii, (FAMILY, 22))?;
    let panels = root.split_evenly((3, 1));
    waveform(sound, &panels[0])?;
    spectrum(sound, &panels[1])?;
    spectrogram(sound, &panels[2])?;
    root.present()?;
    Ok(())
}

fn highest_hz(sound: &Sound) -> f64 {
    HEARD_HZ.1.min(0.5 * f64::from(sound.rate_hz))
}

/// Highest and lowest sample of each stretch of time.
fn waveform(sound: &Sound, area: &Area<'_>) -> Drawn {
    let peak = sound.peak().max(1e-3) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..sound.seconds(), -peak..peak)?;
    chart.configure_mesh().x_desc("seconds").y_desc("amplitude").label_style((FAMILY, 14)).draw()?;
    let columns = SIZE.0 as usize;
    for (samples, (name, colour)) in sound.sides.iter().zip(SIDES) {
        let envelope =
            analysis::envelope(samples, columns).into_iter().enumerate().flat_map(|(column, [low, high])| {
                let at = sound.seconds() * column as f64 / columns as f64;
                [(at, low), (at, high)]
            });
        let line = chart.draw_series(LineSeries::new(envelope, colour.mix(0.6)))?;
        line.label(name).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour));
    }
    legend(&mut chart)
}

fn spectrum(sound: &Sound, area: &Area<'_>) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((HEARD_HZ.0..highest_hz(sound)).log_scale(), FLOOR_DB..5.0)?;
    chart.configure_mesh().x_desc("Hz").y_desc("dB").label_style((FAMILY, 14)).draw()?;
    for (samples, (name, colour)) in sound.sides.iter().zip(SIDES) {
        let lines = analysis::spectrum(samples, sound.rate_hz);
        let within = lines.into_iter().filter(|(hz, _)| *hz >= HEARD_HZ.0 && *hz <= highest_hz(sound));
        let line = chart.draw_series(LineSeries::new(within, colour.mix(0.8)))?;
        line.label(name).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour));
    }
    legend(&mut chart)
}

fn spectrogram(sound: &Sound, area: &Area<'_>) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..sound.seconds(), (HEARD_HZ.0..highest_hz(sound)).log_scale())?;
    chart.configure_mesh().disable_mesh().x_desc("seconds").y_desc("Hz").label_style((FAMILY, 14)).draw()?;
    let plane = chart.plotting_area();
    let (width, height) = plane.dim_in_pixel();
    let picture = analysis::Spectrogram::of(&sound.middle(), sound.rate_hz, width as usize);
    let ratio = highest_hz(sound) / HEARD_HZ.0;
    let (left, top) = plane.get_base_pixel();
    for row in 0..height {
        let hz = HEARD_HZ.0 * ratio.powf(1.0 - (f64::from(row) + 0.5) / f64::from(height));
        for column in 0..width {
            let level = picture.level_db(column as usize, hz);
            area_pixel(area, (left + column as i32, top + row as i32), heat(level))?;
        }
    }
    Ok(())
}

/// Colours one pixel, counted from the picture's corner.
fn area_pixel(area: &Area<'_>, at: (i32, i32), colour: RGBColor) -> Drawn {
    let (x, y) = area.get_base_pixel();
    area.draw_pixel((at.0 - x, at.1 - y), &colour)?;
    Ok(())
}

/// From dark blue over red and yellow to white.
fn heat(level_db: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 6] = [
        [8.0, 8.0, 32.0],
        [40.0, 20.0, 110.0],
        [140.0, 30.0, 110.0],
        [225.0, 80.0, 50.0],
        [250.0, 190.0, 60.0],
        [255.0, 255.0, 235.0],
    ];
    let Range { start, end } = SPECTROGRAM_DB.0..SPECTROGRAM_DB.1;
    let part = ((level_db - start) / (end - start)).clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let stop = (part as usize).min(STOPS.len() - 2);
    let mixed: [u8; 3] = std::array::from_fn(|channel| {
        let (from, to) = (STOPS[stop][channel], STOPS[stop + 1][channel]);
        (from + (to - from) * (part - stop as f64)) as u8
    });
    RGBColor(mixed[0], mixed[1], mixed[2])
}

fn legend<'a, 'p: 'a, X, Y>(chart: &mut ChartContext<'a, BitMapBackend<'p>, Cartesian2d<X, Y>>) -> Drawn
where
    X: plotters::coord::ranged1d::Ranged<ValueType = f64>,
    Y: plotters::coord::ranged1d::Ranged<ValueType = f64>,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FAMILY, 14))
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_becomes_a_picture_of_three_panels() {
        let folder = tempfile::tempdir().unwrap();
        let (wav, png) = (folder.path().join("a.wav"), folder.path().join("a.png"));
        let format = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&wav, format).unwrap();
        for frame in 0..24_000 {
            let sample = 0.5 * libm::sinf(frame as f32 * 0.0576);
            writer.write_sample(sample).unwrap();
            writer.write_sample(-sample).unwrap();
        }
        writer.finalize().unwrap();
        draw(&wav, &png, "a sine").unwrap();
        let picture = std::fs::read(&png).unwrap();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000, "{} bytes", picture.len());
        assert!(draw(&wav, &folder.path().join("a.jpg"), "").unwrap_err().ends_with("a picture is a .png"));
        assert!(draw(&folder.path().join("gone.wav"), &png, "").is_err());
    }
}
