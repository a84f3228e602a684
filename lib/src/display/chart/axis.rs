//! An axis: its name, its range, and the numbers written along it.

/// A named axis. The range follows the data where it is not set.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub(super) name: String,
    low: Option<f64>,
    high: Option<f64>,
    percent: bool,
    log: bool,
}

/// An axis fitted to data. Positions are logarithms on a logarithmic axis.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    /// (position, what is written there)
    pub ticks: Vec<(f64, String)>,
    log: bool,
}

/// What is beyond has no place on an axis; infinities and NaN have none either.
const LARGEST: f64 = 1e100;

impl Axis {
    /// `name` holds the unit, e.g. `"time (s)"`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            low: None,
            high: None,
            percent: false,
            log: false,
        }
    }

    /// For shares of 0 to 1, written as percentages.
    pub fn percent(name: impl Into<String>) -> Self {
        Self {
            percent: true,
            ..Self::new(name)
        }
    }

    pub fn from(mut self, low: f64) -> Self {
        self.low = Some(low);
        self
    }

    pub fn to(mut self, high: f64) -> Self {
        self.high = Some(high);
        self
    }

    /// Logarithmic; values that are not positive are left out.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    /// Fits the axis to `values`, with about `count` numbers along it.
    pub(super) fn fit(&self, values: impl Iterator<Item = f64>, count: usize) -> Scale {
        let usable = |value: &f64| value.abs() < LARGEST && (!self.log || *value > 0.0);
        let set = [self.low, self.high].into_iter().flatten().filter(usable);
        let (mut low, mut high) = values
            .filter(usable)
            .chain(set)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            (low, high) = if self.log { (0.1, 1.0) } else { (0.0, 1.0) };
        }
        let place = |value: f64| if self.log { value.log10() } else { value };
        let (mut low, mut high) = (place(low), place(high));
        // A little air where the caller set no limit; shares stay within 0 to 1.
        let air = if high > low {
            (high - low) * 0.04
        } else {
            low.abs().max(1.0) * 0.05
        };
        let (floor, ceiling) = match self.percent && !self.log {
            true => (0.0_f64.min(low), 1.0_f64.max(high)),
            false => (f64::NEG_INFINITY, f64::INFINITY),
        };
        low = self
            .low
            .filter(usable)
            .map_or((low - air).max(floor), place);
        high = self
            .high
            .filter(usable)
            .map_or((high + air).min(ceiling), place);
        if high <= low {
            high = low + air;
        }
        Scale {
            low,
            high,
            ticks: self.ticks(low, high, count),
            log: self.log,
        }
    }

    /// The axis of items at 0, 1, 2 … with their names.
    pub(super) fn categories(names: &[String]) -> Scale {
        let ticks = names
            .iter()
            .enumerate()
            .map(|(i, name)| (i as f64, name.clone()));
        Scale {
            low: -0.5,
            high: names.len().max(1) as f64 - 0.5,
            ticks: ticks.collect(),
            log: false,
        }
    }

    fn ticks(&self, low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
        if self.log && high - low >= 1.0 {
            return self.decades(low, high);
        }
        let (from, to) = if self.log {
            (10_f64.powf(low), 10_f64.powf(high))
        } else {
            (low, high)
        };
        let step = round_step((to - from) / count as f64);
        let (first, last) = (
            (from / step - 1e-6).ceil() as i64,
            (to / step + 1e-6).floor() as i64,
        );
        // An axis of no usable width would have ticks without end.
        let values = (first..=last).take(50).map(|k| k as f64 * step);
        let place = |value: f64| if self.log { value.log10() } else { value };
        values
            .map(|value| (place(value), self.words(value, step)))
            .collect()
    }

    fn decades(&self, low: f64, high: f64) -> Vec<(f64, String)> {
        let steps: &[f64] = if high - low < 2.5 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let decades = low.floor() as i32..=high.ceil() as i32;
        let values = decades.flat_map(|d| {
            steps
                .iter()
                .map(move |s| (s * 10_f64.powi(d), 10_f64.powi(d)))
        });
        let placed = values.map(|(value, decade)| (value.log10(), self.words(value, decade)));
        placed
            .filter(|(at, _)| (low - 1e-9..=high + 1e-9).contains(at))
            .collect()
    }

    fn words(&self, value: f64, step: f64) -> String {
        let (value, step) = if self.percent {
            (value * 100.0, step * 100.0)
        } else {
            (value, step)
        };
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        let value = if value.abs() < step * 1e-6 {
            0.0
        } else {
            value
        };
        let words = if value.abs() >= 10_000.0 && decimals == 0 {
            super::super::statistics::format_count(value.abs() as usize)
        } else {
            format!("{:.decimals$}", value.abs())
        };
        let sign = if value < 0.0 { "−" } else { "" };
        format!("{sign}{words}{}", if self.percent { " %" } else { "" })
    }
}

impl Scale {
    /// Where `value` lies; `None` where the axis has no place for it.
    pub fn place(&self, value: f64) -> Option<f64> {
        let position = if self.log { value.log10() } else { value };
        position.is_finite().then_some(position)
    }

    /// As [`Scale::place`], moved to the nearer end where it is outside.
    pub fn clamp(&self, value: f64) -> Option<f64> {
        Some(self.place(value)?.clamp(self.low, self.high))
    }

    pub fn longest_label(&self) -> usize {
        self.ticks
            .iter()
            .map(|(_, words)| words.chars().count())
            .max()
            .unwrap_or(0)
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn round_step(rough: f64) -> f64 {
    let decade = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|s| s * decade);
    steps
        .into_iter()
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * decade)
}
