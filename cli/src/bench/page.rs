//! The report as one page that needs nothing else: machine, settings, the table, and a histogram of each figure as SVG.
//!
//! Times are drawn on a logarithmic axis: what matters is the tail. Where only quantiles are known, they are drawn alone.

use std::fmt::Write;

use super::axis::Axis;
use super::figure::Figure;
use super::report::{Report, shown, targets};

/// Size of a drawing, in its own units, and its margins.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 30.0;

/// Columns of a histogram.
const COLUMNS: usize = 96;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.6rem 0 .2rem}\
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.25rem .5rem;border-bottom:1px solid #ddd;text-align:right}\
th:nth-child(2),td:nth-child(2),th:first-child,td:first-child,th:last-child,td:last-child{text-align:left}\
svg{width:100%;height:auto;font:11px system-ui,sans-serif}.missed{color:#b00020;font-weight:600}.quiet{color:#666}";

/// The page.
pub fn page(report: &Report) -> String {
    let mut body = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        body,
        "<h1>tine bench</h1><p>{}</p><p>{}</p>",
        escape(&report.machine.text()),
        escape(&report.settings.text())
    );
    body += "<table><tr>";
    for head in ["suite", "what", "count", "p50", "p99", "p99.9", "max", "unit", "target"] {
        let _ = write!(body, "<th>{head}</th>");
    }
    body += "</tr>";
    for figure in &report.figures {
        let kept = if figure.targets.iter().all(|target| target.is_met) { "" } else { " class=\"missed\"" };
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td{kept}>{}</td></tr>",
            figure.suite,
            escape(&figure.name),
            figure.count,
            shown(figure.p50),
            shown(figure.p99),
            shown(figure.p999),
            shown(figure.max),
            figure.unit,
            escape(&targets(figure)),
        );
    }
    body += "</table>";
    let mut suite = "";
    for figure in report.figures.iter().filter(|figure| has_shape(figure)) {
        if figure.suite != suite {
            suite = figure.suite;
            let _ = write!(body, "<h2>{suite}</h2>");
        }
        let _ = write!(body, "<h3>{}</h3>{}", escape(&figure.name), drawing(figure));
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>tine bench</title><style>{STYLE}</style>\
         <body>{body}</body></html>\n"
    )
}

/// Whether there is something to see: samples that differ.
fn has_shape(figure: &Figure) -> bool {
    figure.p50.is_some() && figure.bins.len() != 1
}

/// Where a value stands.
fn x(axis: &Axis, value: f64) -> f64 {
    LEFT + axis.part(value) * (WIDTH - LEFT - RIGHT)
}

fn drawing(figure: &Figure) -> String {
    let least = figure.bins.first().map_or(figure.p50.unwrap_or(0.0) / 2.0, |bin| bin.0);
    let axis = Axis::over(least, figure.max.unwrap_or(1.0));
    let floor = HEIGHT - BOTTOM;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for tick in axis.ticks() {
        let x = x(&axis, tick);
        let _ = write!(
            svg,
            "<path d=\"M{x:.1} {TOP}V{floor}\" stroke=\"#eee\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#666\">{}</text>",
            floor + 14.0,
            shown(Some(tick))
        );
    }
    svg += &columns(figure, &axis);
    let _ = write!(
        svg,
        "<path d=\"M{LEFT} {floor}H{:.1}\" stroke=\"#888\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#666\">{}</text>",
        WIDTH - RIGHT,
        WIDTH - RIGHT,
        HEIGHT - 3.0,
        figure.unit
    );
    let marks = [("p50", figure.p50), ("p99", figure.p99), ("p99.9", figure.p999), ("max", figure.max)];
    let mut free = f64::MIN;
    for (name, value) in marks {
        let Some(value) = value else { continue };
        let x = x(&axis, value);
        let _ =
            write!(svg, "<path d=\"M{x:.1} {:.1}V{floor}\" stroke=\"#b00020\" stroke-dasharray=\"3 3\"/>", TOP - 6.0);
        // Names that would lie on each other are left out: the table has them.
        if x > free {
            let _ = write!(svg, "<text x=\"{x:.1}\" y=\"11\" text-anchor=\"middle\" fill=\"#b00020\">{name}</text>");
            free = x + 36.0;
        }
    }
    svg + "</svg>"
}

/// The histogram itself: heights are logarithmic too, so that a single late sample is seen beside thousands in time.
fn columns(figure: &Figure, axis: &Axis) -> String {
    if figure.bins.is_empty() {
        return "<text x=\"50\" y=\"80\" class=\"quiet\" fill=\"#666\">kept by the engine as quantiles only</text>"
            .to_owned();
    }
    let mut counts = [0u64; COLUMNS];
    for &(least, greatest, count) in &figure.bins {
        let middle = axis.part((least + greatest) / 2.0);
        counts[((middle * COLUMNS as f64) as usize).min(COLUMNS - 1)] += count;
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let scale = |count: u64| (1.0 + count as f64).ln() / (1.0 + most as f64).ln();
    let floor = HEIGHT - BOTTOM;
    let width = (WIDTH - LEFT - RIGHT) / COLUMNS as f64;
    let mut svg = String::new();
    for (column, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = scale(count) * (floor - TOP);
        let _ = write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#2b6cb0\"><title>{count}</title></rect>",
            LEFT + column as f64 * width,
            floor - height,
            width - 0.8
        );
    }
    for tick in [1, 10, 100, 1000, 10_000].into_iter().filter(|tick| *tick <= most) {
        let y = floor - scale(tick) * (floor - TOP);
        let _ = write!(
            svg,
            "<path d=\"M{:.1} {y:.1}H{LEFT}\" stroke=\"#888\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#666\">{tick}</text>",
            LEFT - 4.0,
            LEFT - 7.0,
            y + 4.0
        );
    }
    svg
}

/// Text that may stand in a page or a drawing.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone_and_draws_every_sample() {
        let page = page(&super::super::report::tests::sample());
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        assert!(page.contains("create &lt;over&gt; OSC") && page.contains("class=\"missed\""));
        assert_eq!(page.matches("<rect").count(), 3, "one column for each of three different samples");
        for never in ["http:", "https:", "src=", "href="] {
            assert!(!page.contains(never), "{never}");
        }
    }
}
