//! Address patterns to commands: `/m/vcf*/cutoff` for the ids and params that there are. Pure; bounded by [`MATCHES_MAX`].

use super::action::{Action, Fault, Leaf, Matching};
use super::args::Args;
use super::table;
use crate::answer::ModuleInfo;
use crate::command::Command;

/// Commands that one address pattern may become.
const MATCHES_MAX: usize = 1024;

impl Matching {
    /// The commands for all modules and params that match.
    pub fn resolve(&self, modules: &[ModuleInfo]) -> Result<Vec<Command>, Fault> {
        let mut commands = Vec::new();
        for module in modules.iter().filter(|module| self.ids.matches(module.id.as_str())) {
            let id = module.id.as_str();
            match &self.leaf {
                Leaf::Verb(verb) if takes(module, verb.pattern) => {
                    commands.extend(commands_of((verb.read)(&mut Args::new(verb, [id, ""], &self.args))?));
                }
                Leaf::Verb(_) => {}
                Leaf::Params(glob) => {
                    for param in module.kind.params.iter().filter(|param| glob.matches(param.name)) {
                        let action = table::read_param(self.prefix, id, param.name, &self.args)?;
                        commands.extend(commands_of(action));
                    }
                }
            }
            if commands.len() > MATCHES_MAX {
                let message = format!("the pattern matches more than {MATCHES_MAX} params; narrow it");
                return Err(Fault { code: "busy", message });
            }
        }
        if commands.is_empty() {
            return Err(Fault { code: "not_found", message: "no module has what the pattern asks for".to_owned() });
        }
        Ok(commands)
    }
}

fn commands_of(action: Action) -> Vec<Command> {
    if let Action::Commands { commands, .. } = action { commands } else { Vec::new() }
}

/// Whether the module's kind can be played in this way.
fn takes(module: &ModuleInfo, pattern: &str) -> bool {
    let notes = &module.kind.notes;
    match pattern.rsplit('/').next() {
        Some("note") => notes.pitch.is_some(),
        Some("gate") => notes.gate.is_some(),
        _ => notes.trigger.is_some(),
    }
}
