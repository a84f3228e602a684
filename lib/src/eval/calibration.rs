//! Whether predictions with a confidence of 0.9 are right nine times in ten.

use crate::{Result, error::ensure};

use super::evaluation::Evaluation;

/// Calibration of an [`Evaluation`], over bins of equal width.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Expected calibration error, Σ (n_b / n) |accuracy_b − confidence_b|
    /// (Guo et al., "On calibration of modern neural networks", ICML 2017).
    pub ece: f64,
    /// Means over all images, 0 to 1. Confidence above accuracy is overconfidence.
    pub confidence: f64,
    pub accuracy: f64,
    pub bins: Vec<ReliabilityBin>,
}

/// The images whose confidence lies in one of the bins, which are open below.
#[derive(Clone, Debug, PartialEq)]
pub struct ReliabilityBin {
    pub count: usize,
    /// Mean confidence and share of correct predictions; 0 in an empty bin.
    pub confidence: f64,
    pub accuracy: f64,
}

impl Evaluation {
    /// Calibration over `bins` bins of equal width; 15 is usual.
    ///
    /// # Errors
    /// Where `bins` is 0.
    pub fn calibration(&self, bins: usize) -> Result<Calibration> {
        ensure(bins > 0, || "calibration over 0 bins", "pass 15, the usual number")?;
        let (confidence, correct) = (self.confidence(), self.correct());
        let mut sums = vec![(0_usize, 0.0, 0_usize); bins]; // (count, Σ confidence, correct)
        for (&c, &hit) in confidence.iter().zip(&correct) {
            // Bins are open below: a confidence of exactly k / bins belongs to the lower bin.
            let b = (c * bins as f64).ceil().clamp(1.0, bins as f64) as usize - 1;
            sums[b].0 += 1;
            sums[b].1 += c;
            sums[b].2 += usize::from(hit);
        }
        let bin = |&(count, confidence, correct): &(usize, f64, usize)| ReliabilityBin {
            count,
            confidence: confidence / count.max(1) as f64,
            accuracy: correct as f64 / count.max(1) as f64,
        };
        let bins: Vec<ReliabilityBin> = sums.iter().map(bin).collect();
        let n = self.len() as f64;
        let gap = |bin: &ReliabilityBin| (bin.accuracy - bin.confidence).abs();
        Ok(Calibration {
            ece: bins.iter().map(|b| b.count as f64 / n * gap(b)).sum(),
            confidence: confidence.iter().sum::<f64>() / n,
            accuracy: self.accuracy(),
            bins,
        })
    }
}
