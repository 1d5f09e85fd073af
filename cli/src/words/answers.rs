//! Answers to queries: tables, and a drawing for `scope`.

use tine_engine::answer::{Answer, CableInfo, ModuleInfo, Setting, Stat, WorkerInfo};
use tine_engine::name::Name;
use tine_protocol::spec::KindSpec;

use super::number::{decibels, quantity, quantity_exact, range, significant};
use super::outcomes::cable;
use super::table::Table;
use super::{Style, count, module};

/// Columns and rows of a scope's drawing.
const SCOPE_SIZE: (usize, usize) = (64, 9);

/// The answer to a query; `of` is the module that was asked about and its kind, for the units of `get`.
pub fn answer(answer: &Answer, of: Option<(&Name, &KindSpec)>, style: Style) -> String {
    match answer {
        Answer::Modules(modules) => list(modules, style),
        Answer::Info(module, inward, outward) => info(module, inward, outward, style),
        Answer::Params(params) => values(params, of),
        Answer::Cables(cables) => cables.iter().map(cable).collect::<Vec<_>>().join("\n"),
        Answer::Pool(workers) => pool(workers, style),
        Answer::Stats(stats) => figures(stats, style),
        Answer::Patch(patch) => {
            format!("{}, {}", count(patch.modules.len(), "module"), count(patch.cables.len(), "cable"))
        }
        Answer::Meters(peaks) => {
            let [left, right] = peaks.map(|peak| meter(f64::from(peak)));
            format!("left   {left}\nright  {right}")
        }
        Answer::Scope(frames) => scope(frames),
    }
}

fn list(modules: &[ModuleInfo], style: Style) -> String {
    if modules.is_empty() {
        return "no modules; \"create vca\" makes one, \"modules\" shows the kinds".to_owned();
    }
    let mut table = Table::new(&["id", "kind", "worker", "params that are not at their default"]);
    for module in modules {
        let channels = if module.channels == 1 { String::new() } else { format!("*{}", module.channels) };
        let mut params: Vec<String> = moved(module).collect();
        if module.bypassed {
            params.insert(0, "bypassed".to_owned());
        }
        let worker = module.worker.map_or("engine".to_owned(), |worker| worker.to_string());
        table.row([module.id.to_string(), format!("{}{channels}", module.kind.name), worker, params.join("  ")]);
    }
    table.text(style)
}

fn moved(module: &ModuleInfo) -> impl Iterator<Item = String> {
    let params = module.kind.params.iter().zip(&module.params);
    params
        .filter(|(spec, value)| spec.default.to_bits() != value.to_bits())
        .map(|(spec, &value)| format!("{} {}", spec.name, quantity(value, spec)))
}

fn info(module_info: &ModuleInfo, inward: &[CableInfo], outward: &[CableInfo], style: Style) -> String {
    let kind = module_info.kind;
    let mut head = module(kind.name, &module_info.id);
    head += &match module_info.worker {
        Some(worker) => format!(" on worker {worker}"),
        None => " in the engine".to_owned(),
    };
    if module_info.channels != 1 {
        head += &format!(", {} channels", module_info.channels);
    }
    if module_info.bypassed {
        head += ", bypassed";
    }
    let mut parts = vec![format!("{head}: {}", kind.summary)];
    if !kind.params.is_empty() {
        let mut table = Table::new(&["param", ">value", "range", ""]);
        for (spec, (_, value)) in kind.params.iter().zip(module_info.settings()) {
            let shown = match value {
                Setting::Number(value) => quantity(value, spec),
                Setting::File(path) => path.display().to_string(),
            };
            table.row([spec.name.into(), shown, range(spec), spec.summary.into()]);
        }
        parts.push(table.text(style));
    }
    for (title, cables) in [("in", inward), ("out", outward)] {
        for shown in cables {
            let late = if shown.feedback { "  (closes a loop, one block late)" } else { "" };
            parts.push(format!("{title:<3}  {}{late}", cable(shown)));
        }
    }
    parts.join("\n")
}

