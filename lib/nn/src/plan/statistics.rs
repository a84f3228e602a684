//! A batch's mean and variance, and the backward pass through a batch normalisation.

use std::iter::repeat;

use super::{
    Context, ConvBn, EPSILON, MOMENTUM, Step,
    forward::Saved,
    stage::{Stage, Work},
};
use crate::kernels::{
    buffer::F32x16,
    passes::{Affine, AffineGradient, lanes},
};

/// Batch mean and biased variance, one a channel; the mean is without the convolution's bias.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    pub mean: Vec<f64>,
    pub var: Vec<f64>,
    /// Values that each was taken over.
    pub count: usize,
}

impl Statistics {
    /// Running statistics moved towards these, as PyTorch does: [`MOMENTUM`] of the new
    /// mean (with the convolution's `bias`) and of the new unbiased variance.
    fn moved(&self, bias: &[f32], mean: &[f32], var: &[f32]) -> [Vec<f32>; 2] {
        let unbiased = self.count as f64 / (self.count as f64 - 1.0).max(1.0);
        let moved = |running: &f32, batch: f64| {
            (f64::from(*running) * (1.0 - MOMENTUM) + batch * MOMENTUM) as f32
        };
        let bias = bias.iter().chain(repeat(&0.0));
        let mean = (mean.iter().zip(&self.mean).zip(bias))
            .map(|((mean, batch), bias)| moved(mean, batch + f64::from(*bias)));
        let var = (var.iter().zip(&self.var)).map(|(var, batch)| moved(var, batch * unbiased));
        [mean.collect(), var.collect()]
    }

    /// From each image's sums and sums of squares, `(batch, blocks, 2)` vectors, merged
    /// pair by pair (Chan, Golub and LeVeque, 1983); where they are `centred`, from its means and
    /// sums of squared distances.
    pub(super) fn from_sums(
        sums: &[F32x16],
        batch: usize,
        channels: usize,
        area: usize,
        centred: bool,
    ) -> Self {
        let blocks = channels.div_ceil(16);
        let n = area as f64;
        let (mut mean, mut var) = (vec![0.0; channels], vec![0.0; channels]);
        for block in 0..blocks {
            let (mut total_mean, mut total_square) = ([0.0; 16], [0.0; 16]);
            for image in 0..batch {
                let [sum, square] = [0, 1].map(|part| sums[(image * blocks + block) * 2 + part].0);
                let seen = image as f64;
                for c in 0..16 {
                    let (sum, square) = (f64::from(sum[c]), f64::from(square[c]));
                    let image_mean = if centred { sum } else { sum / n };
                    let square =
                        if centred { square } else { square - image_mean * image_mean * n };
                    let delta = image_mean - total_mean[c];
                    total_mean[c] += delta / (seen + 1.0);
                    total_square[c] += square + delta * delta * n * seen / (seen + 1.0);
                }
            }
            for (c, channel) in (block * 16..channels.min(block * 16 + 16)).enumerate() {
                mean[channel] = total_mean[c];
                // Not `max`: it would hide a NaN.
                let square: f64 = total_square[c] / (n * batch as f64);
                var[channel] = if square < 0.0 { 0.0 } else { square };
            }
        }
        Self { mean, var, count: area * batch }
    }

    fn inverse_deviation(&self, channel: usize) -> f64 {
        1.0 / (self.var[channel] + EPSILON).sqrt()
    }

    /// What follows a convolution: batch normalisation by these statistics (by the running ones
    /// where it is frozen), if there is one, and ReLU.
    pub(super) fn affine(&self, conv_bn: &ConvBn, relu: bool) -> Affine {
        if !conv_bn.has_norm() {
            return Affine::identity(self.mean.len(), relu);
        }
        Affine::of(self.mean.len(), relu, |c| {
            let (scale, shift) = if conv_bn.frozen {
                conv_bn.running(c)
            } else {
                let scale = f64::from(conv_bn.gamma[c]) * self.inverse_deviation(c);
                (scale, f64::from(conv_bn.beta[c]) - self.mean[c] * scale)
            };
            [scale, shift, self.mean[c]]
        })
    }
}

/// The running statistics after the training pass `steps`, by the tensor's index.
pub(crate) fn running_statistics(
    stages: &[Stage],
    steps: &[Step],
    context: &Context,
) -> Vec<(usize, Vec<f32>)> {
    let each = stages.iter().zip(steps).flat_map(|(stage, step)| {
        let (norm, bias) = match &stage.work {
            Work::Conv(conv) => (conv.norm, context.values(conv.bias)),
            Work::Norm(norm, _) => (Some(*norm), &[][..]),
            _ => (None, &[][..]),
        };
        match (&step.saved, &stage.work, norm) {
            (Saved::Residual { main, shortcut, .. }, Work::Residual(paths), _) => {
                let mut moved = running_statistics(&paths.main, main, context);
                moved.extend(running_statistics(&paths.shortcut, shortcut, context));
                moved
            }
            (Saved::Statistics(statistics) | Saved::Pooled { statistics, .. }, _, Some(norm))
                if !context.is_frozen(norm.gamma) =>
            {
                let (mean, var) = (context.values(norm.mean), context.values(norm.var));
                let [mean, var] = statistics.moved(bias, mean, var);
                vec![(norm.mean, mean), (norm.var, var)]
            }
            _ => Vec::new(),
        }
    });
    each.collect()
}

/// The gradients of a batch normalisation's gamma and beta, and the way through it, from
/// each image's sums of `dy` and `dy * (z - mean)`, `(batch, blocks, 2)` vectors. Without a
/// normalisation, or where it is frozen, beta's is that of the convolution's bias.
pub(super) fn affine_gradient(
    sums: &[F32x16],
    batch: usize,
    conv_bn: &ConvBn,
    statistics: &Statistics,
) -> ([Vec<f32>; 2], AffineGradient) {
    let channels = statistics.mean.len();
    let blocks = channels.div_ceil(16);
    let n = statistics.count as f64;
    let [mut dgamma, mut dbeta] = [vec![0.0; channels], vec![0.0; channels]];
    let [scale, slope, offset] = lanes(channels, |c| {
        let total = |part: usize| -> f64 {
            (0..batch)
                .map(|image| f64::from(sums[(image * blocks + c / 16) * 2 + part].0[c % 16]))
                .sum()
        };
        if !conv_bn.has_norm() || conv_bn.frozen {
            let scale = match conv_bn.has_norm() {
                true => conv_bn.running(c).0,
                false => 1.0,
            };
            dbeta[c] = (total(0) * scale) as f32;
            return [scale, 0.0, 0.0];
        }
        let deviation = statistics.inverse_deviation(c);
        let (beta, gamma) = (total(0), total(1) * deviation);
        dbeta[c] = beta as f32;
        dgamma[c] = gamma as f32;
        let scale = f64::from(conv_bn.gamma[c]) * deviation;
        let slope = -scale * deviation * gamma / n;
        [scale, slope, -scale * beta / n - slope * statistics.mean[c]]
    });
    ([dgamma, dbeta], AffineGradient { scale, slope, offset })
}
