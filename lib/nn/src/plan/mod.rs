//! How a network runs: its layers, fused into stages that pass over a batch.
//!
//! Training, forward: a convolution takes the statistics of its output while it writes it; batch
//! normalisation and ReLU happen while the next convolution pads its input, and nothing of that is
//! stored. Backward, everything else is computed again where it is used: the gradient before a
//! batch normalisation exists for one image at a time, padded, as the operand of both gradients of
//! its convolution. Activations stay in blocks of 16 channels from stage to stage.
//!
//! Sums over a batch are taken image by image and group by group, in one order that depends on the
//! batch alone, so that the number of threads changes no bit.

mod activation;
mod backward;
mod batch;
pub(crate) mod builder;
mod forward;
mod infer;
pub(crate) mod layer;
pub(crate) mod spec;
pub(crate) mod stage;
mod statistics;
pub(crate) mod tape;

pub(crate) use self::{
    activation::{Activation, Gradient, pack},
    backward::{Backward, Gradients, backward_dense},
    forward::{Step, forward},
    infer::{Folded, evaluate, outputs},
    statistics::running_statistics,
};

use self::{
    stage::{ConvStage, Norm, Stage},
    tape::TapePass,
};
use crate::{Batch, Result, kernels::dropout::split_mix64};

/// What all stages of a pass over a batch share.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The network's, from the first on.
    pub tensors: &'a [NetworkTensor],
    pub batch: Batch<'a>,
    /// With `step`, determines what is drawn at random.
    pub seed: u64,
    pub step: u64,
}

impl<'a> Context<'a> {
    pub fn values(&self, tensor: usize) -> &'a [f32] {
        &self.tensors[tensor].values
    }

    /// Runs a module on dfdx's tape, which draws the same numbers in the forward and the backward
    /// pass; `index` is its own.
    fn on_tape<R>(
        &self,
        stage: &Stage,
        index: u64,
        x: &Activation,
        run: impl FnOnce(&TapePass) -> Result<R>,
    ) -> Result<R> {
        let rows = x.rows(self);
        let tensors: Vec<&[f32]> = stage.tensors.clone().map(|t| self.values(t)).collect();
        let pass = TapePass {
            name: &stage.name,
            tensors: &tensors,
            x: &rows,
            batch: self.batch.len,
            // The first draws from seed and step alone.
            seed: self.seed ^ self.step.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ split_mix64(index),
        };
        run(&pass)
    }

    pub fn is_frozen(&self, tensor: usize) -> bool {
        self.tensors[tensor].frozen
    }

    fn conv_bn(&self, conv: &ConvStage) -> ConvBn<'a> {
        ConvBn {
            weight: self.values(conv.weight),
            bias: self.values(conv.bias),
            ..self.norm(conv.norm)
        }
    }

    /// Only the part of a batch normalisation, if there is one.
    fn norm(&self, norm: Option<Norm>) -> ConvBn<'a> {
        let Some(norm) = norm else { return ConvBn::default() };
        ConvBn {
            gamma: self.values(norm.gamma),
            beta: self.values(norm.beta),
            running_mean: self.values(norm.mean),
            running_var: self.values(norm.var),
            frozen: self.is_frozen(norm.gamma),
            ..ConvBn::default()
        }
    }
}

/// A convolution's and a batch normalisation's parameters and running statistics. Without
/// batch normalisation `gamma` is empty.
#[derive(Clone, Copy, Default)]
pub(crate) struct ConvBn<'a> {
    /// `(outputs, inputs, k, k)`
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub running_mean: &'a [f32],
    pub running_var: &'a [f32],
    /// Whether training normalises by the running statistics, and keeps them.
    pub frozen: bool,
}

impl ConvBn<'_> {
    fn has_norm(&self) -> bool {
        !self.gamma.is_empty()
    }

    /// `gamma / sqrt(running_var + epsilon)`, and what it leaves to add; the convolution is taken
    /// without its bias.
    fn running(&self, channel: usize) -> (f64, f64) {
        let deviation = (f64::from(self.running_var[channel]) + EPSILON).sqrt();
        let scale = f64::from(self.gamma[channel]) / deviation;
        let bias = self.bias.get(channel).copied().unwrap_or(0.0);
        let centre = f64::from(self.running_mean[channel]) - f64::from(bias);
        (scale, f64::from(self.beta[channel]) - centre * scale)
    }
}

/// Added to the variance by batch normalisation.
pub(crate) const EPSILON: f64 = 1e-5;
/// Share of the newest batch in the running statistics.
const MOMENTUM: f64 = 0.1;

/// A parameter or a running statistic.
#[derive(Clone, Debug)]
pub(crate) struct NetworkTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
    /// Whether an optimiser changes it, unless it is frozen.
    pub trainable: bool,
    /// Whether training leaves it as it is.
    pub frozen: bool,
}
