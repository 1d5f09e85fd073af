//! Warm-up, done once before the pool is forked: builds the tables, and runs every kind once, so that no worker ever runs cold code.

use std::io;
use std::os::fd::OwnedFd;
use tine_protocol::ramp::Ramp;

use tine_modules::runner::{Cable, Job, Scratch, Shape, Sources};
use tine_modules::{Kind, Sounds, Tables, Transport};
use tine_protocol::sys::memory::{self, SealedMap, WriteMap};

/// Length of the table segment.
pub const TABLE_BYTES: usize = size_of::<Tables>();

/// Builds the tables into `segment` and seals it, unless that was done before; maps them.
///
/// # Errors
/// If the segment cannot be mapped or sealed.
pub fn tables(segment: &OwnedFd) -> io::Result<SealedMap<Tables>> {
    if !memory::is_sealed(segment)? {
        let mut map = WriteMap::new(segment, size_of::<Tables>())?;
        map.slice_mut::<Tables>(0, 1)[0].fill();
        drop(map);
        memory::seal_contents(segment)?;
    }
    SealedMap::new(segment)
}

/// Runs a block of every kind in every width that occurs.
pub fn run_every_kind(catalogue: &[Kind], tables: &Tables, rate_hz: f32, frames: usize, scratch: &mut Scratch) {
    struct Silence;
    impl Sources for Silence {
        fn fetch(&mut self, _cable: usize, into: &mut [f32]) {
            into.fill(0.0);
        }
    }
    for kind in catalogue {
        for channels in [1, 4, 8] {
            let shape = Shape::new(channels);
            let tape_frames = (2 * frames).next_power_of_two();
            let initial: Vec<f32> = kind.spec.params.iter().map(|param| param.default).collect();
            let cables: Vec<Cable> = (0..kind.spec.input_count())
                .map(|input| Cable { input, channels: 1, gain: Ramp::constant(1.0) })
                .collect();
            let mut state = vec![0u64; kind.state_bytes(shape) / 8];
            let mut tape = vec![0.0; tape_frames * kind.tapes * shape.stride()];
            let mut outputs = vec![0.0; kind.output_samples(shape, frames)];
            let mut job = Job {
                shape,
                frames,
                rate_hz,
                seed: 0,
                state: bytemuck::cast_slice_mut(&mut state),
                initial: &initial,
                is_new: true,
                tape: &mut tape,
                tape_frames,
                events: &[],
                cables: &cables,
                active: Ramp::constant(1.0),
                is_idle: false,
                wanted: u32::MAX,
                outputs: &mut outputs,
                transport: Transport::default(),
                sounds: Sounds::new(&[]),
                heard: &[],
            };
            kind.run(&mut job, scratch, tables, &mut Silence);
        }
    }
}
