//! Lines and dots: learning curves, several seeds of one thing, shares over time, one value
//! against another.

use std::fmt::Write as _;

use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Axis, Scale};
use super::figure::{Figure, Key};
use super::plot::{Drawn, Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::{INK, MUTED, REFERENCE_DASH, series_colour, series_dash};
use crate::eval::statistics::{Interval, KaplanMeier, SurvivalStep, mean};

/// Lines over a common x, e.g. epochs or steps.
///
/// ```
/// use glyphs::display::{Axis, LineChart, Show};
/// let chart = LineChart::new("Validation lags training", Axis::new("epoch"), Axis::percent("accuracy"))
///     .curve("training", [(1.0, 0.41), (2.0, 0.70)])
///     .curve("validation", [(1.0, 0.35), (2.0, 0.66)])
///     .reference("the 2021 report", 0.8669);
/// assert!(chart.show().html().contains("role=\"img\""));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    title: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    references: Vec<(String, f64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Line,
    Staircase,
    Dots,
    /// These, one for each point, in place of dots.
    Words(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
struct Series {
    label: String,
    /// One per seed; a single one for a plain curve.
    runs: Vec<Vec<(f64, f64)>>,
    form: Form,
    /// Where runs ended before they got there.
    censored: Vec<(f64, f64)>,
    /// Of y, at x.
    intervals: Vec<(f64, Interval)>,
}

impl LineChart {
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new(), references: Vec::new() }
    }

    pub fn curve(
        self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.seeds(label, [points.into_iter().collect()])
    }

    /// One thin line per seed, their mean, and the 95 % t-interval of the mean as a band.
    pub fn seeds(
        mut self,
        label: impl Into<String>,
        runs: impl IntoIterator<Item = Vec<(f64, f64)>>,
    ) -> Self {
        let runs = runs.into_iter().collect();
        self.series.push(Series::new(label, runs, Form::Line));
        self
    }

    /// A dot at each (x, y), in any order.
    pub fn dots(
        self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let points = points.into_iter();
        self.dots_with_intervals(label, points.map(|(x, y)| (x, y, None)))
    }

    /// The same with intervals of y: (x, y, interval).
    pub fn dots_with_intervals(
        mut self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64, Option<Interval>)>,
    ) -> Self {
        let points: Vec<(f64, f64, Option<Interval>)> = points.into_iter().collect();
        let dots = points.iter().map(|(x, y, _)| (*x, *y)).collect();
        self.series.push(Series {
            intervals: points.iter().filter_map(|(x, _, i)| Some((*x, (*i)?))).collect(),
            ..Series::new(label, vec![dots], Form::Dots)
        });
        self
    }

    /// Short words at each (x, y), which tell points apart without their colour: (x, y, words).
    pub fn words(
        mut self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64, String)>,
    ) -> Self {
        let (points, words) = points.into_iter().map(|(x, y, words)| ((x, y), words)).unzip();
        self.series.push(Series::new(label, vec![points], Form::Words(words)));
        self
    }

    /// The share of runs that have reached a goal, as a staircase; a tick marks
    /// where a run ended before it got there.
    pub fn reached(mut self, label: impl Into<String>, times: &KaplanMeier) -> Self {
        let share = |step: &SurvivalStep| (step.time, 1.0 - step.survival);
        let censored = times.steps.iter().filter(|step| step.censored > 0);
        let points = [(0.0, 0.0)].into_iter();
        let points = points.chain(times.steps.iter().map(share)).collect();
        self.series.push(Series {
            censored: censored.map(share).collect(),
            ..Series::new(label, vec![points], Form::Staircase)
        });
        self
    }

    /// Adds a value to compare with, as a horizontal line.
    pub fn reference(mut self, label: impl Into<String>, value: f64) -> Self {
        self.references.push((label.into(), value));
        self
    }

    fn figure(&self) -> Figure {
        let mut figure = Figure::new(&self.title, self.description());
        for (i, series) in self.series.iter().enumerate() {
            let key = match series.form {
                Form::Dots | Form::Words(_) => Key::Dot(series_colour(i)),
                Form::Line | Form::Staircase => Key::Line(series_colour(i), series_dash(i)),
            };
            let words = match series.runs.len() {
                0 | 1 => series.label.clone(),
                n => format!("{} (mean of {n}, 95 % band)", series.label),
            };
            if !words.is_empty() {
                figure = figure.legend(key, words);
            }
        }
        if self.series.iter().any(|series| !series.censored.is_empty()) {
            figure = figure.legend(Key::Tick(MUTED), "a run that ended first");
        }
        for (label, value) in &self.references {
            let words = format!("{label}: {}", self.y.exact(*value));
            figure = figure.legend(Key::Line(INK, REFERENCE_DASH), words);
        }
        figure
    }

    fn description(&self) -> String {
        let rounded = |x: f64| (x * 1e4).round() / 1e4;
        let mut words = format!("{} over {}.", self.y.name, self.x.name);
        for series in &self.series {
            let mean = series.mean();
            if mean.windows(2).any(|pair| pair[0].0 > pair[1].0) {
                let _ = write!(words, " {}: {} points.", series.label, mean.len());
            } else if let (Some(first), Some(last)) = (mean.first(), mean.last()) {
                let _ = write!(
                    words,
                    " {}: from {:.4} at {} to {:.4} at {}.",
                    series.label,
                    first.1,
                    rounded(first.0),
                    last.1,
                    rounded(last.0)
                );
            }
        }
        for (label, value) in &self.references {
            let _ = write!(words, " Reference, {label}: {value}.");
        }
        words
    }
}

