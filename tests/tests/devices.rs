//! Real ALSA and real JACK servers, without a card: periods as asked, real time, errors that help.
//!
//! No time limit stands here: a pace is frames over seconds, with room for a machine that stalls.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tine_tests::alsa::{Alsa, Default};
use tine_tests::jack::Jack;
use tine_tests::probe::{PLAYED, Report};

/// A probe for which there is no card and no server, but for what is given to it.
fn probe(args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_device-probe"));
    command.args(args.split(' ')).env("JACK_DEFAULT_SERVER", "tine-none").env_remove("ALSA_CONFIG_PATH");
    command
}

fn report(command: &mut Command) -> Report {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "the hosts' chatter is kept from stderr");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_plays(report: &Report, name: &str, rate_hz: u32, period: u32) {
    assert_eq!(report.error, None);
    assert_eq!((report.name.as_str(), report.rate_hz, report.period), (name, rate_hz, period));
    assert_eq!(report.asked, report.periods * u64::from(period), "each period holds {period} frames");
    assert!((0.7..1.1).contains(&report.pace()), "{} of real time: {report:?}", report.pace());
    assert_eq!(report.lost, None);
}

#[test]
fn null_keeps_real_time() {
    let report = report(&mut probe("play null - 44100 100 2"));
    assert_plays(&report, "null", 44_100, 100);
    assert!(report.real_time.is_some());
}

#[test]
fn a_jack_server_is_played_to_in_its_own_periods() {
    let jack = Jack::start(48_000, 64);
    let report = report(jack.give_to(&mut probe("play jack - 48000 64 2")));
    assert_plays(&report, "jack:system", 48_000, 64);
}

