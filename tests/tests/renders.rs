//! The same patch gives the same samples: whatever the number of workers, the placement, the run; live and offline.

use tine_tests::patches::EVERYTHING;
use tine_tests::tine::{STEADY, Tine, render};
use tine_tests::wav::{Frame, assert_same, left, peak};

const SECONDS: f64 = 3.0;
const FRAMES: usize = 144_000;

fn everything(arguments: &[&str]) -> Vec<Frame> {
    let mut all = vec!["--block", "256"];
    all.extend(arguments);
    let frames = render(EVERYTHING, SECONDS, &all);
    assert_eq!(frames.len(), FRAMES);
    frames
}

#[test]
fn renders_are_the_same_whatever_computes_them() {
    let one = everything(&["--workers", "1"]);
    let loudness = peak(&one);
    assert!(loudness > 0.05 && loudness <= 1.0, "the patch sounds, and the limiter has nothing to do: {loudness}");
    assert!(left(&one[FRAMES - 4800..]).iter().any(|sample| sample.abs() > 0.01), "it goes on sounding");
    for arguments in [
        &["--workers", "1"][..],
        &["--workers", "2"],
        &["--workers", "8"],
        &["--workers", "8", "--placement", "pack"],
        &["--workers", "3", "--placement", "pack", "--spares", "0"],
    ] {
        assert_same(&format!("{arguments:?}"), &one, &everything(arguments), FRAMES);
    }
}

#[test]
fn a_live_recording_is_the_render() {
    let rendered = everything(&[]);
    for placement in ["isolate", "pack"] {
        let mut arguments = vec!["--record", "live.wav", "--seconds", "3", "--placement", placement];
        arguments.extend(STEADY);
        let mut tine = Tine::serve(EVERYTHING, &arguments);
        assert_eq!(tine.ended(), Some(0), "{}", tine.said());
        let recorded = tine.recording();
        assert_eq!(recorded.len(), FRAMES, "--seconds means what it says");
        assert_same(placement, &rendered, &recorded, FRAMES);
    }
}
