//! A patch that changes as a session's does, and what the journal is told of it.

use std::sync::Arc;

use crossbeam::channel::{Receiver, bounded};
use proptest::prelude::*;
use tine_modules::CATALOGUE;
use tine_protocol::ids::LaneId;

use super::fake::Fake;
use crate::command::{Command, Measure, Placement, PortRef, Value};
use crate::edit::Draft;
use crate::history::{History, transition};
use crate::journal::form::{PatchForm, State};
use crate::journal::generation::Generations;
use crate::journal::handle::message;
use crate::journal::restore::{Restored, restore};
use crate::journal::store::Store;
use crate::journal::writer::{Event, Message, Writer};
use crate::model::{Catalogue, Model};
use crate::name::Name;

/// The engine's own lane.
pub const OUT: LaneId = LaneId(8);

/// A patch and its past.
pub struct Scene {
    /// The patch now.
    pub state: State,
    pub history: History,
}

impl Default for Scene {
    fn default() -> Scene {
        Scene { state: State::new(Catalogue(CATALOGUE), OUT), history: History::default() }
    }
}

impl Scene {
    /// Does what the session does with a request; what the journal is told if it is accepted and changes anything.
    pub fn request(&mut self, commands: &[Command]) -> Option<Message> {
        let now = match commands {
            [Command::Undo(steps)] => self.step(*steps, true)?,
            [Command::Redo(steps)] => self.step(*steps, false)?,
            _ => {
                // Lanes that replay could not guess.
                let mut placer = |model: &Model, _: &Placement| Ok(LaneId((model.modules().len() * 5 % 8) as u16));
                let mut sounds = |_: u16, _: &std::path::Path| Ok(0);
                let (model, next_slot) = (&self.state.model, self.state.next_slot);
                let mut draft = Draft::new(model, next_slot, Catalogue(CATALOGUE), &mut placer, &mut sounds);
                commands.iter().try_for_each(|command| draft.apply(command)).ok()?;
                let Draft { model, next_slot, .. } = draft;
                self.history.record(&self.state.model, &model);
                State { model, next_slot }
            }
        };
        let before = std::mem::replace(&mut self.state, now);
        let (before, now) = ((&before.model, before.next_slot), (&self.state.model, self.state.next_slot));
        message(before, commands.to_vec(), now)
    }

    fn step(&mut self, steps: usize, is_undo: bool) -> Option<State> {
        let (target, _) = self.history.step(&self.state.model, steps, is_undo).ok()?;
        Some(State { model: transition(&self.state.model, target).0, next_slot: self.state.next_slot })
    }
}

/// Everything that must come back the same.
pub fn written(state: &State) -> String {
    format!("{:?} {:?}", PatchForm::of(state), state.model.cables())
}

/// A writer on `store`, and what it tells.
pub fn writer(store: &Fake, generations: Generations) -> (Writer<Fake>, Receiver<Event>) {
    let (tell, events) = bounded(64);
    (Writer::new(store.clone(), generations, Arc::default(), tell, Arc::default()), events)
}

/// What `store` leads to.
pub fn restored(store: &Fake) -> Restored {
    restore(store, &store.names().unwrap(), Catalogue(CATALOGUE), OUT).unwrap()
}

/// An id.
pub fn id(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A port.
pub fn port(module: &str, port: &str) -> PortRef {
    PortRef { module: id(module), port: (!port.is_empty()).then(|| port.to_owned()) }
}

/// A module with a name of its own, or one that the engine makes.
pub fn create(kind: &str, name: Option<&str>, channels: usize) -> Command {
    let (params, placement) = (Vec::new(), Placement { with: None, worker: Some(7) });
    Command::Create { kind: kind.to_owned(), channels, id: name.map(id), placement, params, idempotent: false }
}

/// A cable.
pub fn connect(from: PortRef, to: PortRef, gain: f64) -> Command {
    Command::Connect { path: vec![from, to], gain }
}

/// A value.
pub fn set(module: &str, param: &str, value: f64) -> Command {
    let value = Value::Number(value, Measure::Plain);
    Command::Set { module: id(module), param: param.to_owned(), value, ramp_s: Some(0.5) }
}

/// Requests that use everything that a patch can be made of.
pub fn story() -> Vec<Vec<Command>> {
    vec![
        vec![create("vco", None, 4), create("vcf", Some("filter"), 1)],
        vec![connect(port("vco1", "saw"), port("filter", ""), 0.1), connect(port("filter", ""), port("out", ""), 1.0)],
        vec![set("vco1", "freq", 123.456_789_012_345)],
        vec![create("delay", Some("a"), 2), connect(port("filter", ""), port("a", ""), 0.3)],
        vec![connect(port("a", ""), port("filter", ""), -0.7)],
        vec![Command::Duplicate { id: id("filter") }, Command::Rename { from: id("filter"), to: id("f2") }],
        vec![Command::Bypass { id: id("a"), on: true }],
        vec![Command::SetFraction { module: id("f2"), param: "cutoff".to_owned(), fraction: 0.37 }],
        vec![Command::Destroy { ids: vec![id("vco1")], missing_ok: false }],
        vec![Command::Undo(2)],
        vec![Command::Redo(1)],
        vec![
            create("vca", None, 1),
            Command::Note { id: id("vca1"), pitch: Value::Number(0.0, Measure::Note), velocity: 0.3 },
        ],
        vec![Command::Set {
            module: id("vca1"),
            param: "gain".to_owned(),
            value: Value::Number(f64::NEG_INFINITY, Measure::Decibels),
            ramp_s: None,
        }],
    ]
}

/// Any request; many do not fit the patch and are refused.
pub fn request() -> impl Strategy<Value = Vec<Command>> {
    let module = || prop::sample::select(vec!["vco1", "vcf1", "vca1", "vca2", "delay1", "x", "y", "out"]);
    let to = || prop::sample::select(vec!["", "gain", "cutoff", "freq", "time", "left"]);
    let command = prop_oneof![
        4 => (prop::sample::select(vec!["vco", "vcf", "vca", "delay"]), prop::option::of(prop::sample::select(vec!["x", "y"])), 1usize..5)
            .prop_map(|(kind, name, channels)| create(kind, name, channels)),
        5 => (module(), module(), to(), -2.0..2.0)
            .prop_map(|(from, into, input, gain)| connect(port(from, ""), port(into, input), gain)),
        4 => (module(), to(), 0.0..300.0).prop_map(|(module, param, value)| set(module, param, value)),
        1 => (module(), to(), 0.0..1.0)
            .prop_map(|(module, param, fraction)| Command::SetFraction { module: id(module), param: param.to_owned(), fraction }),
        1 => module().prop_map(|module| Command::Destroy { ids: vec![id(module)], missing_ok: true }),
        1 => (module(), module()).prop_map(|(from, to)| Command::Rename { from: id(from), to: id(to) }),
        1 => module().prop_map(|module| Command::Duplicate { id: id(module) }),
        1 => (module(), any::<bool>()).prop_map(|(module, on)| Command::Bypass { id: id(module), on }),
        1 => module().prop_map(|module| Command::Disconnect { from: port(module, ""), to: None }),
        1 => Just(Command::Panic),
    ];
    prop_oneof![
        12 => prop::collection::vec(command, 1..3),
        1 => (1usize..3).prop_map(|steps| vec![Command::Undo(steps)]),
        1 => (1usize..3).prop_map(|steps| vec![Command::Redo(steps)]),
    ]
}
