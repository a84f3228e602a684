//! Estimates and tests in words, the same everywhere.

use std::fmt::{Display, Formatter, Result as FmtResult};

use crate::eval::statistics::{Estimate, Interval, TestResult};

use super::html::{Html, Show, note};
use crate::numbers::{format_number, format_p};

/// The 95 % interval of a share of 0 to 1 as percentages: `90.12 – 91.33 %`.
pub fn percent_interval(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => format!(
            "{} – {} %",
            format_number(interval.low * 100.0, 2),
            format_number(interval.high * 100.0, 2)
        ),
        None => "one seed has none".into(),
    }
}

/// `[0.9012, 0.9133]`; the precision of the format applies, 4 where none is given.
impl Display for Interval {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        let decimals = f.precision().unwrap_or(4);
        write!(f, "[{:.decimals$}, {:.decimals$}]", self.low, self.high)
    }
}

/// `0.9072 [0.9012, 0.9133] (n = 5)`
impl Display for Estimate {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        let decimals = f.precision().unwrap_or(4);
        write!(f, "{:.decimals$}", self.mean)?;
        if let Some(interval) = self.interval {
            write!(f, " {interval:.decimals$}")?;
        }
        write!(f, " (n = {})", self.n)
    }
}

impl Display for TestResult {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        write!(
            f,
            "χ²({}) = {:.1}, {}",
            self.degrees_of_freedom,
            self.statistic,
            format_p(self.p)
        )
    }
}

macro_rules! show_as_words {
    ($($type:ty),*) => { $(
        impl Show for $type {
            fn show(&self) -> Html {
                note(&self.to_string())
            }
        }
    )* };
}

show_as_words!(Interval, Estimate, TestResult);
