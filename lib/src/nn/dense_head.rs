//! The head of a [`CharCnn`](super::CharCnn): dense, ReLU, dropout, dense.

use super::{
    kernels::{
        dense::{Matrix, multiply},
        lanes::{Buffer, flat, flat_mut},
    },
    mask::drop_out,
    threads::ParForEach,
};

/// Parameters of the head.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    /// `(hidden, inputs)`
    pub hidden_weight: &'a [f32],
    pub hidden_bias: &'a [f32],
    /// `(hidden, features)`
    pub features_weight: &'a [f32],
    /// `(classes, hidden)`
    pub output_weight: &'a [f32],
    pub output_bias: &'a [f32],
}

/// What the head sees of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `(batch, inputs)`
    pub x: &'a [f32],
    /// `(batch, features)`; empty where there are none.
    pub features: &'a [f32],
    pub batch: usize,
}

/// Which values dropout takes; in training only.
#[derive(Clone, Copy)]
pub(crate) struct Drop {
    pub p: f32,
    pub seed: u64,
    pub step: u64,
}

/// Gradients of [`Head`], each in as many lanes as it needs.
pub(crate) struct HeadGradient {
    pub hidden_weight: Buffer,
    pub hidden_bias: Vec<f32>,
    pub features_weight: Vec<f32>,
    pub output_weight: Vec<f32>,
    pub output_bias: Vec<f32>,
}

impl Head<'_> {
    fn hidden_units(&self) -> usize {
        self.hidden_bias.len()
    }

    /// `(batch, hidden)` after ReLU and dropout.
    pub fn hidden(&self, inputs: Inputs, drop: Option<Drop>) -> Buffer {
        let Inputs { x, features, batch } = inputs;
        let units = self.hidden_units();
        let mut hidden = Buffer::new((batch * units).div_ceil(16));
        let values = &mut flat_mut(&mut hidden)[..batch * units];
        let inputs = x.len() / batch;
        let weight = Matrix::row_major(self.hidden_weight, units, inputs);
        let x = Matrix::row_major(x, batch, inputs);
        multiply(x, weight.transposed(), false, values);
        if !features.is_empty() {
            let count = features.len() / batch;
            let weight = Matrix::row_major(self.features_weight, units, count);
            let features = Matrix::row_major(features, batch, count);
            multiply(features, weight.transposed(), true, values);
        }
        values.chunks_mut(units).par_for_each(|row| {
            for (value, bias) in row.iter_mut().zip(self.hidden_bias) {
                let sum = *value + bias;
                *value = if sum < 0.0 { 0.0 } else { sum };
            }
        });
        if let Some(Drop { p, seed, step }) = drop {
            drop_out(values, p, seed, step);
        }
        hidden
    }

    /// `(batch, classes)`
    pub fn logits(&self, hidden: &[f32], batch: usize) -> Vec<f32> {
        let (units, classes) = (self.hidden_units(), self.output_bias.len());
        let mut logits = vec![0.0; batch * classes];
        let hidden = Matrix::row_major(&hidden[..batch * units], batch, units);
        let weight = Matrix::row_major(self.output_weight, classes, units);
        multiply(hidden, weight.transposed(), false, &mut logits);
        for row in logits.chunks_exact_mut(classes) {
            for (value, bias) in row.iter_mut().zip(self.output_bias) {
                *value += bias;
            }
        }
        logits
    }

    /// The gradient of the hidden units, before ReLU and dropout, from that of the logits.
    pub fn backward_hidden(&self, hidden: &[f32], p: f32, dlogits: &[f32]) -> Vec<f32> {
        let (units, classes) = (self.hidden_units(), self.output_bias.len());
        let batch = dlogits.len() / classes;
        let mut dhidden = vec![0.0; batch * units];
        let dlogits = Matrix::row_major(dlogits, batch, classes);
        let weight = Matrix::row_major(self.output_weight, classes, units);
        multiply(dlogits, weight, false, &mut dhidden);
        // A unit's output is positive where neither ReLU nor dropout took it.
        let scale = 1.0 / (1.0 - p);
        for (gradient, value) in dhidden.iter_mut().zip(hidden) {
            *gradient = if *value > 0.0 { *gradient * scale } else { 0.0 };
        }
        dhidden
    }

    /// The gradient of `x`, `(batch, inputs)`, from that of the hidden units.
    pub fn backward_input(&self, dhidden: &[f32]) -> Buffer {
        let units = self.hidden_units();
        let (batch, inputs) = (dhidden.len() / units, self.hidden_weight.len() / units);
        let mut dx = Buffer::new((batch * inputs).div_ceil(16));
        let dhidden = Matrix::row_major(dhidden, batch, units);
        let weight = Matrix::row_major(self.hidden_weight, units, inputs);
        let to = &mut flat_mut(&mut dx)[..batch * inputs];
        multiply(dhidden, weight, false, to);
        dx
    }
}

impl HeadGradient {
    /// From the gradients of the hidden units and of the logits.
    pub fn new(inputs: Inputs, hidden: &[f32], dhidden: &[f32], dlogits: &[f32]) -> Self {
        let Inputs { x, features, batch } = inputs;
        let (units, classes) = (hidden.len() / batch, dlogits.len() / batch);
        let product = |gradient: &[f32], of: &[f32], to: &mut [f32]| {
            let gradient = Matrix::row_major(gradient, batch, gradient.len() / batch);
            let of = Matrix::row_major(of, batch, of.len() / batch);
            multiply(gradient.transposed(), of, false, to);
        };
        let mut hidden_weight = Buffer::new((units * x.len() / batch).div_ceil(16));
        let to = &mut flat_mut(&mut hidden_weight)[..units * (x.len() / batch)];
        product(dhidden, x, to);
        let mut features_weight = vec![0.0; units * (features.len() / batch)];
        if !features.is_empty() {
            product(dhidden, features, &mut features_weight);
        }
        let mut output_weight = vec![0.0; classes * units];
        product(dlogits, hidden, &mut output_weight);
        Self {
            hidden_weight,
            hidden_bias: column_sums(dhidden, units),
            features_weight,
            output_weight,
            output_bias: column_sums(dlogits, classes),
        }
    }
}

fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums
}

/// The values of a buffer that holds `len` of them.
pub(crate) fn values(buffer: &Buffer, len: usize) -> &[f32] {
    &flat(buffer)[..len]
}
