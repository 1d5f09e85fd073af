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

#[test]
fn what_the_server_gives_is_heard_by_the_patch() {
    let jack = Jack::start(48_000, 128);
    // Left goes out, comes back in, and goes out again on the right.
    let patch = "create vco --id v freq=440 shape=sine\nconnect v > out.left --gain 0.5\ncreate in --id mic\nconnect mic.left > out.right\n";
    let arguments =
        ["--backend", "jack", "--input", "--block", "64", "--period", "128", "--lead", "8", "--record", "live.wav"];
    let mut tine = Tine::start(patch, &arguments, |command| {
        jack.give_to(command);
    });
    tine.play_until(4_800);
    let ports = jack.ports("cpal");
    let find =
        |part: &str| ports.iter().find(|port| port.contains(part)).unwrap_or_else(|| panic!("{ports:?}")).clone();
    let (from, to) = (find("out_0"), find("in_0"));
    let connected = jack.command("jack_connect").args([&from, &to]).status().unwrap();
    assert!(connected.success());
    let frames = tine.osc().stat("frames") as usize;
    tine.play_until(frames + 48_000);
    tine.quit();
    let recording = tine.recording();
    let sides: Vec<[f32; 2]> = recording.iter().map(|frame| frame.map(f32::from_bits)).collect();
    // A tenth of a second in which the right side is the left one, some blocks before, to the bit. Not everywhere: where the machine
    // stands still the server loses periods, and the two are another time apart.
    let is_echo = |start: &usize| {
        let stretch = &sides[*start..start + 4_800];
        let echoes = |late: &usize| stretch.iter().enumerate().all(|(at, now)| sides[start + at - late][0] == now[1]);
        stretch.iter().any(|sides| sides[1] != 0.0) && (1..5_000).any(|late| echoes(&late))
    };
    let starts = (5_000..sides.len().saturating_sub(4_800)).step_by(2_400);
    assert!(starts.into_iter().any(|start| is_echo(&start)), "the right side is never the left one");
}
