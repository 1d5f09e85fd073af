//! Tells listeners what happens. Never waits for one: what a listener leaves unread is dropped, and counted.

use crossbeam::channel::{Sender, TrySendError};

use crate::answer::Notice;
use crate::command::Origin;
use crate::model::Model;

/// Those who listen.
#[derive(Default)]
pub struct Notices {
    listeners: Vec<(Origin, Sender<Notice>)>,
    /// Notices that a listener had no room for.
    pub dropped: u64,
}

impl Notices {
    /// One more listener, who is not told what it did itself.
    pub fn add(&mut self, origin: Origin, sender: Sender<Notice>) {
        self.listeners.push((origin, sender));
    }

    /// Tells everybody but `cause`.
    pub fn tell(&mut self, notice: &Notice, cause: Option<Origin>) {
        let dropped = &mut self.dropped;
        self.listeners.retain(|(origin, sender)| {
            if Some(*origin) == cause {
                return true;
            }
            match sender.try_send(notice.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    *dropped += 1;
                    true
                }
                Err(TrySendError::Disconnected(_)) => false,
            }
        });
    }

    /// Tells what differs between two patches.
    pub fn tell_changes(&mut self, before: &Model, after: &Model, cause: Origin) {
        if self.listeners.is_empty() {
            return;
        }
        let cause = Some(cause);
        for cable in before.cables().iter().filter(|cable| !after.cables().contains(cable)) {
            if let Some(info) = before.describe(cable) {
                self.tell(&Notice::CableRemoved(info), cause);
            }
        }
        for module in before.modules() {
            let now = after.by_slot(module.slot);
            if now.is_none_or(|now| now.id != module.id) {
                self.tell(&Notice::ModuleRemoved(module.id.clone()), cause);
            }
        }
        for module in after.modules() {
            let then = before.by_slot(module.slot);
            if then.is_none_or(|then| then.id != module.id) {
                self.tell(&Notice::ModuleAdded(module.id.clone(), module.spec.name), cause);
            }
            let Some(then) = then else { continue };
            for (index, (&value, old)) in module.params.iter().zip(&then.params).enumerate() {
                if value != *old {
                    self.tell(&Notice::ParamSet(module.id.clone(), module.spec.params[index].name, value), cause);
                }
            }
        }
        for cable in after.cables().iter().filter(|cable| !before.cables().contains(cable)) {
            if let Some(info) = after.describe(cable) {
                self.tell(&Notice::CableAdded(info), cause);
            }
        }
    }
}
