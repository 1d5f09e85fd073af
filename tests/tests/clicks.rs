//! Playing with the patch under a sounding one: nothing that is patched, bypassed or destroyed clicks.

use tine_tests::tine::{STEADY, Tine};
use tine_tests::wav;

/// Two sines, one heard through an amplifier; all that is played stays below where the limiter would take hold.
const SINES: &str = "\
create vco --id a freq=100 shape=sine
create vca --id b gain=0.5
connect a > b --gain 0.4
connect b > out
create vco --id c freq=151 shape=sine
";

/// A step of -80 dBFS.
const STEP: f32 = 1e-4;

/// The fourth difference leaves nothing of a slow sine, and of a step its size times 1, -3, 3, -1.
fn roughest(samples: &[f32]) -> (usize, f32) {
    let fourth = |at: &[f32]| at[0] - 4.0 * at[1] + 6.0 * at[2] - 4.0 * at[3] + at[4];
    let all = samples.windows(5).map(|at| fourth(at).abs()).enumerate();
    all.fold((0, 0.0), |worst, now| if now.1 > worst.1 { now } else { worst })
}

#[test]
fn patching_under_a_sounding_patch_makes_no_click() {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::serve(SINES, &arguments);
    tine.play_until(24_000);
    let osc = tine.osc();
    for line in [
        "connect c > out.left --gain 0.5",
        "connect c > out.left --gain 0.2",
        "disconnect c > out.left",
        "create vca --id d",
        "connect c > d > out.left --gain 0.6",
        "destroy d",
        "bypass b on",
        "bypass b off",
        "destroy b",
        "undo",
    ] {
        osc.done("/eval", &[&line]);
        tine.play_until(osc.stat("frames") as usize + 4_800);
    }
    tine.quit();
    // From where the playing begins: before that the sines have started, which is a step of its own.
    let (at, roughness) = roughest(&wav::left(&tine.recording())[12_000..]);
    assert!(roughness < 3.0 * STEP, "a step of {:.1} dBFS {at} frames on", 20.0 * (roughness / 3.0).log10());
}
