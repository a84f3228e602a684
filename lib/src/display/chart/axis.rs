//! An axis: its name, its range, and the numbers written along it.

use crate::numbers::format_count;

/// A named axis. The range follows the data where it is not set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    pub(super) name: String,
    low: Option<f64>,
    high: Option<f64>,
    percent: bool,
}

/// An axis fitted to data.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    /// (position, what is written there)
    pub ticks: Vec<(f64, String)>,
}

/// Values beyond this have no place on an axis, nor have infinities and NaN.
const LARGEST: f64 = 1e100;

impl Axis {
    /// `name` includes the unit, e.g. `"time (s)"`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// For shares of 0 to 1, written as percentages.
    pub fn percent(name: impl Into<String>) -> Self {
        Self { percent: true, ..Self::new(name) }
    }

    pub fn from(mut self, low: f64) -> Self {
        self.low = Some(low);
        self
    }

    pub fn to(mut self, high: f64) -> Self {
        self.high = Some(high);
        self
    }

    /// A value of this axis in words, with the digits that it has.
    pub(super) fn exact(&self, value: f64) -> String {
        if self.percent { format!("{} %", (value * 1e6).round() / 1e4) } else { value.to_string() }
    }

    /// Fits the axis to `values`, with about `count` numbers along it.
    pub(super) fn fit(&self, values: impl Iterator<Item = f64>, count: usize) -> Scale {
        let limits = [self.low, self.high].into_iter().flatten();
        let values: Vec<f64> = values.chain(limits).filter(is_usable).collect();
        // Between two epochs there is nothing to number.
        let whole = !self.percent && values.iter().all(|value| value.fract() == 0.0);
        let low = values.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let high = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
        let (low, high) = self.padded(low, high);
        Scale { low, high, ticks: self.ticks(low, high, count, whole) }
    }

    /// A little room where the caller set no limit; shares stay within 0 to 1.
    fn padded(&self, low: f64, high: f64) -> (f64, f64) {
        let padding = if high > low { (high - low) * 0.04 } else { low.abs().max(1.0) * 0.05 };
        let (mut from, mut to) = (low - padding, high + padding);
        if self.percent {
            (from, to) = (from.max(low.min(0.0)), to.min(high.max(1.0)));
        }
        from = self.low.filter(is_usable).unwrap_or(from);
        to = self.high.filter(is_usable).unwrap_or(to);
        (from, if to > from { to } else { from + padding })
    }

    /// The axis of items at 0, 1, 2 … with their names.
    pub(super) fn categories(names: &[String]) -> Scale {
        let ticks = (0..).zip(names);
        let ticks = ticks.map(|(i, name)| (f64::from(i), name.clone()));
        Scale { low: -0.5, high: names.len().max(1) as f64 - 0.5, ticks: ticks.collect() }
    }

    fn ticks(&self, low: f64, high: f64, count: usize, whole: bool) -> Vec<(f64, String)> {
        let step = round_step((high - low) / count as f64).max(if whole { 1.0 } else { 0.0 });
        let (first, last) = (low / step - 1e-6, high / step + 1e-6);
        // An axis of no usable width would have ticks without end.
        let numbers = (first.ceil() as i64..=last.floor() as i64).take(50);
        let tick = |k: i64| (k as f64 * step, self.words(k as f64 * step, step));
        numbers.map(tick).collect()
    }

    fn words(&self, value: f64, step: f64) -> String {
        let factor = if self.percent { 100.0 } else { 1.0 };
        let (value, step) = (value * factor, step * factor);
        let size = if value.abs() < step * 1e-6 { 0.0 } else { value.abs() };
        let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 6.0) as usize;
        let words = match size {
            _ if size != 0.0 && !(1e-6..1e9).contains(&size) => format!("{size:.0e}"),
            1_000.0.. if decimals == 0 => format_count(size.round() as usize),
            _ => format!("{size:.decimals$}"),
        };
        let sign = if value < 0.0 && size > 0.0 { "−" } else { "" };
        format!("{sign}{words}{}", if self.percent { " %" } else { "" })
    }
}

impl Scale {
    /// Where `value` lies; `None` outside the axis.
    pub fn inside(&self, value: f64) -> Option<f64> {
        (self.low..=self.high).contains(&value).then_some(value)
    }

    /// The same, moved to the nearer end where it is outside; `None` where no axis has a place for
    /// it.
    pub fn clamp(&self, value: f64) -> Option<f64> {
        is_usable(&value).then(|| value.clamp(self.low, self.high))
    }

    pub fn longest_label(&self) -> usize {
        let lengths = self.ticks.iter().map(|(_, words)| words.chars().count());
        lengths.max().unwrap_or(0)
    }
}

fn is_usable(value: &f64) -> bool {
    value.abs() < LARGEST
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn round_step(rough: f64) -> f64 {
    let decade = 10_f64.powf(rough.log10().floor());
    let mut steps = [1.0, 2.0, 5.0].into_iter().map(|s| s * decade);
    let step = steps.find(|step| *step >= rough * 0.999);
    step.unwrap_or(10.0 * decade)
}
