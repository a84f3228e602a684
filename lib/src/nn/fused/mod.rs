//! Two convolutions with batch normalisation and ReLU, then max pooling, as a few
//! passes over a batch.
//!
//! Training, forward: `z1 = conv(x)` with its statistics; `z2 = conv(relu(bn(z1)))`,
//! normalised while it is padded; `pool(relu(bn(z2)))`. Only `z1`, `z2` and the
//! pooled choice are kept. Backward, everything else is computed again where it is
//! used: the gradient before a batch normalisation exists for one image at a time,
//! padded, as the operand of both gradients of its convolution.
//!
//! Sums over a batch are taken image by image and group by group, in one order that
//! depends on the batch alone, so that the number of threads changes no bit.

mod batch;
mod fold;
mod planes;
mod statistics;

use self::{
    batch::{convolve, turned_weights, weight_gradients},
    statistics::affine_gradient,
};
pub(crate) use self::{
    fold::Folded,
    planes::{backward_planes, conv_planes, conv_planes_gradient, forward_planes, infer_planes},
    statistics::Statistics,
};
use super::{
    kernels::{
        conv::{ConvShape, Epilogue, conv},
        lanes::{Buffer, Lane},
        passes::{
            Affine, Pooled, normalise_pool, pad_blocks, pad_normalise_gradient, pad_planes,
            pad_unpool_gradient, relu_gradient,
        },
    },
    threads::ParForEach,
};

/// Images of a batch.
#[derive(Clone, Copy)]
pub(crate) enum Images<'a> {
    /// `(batch, channels, height, width)`
    Planes(&'a [f32]),
    /// `(batch, channels / 16, height, width, 16)`
    Blocks(&'a [Lane]),
}

impl Images<'_> {
    /// Pads image `index` for a convolution.
    pub fn pad(self, shape: &ConvShape, index: usize, padded: &mut [Lane]) {
        match self {
            Images::Planes(values) => {
                let len = shape.inputs * shape.area();
                pad_planes(shape, &values[index * len..][..len], padded);
            }
            Images::Blocks(lanes) => {
                let len = shape.input_blocks() * shape.area();
                pad_blocks(shape, &lanes[index * len..][..len], None, padded);
            }
        }
    }
}

/// A convolution's and a batch normalisation's parameters and running statistics. Without
/// batch normalisation `gamma` is empty.
#[derive(Clone, Copy)]
pub(crate) struct Half<'a> {
    /// `(outputs, inputs, k, k)`
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub gamma: &'a [f32],
    pub beta: &'a [f32],
    pub running_mean: &'a [f32],
    pub running_var: &'a [f32],
    pub epsilon: f64,
}

impl<'a> Half<'a> {
    /// The same without its batch normalisation.
    pub fn without_norm(self) -> Self {
        Self { gamma: &[], ..self }
    }

    fn has_norm(&self) -> bool {
        !self.gamma.is_empty()
    }
}

/// What the forward pass in training keeps for the backward pass.
pub(crate) struct Saved {
    shape1: ConvShape,
    batch: usize,
    z1: Buffer,
    z2: Buffer,
    choice: Buffer,
    best_z: Buffer,
    affine1: Affine,
    affine2: Affine,
    pub statistics1: Statistics,
    pub statistics2: Statistics,
}

/// Gradients of a [`Half`]. The convolution's bias has none: batch normalisation takes it away
/// again. Without batch normalisation, `beta` is the gradient of that bias.
#[derive(Clone, Debug, Default)]
pub(crate) struct HalfGradient {
    pub weight: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
}

/// The forward pass in training, on a multiple of 16 outputs. Returns the pooled
/// activations, in blocks.
pub(crate) fn forward(
    shape1: ConvShape,
    images: Images,
    batch: usize,
    half1: &Half,
    half2: &Half,
) -> (Buffer, Saved) {
    let shape2 = second(shape1);
    let len = shape1.output_len();

    let (z1, sums1) = convolve(&shape1, batch, half1, |image, padded| {
        images.pad(&shape1, image, padded);
    });
    let statistics1 = Statistics::from_sums(&sums1, batch, shape1.outputs, shape1.area());
    let affine1 = statistics1.affine(half1);

    let (z2, sums2) = convolve(&shape2, batch, half2, |image, padded| {
        let z1 = &z1[image * len..][..len];
        pad_blocks(&shape2, z1, Some(&affine1), padded);
    });
    let statistics2 = Statistics::from_sums(&sums2, batch, shape2.outputs, shape2.area());
    let affine2 = statistics2.affine(half2);

    let pooled_len = pooled_len(&shape2);
    let mut out = Buffer::new(batch * pooled_len);
    let mut choice = Buffer::new(batch * pooled_len);
    let mut best_z = Buffer::new(batch * pooled_len);
    (out.chunks_exact_mut(pooled_len))
        .zip(choice.chunks_exact_mut(pooled_len))
        .zip(best_z.chunks_exact_mut(pooled_len))
        .zip(z2.chunks_exact(len))
        .par_for_each(|(((out, choice), z), z2)| {
            let pooled = Pooled { out, choice, z };
            normalise_pool(shape2.height, shape2.width, z2, &affine2, pooled);
        });
    let saved = Saved {
        shape1,
        batch,
        z1,
        z2,
        choice,
        best_z,
        affine1,
        affine2,
        statistics1,
        statistics2,
    };
    (out, saved)
}

