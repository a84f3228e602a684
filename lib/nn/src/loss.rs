//! From logits to probabilities, predictions and a loss.

use dfdx::{
    shapes::HasShape,
    tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor, TensorFromVec},
    tensor_ops::ReshapeTo,
};
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};

use crate::{
    Error, Objective, Result,
    kernels::{buffer::add, view::values},
    shape::Features,
};

/// Row-wise `z - log Σ exp z`, computed from the row's maximum so that it cannot overflow.
pub fn log_softmax(logits: ArrayView2<f32>) -> Array2<f64> {
    let mut log_p = logits.mapv(f64::from);
    for mut row in log_p.rows_mut() {
        let max = row.fold(f64::NEG_INFINITY, |max, &z| max.max(z));
        let log_sum = max + row.fold(0.0, |sum, &z| sum + (z - max).exp()).ln();
        row -= log_sum;
    }
    log_p
}

/// Index of the largest value; of equals the first. A NaN is never the larger one: a row that
/// begins with NaN gives 0.
pub fn argmax(row: ArrayView1<f32>) -> usize {
    let better = |best: usize, i: usize| if row[i] > row[best] { i } else { best };
    (0..row.len()).fold(0, better)
}

/// Mean cross-entropy of the softmax of logits, for one label an image.
///
/// As PyTorch's `CrossEntropyLoss`. A training step refuses a label that is no class, and another
/// number of labels than of images, before it changes anything. [`Objective::loss`] by itself is
/// NaN for both.
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
    /// # Errors
    /// Where there is not one label per image, or a label is no class.
    fn check(&self, len: usize, classes: usize) -> Result<()> {
        if self.labels.len() != len {
            let problem = format!("{} labels for {len} images", self.labels.len());
            return Err(Error::argument(problem, "give one label per image"));
        }
        match self.labels.iter().find(|label| **label >= classes) {
            Some(label) => Err(Error::argument(
                format!("a label of {label} for {classes} classes"),
                "number the classes from 0, and let the network end in one value per class",
            )),
            None => Ok(()),
        }
    }

    fn loss(&self, logits: ArrayView2<f32>, mut gradient: ArrayViewMut2<f32>) -> f32 {
        let batch = logits.nrows() as f64;
        if self.labels.len() != logits.nrows() {
            return f32::NAN;
        }
        let mut total = 0.0;
        let rows = logits.axis_iter(Axis(0)).zip(gradient.axis_iter_mut(Axis(0)));
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

/// [`CrossEntropy`] of logits on dfdx's tape: `(batch, N)` to a number.
///
/// PyTorch equivalent: `torch.nn.functional.cross_entropy(logits, labels)`.
///
/// # Errors
/// [`CpuError::WrongNumElements`] where `labels` are not as many as the logits have rows. A label
/// that is no class makes the loss NaN.
///
/// ```
/// use dfdx::prelude::{AsArray, Backward, Const, Cpu, Trace, ZerosTensor};
/// use dfdx_conv::{cross_entropy, shape::Features};
///
/// let logits: Features<10> = Cpu::default().zeros_like(&(2, Const));
/// let loss = cross_entropy(logits.leaky_trace(), &[3, 7]).unwrap();
/// assert!((loss.array() - 10f32.ln()).abs() < 1e-6);
/// let gradients = loss.backward();
/// ```
pub fn cross_entropy<const N: usize, T: Tape<f32, Cpu>>(
    logits: Features<N, T>,
    labels: &[usize],
) -> Result<Tensor<(), f32, Cpu, T>, CpuError> {
    let shape = *logits.shape();
    if labels.len() != shape.0 {
        return Err(CpuError::WrongNumElements);
    }
    let (logits, mut tape) = logits.try_reshape_like(&shape)?.split_tape();
    let mut gradient = vec![0.0; shape.0 * N];
    let wrong = |_| CpuError::WrongNumElements;
    let loss = CrossEntropy::new(labels).loss(
        ArrayView2::from_shape((shape.0, N), &values(&logits)).map_err(wrong)?,
        ArrayViewMut2::from_shape((shape.0, N), &mut gradient).map_err(wrong)?,
    );
    let loss = (logits.device().clone()).try_tensor_from_vec(vec![loss], ())?;
    let out = loss.clone();
    tape.add_backward_op(move |grads| {
        let dy = grads.get_or_alloc_mut(&out)?[0];
        gradient.iter_mut().for_each(|g| *g *= dy);
        add(grads.get_or_alloc_mut(&logits)?, &gradient);
        Ok(())
    });
    Ok(loss.put_tape(tape))
}
