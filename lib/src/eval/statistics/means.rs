//! Means, paired differences and proportions, with 95 % intervals.

use std::fmt::{Display, Formatter, Result as FmtResult};

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::{Error, Result, error::ensure};

/// A 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// A mean with the spread of what it was taken from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// Sample standard deviation (n − 1); `None` for a single value.
    pub sd: Option<f64>,
    /// Student's t-interval; `None` for a single value.
    pub interval: Option<Interval>,
    pub n: usize,
}

/// The mean of paired differences, and how sure of it one can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// Mean of `a − b`.
    pub mean: f64,
    pub interval: Interval,
    pub t: f64,
    /// Two-sided p-value of the paired t-test, n − 1 degrees of freedom.
    pub p: f64,
    /// Cohen's d_z: the mean difference over the standard deviation of the differences.
    pub d_z: f64,
    pub n: usize,
}

/// Mean of `values` with its 95 % t-interval.
///
/// # Errors
/// Where there is no value, or one is not finite.
pub fn mean(values: &[f64]) -> Result<Estimate> {
    mean_of_splits(values, 0.0)
}

/// As [`mean`], for values from random splits of one set of samples, of which each has
/// `test_to_train` times as many to test as to train. What they train on overlaps, so they vary
/// less than they err: the variance of their mean is `1 / n + test_to_train` times theirs (C.
/// Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003).
pub fn mean_of_splits(values: &[f64], test_to_train: f64) -> Result<Estimate> {
    check_finite(values, "mean")?;
    let n = values.len();
    ensure(n > 0, || "mean of no values", "pass at least one")?;
    let mean = values.iter().sum::<f64>() / n as f64;
    let mut estimate = Estimate { mean, sd: None, interval: None, n };
    if n > 1 {
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (squares / (n - 1) as f64).sqrt();
        let share = (1.0 / n as f64 + test_to_train).sqrt();
        let half = student_t(n - 1)?.inverse_cdf(0.975) * sd * share;
        estimate.sd = Some(sd);
        estimate.interval = Some(Interval::around(mean, half));
    }
    Ok(estimate)
}

/// Differences `a[i] − b[i]` of runs that share their seed; `test_to_train` is 0, or that of random
/// splits ([`mean_of_splits`]).
///
/// Where all differences are the same number, t and d_z are infinite and p is 0;
/// where all are 0, t and d_z are 0 and p is 1.
///
/// # Errors
/// Where the lengths differ or are below 2, or a value is not finite.
pub fn difference_of_splits(a: &[f64], b: &[f64], test_to_train: f64) -> Result<PairedDifference> {
    ensure(
        a.len() == b.len() && a.len() >= 2,
        || format!("paired difference of {} values with {}", a.len(), b.len()),
        "pass the same number of runs of both, at least two, in the order of their seeds",
    )?;
    check_finite(a, "paired difference")?;
    check_finite(b, "paired difference")?;
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let estimate = mean_of_splits(&differences, test_to_train)?;
    let (n, sd) = (estimate.n, estimate.sd.unwrap_or(0.0));
    let d_z = if estimate.mean == 0.0 { 0.0 } else { estimate.mean / sd };
    let t = d_z / (1.0 / n as f64 + test_to_train).sqrt();
    let flat = Interval::around(estimate.mean, 0.0);
    Ok(PairedDifference {
        mean: estimate.mean,
        interval: estimate.interval.unwrap_or(flat),
        t,
        p: if t.is_infinite() { 0.0 } else { 2.0 * student_t(n - 1)?.sf(t.abs()) },
        d_z,
        n,
    })
}

/// Where one more value falls in 95 of 100 cases, if it comes from where `values` come from.
///
/// # Errors
/// As [`mean`], and for a single value.
pub fn prediction_interval(values: &[f64]) -> Result<Interval> {
    let Estimate { mean, sd, n, .. } = mean(values)?;
    let sd = sd.ok_or_else(|| {
        Error::argument("a prediction from one value", "pass at least two values")
    })?;
    let half = student_t(n - 1)?.inverse_cdf(0.975) * sd * (1.0 + 1.0 / n as f64).sqrt();
    Ok(Interval::around(mean, half))
}

/// Wilson's score interval of `successes` in `n` trials (E. B. Wilson, JASA 1927).
///
/// # Errors
/// Where `n` is 0 or less than `successes`.
pub fn wilson(successes: usize, n: usize) -> Result<Interval> {
    ensure(
        n > 0 && successes <= n,
        || format!("proportion of {successes} in {n}"),
        "pass at least one trial, and no more successes than trials",
    )?;
    let (p, n) = (successes as f64 / n as f64, n as f64);
    let z = Normal::standard().inverse_cdf(0.975);
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    // Rounding must not put the share itself outside, as it can at 0 and 1.
    Ok(Interval { low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0) })
}

impl Interval {
    fn around(centre: f64, half: f64) -> Self {
        Self { low: centre - half, high: centre + half }
    }

    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// `[0.9012, 0.9133]`; the precision of the format applies, 4 where none is given.
impl Display for Interval {
    fn fmt(&self, f: &mut Formatter) -> FmtResult {
        let decimals = f.precision().unwrap_or(4);
        write!(f, "[{:.decimals$}, {:.decimals$}]", self.low, self.high)
    }
}

fn student_t(freedom: usize) -> Result<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom as f64).map_err(|error| {
        Error::argument(format!("Student's t: {error}"), "pass at least two values")
    })
}

fn check_finite(values: &[f64], what: &str) -> Result<()> {
    values.iter().enumerate().try_for_each(|(i, value)| {
        ensure(
            value.is_finite(),
            || format!("{what}: value {i} is {value}"),
            "leave out runs that failed, and say so",
        )
    })
}
