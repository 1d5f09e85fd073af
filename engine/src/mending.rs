//! What the session does when workers die: tells the players, and puts modules back that were taken out of service or lost their state.

use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::sys::clock::now_ns;

use crate::answer::Notice;
use crate::edit::{ALL_CHANNELS, Gesture};
use crate::model::Module;
use crate::pool::PoolEvent;
use crate::session::Session;

/// A module that is out of service.
pub(crate) struct Trial {
    /// When it is to be born again.
    pub due_ns: u64,
    slot: Slot,
}

impl Session {
    pub(crate) fn hear_pool(&mut self) {
        while let Ok(event) = self.parts.pool_events.try_recv() {
            match event {
                PoolEvent::Died(lane, why, restored_ms) => {
                    let ids = self.model.modules().iter().filter(|module| module.lane == lane);
                    let ids = ids.map(|module| module.id.clone()).collect();
                    tracing::info!("worker {} lost: {why}", lane.0);
                    self.notices.tell(&Notice::WorkerLost(lane.0, why, ids), None);
                    if let Some(ms) = restored_ms {
                        self.timings.record_recovery(ms);
                        self.notices.tell(&Notice::WorkerRestored(lane.0, ms as f32), None);
                    }
                }
                PoolEvent::Filled(lane) => self.notices.tell(&Notice::WorkerRestored(lane.0, 0.0), None),
                PoolEvent::Quarantined(lane, slot, for_ns) => self.take_out(lane, slot, for_ns),
                PoolEvent::Spoilt(lane, slot) => self.set_anew(lane, slot),
                PoolEvent::ZygoteLost => tracing::warn!("the zygote is gone: no new spares until the next one"),
            }
        }
    }

    /// The module in `slot`, if it is on that lane: a lane speaks of its own modules only.
    fn module_on(&self, lane: LaneId, slot: Slot) -> Option<&Module> {
        self.model.by_slot(slot).map(std::sync::Arc::as_ref).filter(|module| module.lane == lane)
    }

    /// A module ended its workers: nobody runs it until it is tried again.
    fn take_out(&mut self, lane: LaneId, slot: Slot, for_ns: u64) {
        let Some(id) = self.module_on(lane, slot).map(|module| module.id.clone()) else { return };
        let seconds = for_ns / 1_000_000_000;
        let what = format!("ended its worker again and again: it is passed by, and tried again in {seconds} s");
        self.notices.tell(&Notice::ModuleFault(id, what), None);
        self.trials.retain(|trial| trial.slot != slot);
        self.trials.push(Trial { due_ns: now_ns() + for_ns, slot });
    }

    /// Has modules whose time has come born again.
    pub(crate) fn try_again(&mut self) {
        let now_ns = now_ns();
        if self.untaken.is_some() || !self.is_sounding || self.trials.iter().all(|trial| trial.due_ns > now_ns) {
            return;
        }
        let due: Vec<Slot> =
            self.trials.extract_if(.., |trial| trial.due_ns <= now_ns).map(|trial| trial.slot).collect();
        for slot in due {
            // It may have been destroyed meanwhile.
            let Some(module) = self.model.by_slot(slot) else { continue };
            self.stage.bear_again(slot, &module.params);
            let tried = Notice::ModuleFault(module.id.clone(), "is tried again".to_owned());
            self.notices.tell(&tried, None);
        }
        let freed = self.follow(false);
        self.post(Vec::new(), 0, Vec::new(), freed);
    }

    /// A module lost its state, and with it the values of its params: they are sent again.
    fn set_anew(&mut self, lane: LaneId, slot: Slot) {
        let Some(module) = self.module_on(lane, slot) else { return };
        let ports = module.spec.inputs.len();
        let gesture = |(param, &value): (usize, &f32)| Gesture {
            slot,
            input: (ports + param) as u32,
            channel: ALL_CHANNELS,
            value,
            ramp_s: 0.0,
            after_s: 0.0,
        };
        let gestures = module.params.iter().enumerate().map(gesture).collect();
        let what = "its state was spoilt: it began anew".to_owned();
        let id = module.id.clone();
        self.notices.tell(&Notice::ModuleFault(id, what), None);
        if self.is_sounding {
            self.post(gestures, 0, Vec::new(), Vec::new());
        }
    }
}
