//! Learning from complementary labels: each label names a class that the image is *not*.
//!
//! With `K` classes, `p` the softmax and `ȳ` the complementary label. Three losses of the
//! literature are not written twice, since they have the gradient of one here up to a constant
//! factor: SCL-NL (Chou et al., 2020) and LOG (Feng et al., 2020) that of [`Forward`], SCL-EXP
//! (Chou et al., 2020) that of [`Exponential`].
//!
//! [`Forward`]: Complementary::Forward
//! [`Exponential`]: Complementary::Exponential

use ndarray::{Array2, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

use crate::eval::log_softmax;

/// A loss that needs only complementary labels, drawn uniformly from the
/// `K - 1` wrong classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Complementary {
    /// Forward correction, `-log((1 - p_ȳ) / (K - 1))`
    /// (Yu, Liu, Gong and Tao, "Learning with biased complementary labels", ECCV 2018).
    Forward,
    /// The unbiased risk estimator for any loss, here with ℓ(k) = -log p_k:
    /// `-(K - 1) ℓ(ȳ) + Σ_k ℓ(k)`. It has no lower bound
    /// (Ishida, Niu, Menon and Sugiyama, "Complementary-label learning for arbitrary
    /// losses and models", ICML 2019).
    Unbiased,
    /// The unbiased estimator class by class, each part kept at or above zero:
    /// `Σ_k max(0, R_k)` (Ishida et al., ICML 2019, equation 12).
    NonNegative,
    /// As [`Complementary::NonNegative`], but where some part is negative the step
    /// climbs those parts instead of descending the others
    /// (Ishida et al., ICML 2019, algorithm 1 with β = 0, γ = 1).
    GradientAscent,
    /// Pairwise comparison with the sigmoid loss `s(z) = 1 / (1 + e^z)`:
    /// `(K - 1) Σ_{k ≠ ȳ} s(z_k - z_ȳ) - K (K - 1) / 2 + (K - 1)`
    /// (Ishida, Niu, Hu and Sugiyama, "Learning from complementary labels", NIPS 2017).
    PairwiseComparison,
    /// The bounded loss EXP, `(K - 1) exp(-Σ_{k ≠ ȳ} p_k)`
    /// (Feng et al., "Learning with multiple complementary labels", ICML 2020).
    Exponential,
}

impl Complementary {
    pub const ALL: [Self; 6] = [
        Self::Forward,
        Self::Unbiased,
        Self::NonNegative,
        Self::GradientAscent,
        Self::PairwiseComparison,
        Self::Exponential,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Unbiased => "unbiased",
            Self::NonNegative => "non_negative",
            Self::GradientAscent => "gradient_ascent",
            Self::PairwiseComparison => "pairwise_comparison",
            Self::Exponential => "exponential",
        }
    }

    /// Name and source, for readers.
    pub fn title(self) -> &'static str {
        match self {
            Self::Forward => "forward correction (Yu et al., 2018)",
            Self::Unbiased => "unbiased risk (Ishida et al., 2019)",
            Self::NonNegative => "non-negative risk (Ishida et al., 2019)",
            Self::GradientAscent => "gradient ascent (Ishida et al., 2019)",
            Self::PairwiseComparison => "pairwise comparison (Ishida et al., 2017)",
            Self::Exponential => "EXP, bounded (Feng et al., 2020)",
        }
    }

    /// This loss of `logits` `(n, K)` for complementary `labels`: on held-out images, a
    /// criterion that needs no true label.
    ///
    /// # Panics
    /// Where a label is `K` or more.
    pub fn risk(self, logits: &Array2<f32>, labels: &[usize]) -> f64 {
        let mut unused = Array2::zeros(logits.raw_dim());
        let log_p = log_softmax(logits.view());
        f64::from(self.evaluate(&log_p, labels, unused.view_mut()))
    }

    /// Mean loss of a batch given `log p` `(n, K)`; writes the gradient with respect to
    /// the logits.
    pub(crate) fn evaluate(
        self,
        log_p: &Array2<f64>,
        labels: &[usize],
        mut gradient: ArrayViewMut2<f32>,
    ) -> f32 {
        let mut slope = Array2::zeros(log_p.raw_dim()); // d loss / d log p
        let loss = match self {
            Self::Forward => forward(log_p, labels, &mut slope),
            Self::Unbiased => {
                let weights = vec![1.0 / labels.len() as f64; labels.len()];
                add_risk_slopes(log_p, labels, &weights, |_| 1.0, &mut slope);
                class_risks(log_p, labels, &weights).iter().sum()
            }
            Self::NonNegative => {
                let weights = balanced(labels, log_p.ncols());
                let risks = class_risks(log_p, labels, &weights);
                let kept = |k: usize| if risks[k] > 0.0 { 1.0 } else { 0.0 };
                add_risk_slopes(log_p, labels, &weights, kept, &mut slope);
                risks.iter().map(|risk| risk.max(0.0)).sum()
            }
            Self::GradientAscent => {
                let weights = balanced(labels, log_p.ncols());
                let risks = class_risks(log_p, labels, &weights);
                let ascend = risks.iter().any(|&risk| risk < 0.0);
                let sign = |k: usize| match (ascend, risks[k] < 0.0) {
                    (false, _) => 1.0,
                    (true, true) => -1.0,
                    (true, false) => 0.0,
                };
                add_risk_slopes(log_p, labels, &weights, sign, &mut slope);
                risks.iter().sum()
            }
            Self::PairwiseComparison => pairwise(log_p, labels, &mut slope),
            Self::Exponential => exponential(log_p, labels, &mut slope),
        };
        // log p depends on every logit: d/dz_k = slope_k - p_k Σ_j slope_j.
        for ((mut grad, slope), log_p) in
            gradient.rows_mut().into_iter().zip(slope.rows()).zip(log_p.rows())
        {
            let total = slope.sum();
            Zip::from(&mut grad)
                .and(slope)
                .and(log_p)
                .for_each(|g, &s, &l| *g = (s - l.exp() * total) as f32);
        }
        loss as f32
    }
}

