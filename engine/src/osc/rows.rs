//! Answers of the session as OSC messages. Pure.

use rosc::{OscMessage, OscType};
use tine_protocol::spec::{KindSpec, ParamSpec, Unit};

use super::glob::Glob;
use crate::answer::{Answer, CableInfo, ModuleInfo, Setting, WorkerInfo};
use crate::error::{PatchError, Refusal};
use crate::name::Name;

/// Figures of `stats` that `/status` needs.
const RATE: &str = "sample_rate_hz";
const ACTUAL_RATE: &str = "actual_rate_hz";

/// A message.
pub(super) fn row(address: &str, args: Vec<OscType>) -> OscMessage {
    OscMessage { addr: address.to_owned(), args }
}

pub(super) fn string(text: &str) -> OscType {
    OscType::String(text.to_owned())
}

pub(super) fn int(number: impl TryInto<i32>) -> OscType {
    OscType::Int(number.try_into().unwrap_or(i32::MAX))
}

fn worker(worker: Option<u16>) -> OscType {
    OscType::Int(worker.map_or(-1, i32::from))
}

/// `/set id [s:param v]*`, in the order asked.
pub(super) fn values(id: &Name, asked: &[String], answer: Answer) -> Result<Vec<OscMessage>, Refusal> {
    let mut args = vec![string(id.as_str())];
    match answer {
        Answer::Params(params) => {
            for (name, value) in params {
                args.extend([string(name), setting(value)]);
            }
        }
        Answer::Info(module, ..) => {
            for param in asked {
                let index = module.kind.param(param).ok_or_else(|| no_param(&module, param))?;
                let value = module.settings().nth(index).map_or(Setting::Number(0.0), |(_, value)| value);
                args.extend([string(param), setting(value)]);
            }
        }
        _ => {}
    }
    Ok(vec![row("/set", args)])
}

fn setting(value: Setting) -> OscType {
    match value {
        Setting::Number(number) => OscType::Float(number),
        Setting::File(path) => string(&path.to_string_lossy()),
    }
}

fn no_param(module: &ModuleInfo, param: &str) -> Refusal {
    let error = PatchError::NoParam {
        id: module.id.to_string(),
        kind: module.kind.name,
        param: param.to_owned(),
        has: module.kind.params.iter().map(|param| param.name).collect(),
    };
    Refusal::Rejected { index: 0, error }
}

/// `/list.reply s:id s:kind i:worker`; worker -1 is the engine itself.
pub(super) fn modules(answer: Answer) -> Vec<OscMessage> {
    let Answer::Modules(modules) = answer else { return with_count("/list", Vec::new()) };
    let each = |module: &ModuleInfo| {
        row("/list.reply", vec![string(module.id.as_str()), string(module.kind.name), worker(module.worker)])
    };
    with_count("/list", modules.iter().map(each).collect())
}

