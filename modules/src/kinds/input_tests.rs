//! `in` passes on what the device hears.

use crate::kind;
use crate::rig::Rig;

#[test]
fn the_device_is_heard_on_its_sides_with_their_gains() {
    let (_, kind) = kind("in").unwrap();
    let mut rig = Rig::new(kind, 3, 48_000.0, 64).with("gain_left", 2.0);
    rig.step();
    assert!(rig.output("out", 0).all(|x| x == 0.0), "nothing is plugged in");
    rig.hear(|frame| [frame as f32, -0.5]);
    rig.step();
    for channel in 0..3 {
        assert!(rig.output("left", channel).enumerate().all(|(frame, x)| x == 2.0 * frame as f32));
        assert!(rig.output("right", channel).all(|x| x == -0.5));
        assert!(rig.output("out", channel).enumerate().all(|(frame, x)| x == frame as f32 - 0.25));
    }
}
