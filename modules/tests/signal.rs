//! Test signals and the ears that listen to them.

use tine_modules::rig::Rig;
use tine_modules::{CATALOGUE, Kind};
use tine_protocol::spec::{InputSpec, KindSpec};

pub const RATE_HZ: f32 = 48_000.0;
pub const FRAMES: usize = 64;

/// Numbers that look random and are the same in every run: even over -1..1 for each `key`.
pub fn hash(key: u64) -> f32 {
    let z = (key ^ (key >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((z >> 40) as f32) / 8_388_608.0 - 1.0
}

/// A sine of `hz` at `frame`.
pub fn sine(hz: f64, frame: usize) -> f32 {
    libm::sin(std::f64::consts::TAU * hz * frame as f64 / f64::from(RATE_HZ)) as f32
}

/// The kind called `name`, on the bench with one channel.
pub fn rig(name: &str) -> Rig {
    Rig::new(kind(name), 1, RATE_HZ, FRAMES)
}

pub fn kind(name: &str) -> &'static Kind {
    tine_modules::kind(name).expect("the catalogue has this kind").1
}

/// Every kind of the catalogue.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    CATALOGUE.iter()
}

/// Every input's name and what it is: ports, then params.
pub fn inputs(spec: &'static KindSpec) -> impl Iterator<Item = (&'static str, InputSpec)> {
    (0..spec.input_count()).map(|index| {
        let input = spec.input_at(index).expect("within the count");
        (input.name(), input)
    })
}

/// Feeds `sample(frame since the start)` to mono cables and gathers channel 0 of `port` over `blocks`.
pub fn play(
    rig: &mut Rig,
    port: &str,
    start: usize,
    blocks: usize,
    feeds: &mut [(usize, &mut dyn FnMut(usize) -> f32)],
) -> Vec<f32> {
    let mut heard = Vec::with_capacity(blocks * FRAMES);
    for block in 0..blocks {
        for (cable, sample) in feeds.iter_mut() {
            rig.feed(*cable, |_, frame| sample(start + block * FRAMES + frame));
        }
        rig.step();
        heard.extend(rig.output(port, 0));
    }
    heard
}
