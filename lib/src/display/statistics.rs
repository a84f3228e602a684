//! Estimates and tests in words, the same everywhere.

use std::fmt::{Display, Formatter, Result as FmtResult};

use crate::eval::statistics::{Estimate, Interval, TestResult};

use crate::numbers::{format_number, format_p};

/// The 95 % interval of a share of 0 to 1 as percentages: `90.12 – 91.33 %`.
pub fn percent_interval(estimate: &Estimate) -> String {
    let percent = |share: f64| format_number(share * 100.0, 2);
    match estimate.interval {
        Some(interval) => format!("{} – {} %", percent(interval.low), percent(interval.high)),
        None => "none from one seed".into(),
    }
}

/// `[0.9012, 0.9133]`; the precision of the format applies, 4 where none is given.
impl Display for Interval {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        let decimals = f.precision().unwrap_or(4);
        write!(f, "[{:.decimals$}, {:.decimals$}]", self.low, self.high)
    }
}

impl Display for TestResult {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        let (freedom, p) = (self.degrees_of_freedom, format_p(self.p));
        write!(f, "χ²({freedom}) = {:.1}, {p}", self.statistic)
    }
}
