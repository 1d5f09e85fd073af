//! A patch as `save` writes it: a script in creation order, readable and diffable. Reading is the grammar's job.

use std::fmt::Write;
use std::path::Path;

use tine_engine::answer::{Answer, ModuleInfo, Patch};
use tine_engine::command::Query;
use tine_engine::handle::Handle;
use tine_engine::interpreter::Failure;
use tine_engine::name::Name;
use tine_protocol::spec::{ParamSpec, Role, Unit};

use crate::files;
use crate::words::number::choice;
use crate::words::refusals::refusal;

/// The version that this build writes. A reader refuses a later one.
pub const VERSION: u32 = 1;

/// What stands before the version in the first line.
const HEAD: &str = "# tine ";

/// The patch as text. `output` is the module that is always there, of which only params are saved.
/// Sound files in `folder`, where the patch file will lie, are named relative to it.
pub fn text(patch: &Patch, output: Option<&ModuleInfo>, folder: &Path) -> String {
    let mut text = format!("{HEAD}{VERSION}\n");
    for module in patch.modules.iter().filter(|module| module.kind.role == Role::Lane) {
        let channels = if module.channels == 1 { String::new() } else { format!("*{}", module.channels) };
        let params = moved(module).map(|(spec, value)| format!(" {}={}", spec.name, literal(value, spec)));
        let files = module.files.iter().map(|(param, path)| format!(" {param}={}", file_name(path, folder)));
        let params: String = params.chain(files).collect();
        line(&mut text, format_args!("create {}{channels} --id {}{params}", module.kind.name, module.id));
    }
    let outputs = patch.modules.iter().filter(|module| module.kind.role == Role::Output).chain(output);
    for module in outputs {
        for (spec, value) in moved(module) {
            line(&mut text, format_args!("set {}.{} {}", module.id, spec.name, literal(value, spec)));
        }
    }
    for cable in &patch.cables {
        let gain = if cable.gain == 1.0 { String::new() } else { format!(" --gain {}", number(cable.gain)) };
        let ends = (&cable.from, cable.output, &cable.to, cable.input);
        line(&mut text, format_args!("connect {}.{} > {}.{}{gain}", ends.0, ends.1, ends.2, ends.3));
    }
    for module in patch.modules.iter().filter(|module| module.bypassed) {
        line(&mut text, format_args!("bypass {} on", module.id));
    }
    text
}

/// Writes the session's patch to a file, whole or not at all; answers with what was saved.
///
/// # Errors
/// If the session or the disk refuses; the file stays as it was.
pub fn save(path: &Path, handle: &Handle) -> Result<Patch, Failure> {
    let refused = |error| Failure { code: tine_engine::error::Refusal::code(&error), message: refusal(&error) };
    let Answer::Patch(patch) = handle.query(Query::Patch).map_err(refused)? else {
        return Err(Failure { code: "io", message: "the session gave no patch".to_owned() });
    };
    let has_output = patch.modules.iter().any(|module| module.kind.role == Role::Output);
    let output = match output_name().filter(|_| !has_output).map(|name| handle.query(Query::Info(name))) {
        Some(Ok(Answer::Info(module, ..))) => Some(module),
        _ => None,
    };
    // As the names of sound files are: with links followed.
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
    files::write(path, &text(&patch, output.as_ref(), &folder))?;
    Ok(patch)
}

/// Whether this build can read a patch file with this first line; the version it is of, if not.
///
/// # Errors
/// The version, if it is later than ours.
pub fn check_version(text: &str) -> Result<(), String> {
    let version = text.lines().next().and_then(|line| line.strip_prefix(HEAD)).map(str::trim);
    match version.and_then(|version| version.parse::<u32>().ok()) {
        Some(version) if version > VERSION => {
            Err(format!("written by a later Tine (version {version}); this one reads up to {VERSION}"))
        }
        _ => Ok(()),
    }
}

