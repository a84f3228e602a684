//! One value against another.

use plotters::style::Color;

use super::axis::Axis;
use super::figure::{Figure, Key};
use super::plot::{Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::{MUTED, series_colour};

/// Dots at (x, y), in groups.
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterChart {
    title: String,
    x: Axis,
    y: Axis,
    groups: Vec<(String, Vec<(f64, f64)>)>,
    diagonal: bool,
}

impl ScatterChart {
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            groups: Vec::new(),
            diagonal: false,
        }
    }

    /// `label` may be empty where there is one group only.
    pub fn points(
        mut self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.groups
            .push((label.into(), points.into_iter().collect()));
        self
    }

    /// Draws the line on which both are equal.
    pub fn diagonal(mut self) -> Self {
        self.diagonal = true;
        self
    }
}

impl Show for ScatterChart {
    fn show(&self) -> Html {
        let points = || self.groups.iter().flat_map(|group| &group.1);
        let x = self.x.fit(points().map(|point| point.0), 6);
        let y = self.y.fit(points().map(|point| point.1), 5);
        let n = points().count();
        let words = format!("{} against {}, {n} points.", self.y.name, self.x.name);
        let mut figure = Figure::new(&self.title, words);
        for (i, (label, _)) in self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, g)| !g.0.is_empty())
        {
            figure = figure.legend(Key::Dot(series_colour(i)), label);
        }
        let radius = if n > 500 { 2.0 } else { 3.5 };
        let draw = |plot: &mut Plot| {
            if self.diagonal {
                let (from, to) = (x.low.max(y.low), x.high.min(y.high));
                plot.line(&[(from, from), (to, to)], MUTED.stroke_width(4))?;
            }
            for (i, (_, points)) in self.groups.iter().enumerate() {
                for point in points {
                    if let (Some(px), Some(py)) = (x.inside(point.0), y.inside(point.1)) {
                        plot.dot((px, py), radius, series_colour(i).mix(0.7))?;
                    }
                }
            }
            Ok(())
        };
        let mut frame = Frame::new((&self.x.name, &x), (&self.y.name, &y));
        frame.grid = (true, true);
        frame.draw(figure, draw).html()
    }
}
