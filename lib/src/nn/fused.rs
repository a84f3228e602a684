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

use rayon::prelude::*;

use super::kernels::{
    conv::{
        ConvShape, Epilogue, conv, pack_transposed, pack_weights, unpack_weights, weight_gradient,
    },
    lanes::{Buffer, Lane, flat, flat_mut},
    passes::{
        Affine, AffineGradient, Pooled, blocks_to_planes, normalise_pool, pad_blocks,
        pad_normalise_gradient, pad_planes, pad_unpool_gradient, planes_to_blocks, pool,
        relu_gradient,
    },
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

/// Batch mean and biased variance, one a channel; the mean is without the convolution's bias.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    pub mean: Vec<f64>,
    pub var: Vec<f64>,
    /// Values that each was taken over.
    pub count: usize,
}

impl Statistics {
    /// Moves running statistics towards these, as PyTorch does: `momentum` of the new
    /// mean (with the convolution's `bias`) and of the new unbiased variance.
    pub fn update(&self, momentum: f64, bias: &[f32], mean: &mut [f32], var: &mut [f32]) {
        let unbiased = self.count as f64 / (self.count as f64 - 1.0).max(1.0);
        for c in 0..mean.len() {
            let bias = bias.get(c).copied().unwrap_or(0.0);
            let batch = self.mean[c] + f64::from(bias);
            mean[c] = (f64::from(mean[c]) * (1.0 - momentum) + batch * momentum) as f32;
            let batch = self.var[c] * unbiased;
            var[c] = (f64::from(var[c]) * (1.0 - momentum) + batch * momentum) as f32;
        }
    }

    /// From each image's sums and sums of squares, `(batch, blocks, 2)` lanes, merged
    /// pair by pair (Chan, Golub and LeVeque, 1983).
    fn from_sums(sums: &[Lane], batch: usize, channels: usize, area: usize) -> Self {
        let blocks = channels.div_ceil(16);
        let n = area as f64;
        let (mut mean, mut var) = (vec![0.0; channels], vec![0.0; channels]);
        for c in 0..channels {
            let (mut total_mean, mut total_square) = (0.0, 0.0);
            for image in 0..batch {
                let lanes = &sums[(image * blocks + c / 16) * 2..][..2];
                let image_mean = f64::from(lanes[0].0[c % 16]) / n;
                let square = f64::from(lanes[1].0[c % 16]) - image_mean * image_mean * n;
                let delta = image_mean - total_mean;
                let seen = image as f64;
                total_mean += delta / (seen + 1.0);
                total_square += square + delta * delta * n * seen / (seen + 1.0);
            }
            mean[c] = total_mean;
            // Not `max`: it would hide a value that is not a number.
            let square: f64 = total_square / (n * batch as f64);
            var[c] = if square < 0.0 { 0.0 } else { square };
        }
        Self {
            mean,
            var,
            count: area * batch,
        }
    }

    fn inverse_deviation(&self, channel: usize, epsilon: f64) -> f64 {
        1.0 / (self.var[channel] + epsilon).sqrt()
    }