/// The id of the module that is always there: that of its kind.
fn output_name() -> Option<Name> {
    let kind = tine_modules::CATALOGUE.iter().find(|kind| kind.spec.role == Role::Output)?;
    Name::new(kind.spec.name)
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

fn moved(module: &ModuleInfo) -> impl Iterator<Item = (&'static ParamSpec, f32)> {
    let params = module.kind.params.iter().zip(&module.params);
    let params = params.map(|(spec, &value)| (spec, value)).filter(|(spec, _)| spec.unit != Unit::File);
    params.filter(|(spec, value)| spec.default.to_bits() != value.to_bits())
}

/// A sound file as the grammar reads it: in quotes, relative to `folder` if it lies there.
fn file_name(path: &Path, folder: &Path) -> String {
    let is_folder = folder != Path::new("");
    let name = path.strip_prefix(folder).ok().filter(|_| is_folder).unwrap_or(path).to_string_lossy();
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A value such that the grammar reads the same float: a choice's word, or a number in the param's own unit.
pub fn literal(value: f32, spec: &ParamSpec) -> String {
    match (spec.unit, choice(value, spec)) {
        (Unit::Choice, Some(word)) => word.to_owned(),
        _ => number(value),
    }
}

/// The shortest decimal that reads back as `value`.
fn number(value: f32) -> String {
    let shortest = value.to_string();
    // The grammar reads doubles: where rounding twice would give another float, the exact digits are written.
    let is_same = shortest.parse::<f64>().is_ok_and(|read| (read as f32).to_bits() == value.to_bits());
    if is_same { shortest } else { f64::from(value).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{Mode, Statement, parse_line};
    use proptest::prelude::*;
    use tine_engine::answer::CableInfo;
    use tine_engine::command::{Command, Measure, Value};
    use tine_protocol::spec::PORTS_MAX;

    /// What the session would make of the commands: only the forms that `save` writes.
    fn read(text: &str) -> Patch {
        let mut patch = Patch { modules: vec![], cables: vec![] };
        let statements = text.lines().flat_map(|line| parse_line(line, Mode::Script).unwrap());
        for statement in statements {
            let Statement::Patch(commands, _) = statement else { panic!("{statement:?}") };
            commands.into_iter().for_each(|command| apply(&mut patch, command));
        }
        patch
    }

    fn apply(patch: &mut Patch, command: Command) {
        match command {
            Command::Create { kind, channels, id, params: given, .. } => {
                let kind = tine_modules::kind(&kind).unwrap().1.spec;
                let mut params: Vec<f32> = kind.params.iter().map(|spec| spec.default).collect();
                for (param, value) in given {
                    let index = kind.param(&param).unwrap();
                    params[index] = resolve(&value, &kind.params[index]);
                }
                let module = ModuleInfo {
                    id: id.unwrap(),
                    kind,
                    channels,
                    worker: None,
                    bypassed: false,
                    params,
                    files: Vec::new(),
                };
                patch.modules.push(module);
            }
            Command::Connect { path, gain } => {
                let [from, to] = &path[..] else { panic!() };
                let leak = |port: &Option<String>| &*Box::leak(port.clone().unwrap().into_boxed_str());
                let (output, input) = (leak(&from.port), leak(&to.port));
                let (from, to) = (from.module.clone(), to.module.clone());
                patch.cables.push(CableInfo { from, output, to, input, gain: gain as f32, feedback: false });
            }
            Command::Bypass { id, on } => {
                patch.modules.iter_mut().find(|module| module.id == id).unwrap().bypassed = on;
            }
            other => panic!("{other:?}"),
        }
    }

    fn resolve(value: &Value, spec: &ParamSpec) -> f32 {
        let word = match value {
            Value::Number(number, Measure::Plain) if spec.choices.is_empty() => return *number as f32,
            // A choice such as 12 or 24 is typed as a number.
            Value::Number(number, _) => number.to_string(),
            Value::Word(word) => word.clone(),
            Value::File(path) => panic!("{} is no number", path.display()),
        };
        spec.choices.iter().position(|&choice| choice == word).unwrap() as f32
    }

    /// Any patch of lane kinds: ids, channels, params at any float of their range, cables with any gain.
    fn patches() -> impl Strategy<Value = Patch> {
        let kinds: Vec<_> =
            tine_modules::CATALOGUE.iter().map(|kind| kind.spec).filter(|spec| spec.role == Role::Lane).collect();
        let module =
            (prop::sample::select(kinds), 1usize..=16, any::<bool>(), prop::collection::vec(0f32..=1.0, PORTS_MAX));
        let cable = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<f32>());
        (prop::collection::vec(module, 1..12), prop::collection::vec(cable, 0..12)).prop_map(|(modules, cables)| {
            let modules: Vec<ModuleInfo> = modules
                .into_iter()
                .enumerate()
                .map(|(index, (kind, channels, bypassed, fractions))| {
                    let at = |(spec, fraction): (&ParamSpec, &f32)| match spec.unit {
                        Unit::File => 0.0,
                        _ => spec.denormalize(*fraction),
                    };
                    let params = kind.params.iter().zip(&fractions).map(at).collect();
                    let id = Name::new(&format!("{}-{index}_", kind.name)).unwrap();
                    ModuleInfo { id, kind, channels, worker: None, bypassed, params, files: Vec::new() }
                })
                .collect();
            let cables = cables.into_iter().filter(|(_, _, gain)| gain.is_finite()).filter_map(|(from, to, gain)| {
                let (from, to) = (from.get(&modules), to.get(&modules));
                let output = from.kind.outputs.first()?.name;
                let input = to.kind.input_at(0)?.name();
                Some(CableInfo { from: from.id.clone(), output, to: to.id.clone(), input, gain, feedback: false })
            });
            let cables = cables.collect();
            Patch { modules, cables }
        })
    }

    proptest! {
        #[test]
        fn any_patch_reads_back_as_it_was_saved(patch in patches()) {
            let text = text(&patch, None, Path::new(""));
            prop_assert_eq!(read(&text), patch, "{}", text);
        }

        #[test]
        fn any_float_reads_back_to_the_bit(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            let statement = parse_line(&format!("set a.b {}", number(value)), Mode::Script).unwrap().remove(0);
            let Statement::Patch(commands, _) = statement else { panic!() };
            let Command::Set { value: Value::Number(read, Measure::Plain), .. } = &commands[0] else { panic!() };
            prop_assert_eq!((*read as f32).to_bits(), value.to_bits());
        }
    }

    #[test]
    fn a_saved_patch_is_a_page_to_read() {
        let kind = tine_modules::kind("vca").unwrap().1.spec;
        let id = |text: &str| Name::new(text).unwrap();
        let module = |name: &str, channels, bypassed, gain| ModuleInfo {
            id: id(name),
            kind,
            channels,
            worker: None,
            bypassed,
            params: vec![gain],
            files: vec![],
        };
        let cable = |to: &str, input, gain| CableInfo {
            from: id("1"),
            output: "out",
            to: id(to),
            input,
            gain,
            feedback: false,
        };
        let patch = Patch {
            modules: vec![module("1", 1, false, 1.0), module("amp", 4, true, 0.1)],
            cables: vec![cable("amp", "in", 1.0), cable("out", "left", 0.5)],
        };
        assert_eq!(
            text(&patch, None, Path::new("")),
            "# tine 1\ncreate vca --id 1\ncreate vca*4 --id amp gain=0.1\n\
             connect 1.out > amp.in\nconnect 1.out > out.left --gain 0.5\nbypass amp on\n"
        );
    }

    #[test]
    fn a_file_of_a_later_version_is_refused() {
        assert!(check_version("# tine 1\n").is_ok());
        assert!(check_version("create vca").is_ok());
        assert!(check_version("# tine 2\n").unwrap_err().contains("version 2"));
    }
}
