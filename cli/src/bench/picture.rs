//! One figure as a file of its own, for a document: a histogram as SVG, with the quantiles marked. Readable on light and on dark paper.

use std::fmt::Write;

use super::axis::Axis;
use super::figure::Figure;
use super::page::escape;
use super::report::shown;

/// Size of the drawing, in its own units, and its margins.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 56.0;

/// The line on which the bins stand.
const FLOOR: f64 = HEIGHT - BOTTOM;

/// Room for the bins.
const ACROSS: f64 = WIDTH - LEFT - RIGHT;

/// Bins from one power of ten to the next: each ends an eighth above where it begins.
const PER_DECADE: f64 = 20.0;

/// From the name of one quantile to the next below it.
const NAME_STEP: f64 = 16.0;

const STYLE: &str = "text{font:12px Helvetica,Arial,sans-serif;fill:#444}.title{font-size:15px;font-weight:bold}\
.paper{fill:#fff}.grid{stroke:#ddd}.axis{stroke:#888}.bar{fill:#2b6cb0}.mark{stroke:#b00020;stroke-dasharray:4 3}.name{fill:#b00020}\
@media (prefers-color-scheme:dark){text{fill:#ccc}.paper{fill:#15181c}.grid{stroke:#333}.bar{fill:#6aa5e0}.mark{stroke:#ff7b7b}\
.name{fill:#ff7b7b}}";

/// A bin: its least and greatest value, and how many samples fell into it.
type Bin = (f64, f64, u64);

/// The drawing; `what` is counted.
pub fn svg(figure: &Figure, what: &str) -> String {
    let axis = Axis::over(figure.bins.first().map_or(0.0, |bin| bin.0), figure.max.unwrap_or(0.0));
    let bins = bins(figure, &axis);
    let most = bins.iter().map(|bin| bin.2).max().unwrap_or(0).max(1);
    let x = |value: f64| LEFT + axis.part(value) * ACROSS;
    let y = |count: u64| FLOOR - count as f64 / most as f64 * (FLOOR - TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"26\">{}: {} {what}</text>\n",
        escape(&figure.name),
        figure.count
    );
    // Writing to a string cannot fail.
    for tick in axis.ticks() {
        let x = x(tick);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{FLOOR}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            FLOOR + 18.0,
            shown(Some(tick))
        );
    }
    for count in (0..=most).step_by(step(most) as usize) {
        let y = y(count);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}h{ACROSS}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{count}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for (least, greatest, count) in bins.into_iter().filter(|bin| bin.2 > 0) {
        let (from, to) = (x(least), x(greatest));
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{count} from {} to {} {}</title></rect>",
            y(count),
            to - from - 1.0,
            FLOOR - y(count),
            shown(Some(least)),
            shown(Some(greatest)),
            figure.unit
        );
    }
    let marks = [("p50", figure.p50), ("p99", figure.p99), ("max", figure.max)];
    for (row, (name, value)) in marks.into_iter().enumerate() {
        let Some(value) = value else { continue };
        let (x, y) = (x(value), TOP - 6.0 - NAME_STEP * (marks.len() - 1 - row) as f64);
        // A name stays on the paper.
        let (anchor, beside) = if axis.part(value) > 0.75 { ("end", -5.0) } else { ("start", 5.0) };
        let _ = writeln!(
            svg,
            "<path class=\"mark\" d=\"M{x:.1} {:.1}V{FLOOR}\"/><text class=\"name\" x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{name} {} {}</text>",
            y - 10.0,
            x + beside,
            shown(Some(value)),
            figure.unit
        );
    }
    let middle = (TOP + FLOOR) / 2.0;
    let _ = write!(
        svg,
        "<path class=\"axis\" d=\"M{LEFT} {FLOOR}h{ACROSS}\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">time in {}, logarithmic</text>\n\
         <text transform=\"translate(18 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{what}</text>\n</svg>\n",
        LEFT + ACROSS / 2.0,
        HEIGHT - 14.0,
        figure.unit
    );
    svg
}

/// Bins that are equally wide on the axis.
fn bins(figure: &Figure, axis: &Axis) -> Vec<Bin> {
    let ratio = axis.greatest / axis.least;
    let number = (ratio.log10() * PER_DECADE).ceil().max(1.0) as usize;
    let border = |at: usize| axis.least * ratio.powf(at as f64 / number as f64);
    let mut bins: Vec<Bin> = (0..number).map(|at| (border(at), border(at + 1), 0)).collect();
    for &(least, greatest, count) in &figure.bins {
        let at = (axis.part((least + greatest) / 2.0) * number as f64) as usize;
        bins[at.min(number - 1)].2 += count;
    }
    bins
}

/// From one count that is written beside the drawing to the next: 1, 2 or 5 of a power of ten, five at most.
fn step(most: u64) -> u64 {
    let steps = (0..18).flat_map(|decade| [1, 2, 5].map(|step| step * 10u64.pow(decade)));
    steps.into_iter().find(|step| most / step <= 5).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figure::Samples;

    fn sample(values_ns: impl IntoIterator<Item = u64>) -> Figure {
        let mut samples = Samples::micros();
        values_ns.into_iter().for_each(|ns| samples.add(ns));
        samples.figure("failover", "kill <to> finished")
    }

    /// Every tag is closed by its own name, quotes come in pairs, and nothing stands bare that must be written otherwise.
    fn assert_well_formed(svg: &str) {
        let mut open = Vec::new();
        for part in svg.split('<').skip(1) {
            let (tag, text) = part.split_once('>').expect("a tag ends");
            assert!(!text.contains('>') && tag.matches('"').count() % 2 == 0, "{part}");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name)),
                None if tag.ends_with('/') => {}
                None => open.push(tag.split(' ').next().unwrap_or(tag)),
            }
        }
        assert!(open.is_empty(), "{open:?}");
        let bare =
            svg.split('&').skip(1).find(|text| !["amp;", "lt;", "gt;"].iter().any(|name| text.starts_with(name)));
        assert_eq!(bare, None);
    }

    #[test]
    fn every_sample_stands_in_one_bin_and_the_quantiles_are_marked() {
        let figure = sample((1..=300).map(|number| 2_000 * number * number));
        let svg = svg(&figure, "kills");
        assert_well_formed(&svg);
        let counts = svg.split("<title>").skip(1).map(|title| title.split(' ').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(counts.sum::<u64>(), 300);
        for said in ["kill &lt;to&gt; finished: 300 kills", ">p50 ", ">p99 ", ">max ", "time in us", "dark"] {
            assert!(svg.contains(said), "{said}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn one_sample_or_none_can_be_drawn() {
        for figure in [sample([]), sample([700_000])] {
            let svg = svg(&figure, "kills");
            assert_well_formed(&svg);
            assert!(!svg.contains("NaN"), "{svg}");
            assert_eq!(svg.matches("<title>").count() as u64, figure.count);
        }
    }

    #[test]
    fn bins_are_wide_alike_and_follow_each_other() {
        let axis = Axis::over(200.0, 4_000.0);
        let bins = bins(&sample([200_000, 4_000_000]), &axis);
        assert!(bins.windows(2).all(|pair| (pair[0].1 / pair[1].0 - 1.0).abs() < 1e-9));
        assert_eq!((bins.first().unwrap().2, bins.iter().map(|bin| bin.2).sum::<u64>()), (1, 2));
        assert_eq!([1, 5, 6, 60, 300].map(step), [1, 1, 2, 20, 100]);
    }
}
