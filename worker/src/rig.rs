//! Lanes by themselves: real segments and plans made by hand, without engine, zygote or pool. For benches and tests.
//!
//! Modules stand in one chain, lane after lane; each hears the one before. All are mono, at their defaults, and there from block 0.

use std::io;
use std::mem::offset_of;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tine_modules::runner::Shape;
use tine_modules::{CATALOGUE, Ffts, Tables, kind};
use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::plan::{CablePlan, GRAIN, ModulePlan, NEVER, PlanHead};
use tine_protocol::segment::{
    EngineHead, LANE_BYTES, LAYOUT_HASH, LanePlan, MAGIC, ModuleHead, RING_BLOCKS, engine, lane,
};
use tine_protocol::sys::memory::{self, ReadMap, WriteMap};

use crate::executor::{Executor, Patience, View, Workspace};

/// The segments of some lanes, with their plans.
pub struct Rig {
    /// The engine segment, to start blocks and to end.
    pub control: WriteMap,
    /// All that there is to read.
    pub view: View,
    lanes: Vec<OwnedFd>,
    frames: usize,
}

/// Where the last module of the chain so far lies.
struct Source {
    plan: ModulePlan,
    lane: u16,
    port_samples: u32,
}

impl Rig {
    /// A lane for each list of kinds. A module that waits for another lane looks `spins` times before it sleeps.
    ///
    /// # Errors
    /// If a segment cannot be made, or there is no such kind.
    pub fn new(lanes: &[&[&str]], rate_hz: u32, frames: usize, spins: u32) -> io::Result<Rig> {
        let engine_fd = memory::create(c"rig-engine", engine::BYTES)?;
        let mut control = WriteMap::new(&engine_fd, engine::BYTES)?;
        let head = EngineHead {
            magic: MAGIC,
            layout: LAYOUT_HASH,
            cycle: 0,
            rate_hz,
            frames: frames as u32,
            fade_blocks: 1,
            lanes: lanes.len() as u32,
            quit: 0,
            awaited: 0,
            incarnation: 0,
            reserved: 0,
            died_ns: 0,
        };
        control.write(0, head);
        let mut before = None;
        for (number, kinds) in lanes.iter().enumerate() {
            write_lane(&mut control, number, kinds, frames, rate_hz, spins, &mut before)?;
            if number > 0 {
                wake_listeners(&mut control, number - 1, lanes[number - 1].len());
            }
            // Valid from block 0 on.
            control.publish(engine::valid(number, 0), 1);
        }
        let fds = lanes.iter().map(|_| memory::create(c"rig-lane", LANE_BYTES)).collect::<io::Result<Vec<_>>>()?;
        let maps = fds.iter().map(|fd| ReadMap::new(fd, LANE_BYTES)).collect::<io::Result<_>>()?;
        let view = View { engine: ReadMap::new(&engine_fd, engine::BYTES)?, lanes: maps, sounds: None };
        Ok(Rig { control, view, lanes: fds, frames })
    }

    /// What executes a lane. One at most for each, as it is the lane's writer.
    ///
    /// # Errors
    /// If the lane cannot be mapped.
    pub fn executor<'t>(&self, number: usize, tables: &'t Tables) -> io::Result<Executor<'t>> {
        self.patient_executor(number, tables, Patience::Wait)
    }

    /// The same, with another patience.
    ///
    /// # Errors
    /// If the lane cannot be mapped.
    pub fn patient_executor<'t>(
        &self,
        number: usize,
        tables: &'t Tables,
        patience: Patience,
    ) -> io::Result<Executor<'t>> {
        Ok(Executor::new(
            LaneId(number as u16),
            patience,
            WriteMap::new(&self.lanes[number], LANE_BYTES)?,
            self.view.clone(),
            tables,
            CATALOGUE,
            Workspace::new(self.frames, Arc::new(Ffts::plan())),
        ))
    }
}

