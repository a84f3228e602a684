//! Charts of one row per item: means with intervals, forest plots.

use std::fmt::Write as _;

use plotters::style::Color;

use super::axis::{Axis, Scale};
use super::figure::{Figure, Key};
use super::plot::{Drawn, Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::{INK, REFERENCE_DASH, series_colour};
use crate::eval::statistics::{Estimate, Interval};

/// Items from top to bottom, their values from left to right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowChart {
    title: String,
    axis: Axis,
    items: Vec<String>,
    series: Vec<Series>,
    /// Values to compare with, as lines from top to bottom.
    references: Vec<(String, f64)>,
}

/// Pixels beside the items' names that long names must leave.
const NARROWEST: i32 = 280;

#[derive(Clone, Debug, Default, PartialEq)]
struct Series {
    label: String,
    /// (item, value, interval)
    values: Vec<(usize, f64, Option<Interval>)>,
}

impl RowChart {
    /// Dots with their intervals.
    pub fn dots(title: impl Into<String>, axis: Axis) -> Self {
        Self { title: title.into(), axis, ..Self::default() }
    }

    /// The same against a line at `no_effect`, usually 0.
    pub fn forest(title: impl Into<String>, axis: Axis, no_effect: f64) -> Self {
        Self::dots(title, axis).reference("no difference", no_effect)
    }

    /// Starts a series; what is added next belongs to it.
    pub fn series(mut self, label: impl Into<String>) -> Self {
        let (label, values) = (label.into(), Vec::new());
        self.series.push(Series { label, values });
        self
    }

    pub fn value(self, item: impl Into<String>, value: f64) -> Self {
        self.value_with(item, value, None)
    }

    /// The mean with its interval.
    pub fn estimate(self, item: impl Into<String>, estimate: &Estimate) -> Self {
        self.value_with(item, estimate.mean, estimate.interval)
    }

    pub fn value_with(
        mut self,
        item: impl Into<String>,
        value: f64,
        interval: Option<Interval>,
    ) -> Self {
        let item = item.into();
        let known = self.items.iter().position(|other| *other == item);
        let index = known.unwrap_or_else(|| {
            self.items.push(item);
            self.items.len() - 1
        });
        if self.series.is_empty() {
            self.series.push(Series::default());
        }
        if let Some(series) = self.series.last_mut() {
            series.values.push((index, value, interval));
        }
        self
    }

    pub fn reference(mut self, label: impl Into<String>, value: f64) -> Self {
        self.references.push((label.into(), value));
        self
    }

    fn figure(&self) -> Figure {
        let mut words = format!("{}, one row per item.", self.axis.name);
        for series in &self.series {
            for (item, value, interval) in &series.values {
                let _ = write!(words, " {} {}: {value:.4}", self.items[*item], series.label);
                if let Some(interval) = interval {
                    let _ = write!(words, " {interval}");
                }
                words.push(';');
            }
        }
        let mut figure = Figure::new(&self.title, words);
        let named = |(_, series): &(usize, &Series)| !series.label.is_empty();
        for (i, series) in self.series.iter().enumerate().filter(named) {
            figure = figure.legend(Key::Dot(series_colour(i)), &series.label);
        }
        for (label, value) in &self.references {
            let words = format!("{label}: {}", self.axis.exact(*value));
            figure = figure.legend(Key::Line(INK, REFERENCE_DASH), words);
        }
        figure
    }

    fn draw_series(&self, plot: &Plot, x: &Scale, i: usize) -> Drawn {
        let (series, colour, n) = (&self.series[i], series_colour(i), self.series.len() as f64);
        // Several series share a row.
        let lane = (i as f64 - (n - 1.0) / 2.0) * 0.76 / n;
        let row = |item: usize| (self.items.len() - 1 - item) as f64 - lane;
        let place = |&(item, value, _): &(usize, f64, _)| Some((x.clamp(value)?, row(item)));
        // A stroke of full opacity in a series' colour would be dashed.
        let style = colour.mix(0.99).stroke_width(7);
        for value in &series.values {
            let Some(at) = place(value) else { continue };
            let ends = |of: Interval| Some((x.clamp(of.low)?, x.clamp(of.high)?));
            if let Some((low, high)) = value.2.and_then(ends) {
                plot.line(&[(low, at.1), (high, at.1)], style)?;
                for end in [low, high] {
                    plot.line(&[(end, at.1 - 0.13), (end, at.1 + 0.13)], style)?;
                }
            }
            plot.dot(at, 4.5, colour.to_rgba())?;
        }
        Ok(())
    }
}

impl Show for RowChart {
    fn show(&self) -> Html {
        let values = self.series.iter().flat_map(|series| &series.values);
        let ends = values.flat_map(|(_, value, interval)| {
            let interval = interval.map(|interval| [interval.low, interval.high]);
            interval.into_iter().flatten().chain([*value])
        });
        let x = self.axis.fit(ends.chain(self.references.iter().map(|r| r.1)), 5);
        let mut names = self.items.clone();
        names.reverse();
        let y = Axis::categories(&names);
        let mut frame = Frame::new((&self.axis.name, &x), ("", &y));
        frame.width = frame.width.max(frame.left() + NARROWEST);
        let lanes = self.series.len().max(1) as i32;
        frame.height = 60 + self.items.len() as i32 * (12 + 14 * lanes);
        frame.grid = (true, false);
        let draw = |plot: &mut Plot| {
            for at in self.references.iter().filter_map(|(_, value)| x.inside(*value)) {
                plot.line(&[(at, y.low), (at, y.high)], INK.stroke_width(5))?;
            }
            (0..self.series.len()).try_for_each(|i| self.draw_series(plot, &x, i))
        };
        frame.draw(self.figure(), draw).html()
    }
}
