//! What training, evaluation and checkpoints ask of a network. The traits are
//! object-safe, so that a notebook's cell never compiles a network again.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::{Result, nn::Adam};

/// Images as a network takes them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Number of images, at least 1.
    pub len: usize,
    /// `(len, 1, 28, 28)` row-major, 0 is background and 1 is full ink.
    pub images: &'a [f32],
    /// `(len, features)` row-major; empty for a network without features.
    pub features: &'a [f32],
}

/// A loss over the logits of one batch, with its gradient.
pub trait Objective: Sync {
    /// Mean loss of the batch. Writes its gradient with respect to `logits`,
    /// `(len, classes)`, over `gradient`.
    fn loss(&self, logits: ArrayView2<f32>, gradient: ArrayViewMut2<f32>) -> f32;
}

/// What one training step yields.
#[derive(Clone, Debug)]
pub struct Step {
    pub loss: f32,
    /// `(len, classes)`: the logits of the forward pass, in training mode.
    pub logits: Array2<f32>,
}

/// A named tensor of a network: a parameter or a running statistic.
#[derive(Clone, Debug)]
pub struct TensorRef<'a> {
    /// Dotted path, e.g. `block1.conv1.weight`.
    pub name: String,
    pub shape: Vec<usize>,
    pub values: &'a [f32],
}

/// As [`TensorRef`], writable.
#[derive(Debug)]
pub struct TensorMut<'a> {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: &'a mut [f32],
}

/// A network that maps images to class logits.
pub trait Classifier: Send + Sync {
    fn num_classes(&self) -> usize;

    fn num_features(&self) -> usize;

    /// Forward pass in training mode, backward pass and one update by Adam
    /// (Kingma and Ba, 2015). Dropout's mask depends on the network's seed and on
    /// `adam`'s step count alone, so that a resumed run repeats it.
    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        adam: &mut Adam,
    ) -> Result<Step>;

    /// `(len, classes)` in evaluation mode.
    fn logits(&self, batch: Batch) -> Result<Array2<f32>>;

    /// Whether training leaves the trunk as it is: its parameters get no gradient, and its
    /// batch normalisation uses and keeps the running statistics.
    fn freeze_trunk(&mut self, freeze: bool);

    /// Evaluation-mode outputs of every layer, named, each `(len, units)`.
    fn activations(&self, batch: Batch) -> Result<Vec<(String, Array2<f32>)>>;

    /// Parameters and running statistics, always in the same order.
    fn tensors(&self) -> Vec<TensorRef<'_>>;

    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>>;
}
