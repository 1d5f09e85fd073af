//! What the session remembers beyond the engine's death: the patch, where each module lies, and what was on its way to the lanes.
//!
//! It stands in a segment that the keeper holds. There are two banks: one is written whole, then a count says that it holds; so an
//! engine that dies while it writes leaves the other one.
//!
//! Not in the journal's form (journal/form.rs), which goes by names and suits other versions: this is read by the same build, and written with
//! each batch.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::plan::LaneEvent;
use tine_protocol::sys::memory::{PAGE, ReadMap, WriteMap};

use crate::batch::DueEvent;
use crate::journal::State;
use crate::model::{Cable, Catalogue, Model, Module};
use crate::name::Name;

/// Bytes of a bank: the largest patch, with 64 params on each module. Sparse, like all segments.
const BANK_BYTES: usize = 8 << 20;

/// Length of the segment.
pub const BYTES: usize = PAGE + 2 * BANK_BYTES;

/// Where the count of what was remembered so far stands; 0: nothing. Its last bit names the bank.
const COUNT: usize = 0;

/// Where a bank begins: with its length.
const fn bank(count: u64) -> usize {
    PAGE + (count % 2) as usize * BANK_BYTES
}

/// All that a new engine needs in order to go on.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// The slot of the next module.
    pub next_slot: u32,
    /// Modules in creation order.
    pub modules: Vec<RememberedModule>,
    /// Cables in creation order.
    pub cables: Vec<RememberedCable>,
    /// Events that were perhaps not heard yet.
    pub events: Vec<RememberedEvent>,
    /// Where OSC was listened for.
    pub osc: Option<SocketAddr>,
    /// What was being recorded.
    pub recording: Option<PathBuf>,
}

/// A module, and where its memory begins in its lane.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct RememberedModule {
    slot: u32,
    id: String,
    kind: String,
    channels: usize,
    lane: u16,
    params: Vec<f32>,
    files: Vec<(u16, PathBuf)>,
    seed: u64,
    is_bypassed: bool,
    /// In bytes from the start of the lane.
    pub start: usize,
}

/// A cable, as in [`Cable`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct RememberedCable {
    from: u32,
    output: u16,
    to: u32,
    input: u16,
    gain: f32,
    is_feedback: bool,
}

/// An event, as in [`DueEvent`].
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct RememberedEvent {
    lane: u16,
    frame: u64,
    slot: u32,
    input: u32,
    channel: u32,
    ramp_frames: u32,
    value: f32,
}

