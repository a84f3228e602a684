//! What a plan asks of a module that runs on dfdx's tape.

use std::fmt::Debug;

use dfdx::tensor::Cpu;

use super::spec::TensorSpec;
use crate::Result;

/// A module without its type. All values are row-major, the batch first.
pub trait TapeLayer: Debug + Send + Sync {
    /// The module's type.
    fn name(&self) -> &str;

    /// Every tensor, and what the module's builder puts into it.
    fn tensors(&self, device: &Cpu) -> Vec<(TensorSpec, Vec<f32>)>;

    /// The forward pass, in training or in evaluation.
    fn forward(&self, pass: &TapePass, training: bool) -> Result<Vec<f32>>;

    /// The gradients of the same pass in training, from that of its output.
    fn gradient(&self, pass: &TapePass, dy: &[f32]) -> Result<TapeGradient>;
}

/// What a module is run on.
#[derive(Clone, Copy, Debug, Default)]
pub struct TapePass<'a> {
    /// The layer's, for errors.
    pub name: &'a str,
    /// The values of [`TapeLayer::tensors`].
    pub tensors: &'a [&'a [f32]],
    pub x: &'a [f32],
    /// Number of samples.
    pub batch: usize,
    /// Seeds what is drawn at random in training.
    pub seed: u64,
}

/// What a module's backward pass yields.
#[derive(Clone, Debug)]
pub struct TapeGradient {
    pub input: Vec<f32>,
    /// In the order of [`TapeLayer::tensors`]: the gradient of a parameter, the new values of
    /// anything else.
    pub tensors: Vec<Vec<f32>>,
}