/// `/kinds.reply s:kind s:summary`.
pub(super) fn kinds(catalogue: &[&'static KindSpec], glob: Option<&Glob>) -> Vec<OscMessage> {
    let chosen = catalogue.iter().filter(|kind| glob.is_none_or(|glob| glob.matches(kind.name)));
    let rows = chosen.map(|kind| row("/kinds.reply", vec![string(kind.name), string(kind.summary)])).collect();
    with_count("/kinds", rows)
}

/// `/info.reply s:id s:what ...`: one `module`, then each `param`, `input`, `output`, `cable`.
pub(super) fn info(answer: Answer) -> Vec<OscMessage> {
    let Answer::Info(module, into, from) = answer else { return with_count("/info", Vec::new()) };
    let ModuleInfo { kind, .. } = &module;
    let reply = |what: &str, rest: Vec<OscType>| {
        let mut args = vec![string(module.id.as_str()), string(what)];
        args.extend(rest);
        row("/info.reply", args)
    };
    let head = vec![string(kind.name), worker(module.worker), int(module.channels), OscType::Bool(module.bypassed)];
    let mut rows = vec![reply("module", head)];
    for (param, value) in kind.params.iter().zip(&module.params) {
        let numbers = [*value, param.min, param.max].map(OscType::Float);
        let mut args = vec![string(param.name)];
        args.extend(numbers);
        args.push(string(&unit(param)));
        rows.push(reply("param", args));
    }
    rows.extend(kind.inputs.iter().map(|port| reply("input", vec![string(port.name)])));
    rows.extend(kind.outputs.iter().map(|port| reply("output", vec![string(port.name)])));
    rows.extend(into.iter().chain(&from).map(|cable| reply("cable", ends(cable, true))));
    with_count("/info", rows)
}

/// A unit's symbol, or the words of a choice.
fn unit(param: &ParamSpec) -> String {
    match param.unit {
        Unit::Hertz => "hz".to_owned(),
        Unit::Seconds => "s".to_owned(),
        Unit::Octaves => "octaves".to_owned(),
        Unit::Cycles => "cycles".to_owned(),
        Unit::Decibels => "db".to_owned(),
        Unit::Cents => "cents".to_owned(),
        Unit::Beats => "beats".to_owned(),
        Unit::BeatsPerMinute => "bpm".to_owned(),
        Unit::Choice => param.choices.join(" "),
        Unit::File => "wav".to_owned(),
        Unit::Ratio | Unit::Gain | Unit::Count => String::new(),
    }
}

/// `/cables.reply s:from s:out s:to s:in f:gain T/F:feedback`.
pub(super) fn cables(glob: Option<&Glob>, answer: Answer) -> Vec<OscMessage> {
    let Answer::Cables(cables) = answer else { return with_count("/cables", Vec::new()) };
    let is_chosen = |cable: &&CableInfo| {
        glob.is_none_or(|glob| glob.matches(cable.from.as_str()) || glob.matches(cable.to.as_str()))
    };
    let each = |cable: &CableInfo| {
        let mut args = ends(cable, true);
        args.push(OscType::Bool(cable.feedback));
        row("/cables.reply", args)
    };
    with_count("/cables", cables.iter().filter(is_chosen).map(each).collect())
}

/// `s:from s:out s:to s:in` and perhaps `f:gain`.
pub(super) fn ends(cable: &CableInfo, with_gain: bool) -> Vec<OscType> {
    let mut args =
        vec![string(cable.from.as_str()), string(cable.output), string(cable.to.as_str()), string(cable.input)];
    args.extend(with_gain.then_some(OscType::Float(cable.gain)));
    args
}

/// `/pool.reply i:worker i:pid s:state i:generation i:modules f:load`; worker -1 is a spare.
pub(super) fn pool(answer: Answer) -> Vec<OscMessage> {
    let Answer::Pool(workers) = answer else { return with_count("/pool", Vec::new()) };
    let each = |info: &WorkerInfo| {
        let args = vec![
            worker(info.worker),
            int(info.pid),
            string(info.state),
            int(info.generation),
            int(info.modules),
            OscType::Float(info.load),
        ];
        row("/pool.reply", args)
    };
    with_count("/pool", workers.iter().map(each).collect())
}

/// `/stats.reply s:name f:value`.
pub(super) fn stats(answer: Answer) -> Vec<OscMessage> {
    let Answer::Stats(stats) = answer else { return with_count("/stats", Vec::new()) };
    let rows = stats
        .iter()
        .map(|stat| row("/stats.reply", vec![string(&stat.name), OscType::Float(stat.value as f32)]))
        .collect();
    with_count("/stats", rows)
}

/// As scsynth's: `1, ugens, synths, groups, synthdefs, average and peak load in percent, nominal and actual rate`.
/// Modules stand for unit generators and synths, workers for groups, kinds for definitions.
pub(super) fn status(kinds: usize, pool: &Answer, stats: &Answer) -> Vec<OscMessage> {
    let empty = Vec::new();
    let lanes: Vec<&WorkerInfo> = match pool {
        Answer::Pool(workers) => workers.iter().filter(|info| info.worker.is_some()).collect(),
        _ => Vec::new(),
    };
    let stats = if let Answer::Stats(stats) = stats { stats } else { &empty };
    let figure = |name: &str| stats.iter().find(|stat| stat.name == name).map(|stat| stat.value);
    let modules: usize = lanes.iter().map(|info| info.modules).sum();
    let load: f32 = lanes.iter().map(|info| info.load).sum::<f32>() / lanes.len().max(1) as f32;
    let peak = lanes.iter().map(|info| info.load).fold(0.0, f32::max);
    let rate = figure(RATE).unwrap_or(0.0);
    let args = vec![
        int(1),
        int(modules),
        int(modules),
        int(lanes.len()),
        int(kinds),
        OscType::Float(load * 100.0),
        OscType::Float(peak * 100.0),
        OscType::Double(rate),
        OscType::Double(figure(ACTUAL_RATE).unwrap_or(rate)),
    ];
    vec![row("/status.reply", args)]
}

/// As scsynth's: `s:program i:major i:minor s:patch s:branch s:commit`.
pub(super) fn version() -> Vec<OscMessage> {
    let number = |text: &str| int(text.parse::<i32>().unwrap_or(0));
    let args = vec![
        string("tine"),
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        string(concat!(".", env!("CARGO_PKG_VERSION_PATCH"))),
        string(""),
        string(""),
    ];
    vec![row("/version.reply", args)]
}

fn with_count(address: &str, mut rows: Vec<OscMessage>) -> Vec<OscMessage> {
    let count = int(rows.len());
    rows.push(row("/done", vec![string(address), count]));
    rows
}
