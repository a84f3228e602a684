//! Softmax cross-entropy.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::Objective;

/// Mean cross-entropy of the softmax of logits, for one label an image.
///
/// As PyTorch's `CrossEntropyLoss`. A label that is no class makes the loss NaN.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a> {
    labels: &'a [usize],
}

impl<'a> CrossEntropy<'a> {
    /// `labels[i]` is the class of image `i`.
    pub fn new(labels: &'a [usize]) -> Self {
        Self { labels }
    }
}

impl Objective for CrossEntropy<'_> {
    fn loss(&self, logits: ArrayView2<f32>, mut gradient: ArrayViewMut2<f32>) -> f32 {
        let batch = logits.nrows() as f64;
        if self.labels.len() != logits.nrows() {
            return f32::NAN;
        }
        let mut total = 0.0;
        let rows = logits
            .axis_iter(Axis(0))
            .zip(gradient.axis_iter_mut(Axis(0)));
        for ((logits, mut gradient), &label) in rows.zip(self.labels) {
            let largest = logits.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            let sum: f64 = logits.iter().map(|x| f64::from(x - largest).exp()).sum();
            for (class, (to, x)) in gradient.iter_mut().zip(logits).enumerate() {
                let target = if class == label { 1.0 } else { 0.0 };
                *to = ((f64::from(x - largest).exp() / sum - target) / batch) as f32;
            }
            let own = logits.get(label).copied().unwrap_or(f32::NAN);
            total += sum.ln() - f64::from(own - largest);
        }
        (total / batch) as f32
    }
}
