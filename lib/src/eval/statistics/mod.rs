//! Statistics for few seeds and many comparisons.

mod means;
mod significance;
mod survival;

pub use means::{
    Estimate, Interval, PairedDifference, difference_of_splits, mean, mean_of_splits,
    prediction_interval, wilson,
};
pub use significance::{TestResult, chi_square, holm};
pub use survival::{KaplanMeier, SurvivalStep, Time};

/// Area under the polyline through `points` (x rising) by the trapezoidal rule.
///
/// Divided by the width it is the mean height, e.g. the mean validation accuracy
/// over training. 0 for less than two points.
pub fn area_under(points: &[(f64, f64)]) -> f64 {
    points.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum()
}
