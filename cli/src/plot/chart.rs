//! A picture of some lines and dots over one pair of axes.

use std::ops::Range;
use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::{Area, Drawn, FAMILY, legend, prepare};

/// Width and height in pixels.
const SIZE: (u32, u32) = (1200, 500);

/// Line after line.
const COLOURS: [RGBColor; 6] = [
    RGBColor(31, 97, 166),
    RGBColor(208, 92, 30),
    RGBColor(44, 140, 80),
    RGBColor(150, 60, 150),
    RGBColor(120, 120, 120),
    RGBColor(180, 150, 20),
];

/// What is drawn.
pub struct Chart {
    /// Above it.
    pub title: String,
    /// The horizontal axis.
    pub x: X,
    /// The vertical axis: what it measures, and from where to where.
    pub y: (&'static str, Range<f64>),
    /// What is seen.
    pub series: Vec<Series>,
}

/// A horizontal axis: what it measures, and from where to where.
pub enum X {
    /// Evenly.
    Linear(&'static str, Range<f64>),
    /// By ratios.
    Logarithmic(&'static str, Range<f64>),
}

/// Points that belong together.
pub struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    is_line: bool,
}

impl Series {
    /// Joined by a line.
    pub fn line(name: &str, points: Vec<(f64, f64)>) -> Series {
        Series { name: name.to_owned(), points, is_line: true }
    }

    /// Each by itself.
    pub fn dots(name: &str, points: Vec<(f64, f64)>) -> Series {
        Series { name: name.to_owned(), points, is_line: false }
    }
}

impl Chart {
    /// Draws it into a PNG.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn draw(&self, picture: &Path) -> Result<(), String> {
        prepare(picture)?;
        self.try_draw(picture).map_err(|error| format!("{}: {error}", picture.display()))
    }

    fn try_draw(&self, picture: &Path) -> Drawn {
        let root = BitMapBackend::new(picture, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let area = root.titled(&self.title, (FAMILY, 20))?;
        match &self.x {
            X::Linear(name, range) => self.draw_over(&area, name, range.clone())?,
            X::Logarithmic(name, range) => self.draw_over(&area, name, range.clone().log_scale())?,
        }
        root.present()?;
        Ok(())
    }

    fn draw_over<R>(&self, area: &Area<'_>, name: &str, x: R) -> Drawn
    where
        R: AsRangedCoord<Value = f64>,
        R::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(x, self.y.1.clone())?;
        chart.configure_mesh().x_desc(name).y_desc(self.y.0).label_style((FAMILY, 14)).draw()?;
        for (series, colour) in self.series.iter().zip(COLOURS.into_iter().cycle()) {
            let points = series.points.iter().copied();
            let drawn = if series.is_line {
                chart.draw_series(LineSeries::new(points, colour))?
            } else {
                chart.draw_series(points.map(|point| Circle::new(point, 4, colour)))?
            };
            drawn.label(&series.name).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour));
        }
        legend(&mut chart)
    }
}
