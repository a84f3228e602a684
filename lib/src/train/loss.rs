//! Losses over logits, each with its gradient.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Zip};
use serde::{Deserialize, Serialize};

use crate::{
    eval::log_softmax,
    nn::{self, Objective},
    train::complementary::Complementary,
};

/// Which loss a run minimises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `-Σ q log p` with `q` the label, smoothed by ε: `1 - ε + ε/K` for the label
    /// and `ε/K` for each other class (Szegedy et al., "Rethinking the Inception
    /// architecture", CVPR 2016). ε is 0 to 1; 0 is plain cross-entropy.
    CrossEntropy { label_smoothing: f32 },
    /// The label names a class that the image is not.
    Complementary(Complementary),
}

impl Loss {
    /// Name for result files, e.g. `cross_entropy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy { .. } => "cross_entropy",
            Self::Complementary(loss) => loss.name(),
        }
    }

    /// This loss for one batch with these labels.
    pub fn of<'a>(self, labels: &'a [usize]) -> BatchLoss<'a> {
        BatchLoss { loss: self, labels }
    }
}

/// A [`Loss`] and the labels of one batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchLoss<'a> {
    loss: Loss,
    labels: &'a [usize],
}

impl Objective for BatchLoss<'_> {
    /// # Errors
    /// As [`nn::CrossEntropy`]: a complementary label is a class as well.
    fn check(&self, len: usize, classes: usize) -> nn::Result<()> {
        nn::CrossEntropy::new(self.labels).check(len, classes)
    }

    fn loss(&self, logits: ArrayView2<f32>, gradient: ArrayViewMut2<f32>) -> f32 {
        let log_p = log_softmax(logits);
        match self.loss {
            Loss::CrossEntropy { label_smoothing } => {
                cross_entropy(&log_p, self.labels, label_smoothing, gradient)
            }
            Loss::Complementary(loss) => loss.evaluate(&log_p, self.labels, gradient),
        }
    }
}

fn cross_entropy(
    log_p: &Array2<f64>,
    labels: &[usize],
    smoothing: f32,
    mut gradient: ArrayViewMut2<f32>,
) -> f32 {
    let (n, classes) = log_p.dim();
    let rest = f64::from(smoothing) / classes as f64;
    let peak = 1.0 - f64::from(smoothing);
    let mut total = 0.0;
    for ((row, mut grad), &label) in log_p.rows().into_iter().zip(gradient.rows_mut()).zip(labels) {
        total -= peak * row[label] + rest * row.sum();
        Zip::from(&mut grad).and(row).for_each(|g, &l| *g = ((l.exp() - rest) / n as f64) as f32);
        grad[label] -= (peak / n as f64) as f32;
    }
    (total / n as f64) as f32
}