fn write_lane(
    control: &mut WriteMap,
    number: usize,
    kinds: &[&str],
    frames: usize,
    rate_hz: u32,
    spins: u32,
    before: &mut Option<Source>,
) -> io::Result<()> {
    let shape = Shape::new(1);
    let place = engine::plan(number, 0);
    let (mut at, mut cables, mut values) = (lane::ARENA, 0, 0);
    for (index, name) in kinds.iter().enumerate() {
        let (kind_number, kind) =
            kind(name).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("no kind {name}")))?;
        let mut take = |bytes: usize| {
            let start = at;
            at += bytes.next_multiple_of(GRAIN);
            (start / GRAIN) as u32
        };
        let output_samples = kind.output_samples(shape, frames);
        let tape_frames = kind.tape_frames(rate_hz as f32, frames);
        let hears = before.as_ref().filter(|_| !kind.spec.inputs.is_empty());
        let plan = ModulePlan {
            birth: 0,
            seed: 1,
            slot: Slot((number * 1000 + index + 1) as u32),
            kind: kind_number as u16,
            channels: 1,
            head_at: take(size_of::<ModuleHead>()),
            state_at: take(2 * kind.state_bytes(shape)),
            state_bytes: kind.state_bytes(shape) as u32,
            outputs_at: take(RING_BLOCKS * output_samples * size_of::<f32>()),
            output_samples: output_samples as u32,
            tape_at: take(tape_frames * shape.stride() * kind.tapes * size_of::<f32>()),
            tape_frames: tape_frames as u32,
            tape_rings: if tape_frames == 0 { 0 } else { (shape.stride() * kind.tapes) as u32 },
            wanted: 1,
            first_cable: cables,
            cables: hears.is_some().into(),
            first_value: values,
            values: kind.spec.params.len() as u32,
            active: [1.0, 1.0],
            ..ModulePlan::default()
        };
        control.write(place + offset_of!(LanePlan, modules) + index * size_of::<ModulePlan>(), plan);
        let value_at = place + offset_of!(LanePlan, values) + values as usize * size_of::<f32>();
        let defaults: Vec<f32> = kind.spec.params.iter().map(|param| param.default).collect();
        control.slice_mut::<f32>(value_at, defaults.len()).copy_from_slice(&defaults);
        values += plan.values;
        if let Some(source) = hears {
            let cable = CablePlan {
                born: NEVER,
                died: NEVER,
                gain: 1.0,
                head_at: source.plan.head_at,
                samples_at: source.plan.outputs_at,
                stride: source.plan.output_samples,
                samples: source.port_samples,
                channels: 1,
                lane: source.lane,
                spins: if usize::from(source.lane) == number { 0 } else { spins },
                ..CablePlan::default()
            };
            control.write(place + offset_of!(LanePlan, cables) + cables as usize * size_of::<CablePlan>(), cable);
            cables += 1;
        }
        *before = Some(Source { plan, lane: number as u16, port_samples: (shape.stride() * frames) as u32 });
    }
    control.write(place, PlanHead { modules: kinds.len() as u32, cables });
    Ok(())
}

/// The last module of a lane is heard on the next lane: its commit may have to wake it.
fn wake_listeners(control: &mut WriteMap, number: usize, modules: usize) {
    let Some(last) = modules.checked_sub(1) else { return };
    let at = engine::plan(number, 0) + offset_of!(LanePlan, modules) + last * size_of::<ModulePlan>();
    let plan: ModulePlan = control.read(at);
    control.write(at, ModulePlan { listeners: 1 << (number + 1), ..plan });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_over_two_lanes_passes_its_sound_on() {
        let rig = Rig::new(&[&["vco", "vca"], &["vca"]], 48_000, 64, 0).unwrap();
        let tables = Tables::build();
        let mut executors = [0, 1].map(|number| rig.executor(number, &tables).unwrap());
        for block in 0..4 {
            for executor in &mut executors {
                let report = executor.run_block(block);
                assert_eq!((report.unfit, report.is_stopped), (0, false));
            }
        }
        let at = engine::plan(1, 0) + offset_of!(LanePlan, modules);
        let last: ModulePlan = rig.view.engine.read(at);
        let mut heard = [0.0f32; 64];
        assert!(rig.view.lanes[1].copy(lane::sample(last.outputs_at, last.output_samples, 3), &mut heard));
        assert!(heard.iter().any(|sample| sample.abs() > 0.1), "{heard:?}");
    }
}