#[test]
fn what_we_play_is_what_another_jack_client_hears() {
    let jack = Jack::start(48_000, 128);
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("heard.wav");
    let mut playing = jack.give_to(&mut probe("play jack - 48000 128 4")).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    // The probe's first two clients only ask; the third has the ports that play.
    let ports = loop {
        let ports = jack.ports("cpal");
        if ports.len() == 2 {
            break ports;
        }
        assert!(begun.elapsed() < Duration::from_secs(20) && playing.try_wait().unwrap().is_none(), "{ports:?}");
        sleep(Duration::from_millis(20));
    };
    let mut record = jack.command("jack_rec");
    record.arg("-f").arg(&wav).args(["-d", "2", "-b", "16"]).args(&ports);
    assert!(record.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    assert!(playing.wait().unwrap().success());

    let mut heard = hound::WavReader::open(&wav).unwrap();
    let samples: Vec<i32> = heard.samples().map(Result::unwrap).collect();
    let ours = PLAYED.map(|sample| (sample * 32_768.0) as i32);
    let close = |&[left, right]: &[i32; 2]| (left - ours[0]).abs() < 2 && (right - ours[1]).abs() < 2;
    let frames: Vec<[i32; 2]> = samples.chunks_exact(2).map(|frame| [frame[0], frame[1]]).collect();
    let right = frames.iter().filter(|frame| close(frame)).count();
    // At the ends, and where a loaded machine lost a period, there is silence; there is never anything else.
    assert!(right > frames.len() / 2, "{right} of {}", frames.len());
    assert!(frames.iter().all(|frame| close(frame) || *frame == [0, 0]));
}

#[test]
fn alsa_takes_exactly_the_period_that_is_asked_for() {
    let jack = Jack::start(48_000, 64);
    let alsa = Alsa::new(Default::Jack);
    for period in [64, 128, 256] {
        let mut command = probe(&format!("play alsa - 48000 {period} 1.2"));
        let report = report(alsa.give_to(jack.give_to(&mut command)));
        assert_plays(&report, "alsa:default", 48_000, period);
    }
}

#[test]
fn an_alsa_device_that_keeps_no_time_is_held_to_real_time() {
    let alsa = Alsa::new(Default::Nothing);
    let report = report(alsa.give_to(&mut probe("play alsa nothing 48000 64 2")));
    assert_plays(&report, "alsa:nothing", 48_000, 64);
}

#[test]
fn a_device_that_takes_no_floats_gets_whole_numbers() {
    let alsa = Alsa::new(Default::Missing);
    let report = report(alsa.give_to(&mut probe("play alsa tofile 48000 64 1")));
    assert_plays(&report, "alsa:tofile", 48_000, 64);
    let bytes = std::fs::read(alsa.file()).unwrap();
    let samples: Vec<i16> = bytes.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    let ours = PLAYED.map(|sample| (sample * 32_768.0) as i16);
    let right = samples.chunks_exact(2).filter(|frame| *frame == ours).count();
    assert!(right > samples.len() / 4, "{right} frames of {}", samples.len() / 2);
    assert!(samples.chunks_exact(2).all(|frame| *frame == ours || *frame == [0, 0]));
}

#[test]
fn auto_takes_the_systems_device() {
    let alsa = Alsa::new(Default::Nothing);
    let report = report(alsa.give_to(&mut probe("play auto - 48000 128 1")));
    assert_plays(&report, "alsa:default", 48_000, 128);
    assert_eq!(report.note, None);
}

#[test]
fn auto_without_a_card_says_so_and_runs_on_null() {
    let alsa = Alsa::new(Default::Missing);
    let report = report(alsa.give_to(&mut probe("play auto - 48000 128 1")));
    assert_plays(&report, "null", 48_000, 128);
    let note = report.note.unwrap();
    assert_eq!(note, "no sound: there is no sound device; running on null, in real time");
}

#[test]
fn auto_without_a_card_of_its_own_plays_to_a_jack_server() {
    let jack = Jack::start(48_000, 128);
    let alsa = Alsa::new(Default::Missing);
    let report = report(alsa.give_to(jack.give_to(&mut probe("play auto - 48000 128 1"))));
    assert_plays(&report, "jack:system", 48_000, 128);
    assert!(report.note.unwrap().contains("JACK"));
}

#[test]
fn an_unknown_device_is_an_error_that_names_those_there_are() {
    let alsa = Alsa::new(Default::Nothing);
    for backend in ["alsa", "auto"] {
        let report = report(alsa.give_to(&mut probe(&format!("play {backend} hw:31 48000 64 1"))));
        let error = report.error.unwrap();
        assert!(error.starts_with("no device alsa:hw:31; there are: alsa:default, "), "{error}");
        assert!(error.contains("alsa:nothing") && error.ends_with(", null"), "{error}");
    }
}

#[test]
fn a_jack_server_at_another_period_says_which() {
    let jack = Jack::start(48_000, 64);
    let report = report(jack.give_to(&mut probe("play jack - 44100 128 1")));
    let error = report.error.unwrap();
    assert!(error.contains("does not run at 44100 hz with a period of 128"), "{error}");
    assert!(error.ends_with("it takes 48000 hz with a period of 64"), "{error}");
}

#[test]
fn without_a_server_jack_is_not_found() {
    let report = report(&mut probe("play jack - 48000 64 1"));
    let error = report.error.unwrap();
    assert!(error.starts_with("no device jack:system; there are: "), "{error}");
}

#[test]
fn the_list_shows_what_can_be_played_to() {
    let jack = Jack::start(48_000, 64);
    let alsa = Alsa::new(Default::Nothing);
    let output = alsa.give_to(jack.give_to(&mut probe("list"))).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let list: Vec<_> = list.as_array().unwrap().iter().map(|info| (&info["backend"], &info["name"])).collect();
    for named in [("alsa", "default"), ("alsa", "nothing"), ("alsa", "tojack"), ("jack", "system"), ("null", "null")] {
        assert!(list.iter().any(|&(backend, name)| backend == named.0 && name == named.1), "{named:?} in {list:?}");
    }
}

#[test]
fn a_server_that_dies_is_a_device_lost() {
    let jack = Jack::start(48_000, 128);
    let mut command = probe("play jack - 48000 128 60");
    let playing = jack.give_to(&mut command).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while jack.ports("cpal").len() != 2 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(300));
    jack.kill();
    let output = playing.wait_with_output().unwrap();
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.lost.is_some(), "{report:?}");
    assert!(begun.elapsed() < Duration::from_secs(50), "the probe ended before its time");
}
