//! Charts of one row per item: means with intervals, forest plots.

use std::fmt::Write as _;

use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Axis, Scale};
use super::figure::{Figure, Key};
use super::plot::{Drawn, Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::{INK, MUTED, REFERENCE_DASH, series_colour};
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

/// Pixels that the items' names may take beside their rows. Longer ones stand above them, so that a
/// phone shows the whole of a chart.
const BESIDE: i32 = 180;
/// Pixels that a name above its row takes.
const ABOVE: i32 = 18;

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

    /// `name` is the share of a row that the item's name above it takes.
    fn draw_series(&self, plot: &Plot, x: &Scale, i: usize, name: f64) -> Drawn {
        let (series, colour, n) = (&self.series[i], series_colour(i), self.series.len() as f64);
        // Several series share what is left of a row.
        let left = 1.0 - name;
        let lane = (i as f64 - (n - 1.0) / 2.0) * 0.76 / n * left;
        let row = |item: usize| (self.items.len() - 1 - item) as f64 - name / 2.0 - lane;
        let place = |&(item, value, _): &(usize, f64, _)| Some((x.clamp(value)?, row(item)));
        // A stroke of full opacity in a series' colour would be dashed.
        let style = colour.mix(0.99).stroke_width(7);
        for value in &series.values {
            let Some(at) = place(value) else { continue };
            let ends = |of: Interval| Some((x.clamp(of.low)?, x.clamp(of.high)?));
            if let Some((low, high)) = value.2.and_then(ends) {
                plot.line(&[(low, at.1), (high, at.1)], style)?;
                let half = 0.13 * left;
                for end in [low, high] {
                    plot.line(&[(end, at.1 - half), (end, at.1 + half)], style)?;
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
        let mut y = Axis::categories(&names);
        let longest = Frame::new((&self.axis.name, &x), ("", &y)).left();
        let above = if longest > BESIDE { ABOVE } else { 0 };
        if above > 0 {
            y.ticks.clear();
        }
        let mut frame = Frame::new((&self.axis.name, &x), ("", &y));
        if above > 0 {
            frame.width = frame.width.max(longest);
        }
        let row = above + 12 + 14 * self.series.len().max(1) as i32;
        frame.height = 60 + self.items.len() as i32 * row;
        frame.grid = (true, false);
        let name = f64::from(above) / f64::from(row);
        let draw = |plot: &mut Plot| {
            for (words, at) in names.iter().zip(0..).filter(|_| above > 0) {
                let middle = f64::from(at) + 0.5 - name / 2.0;
                let left = (0, plot.pixel((x.low, middle)).1);
                plot.words(words, left, frame.font, MUTED, (HPos::Left, VPos::Center))?;
            }
            for at in self.references.iter().filter_map(|(_, value)| x.inside(*value)) {
                // Not through the names.
                for row in (0..names.len()).map(|row| row as f64) {
                    let ends = [(at, row - 0.5), (at, row + 0.5 - name)];
                    plot.line(&ends, INK.stroke_width(5))?;
                }
            }
            (0..self.series.len()).try_for_each(|i| self.draw_series(plot, &x, i, name))
        };
        frame.draw(self.figure(), draw).html()
    }
}