    fn affine(&self, half: &Half) -> Affine {
        let blocks = self.mean.len().div_ceil(16);
        if !half.has_norm() {
            return Affine {
                scale: vec![Lane([1.0; 16]); blocks],
                shift: vec![Lane::default(); blocks],
                mean: vec![Lane::default(); blocks],
            };
        }
        let mut affine = Affine {
            scale: vec![Lane::default(); blocks],
            shift: vec![Lane::default(); blocks],
            mean: vec![Lane::default(); blocks],
        };
        for c in 0..self.mean.len() {
            let scale = f64::from(half.gamma[c]) * self.inverse_deviation(c, half.epsilon);
            let shift = f64::from(half.beta[c]) - self.mean[c] * scale;
            affine.scale[c / 16].0[c % 16] = scale as f32;
            affine.shift[c / 16].0[c % 16] = shift as f32;
            affine.mean[c / 16].0[c % 16] = self.mean[c] as f32;
        }
        affine
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
    (out.par_chunks_exact_mut(pooled_len))
        .zip(choice.par_chunks_exact_mut(pooled_len))
        .zip(best_z.par_chunks_exact_mut(pooled_len))
        .zip(z2.par_chunks_exact(len))
        .for_each(|(((out, choice), z), z2)| {
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
    (dy.par_chunks_exact_mut(pooled_len))
        .zip(best_z.par_chunks_exact(pooled_len))
        .zip(sums.par_chunks_exact_mut(2 * blocks))
        .for_each(|((dy, z), sums)| relu_gradient(z, &affine2, dy, sums));
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

/// The forward pass in evaluation: running statistics become part of the weights.
pub(crate) struct Folded {
    shape1: ConvShape,
    weights: [Buffer; 2],
    biases: [Vec<Lane>; 2],
}

impl Folded {
    pub fn new(shape1: ConvShape, half1: &Half, half2: &Half) -> Self {
        let fold = |shape: &ConvShape, half: &Half| {
            let mut bias = vec![Lane::default(); shape.output_blocks()];
            let mut scales = vec![0.0; shape.outputs];
            if !half.has_norm() {
                flat_mut(&mut bias)[..shape.outputs].copy_from_slice(half.bias);
                scales.fill(1.0);
            }
            for c in 0..half.gamma.len() {
                let deviation = (f64::from(half.running_var[c]) + half.epsilon).sqrt();
                let scale = f64::from(half.gamma[c]) / deviation;
                let centre = f64::from(half.running_mean[c]) - f64::from(half.bias[c]);
                bias[c / 16].0[c % 16] = (f64::from(half.beta[c]) - centre * scale) as f32;
                scales[c] = scale as f32;
            }
            let mut weight = Buffer::new(shape.weight_len());
            pack_weights(shape, half.weight, |o| scales[o], &mut weight);
            (weight, bias)
        };
        let (weight1, bias1) = fold(&shape1, half1);
        let (weight2, bias2) = fold(&second(shape1), half2);
        Self {
            shape1,
            weights: [weight1, weight2],
            biases: [bias1, bias2],
        }
    }

    /// Lanes of one pooled image.
    pub fn output_len(&self) -> usize {
        pooled_len(&self.shape1)
    }

    /// One image; everything but its input and output stays in the processor's cache.
    pub fn apply(&self, images: Images, image: usize, out: &mut [Lane]) {
        let (shape1, shape2) = (self.shape1, second(self.shape1));
        let mut padded = Buffer::new(shape1.input_len());
        images.pad(&shape1, image, &mut padded);
        // Straight into the next convolution's border of zeros.
        let mut a1 = Buffer::zeros(shape2.input_len());
        let epilogue = self.epilogue(0, shape2.border());
        conv(&shape1, &padded, &self.weights[0], &mut a1, epilogue);
        let mut a2 = Buffer::new(shape2.output_len());
        let epilogue = self.epilogue(1, 0);
        conv(&shape2, &a1, &self.weights[1], &mut a2, epilogue);
        pool(shape2.height, shape2.width, &a2, out);
    }

    /// The outputs of both halves and of the pooling, in blocks, each with its area.
    pub fn layers(&self, images: Images, batch: usize) -> [(Buffer, usize); 3] {
        let (shape1, shape2) = (self.shape1, second(self.shape1));
        let len = shape2.output_len();
        let mut a1 = Buffer::new(batch * len);
        let mut a2 = Buffer::new(batch * len);
        let mut pooled = Buffer::new(batch * self.output_len());
        (a1.par_chunks_exact_mut(len))
            .zip(a2.par_chunks_exact_mut(len))
            .zip(pooled.par_chunks_exact_mut(self.output_len()))
            .enumerate()
            .for_each(|(image, ((a1, a2), pooled))| {
                let mut padded = Buffer::new(shape1.input_len());
                images.pad(&shape1, image, &mut padded);
                conv(&shape1, &padded, &self.weights[0], a1, self.epilogue(0, 0));
                let mut padded = Buffer::new(shape2.input_len());
                pad_blocks(&shape2, a1, None, &mut padded);
                conv(&shape2, &padded, &self.weights[1], a2, self.epilogue(1, 0));
                pool(shape2.height, shape2.width, a2, pooled);
            });
        let area = shape2.area();
        [(a1, area), (a2, area), (pooled, area / 4)]
    }

    fn epilogue(&self, half: usize, border: usize) -> Epilogue<'_> {
        Epilogue {
            bias: &self.biases[half],
            relu: true,
            sums: &mut [],
            border,
        }
    }
}

/// [`Folded`], from planes to planes.
pub(crate) fn infer_planes(
    shape1: ConvShape,
    x: &[f32],
    batch: usize,
    half1: &Half,
    half2: &Half,
) -> Vec<f32> {
    let folded = Folded::new(shape1, half1, half2);
    let area = shape1.area() / 4;
    let mut y = vec![0.0; batch * shape1.outputs * area];
    (y.par_chunks_exact_mut(shape1.outputs * area))
        .enumerate()
        .for_each(|(image, y)| {
            let mut pooled = Buffer::new(folded.output_len());
            folded.apply(Images::Planes(x), image, &mut pooled);
            blocks_to_planes(&pooled, area, y);
        });
    y
}

/// [`forward`], from planes to planes.
pub(crate) fn forward_planes(
    shape1: ConvShape,
    x: &[f32],
    batch: usize,
    half1: &Half,
    half2: &Half,
) -> (Vec<f32>, Saved) {
    let (pooled, saved) = forward(shape1, Images::Planes(x), batch, half1, half2);
    (
        planes(&pooled, batch, shape1.outputs, shape1.area() / 4),
        saved,
    )
}

/// [`backward`], from planes to planes.
pub(crate) fn backward_planes(
    saved: Saved,
    x: &[f32],
    half1: &Half,
    half2: &Half,
    dy: &[f32],
) -> ([HalfGradient; 2], Vec<f32>) {
    let (shape1, batch) = (saved.shape1, saved.batch);
    let mut blocks = Buffer::new(batch * pooled_len(&shape1));
    (blocks.par_chunks_exact_mut(pooled_len(&shape1)))
        .zip(dy.par_chunks_exact(dy.len() / batch))
        .for_each(|(blocks, dy)| planes_to_blocks(dy, shape1.area() / 4, blocks));
    let images = Images::Planes(x);
    let (gradients, dx) = backward(saved, images, half1, half2, &mut blocks, true);
    let dx = dx.map(|dx| planes(&dx, batch, shape1.inputs, shape1.area()));
    (gradients, dx.unwrap_or_default())
}

/// Planes `(batch, channels, area)` from blocks.
fn planes(blocks: &[Lane], batch: usize, channels: usize, area: usize) -> Vec<f32> {
    let mut planes = vec![0.0; batch * channels * area];
    (planes.par_chunks_exact_mut(channels * area))
        .zip(blocks.par_chunks_exact(blocks.len() / batch))
        .for_each(|(planes, blocks)| blocks_to_planes(blocks, area, planes));
    planes
}

/// A convolution of planes `(batch, inputs, height, width)`, with a bias.
pub(crate) fn conv_planes(
    shape: &ConvShape,
    x: &[f32],
    batch: usize,
    weight: &[f32],
    bias: &[f32],
) -> Vec<f32> {
    let len = shape.outputs * shape.area();
    let mut packed = Buffer::new(shape.weight_len());
    pack_weights(shape, weight, |_| 1.0, &mut packed);
    let mut lanes = vec![Lane::default(); shape.output_blocks()];
    flat_mut(&mut lanes)[..bias.len()].copy_from_slice(bias);
    let mut y = vec![0.0; batch * len];
    if len == 0 {
        return y;
    }
    y.par_chunks_exact_mut(len)
        .enumerate()
        .for_each(|(image, y)| {
            let mut padded = Buffer::new(shape.input_len());
            Images::Planes(x).pad(shape, image, &mut padded);
            let mut z = Buffer::new(shape.output_len());
            let epilogue = Epilogue {
                bias: &lanes,
                ..Epilogue::none()
            };
            conv(shape, &padded, &packed, &mut z, epilogue);
            blocks_to_planes(&z, shape.area(), y);
        });
    y
}

/// The gradients of [`conv_planes`]: of its input, its weights and its bias.
pub(crate) fn conv_planes_gradient(
    shape: &ConvShape,
    x: &[f32],
    dy: &[f32],
    batch: usize,
    weight: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (transposed, area) = (shape.transposed(), shape.area());
    let (in_len, out_len) = (shape.inputs * area, shape.outputs * area);
    if batch == 0 || in_len == 0 || out_len == 0 {
        return (
            vec![0.0; x.len()],
            vec![0.0; weight.len()],
            vec![0.0; shape.outputs],
        );
    }
    let turned = turned_weights(shape, weight);
    let mut dx = Buffer::new(batch * transposed.output_len());
    let own = (&mut dx, transposed.output_len());
    let dw = weight_gradients(shape, batch, [own], |image, padded, dz, [dx]| {
        Images::Planes(x).pad(shape, image, padded);
        pad_planes(&transposed, &dy[image * out_len..][..out_len], dz);
        conv(&transposed, dz, &turned, dx, Epilogue::none());
    });
    let mut planes = vec![0.0; batch * in_len];
    (planes.par_chunks_exact_mut(in_len))
        .zip(dx.par_chunks_exact(transposed.output_len()))
        .for_each(|(planes, dx)| blocks_to_planes(dx, area, planes));
    let db = (0..shape.outputs).map(|o| {
        let of_channel = dy.chunks_exact(area).skip(o).step_by(shape.outputs);
        let sum: f64 = of_channel.flatten().map(|&v| f64::from(v)).sum();
        sum as f32
    });
    (planes, dw, db.collect())
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

/// Convolves a batch that `pad` fills in, and sums each image's outputs and their squares.
fn convolve(
    shape: &ConvShape,
    batch: usize,
    half: &Half,
    pad: impl Fn(usize, &mut [Lane]) + Sync,
) -> (Buffer, Buffer) {
    let blocks = shape.output_blocks();
    let mut packed = Buffer::new(shape.weight_len());
    pack_weights(shape, half.weight, |_| 1.0, &mut packed);
    // Batch normalisation would take a bias away again.
    let mut bias = vec![Lane::default(); if half.has_norm() { 0 } else { blocks }];
    if !half.has_norm() {
        flat_mut(&mut bias)[..half.bias.len()].copy_from_slice(half.bias);
    }
    let mut z = Buffer::new(batch * shape.output_len());
    let mut sums = Buffer::zeros(batch * 2 * blocks);
    (z.par_chunks_exact_mut(shape.output_len()))
        .zip(sums.par_chunks_exact_mut(2 * blocks))
        .enumerate()
        .for_each(|(image, (z, sums))| {
            let mut padded = Buffer::new(shape.input_len());
            pad(image, &mut padded);
            let epilogue = Epilogue {
                bias: &bias,
                sums: if half.has_norm() { sums } else { &mut [] },
                ..Epilogue::none()
            };
            conv(shape, &padded, &packed, z, epilogue);
        });
    (z, sums)
}

fn turned_weights(shape: &ConvShape, weight: &[f32]) -> Buffer {
    let mut packed = Buffer::new(shape.transposed().weight_len());
    pack_transposed(shape, weight, &mut packed);
    packed
}

/// The gradient of a convolution's weights over a batch. `fill(image, padded, dz,
/// own)` pads each image's input and output gradient; `own` are its parts of the
/// buffers given with their lengths an image.
fn weight_gradients<const N: usize>(
    shape: &ConvShape,
    batch: usize,
    buffers: [(&mut Buffer, usize); N],
    fill: impl Fn(usize, &mut [Lane], &mut [Lane], [&mut [Lane]; N]) + Sync,
) -> Vec<f32> {
    struct Group<'a, const N: usize> {
        images: std::ops::Range<usize>,
        own: [&'a mut [Lane]; N],
        partial: &'a mut [Lane],
    }
    // A number that depends on the batch alone fixes the order of the sum.
    let count = batch.min(GROUPS);
    let lens = buffers.each_ref().map(|(_, len)| *len);
    let mut rest = buffers.map(|(buffer, _)| &mut **buffer);
    let mut partial = Buffer::zeros(count * shape.weight_len());
    let groups: Vec<Group<N>> = partial
        .chunks_exact_mut(shape.weight_len())
        .enumerate()
        .map(|(group, partial)| {
            let images = group * batch / count..(group + 1) * batch / count;
            let mut lens = lens.iter();
            let own = rest.each_mut().map(|rest| {
                let len = lens.next().copied().unwrap_or(0) * images.len();
                rest.split_off_mut(..len).unwrap_or_default()
            });
            Group {
                images,
                own,
                partial,
            }
        })
        .collect();
    groups.into_par_iter().with_max_len(1).for_each(|group| {
        let mut padded = Buffer::new(shape.input_len());
        let mut dz = Buffer::new(shape.transposed().input_len());
        let mut rest = group.own;
        for image in group.images {
            let mut lens = lens.iter();
            let own = rest.each_mut().map(|rest| {
                let len = lens.next().copied().unwrap_or(0);
                rest.split_off_mut(..len).unwrap_or_default()
            });
            fill(image, &mut padded, &mut dz, own);
            weight_gradient(shape, &padded, &dz, group.partial);
        }
    });
    let (total, others) = partial.split_at_mut(shape.weight_len());
    for other in others.chunks_exact(shape.weight_len()) {
        for (total, value) in flat_mut(total).iter_mut().zip(flat(other)) {
            *total += value;
        }
    }
    let mut weight = vec![0.0; shape.outputs * shape.inputs * shape.kernel * shape.kernel];
    unpack_weights(shape, total, &mut weight);
    weight
}

/// Groups of images whose weight gradients are summed apart.
const GROUPS: usize = 16;

/// The gradients of a batch normalisation's parameters, and the way through it, from
/// each image's sums of `dy` and `dy * (z - mean)`, `(batch, blocks, 2)` lanes.
fn affine_gradient(
    sums: &[Lane],
    batch: usize,
    half: &Half,
    statistics: &Statistics,
) -> (HalfGradient, AffineGradient) {
    let channels = statistics.mean.len();
    let blocks = channels.div_ceil(16);
    let n = statistics.count as f64;
    let mut gradient = HalfGradient {
        weight: Vec::new(),
        gamma: vec![0.0; channels],
        beta: vec![0.0; channels],
    };
    let mut through = AffineGradient {
        scale: vec![Lane::default(); blocks],
        slope: vec![Lane::default(); blocks],
        offset: vec![Lane::default(); blocks],
    };
    for c in 0..channels {
        let total = |part: usize| -> f64 {
            (0..batch)
                .map(|image| f64::from(sums[(image * blocks + c / 16) * 2 + part].0[c % 16]))
                .sum()
        };
        if !half.has_norm() {
            gradient.beta[c] = total(0) as f32;
            through.scale[c / 16].0[c % 16] = 1.0;
            continue;
        }
        let deviation = statistics.inverse_deviation(c, half.epsilon);
        let (beta, gamma) = (total(0), total(1) * deviation);
        gradient.beta[c] = beta as f32;
        gradient.gamma[c] = gamma as f32;
        let scale = f64::from(half.gamma[c]) * deviation;
        let slope = -scale * deviation * gamma / n;
        through.scale[c / 16].0[c % 16] = scale as f32;
        through.slope[c / 16].0[c % 16] = slope as f32;
        through.offset[c / 16].0[c % 16] = (-scale * beta / n - slope * statistics.mean[c]) as f32;
    }
    (gradient, through)
}
