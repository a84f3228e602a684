//! What training, evaluation and checkpoints ask of a network.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::{Error, LayerSpec, Optimizer, Result, TensorMut, TensorRef, shape::Dims};

/// Samples as a network takes them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Number of samples, at least 1.
    pub len: usize,
    /// `(len, channels, height, width)` row-major; `(len, length)` for a network of vectors.
    pub images: &'a [f32],
    /// `(len, features)` row-major; empty for a network without auxiliary features.
    pub features: &'a [f32],
}

/// A loss over the logits of one batch, with its gradient.
pub trait Objective: Sync {
    /// Whether it can judge logits of the shape `(len, classes)`. A training step asks before it
    /// changes anything.
    ///
    /// # Errors
    /// Where it cannot, e.g. for want of a label.
    fn check(&self, _len: usize, _classes: usize) -> Result<()> {
        Ok(())
    }

    /// Mean loss of the batch. Writes its gradient with respect to `logits`,
    /// `(len, classes)`, over `gradient`.
    fn loss(&self, logits: ArrayView2<f32>, gradient: ArrayViewMut2<f32>) -> f32;
}

/// What one training step yields.
#[derive(Clone, Debug)]
pub struct Step {
    /// Mean loss of the batch, before the update.
    pub loss: f32,
    /// `(len, classes)`: the logits of the forward pass, in training mode.
    pub logits: Array2<f32>,
}

/// What a classifier takes, and how many classes it tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The shape of one sample.
    pub input: Dims,
    /// Auxiliary features of one sample.
    pub features: usize,
    pub classes: usize,
}

impl Signature {
    /// Refuses a batch of another size.
    ///
    /// # Errors
    /// Where there is no image, or another number of pixels or features than `batch.len` asks for.
    pub fn check(&self, batch: &Batch) -> Result<()> {
        if batch.len == 0 {
            return Err(Error::argument("a batch of no images", "give at least one image"));
        }
        for (what, given, each) in [
            ("pixels", batch.images.len(), self.input.len()),
            ("features", batch.features.len(), self.features),
        ] {
            if batch.len.checked_mul(each) != Some(given) {
                return Err(Error::argument(
                    format!("a batch of {} images has {given} {what}", batch.len),
                    format!("give {each} {what} per image"),
                ));
            }
        }
        Ok(())
    }
}

/// Anything that maps samples to class logits, and learns. It is object-safe, so that a
/// notebook's cell never compiles the training loop again.
pub trait Classifier: Send + Sync {
    fn signature(&self) -> Signature;

    /// Forward pass in training mode, backward pass and one update. Whatever is drawn at random
    /// depends on the network's seed and on the optimiser's step count alone, so that a resumed
    /// run repeats it.
    ///
    /// # Errors
    /// Where the batch does not fit the [`Signature`], or the objective does not fit the batch;
    /// nothing is changed then. Where a module on dfdx's tape fails.
    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Step>;

    /// `(len, classes)` in evaluation mode.
    ///
    /// # Errors
    /// Where the batch does not fit the [`Signature`]; where a module on dfdx's tape fails.
    fn logits(&self, batch: Batch) -> Result<Array2<f32>>;

    fn num_classes(&self) -> usize {
        self.signature().classes
    }

    fn num_features(&self) -> usize {
        self.signature().features
    }

    /// The layers, in order, where it is made of layers.
    fn layers(&self) -> &[LayerSpec] {
        &[]
    }

    /// Parameters and running statistics, always in the same order.
    fn tensors(&self) -> Vec<TensorRef<'_>> {
        Vec::new()
    }

    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        Vec::new()
    }

    /// Evaluation-mode outputs of every stage, each `(len, units)`. A stage is named after its
    /// first layer, and includes the batch normalisation and ReLU that follow it; a residual is one
    /// stage. Dropout and flattening are left out: they give the values of the stage before.
    fn activations(&self, batch: Batch) -> Result<Vec<(String, Array2<f32>)>> {
        Ok(vec![("logits".into(), self.logits(batch)?)])
    }
}
