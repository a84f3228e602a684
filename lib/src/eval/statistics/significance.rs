//! Significance tests, and the correction for making many of them.

use std::fmt::{Display, Formatter, Result as FmtResult};

use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::{Error, Result, error::ensure, numbers::format_p};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    pub statistic: f64,
    pub degrees_of_freedom: usize,
    pub p: f64,
}

impl Display for TestResult {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        let (freedom, p) = (self.degrees_of_freedom, format_p(self.p));
        write!(f, "χ²({freedom}) = {:.1}, {p}", self.statistic)
    }
}

/// Pearson's χ² test of `observed` counts against `expected` ones: k − 1 degrees of freedom,
/// and fewer where `expected` was itself taken from the observed counts (margins of a table,
/// say).
///
/// # Errors
/// Where there are less than two categories, the lengths or sums differ, or an
/// expected count is not positive.
pub fn chi_square(
    observed: &[usize],
    expected: &[f64],
    degrees_of_freedom: usize,
) -> Result<TestResult> {
    let total: usize = observed.iter().sum();
    let sum: f64 = expected.iter().sum();
    let fits = observed.len() == expected.len() && (sum - total as f64).abs() <= 1e-9 * sum;
    let (k, against) = (observed.len(), expected.len());
    ensure(
        k >= 2 && fits && expected.iter().all(|&e| e > 0.0),
        || format!("χ² of {k} categories against {against}"),
        "pass two categories or more, and positive expected counts of the same sum",
    )?;
    let terms = observed.iter().zip(expected);
    let statistic = terms.map(|(&o, &e)| (o as f64 - e).powi(2) / e).sum();
    let distribution = ChiSquared::new(degrees_of_freedom as f64).map_err(|error| {
        let remedy = "pass more categories than were fitted";
        Error::argument(format!("χ²: {error}"), remedy)
    })?;
    Ok(TestResult { statistic, degrees_of_freedom, p: distribution.sf(statistic) })
}

/// p-values adjusted for the number of tests, in the order given (S. Holm,
/// "A simple sequentially rejective multiple test procedure", 1979). NaN stays
/// NaN, and is not counted as a test.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&i| !p_values[i].is_nan()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(p_values[i] * (order.len() - rank) as f64).min(1.0);
        adjusted[i] = largest;
    }
    adjusted
}
