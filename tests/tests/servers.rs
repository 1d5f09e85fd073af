//! Sound as others hear it: a client of a real JACK server, and ALSA.

use std::process::Stdio;

use tine_tests::alsa::{Alsa, Default};
use tine_tests::jack::Jack;
use tine_tests::tine::{STEADY, Tine, render};
use tine_tests::wav::assert_same;

const TONE: &str = "create vco --id 1 freq=440\ncreate vca --id 2 gain=0.5\nconnect 1.sine > 2 > out\n";

#[test]
fn a_jack_client_hears_what_is_played() {
    let jack = Jack::start(48_000, 256);
    let mut arguments = vec!["--backend", "jack", "--period", "256"];
    arguments.extend(STEADY);
    let mut tine = Tine::start(TONE, &arguments, |command| {
        jack.give_to(command);
    });
    tine.play_until(9_600);
    let ports = jack.ports("out_");
    assert!(ports.len() >= 2, "{ports:?}");
    let file = tine.folder().join("heard.wav");
    let mut listener = jack.command("jack_rec");
    listener.args(["-f".as_ref(), file.as_os_str()]).args(["-d", "1", "-b", "16"]).args(&ports[..2]);
    let heard = listener.stdin(Stdio::null()).output().expect("this test needs jack_rec: ./check installs jackd2");
    assert!(heard.status.success(), "{}", String::from_utf8_lossy(&heard.stderr));
    tine.quit();
    let samples: Vec<i16> = hound::WavReader::open(file).unwrap().into_samples().map(Result::unwrap).collect();
    let left: Vec<f32> = samples.chunks(2).map(|frame| f32::from(frame[0]) / 32_768.0).collect();
    let rise = |pair: &[f32]| pair[0] < 0.0 && pair[1] >= 0.0;
    let cycles = left.windows(2).filter(|pair| rise(pair)).count();
    let peak = left.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    println!("{} frames heard, {cycles} cycles, peak {peak}", left.len());
    assert!((0.45..0.55).contains(&peak), "peak {peak}");
    let seconds = left.len() as f64 / 48_000.0;
    assert!((cycles as f64 - 440.0 * seconds).abs() < 25.0, "{cycles} cycles in {seconds} s");
}

#[test]
fn alsa_plays_the_same_samples() {
    let alsa = Alsa::new(Default::Nothing);
    let arguments = ["--backend", "alsa", "--seconds", "2", "--record", "live.wav"];
    let mut tine = Tine::start(TONE, &arguments, |command| {
        alsa.give_to(command);
    });
    assert_eq!(tine.ended(), Some(0), "{}", tine.said());
    // This device takes sound faster than anybody can make it: late blocks are its fault, so only the length is compared.
    assert_eq!(tine.recording().len(), render(TONE, 2.0, &[]).len());
}

#[test]
fn alsa_through_jack_plays_the_render() {
    let (jack, alsa) = (Jack::start(48_000, 256), Alsa::new(Default::Jack));
    let mut arguments = vec!["--backend", "alsa", "--seconds", "1", "--period", "256", "--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::start(TONE, &arguments, |command| {
        alsa.give_to(jack.give_to(command));
    });
    assert_eq!(tine.ended(), Some(0), "{}", tine.said());
    assert_same("alsa", &render(TONE, 1.0, &["--block", "256"]), &tine.recording(), 48_000);
}
