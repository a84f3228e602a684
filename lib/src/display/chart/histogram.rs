//! How values are distributed.

use std::fmt::Write as _;

use plotters::style::Color;

use super::axis::Axis;
use super::figure::{Figure, Key};
use super::plot::{Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::series_colour;

/// Counts of values in bins of equal width; several groups share the bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    title: String,
    axis: Axis,
    bins: usize,
    groups: Vec<(String, Vec<f64>)>,
    share: bool,
}

impl Histogram {
    pub fn new(title: impl Into<String>, axis: Axis, bins: usize) -> Self {
        Self {
            title: title.into(),
            axis,
            bins: bins.max(1),
            groups: Vec::new(),
            share: false,
        }
    }

    /// `label` may be empty where there is one group only.
    pub fn values(mut self, label: impl Into<String>, values: &[f64]) -> Self {
        self.groups.push((label.into(), values.to_vec()));
        self
    }

    /// Shares of each group instead of counts, to compare groups of different size.
    pub fn shares(mut self) -> Self {
        self.share = true;
        self
    }

    /// Height of each bin between `low` and `high`.
    fn heights(&self, values: &[f64], low: f64, high: f64) -> Vec<f64> {
        let mut heights = vec![0.0; self.bins];
        let weight = if self.share {
            1.0 / values.len().max(1) as f64
        } else {
            1.0
        };
        for &value in values.iter().filter(|value| (low..=high).contains(*value)) {
            let bin = ((value - low) / (high - low) * self.bins as f64) as usize;
            heights[bin.min(self.bins - 1)] += weight;
        }
        heights
    }

    fn figure(&self) -> Figure {
        let mut words = format!("Histogram of {}.", self.axis.name);
        for (label, values) in &self.groups {
            let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            if let (Some(low), Some(high)) = (sorted.first(), sorted.last()) {
                let median = sorted[sorted.len() / 2];
                let _ = write!(
                    words,
                    " {label} {} values from {low:.4} to {high:.4}, median {median:.4}.",
                    sorted.len()
                );
            }
        }
        let mut figure = Figure::new(&self.title, words);
        for (i, (label, _)) in self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, g)| !g.0.is_empty())
        {
            figure = figure.legend(Key::Patch(series_colour(i)), label);
        }
        figure
    }
}

impl Show for Histogram {
    fn show(&self) -> Html {
        let x = self.axis.fit(
            self.groups.iter().flat_map(|group| group.1.iter().copied()),
            6,
        );
        let groups: Vec<Vec<f64>> = self
            .groups
            .iter()
            .map(|group| self.heights(&group.1, x.low, x.high))
            .collect();
        let counts = match self.share {
            true => Axis::percent("share of each group"),
            false => Axis::new("count"),
        };
        let y = counts
            .clone()
            .from(0.0)
            .fit(groups.iter().flatten().copied(), 5);
        let width = (x.high - x.low) / self.bins as f64;
        let draw = |plot: &mut Plot| {
            for (i, heights) in groups.iter().enumerate() {
                let colour = series_colour(i);
                let mut outline = vec![(x.low, 0.0)];
                for (b, &height) in heights.iter().enumerate() {
                    let left = x.low + b as f64 * width;
                    outline.extend([(left, height), (left + width, height)]);
                }
                outline.push((x.high, 0.0));
                plot.area(&outline, colour.mix(0.35))?;
                plot.line(&outline, colour.stroke_width(6))?;
            }
            Ok(())
        };
        let frame = Frame::new((&self.axis.name, &x), (&counts.name, &y));
        frame.draw(self.figure(), draw).html()
    }
}