/// An estimate of accuracy from complementary labels alone: a wrong prediction hits the
/// complementary label once in `K - 1`, a right one never, so
/// `1 - (K - 1) · share of predictions equal to the complementary label`.
pub fn estimated_accuracy(hits: usize, n: usize, classes: usize) -> f64 {
    1.0 - (classes - 1) as f64 * hits as f64 / n as f64
}

fn forward(log_p: &Array2<f64>, labels: &[usize], slope: &mut Array2<f64>) -> f64 {
    let (n, classes) = log_p.dim();
    let mut total = 0.0;
    for (i, &label) in labels.iter().enumerate() {
        // log(1 - p_ȳ) as the log-sum of the others: exact where p_ȳ is close to 1.
        let row = log_p.row(i);
        let others = || (0..classes).filter(|&k| k != label);
        let max = others().map(|k| row[k]).fold(f64::NEG_INFINITY, f64::max);
        let log_rest = max + others().map(|k| (row[k] - max).exp()).sum::<f64>().ln();
        total += ((classes - 1) as f64).ln() - log_rest;
        for k in others() {
            slope[(i, k)] = -(row[k] - log_rest).exp() / n as f64;
        }
    }
    total / n as f64
}

/// The weight of each image where every complementary label counts for `1 / K`, however
/// often it is in the batch: a risk estimated from plain counts is below zero in most
/// batches by chance, and would be corrected needlessly.
fn balanced(labels: &[usize], classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for &label in labels {
        counts[label] += 1.0;
    }
    let each = |&label: &usize| 1.0 / (classes as f64 * counts[label]);
    labels.iter().map(each).collect()
}

/// `R_k = Σ w ℓ(k) - (K - 1) Σ [ȳ = k] w ℓ(k)` over the batch, with ℓ(k) = -log p_k and `w`
/// the weight of each image.
fn class_risks(log_p: &Array2<f64>, labels: &[usize], weights: &[f64]) -> Vec<f64> {
    let classes = log_p.ncols();
    let mut risks = vec![0.0; classes];
    for ((row, &label), weight) in log_p.rows().into_iter().zip(labels).zip(weights) {
        for (risk, log_p) in risks.iter_mut().zip(row) {
            *risk -= weight * log_p;
        }
        risks[label] += weight * (classes - 1) as f64 * row[label];
    }
    risks
}

/// Adds the slopes of `Σ sign(k) R_k`.
fn add_risk_slopes(
    log_p: &Array2<f64>,
    labels: &[usize],
    weights: &[f64],
    sign: impl Fn(usize) -> f64,
    slope: &mut Array2<f64>,
) {
    let classes = log_p.ncols();
    for (i, (&label, weight)) in labels.iter().zip(weights).enumerate() {
        for k in 0..classes {
            slope[(i, k)] -= sign(k) * weight;
        }
        slope[(i, label)] += sign(label) * (classes - 1) as f64 * weight;
    }
}

fn pairwise(log_p: &Array2<f64>, labels: &[usize], slope: &mut Array2<f64>) -> f64 {
    let (n, classes) = log_p.dim();
    let factor = (classes - 1) as f64;
    let mut total = 0.0;
    for (i, &label) in labels.iter().enumerate() {
        for k in (0..classes).filter(|&k| k != label) {
            let s = 1.0 / (1.0 + (log_p[(i, k)] - log_p[(i, label)]).exp());
            total += s;
            let ds = -s * (1.0 - s) * factor / n as f64;
            slope[(i, k)] += ds;
            slope[(i, label)] -= ds;
        }
    }
    factor * total / n as f64 - classes as f64 * factor / 2.0 + factor
}

fn exponential(log_p: &Array2<f64>, labels: &[usize], slope: &mut Array2<f64>) -> f64 {
    let (n, classes) = log_p.dim();
    let mut total = 0.0;
    for (i, &label) in labels.iter().enumerate() {
        let p = log_p[(i, label)].exp();
        let loss = (classes - 1) as f64 * (p - 1.0).exp();
        total += loss;
        slope[(i, label)] = loss * p / n as f64;
    }
    total / n as f64
}