/// The backward pass: `dy`, in blocks, is the gradient of [`forward`]'s output, and is
/// overwritten. Returns the gradients of both halves, and the input's, in blocks, where it is wanted.
pub(crate) fn backward(
    saved: Saved,
    images: Images,
    half1: &Half,
    half2: &Half,
    dy: &mut [Lane],
    wants_input: bool,
) -> ([HalfGradient; 2], Option<Buffer>) {
    let Saved {
        shape1,
        batch,
        z1,
        mut z2,
        choice,
        best_z,
        affine1,
        affine2,
        statistics1,
        statistics2,
    } = saved;
    let shape2 = second(shape1);
    let (len, blocks) = (shape2.output_len(), shape2.output_blocks());
    let pooled_len = pooled_len(&shape2);

    // Through pooling and ReLU: only the chosen pixels carry a gradient.
    let mut sums = Buffer::zeros(batch * 2 * blocks);
    (dy.chunks_exact_mut(pooled_len))
        .zip(best_z.chunks_exact(pooled_len))
        .zip(sums.chunks_exact_mut(2 * blocks))
        .par_for_each(|((dy, z), sums)| relu_gradient(z, &affine2, dy, sums));
    let (mut gradient2, through2) = affine_gradient(&sums, batch, half2, &statistics2);

    // Through the second convolution and the first ReLU, to the gradient of
    // `bn(z1)`, which takes the place of `z2`.
    let dy = &*dy;
    let turned = turned_weights(&shape2, half2.weight);
    let mut sums = Buffer::zeros(batch * 2 * blocks);
    gradient2.weight = weight_gradients(
        &shape2,
        batch,
        [(&mut z2, len), (&mut sums, 2 * blocks)],
        |image, padded, dz, [z2, sums]| {
            let pooled = image * pooled_len..(image + 1) * pooled_len;
            let (dy, choice) = (&dy[pooled.clone()], &choice[pooled]);
            pad_unpool_gradient(&shape2, dy, choice, z2, &through2, dz);
            let z1 = &z1[image * len..][..len];
            pad_blocks(&shape2, z1, Some(&affine1), padded);
            conv(&shape2.transposed(), dz, &turned, z2, Epilogue::none());
            relu_gradient(z1, &affine1, z2, sums);
        },
    );
    let (mut gradient1, through1) = affine_gradient(&sums, batch, half1, &statistics1);

    // Through the first convolution.
    let dy = &z2;
    let input_len = shape1.transposed().output_len();
    let turned = wants_input.then(|| turned_weights(&shape1, half1.weight));
    let mut dx = wants_input.then(|| Buffer::new(batch * input_len));
    let mut none = Buffer::new(0);
    let own = match &mut dx {
        Some(dx) => (dx, input_len),
        None => (&mut none, 0),
    };
    gradient1.weight = weight_gradients(&shape1, batch, [own], |image, padded, dz, [dx]| {
        let at = image * len..(image + 1) * len;
        pad_normalise_gradient(&shape1, &dy[at.clone()], &z1[at], &through1, dz);
        images.pad(&shape1, image, padded);
        if let Some(turned) = &turned {
            conv(&shape1.transposed(), dz, turned, dx, Epilogue::none());
        }
    });
    ([gradient1, gradient2], dx)
}

fn second(shape1: ConvShape) -> ConvShape {
    ConvShape {
        inputs: shape1.outputs,
        ..shape1
    }
}

fn pooled_len(shape: &ConvShape) -> usize {
    shape.output_blocks() * (shape.height / 2) * (shape.width / 2)
}
