//! What the session does with its journal.

use tine_protocol::ids::Slot;
use tine_protocol::spec::Role;

use super::State;
use super::writer::Event;
use crate::answer::Notice;
use crate::command::Placement;
use crate::model::Module;
use crate::session::Session;

impl Session {
    /// Hears what the journal's thread wants, and tells what happened to the disk.
    pub(crate) fn hear_journal(&mut self) {
        while let Some(event) = self.parts.journal.event() {
            let text = match event {
                Event::Lost(why) => {
                    let text = format!("the session is not kept: {why}; it is tried again, and the sound goes on");
                    tracing::error!("{text}");
                    text
                }
                Event::Growing(why) => {
                    let text = format!("no new snapshot of the session: {why}; its journal goes on");
                    tracing::warn!("{text}");
                    text
                }
                Event::Back => {
                    let text = "the session is kept again, as it stands".to_owned();
                    tracing::warn!("{text}");
                    text
                }
            };
            self.notices.tell(&Notice::Session(text), None);
        }
        if self.parts.journal.wants_snapshot() {
            self.parts.journal.snapshot(&self.state());
        }
    }

    /// The patch as it stands.
    pub(crate) fn state(&self) -> State {
        State { model: self.model.clone(), next_slot: self.next_slot }
    }

    /// Gives modules another lane whose lane was on an engine with more workers.
    pub(crate) fn seat_restored(&mut self) {
        let lanes = self.parts.format.lanes;
        let is_stray = |module: &Module| module.spec.role == Role::Lane && module.lane.0 >= lanes;
        let strays = self.model.modules().iter().filter(|module| is_stray(module));
        let slots: Vec<Slot> = strays.map(|module| module.slot).collect();
        for slot in slots {
            let doors = self.parts.pool.doors();
            let chosen = self.parts.placer.choose(&self.model, &Placement::default(), &self.stage, &doors);
            if let Ok(lane) = chosen {
                self.model.change(slot, |module| module.lane = lane);
            }
        }
    }
}