impl Show for LineChart {
    fn show(&self) -> Html {
        let points = || self.series.iter().flat_map(|s| s.runs.iter().flatten());
        let heights = points().map(|point| point.1);
        let heights = heights.chain(self.references.iter().map(|reference| reference.1));
        let (x, y) = (self.x.fit(points().map(|point| point.0), 6), self.y.fit(heights, 5));
        let frame = Frame::new((&self.x.name, &x), (&self.y.name, &y));
        let draw = |plot: &mut Plot| {
            for at in self.references.iter().filter_map(|(_, value)| y.inside(*value)) {
                plot.line(&[(x.low, at), (x.high, at)], INK.stroke_width(5))?;
            }
            for (i, series) in self.series.iter().enumerate() {
                series.draw(plot, &x, &y, i)?;
            }
            Ok(())
        };
        frame.draw(self.figure(), draw).html()
    }
}

impl Series {
    fn new(label: impl Into<String>, runs: Vec<Vec<(f64, f64)>>, form: Form) -> Self {
        Self { label: label.into(), runs, form, censored: Vec::new(), intervals: Vec::new() }
    }

    fn draw(&self, plot: &Plot, x: &Scale, y: &Scale, i: usize) -> Drawn {
        let colour = series_colour(i);
        if self.runs.len() > 1 {
            plot.area(&self.band(x, y), colour.mix(0.18))?;
            for run in &self.runs {
                plot.line(&placed(run, x, y), colour.mix(0.45).stroke_width(3))?;
            }
        }
        let mut line = placed(&self.mean(), x, y);
        match &self.form {
            Form::Line => (),
            Form::Staircase => line = staircase(&line, x.high),
            Form::Dots => {
                for (at, interval) in &self.intervals {
                    let ends = [(*at, interval.low), (*at, interval.high)];
                    plot.line(&placed(&ends, x, y), colour.mix(0.6).stroke_width(6))?;
                }
                let dot = |&at: &(f64, f64)| plot.dot(at, 3.5, colour.mix(0.7));
                return line.iter().try_for_each(dot);
            }
            Form::Words(words) => {
                let middle = (HPos::Center, VPos::Center);
                for (at, words) in self.runs.iter().flatten().zip(words) {
                    for at in placed(&[*at], x, y) {
                        plot.words(words, plot.pixel(at), 13, colour, middle)?;
                    }
                }
                return Ok(());
            }
        }
        let half = (y.high - y.low) * 0.025;
        for (at, height) in placed(&self.censored, x, y) {
            let tick = [(at, height - half), (at, height + half)];
            plot.line(&tick, colour.mix(0.99).stroke_width(8))?;
        }
        if line.len() == 1 {
            return plot.dot(line[0], 3.0, colour.to_rgba());
        }
        plot.line(&line, colour.stroke_width(9))
    }

    /// The mean of all runs where all have a point.
    fn mean(&self) -> Vec<(f64, f64)> {
        let estimates = self.estimates().into_iter();
        estimates.map(|(x, y, _)| (x, y)).collect()
    }

    /// Upper edge to the right, lower edge back.
    fn band(&self, x: &Scale, y: &Scale) -> Vec<(f64, f64)> {
        let estimates = self.estimates();
        let edge = |sign: f64| {
            let at = move |e: &(f64, f64, f64)| Some((x.inside(e.0)?, y.clamp(e.1 + sign * e.2)?));
            estimates.iter().filter_map(at).collect::<Vec<_>>()
        };
        let mut outline = edge(1.0);
        outline.extend(edge(-1.0).into_iter().rev());
        outline
    }

    /// (x, mean, half width of its interval)
    fn estimates(&self) -> Vec<(f64, f64, f64)> {
        let Some((first, others)) = self.runs.split_first() else {
            return Vec::new();
        };
        let estimate = |&(x, y): &(f64, f64)| {
            let at_x = |run: &Vec<(f64, f64)>| run.iter().find(|p| p.0 == x).map(|p| p.1);
            let mut values = vec![y];
            for run in others {
                values.push(at_x(run)?);
            }
            let estimate = mean(&values).ok()?;
            let half = |interval: Interval| interval.high - estimate.mean;
            Some((x, estimate.mean, estimate.interval.map_or(0.0, half)))
        };
        first.iter().filter_map(estimate).collect()
    }
}

fn placed(points: &[(f64, f64)], x: &Scale, y: &Scale) -> Vec<(f64, f64)> {
    let placed = |point: &(f64, f64)| Some((x.inside(point.0)?, y.clamp(point.1)?));
    points.iter().filter_map(placed).collect()
}

fn staircase(points: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for &(x, y) in points {
        if let Some(&(_, before)) = steps.last() {
            steps.push((x, before));
        }
        steps.push((x, y));
    }
    steps.extend(steps.last().map(|last| (end, last.1)));
    steps
}