/// What is remembered does not fit this engine.
#[derive(Debug, Error)]
#[error("what the engine before left cannot be gone on from: {0}")]
pub struct Unfit(pub(crate) &'static str);

/// The side that remembers.
pub struct Memo {
    area: WriteMap,
    count: u64,
}

impl Memo {
    /// The memo in the keeper's segment. There must be no other: the keeper starts one engine at a time.
    ///
    /// # Errors
    /// As the system says it.
    pub fn new(segment: &OwnedFd) -> io::Result<Memo> {
        let area = WriteMap::new(segment, BYTES)?;
        Ok(Memo { count: area.count(COUNT), area })
    }

    /// What was remembered last, if anything.
    ///
    /// # Errors
    /// If it cannot be read: it was written by another build.
    pub fn recall(segment: &OwnedFd) -> io::Result<Option<Remembered>> {
        let view = ReadMap::new(segment, BYTES)?;
        let count = view.count(COUNT).load();
        if count == 0 {
            return Ok(None);
        }
        let bytes = view.read::<u64>(bank(count)).min((BANK_BYTES - size_of::<u64>()) as u64) as usize;
        let mut text = vec![0u8; bytes];
        if !view.copy(bank(count) + size_of::<u64>(), &mut text) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let reason = |error: postcard::Error| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
        postcard::from_bytes(&text).map(Some).map_err(reason)
    }

    /// Remembers `what` in place of what was remembered before. False if it is too long, and the old stays.
    pub fn keep(&mut self, what: &Remembered) -> bool {
        let count = self.count + 1;
        let room = self.area.slice_mut::<u8>(bank(count) + size_of::<u64>(), BANK_BYTES - size_of::<u64>());
        let Ok(written) = postcard::to_slice(what, room) else { return false };
        let bytes = written.len() as u64;
        self.area.write(bank(count), bytes);
        // Whoever finds the count finds the bank whole.
        self.area.publish(COUNT, count);
        self.count = count;
        true
    }
}

impl RememberedModule {
    /// A module whose memory begins at `start`.
    pub fn new(module: &Module, start: usize) -> RememberedModule {
        RememberedModule {
            slot: module.slot.0,
            id: module.id.to_string(),
            kind: module.spec.name.to_owned(),
            channels: module.channels,
            lane: module.lane.0,
            params: module.params.clone(),
            files: module.files.clone().into_iter().collect(),
            seed: module.seed,
            is_bypassed: module.is_bypassed,
            start,
        }
    }

    fn module(&self, catalogue: Catalogue) -> Result<Module, Unfit> {
        let (kind, found) = catalogue.find(&self.kind).ok_or(Unfit("a kind is not there"))?;
        if found.spec.params.len() != self.params.len() {
            return Err(Unfit("a kind has other params"));
        }
        Ok(Module {
            slot: Slot(self.slot),
            id: Name::new(&self.id).ok_or(Unfit("an id has another form"))?,
            kind,
            spec: found.spec,
            channels: self.channels,
            lane: LaneId(self.lane),
            // One that is born again begins where the player left it.
            initial: self.params.clone().into(),
            params: self.params.clone(),
            files: self.files.iter().cloned().collect(),
            seed: self.seed,
            is_bypassed: self.is_bypassed,
        })
    }
}

impl From<&Cable> for RememberedCable {
    fn from(cable: &Cable) -> RememberedCable {
        let Cable { from, output, to, input, gain, is_feedback } = *cable;
        RememberedCable { from: from.0, output, to: to.0, input, gain, is_feedback }
    }
}

impl From<&DueEvent> for RememberedEvent {
    fn from(due: &DueEvent) -> RememberedEvent {
        let LaneEvent { slot, input, channel, ramp_frames, value, .. } = due.event;
        RememberedEvent { lane: due.lane.0, frame: due.frame, slot: slot.0, input, channel, ramp_frames, value }
    }
}

impl Remembered {
    /// The patch, and the slot of the next module.
    ///
    /// # Errors
    /// If this engine has not all that it needs.
    pub fn state(&self, catalogue: Catalogue) -> Result<State, Unfit> {
        let mut model = Model::default();
        for module in &self.modules {
            model.add(module.module(catalogue)?);
        }
        for cable in &self.cables {
            let RememberedCable { from, output, to, input, gain, is_feedback } = *cable;
            model.put(Cable { from: Slot(from), output, to: Slot(to), input, gain, is_feedback });
        }
        Ok(State { model, next_slot: self.next_slot })
    }

    /// What was on its way, in the order in which it was sent.
    pub fn due_events(&self) -> Vec<DueEvent> {
        let event = |event: &RememberedEvent| {
            let RememberedEvent { lane, frame, slot, input, channel, ramp_frames, value } = *event;
            let event = LaneEvent { slot: Slot(slot), input, channel, frame: 0, ramp_frames, value };
            DueEvent { lane: LaneId(lane), frame, event }
        };
        self.events.iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_protocol::sys::memory;

    fn patch(modules: u32) -> Remembered {
        let module = |slot| RememberedModule {
            slot,
            id: format!("m{slot}"),
            kind: "vco".to_owned(),
            channels: 1,
            lane: 3,
            params: vec![0.1, -1.0 / 3.0, f32::MIN_POSITIVE],
            files: vec![(2, "a b.wav".into())],
            seed: u64::MAX - u64::from(slot),
            is_bypassed: slot % 2 == 0,
            start: 4096 * slot as usize,
        };
        let osc = Some("127.0.0.1:57130".parse().unwrap());
        Remembered { next_slot: modules, modules: (0..modules).map(module).collect(), osc, ..Default::default() }
    }

    #[test]
    fn what_was_remembered_last_is_recalled() {
        let segment = memory::create(c"test-memo", BYTES).unwrap();
        assert_eq!(Memo::recall(&segment).unwrap(), None);
        for modules in [1, 4096, 7] {
            // As each engine does.
            let mut memo = Memo::new(&segment).unwrap();
            assert!(memo.keep(&patch(modules)));
            assert_eq!(Memo::recall(&segment).unwrap(), Some(patch(modules)));
        }
    }

    #[test]
    fn an_engine_that_dies_while_it_writes_leaves_what_was_there() {
        let segment = memory::create(c"test-memo", BYTES).unwrap();
        let mut memo = Memo::new(&segment).unwrap();
        assert!(memo.keep(&patch(5)));
        // The other bank, half written.
        memo.area.slice_mut::<u8>(bank(memo.count + 1), 1000).fill(0xFF);
        assert_eq!(Memo::recall(&segment).unwrap(), Some(patch(5)));
    }

    #[test]
    fn what_does_not_fit_leaves_what_was_there() {
        let segment = memory::create(c"test-memo", BYTES).unwrap();
        let mut memo = Memo::new(&segment).unwrap();
        assert!(memo.keep(&patch(5)));
        assert!(!memo.keep(&patch(200_000)));
        assert_eq!(Memo::recall(&segment).unwrap(), Some(patch(5)));
    }
}
