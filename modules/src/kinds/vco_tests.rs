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

#[test]
fn print_all() {
    for f0 in [110.0f64, 440.0, 1_760.0, 3_520.0, 7_040.0] {
        for shape in ["saw", "pulse", "tri", "sine"] {
            let sound = steady(shape, f0 as f32);
            let ideal = |number: usize| match shape {
                "saw" => 1.0 / number as f64,
                "pulse" if number % 2 == 1 => 1.0 / number as f64,
                "tri" if number % 2 == 1 => 1.0 / (number * number) as f64,
                _ => 0.0,
            };
            let Periodic { alias_db, worst_dbc, dc, thd_db, noise_db } = periodic(&sound, RATE_HZ, f0);
            println!(
                "{shape} {f0}: alias {alias_db:.1} worst {worst_dbc:.1} dc {dc:.1e} thd {thd_db:.1} noise {noise_db:.1} droop {:.3} cents {:.5}",
                droop_db(&sound, RATE_HZ, f0, ideal),
                cents(frequency(&sound, RATE_HZ, f0), f0)
            );
        }
    }
    // moving path at constant pitch: fm of zero
    for f0 in [20.0, 110.0f64, 440.0, 1_760.0, 7_040.0] {
        for shape in ["saw", "pulse", "tri"] {
            let sound = modulated(vco(shape).with("freq", f0 as f32), shape, &[("fm", &|_| 0.0)]);
            println!(
                "moving {shape} {f0} {:?} cents {:.5}",
                periodic(&sound, RATE_HZ, f0),
                cents(frequency(&sound, RATE_HZ, f0), f0)
            );
        }
    }
    for (name, depth) in [("fm .9", 0.9f32), ("fm tz 2", 2.0)] {
        for shape in ["saw", "pulse", "tri", "sine"] {
            let sound = modulated(
                vco(shape).with("freq", 880.0).with("fm_depth", depth),
                shape,
                &[("fm", &|frame| turn(110.0, frame))],
            );
            println!("{name} {shape} {:?}", periodic(&sound, RATE_HZ, 110.0));
        }
    }
    for pitch in [880.0f64, 1760.0] {
        let sound =
            modulated(vco("pulse").with("freq", pitch as f32), "pulse", &[("pw", &|frame| 0.4 * turn(110.0, frame))]);
        println!("pwm {pitch} {:?}", periodic(&sound, RATE_HZ, 110.0));
    }
    for f0 in [110.0f64, 440.0, 1760.0] {
        for shape in ["saw", "pulse", "tri", "sine"] {
            let sound =
                modulated(vco(shape).with("freq", 2.63 * f0 as f32), shape, &[("sync", &|frame| turn(f0, frame))]);
            println!("sync {shape} {f0} by sine {:?}", periodic(&sound, RATE_HZ, f0));
        }
        for master in ["saw", "phase"] {
            let lead = steady(master, f0 as f32);
            let sound = modulated(
                vco("saw").with("freq", 2.63 * f0 as f32),
                "saw",
                &[("sync", &|frame| f64::from(lead[frame as usize]))],
            );
            println!("sync saw {f0} by vco {master} {:?}", periodic(&sound, RATE_HZ, f0));
        }
    }
}
