//! Where a module's cables get their samples: from the rings of lanes, late ones held and faded.

use tine_modules::runner::{Shape, Sources};
use tine_protocol::ids::Block;
use tine_protocol::plan::CablePlan;
use tine_protocol::segment::lane;
use tine_protocol::spec::CHANNELS_MAX;

use crate::executor::View;

/// How a source that nobody waits for has been doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// There.
    InTime,
    /// There again: faded in.
    Back,
    /// Late for the first time: its last sample is held and faded out.
    Late,
    /// Still late: silence.
    Gone,
}

impl Arrival {
    pub(crate) fn next(self, is_late: bool) -> Arrival {
        match (self, is_late) {
            (Arrival::InTime | Arrival::Back, false) => Arrival::InTime,
            (Arrival::InTime | Arrival::Back, true) => Arrival::Late,
            (Arrival::Late | Arrival::Gone, false) => Arrival::Back,
            (Arrival::Late | Arrival::Gone, true) => Arrival::Gone,
        }
    }
}

/// Brings a module the samples of its cables.
pub(crate) struct Fetcher<'a> {
    pub(crate) view: &'a View,
    pub(crate) cables: &'a [CablePlan],
    pub(crate) arrivals: &'a [Arrival],
    pub(crate) block: Block,
    pub(crate) frames: usize,
}

impl Sources for Fetcher<'_> {
    fn fetch(&mut self, cable: usize, into: &mut [f32]) {
        let plan = &self.cables[cable];
        let arrival = self.arrivals.get(cable).copied().unwrap_or(Arrival::InTime);
        // A late source: look at the block before, which it did give.
        let back = u64::from(plan.delay.min(1)) + u64::from(arrival == Arrival::Late);
        let is_there = self.block >= plan.source_birth + back && plan.samples as usize == into.len();
        let lane = self.view.lanes.get(usize::from(plan.lane)).filter(|_| is_there && arrival != Arrival::Gone);
        let has_copied =
            lane.is_some_and(|lane| lane.copy(lane::sample(plan.samples_at, plan.stride, self.block - back), into));
        if !has_copied {
            into.fill(0.0);
        }
        let width = Shape::new(usize::from(plan.channels).clamp(1, CHANNELS_MAX)).width;
        match arrival {
            Arrival::InTime | Arrival::Gone => {}
            Arrival::Back => ramp(into, width, self.frames, |part, own, _| own * part),
            Arrival::Late => ramp(into, width, self.frames, |part, _, last| last * (1.0 - part)),
        }
    }
}

/// Replaces each sample by `shape(part of the block 0..1, itself, the last of its channel)`.
pub(crate) fn ramp(samples: &mut [f32], width: usize, frames: usize, shape: impl Fn(f32, f32, f32) -> f32) {
    for group in samples.chunks_exact_mut(frames * width) {
        for channel in 0..width {
            let last = group[(frames - 1) * width + channel];
            for frame in 0..frames {
                let at = frame * width + channel;
                group[at] = shape((frame + 1) as f32 / frames as f32, group[at], last);
            }
        }
    }
}
