//! split and merge: channels taken apart and laid together, to the bit.

use tine_modules::rig::Rig;

use crate::signal::{FRAMES, RATE_HZ, hash, kind, rig};

#[test]
fn split_gives_each_channel_by_itself_to_the_bit() {
    let mut split = rig("split");
    let cable = split.patch_poly("in", 1.0, 11);
    split.feed(cable, |channel, frame| hash((channel * FRAMES + frame) as u64));
    split.step();
    for channel in 0..16 {
        let expected = |frame| if channel < 11 { hash((channel * FRAMES + frame) as u64) } else { 0.0 };
        let port = format!("out{}", channel + 1);
        assert!(split.output(&port, 0).enumerate().all(|(frame, x)| x == expected(frame)), "{port}");
    }
    assert!(split.output("channels", 0).all(|x| x == 11.0 / 16.0));
    assert!(rig("split").render("channels", 1).iter().all(|&x| x == 0.0), "nothing is patched");
}

#[test]
fn merge_lays_its_inputs_side_by_side_and_split_takes_them_apart() {
    for channels in [1, 4, 11, 16] {
        let mut merge = Rig::new(kind("merge"), channels, RATE_HZ, FRAMES);
        for input in 0..16usize {
            let cable = merge.patch(&format!("in{}", input + 1), 1.0);
            merge.feed(cable, |_, frame| hash((input * FRAMES + frame) as u64));
        }
        merge.step();
        let mut split = rig("split");
        let cable = split.patch_poly("in", 1.0, channels);
        let merged: Vec<Vec<f32>> = (0..channels).map(|channel| merge.output("out", channel).collect()).collect();
        split.feed(cable, |channel, frame| merged[channel][frame]);
        split.step();
        for channel in 0..channels {
            let port = format!("out{}", channel + 1);
            let is_whole = |(frame, x)| x == hash((channel * FRAMES + frame) as u64);
            assert!(split.output(&port, 0).enumerate().all(is_whole), "channel {channel} of {channels}");
        }
    }
}