fn values(params: &[(&'static str, Setting)], of: Option<(&Name, &KindSpec)>) -> String {
    let spec = |param: &str| of.and_then(|(_, kind)| kind.param(param).map(|index| &kind.params[index]));
    let shown = params.iter().map(|(param, value)| {
        let value = match value {
            &Setting::Number(value) => {
                spec(param).map_or_else(|| significant(f64::from(value), 6), |spec| quantity_exact(value, spec))
            }
            Setting::File(path) => path.display().to_string(),
        };
        match of {
            Some((id, _)) => format!("{id}.{param} = {value}"),
            None => format!("{param} = {value}"),
        }
    });
    let lines: Vec<String> = shown.collect();
    if lines.is_empty() { "no params".to_owned() } else { lines.join("\n") }
}

/// A level as a bar of a fortieth per 1.5 dB, full at 0 dB, and in numbers.
fn meter(peak: f64) -> String {
    const STEPS: usize = 40;
    const STEP_DB: f64 = 1.5;
    let db = 20.0 * libm::log10(peak.max(1e-9));
    let lit = (STEPS as f64 + db / STEP_DB).round().clamp(0.0, STEPS as f64) as usize;
    format!("{}{} {} db", "\u{2588}".repeat(lit), "\u{b7}".repeat(STEPS - lit), decibels(peak))
}

fn pool(workers: &[WorkerInfo], style: Style) -> String {
    let mut table =
        Table::new(&[">worker", ">pid", "state", ">generation", ">restarts", ">modules", ">load", ">core", "start"]);
    for worker in workers {
        let phases = worker.phases_us.iter().map(|(phase, time_us)| format!("{phase} {time_us} us"));
        table.row([
            worker.worker.map_or("spare".to_owned(), |worker| worker.to_string()),
            worker.pid.to_string(),
            worker.state.to_owned(),
            worker.generation.to_string(),
            worker.restarts.to_string(),
            worker.modules.to_string(),
            format!("{} %", significant(f64::from(worker.load) * 100.0, 2)),
            worker.core.map_or("-".to_owned(), |core| core.to_string()),
            phases.collect::<Vec<_>>().join(", "),
        ]);
    }
    table.text(style)
}

fn figures(stats: &[Stat], style: Style) -> String {
    let mut table = Table::new(&["name", ">value"]);
    for stat in stats {
        table.row([stat.name.clone(), significant(stat.value, 6)]);
    }
    table.text(style)
}

/// A drawing of the last frames: each column is what its share of the frames spans.
fn scope(frames: &[f32]) -> String {
    if frames.is_empty() {
        return "no sound yet".to_owned();
    }
    let (columns, rows) = (SCOPE_SIZE.0.min(frames.len()), SCOPE_SIZE.1);
    let finite = |frame: f32| if frame.is_finite() { frame } else { 0.0 };
    let peak = frames.iter().fold(0.0f32, |peak, &frame| peak.max(finite(frame).abs()));
    let full = if peak > 0.0 { peak } else { 1.0 };
    let row_of = |frame: f32| (((1.0 - finite(frame) / full) / 2.0 * (rows - 1) as f32).round() as usize).min(rows - 1);
    let mut drawing = vec![vec![' '; columns]; rows];
    for column in 0..columns {
        let share = &frames[column * frames.len() / columns..(column + 1) * frames.len() / columns];
        let spanned = share.iter().map(|&frame| row_of(frame));
        let (top, bottom) = (spanned.clone().min().unwrap_or(0), spanned.max().unwrap_or(0));
        for row in &mut drawing[top..=bottom] {
            row[column] = '*';
        }
    }
    let lines = drawing.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned());
    let lines: Vec<String> = lines.collect();
    format!("{}\npeak {} ({} db)", lines.join("\n"), significant(f64::from(peak), 4), decibels(f64::from(peak)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vca() -> ModuleInfo {
        let kind = tine_modules::kind("vca").unwrap().1.spec;
        let id = Name::new("1").unwrap();
        ModuleInfo { id, kind, channels: 4, worker: Some(3), bypassed: true, params: vec![0.5], files: Vec::new() }
    }

    #[test]
    fn list_shows_what_differs_from_a_new_module() {
        let text = answer(&Answer::Modules(vec![vca()]), None, Style::PLAIN);
        assert_eq!(text.lines().nth(1), Some("1   vca*4  3       bypassed  gain 0.5 (-6.02 db)"));
    }

    #[test]
    fn info_shows_params_with_ranges_and_cables() {
        let id = |text: &str| Name::new(text).unwrap();
        let outward =
            CableInfo { from: id("1"), output: "out", to: id("out"), input: "left", gain: 1.0, feedback: false };
        let text = answer(&Answer::Info(vca(), vec![], vec![outward]), None, Style::PLAIN);
        assert!(text.starts_with("vca 1 on worker 3, 4 channels, bypassed: "), "{text}");
        assert!(text.contains("gain   0.5 (-6.02 db)  -8 .. 8"), "{text}");
        assert!(text.ends_with("out  1.out > out.left"), "{text}");
    }

    #[test]
    fn a_scope_draws_its_frames_and_names_the_peak() {
        let frames: Vec<f32> =
            (0..256).map(|frame| (frame as f32 / 256.0 * std::f32::consts::TAU).sin() * 0.5).collect();
        let text = scope(&frames);
        assert_eq!(text.lines().count(), SCOPE_SIZE.1 + 1);
        assert!(text.ends_with("peak 0.5 (-6.02 db)"));
        assert_eq!(scope(&[f32::NAN, 0.0]).lines().last(), Some("peak 0 (-inf db)"));
        assert_eq!(scope(&[]), "no sound yet");
    }
}
