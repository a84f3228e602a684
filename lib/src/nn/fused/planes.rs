//! The same from planes to planes, `(batch, channels, height, width)`: what dfdx's tensors are.

use super::{
    Folded, Half, HalfGradient, Images, Saved, backward,
    batch::{turned_weights, weight_gradients},
    forward, pooled_len,
};
use crate::nn::{
    kernels::{
        conv::{ConvShape, Epilogue, conv, pack_weights},
        lanes::{Buffer, Lane, flat_mut},
        passes::{blocks_to_planes, pad_planes, planes_to_blocks},
    },
    threads::ParForEach,
};

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
    (y.chunks_exact_mut(shape1.outputs * area))
        .enumerate()
        .par_for_each(|(image, y)| {
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
    (blocks.chunks_exact_mut(pooled_len(&shape1)))
        .zip(dy.chunks_exact(dy.len() / batch))
        .par_for_each(|(blocks, dy)| planes_to_blocks(dy, shape1.area() / 4, blocks));
    let images = Images::Planes(x);
    let (gradients, dx) = backward(saved, images, half1, half2, &mut blocks, true);
    let dx = dx.map(|dx| planes(&dx, batch, shape1.inputs, shape1.area()));
    (gradients, dx.unwrap_or_default())
}

/// Planes `(batch, channels, area)` from blocks.
fn planes(blocks: &[Lane], batch: usize, channels: usize, area: usize) -> Vec<f32> {
    let mut planes = vec![0.0; batch * channels * area];
    (planes.chunks_exact_mut(channels * area))
        .zip(blocks.chunks_exact(blocks.len() / batch))
        .par_for_each(|(planes, blocks)| blocks_to_planes(blocks, area, planes));
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
    y.chunks_exact_mut(len)
        .enumerate()
        .par_for_each(|(image, y)| {
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
    (planes.chunks_exact_mut(in_len))
        .zip(dx.chunks_exact(transposed.output_len()))
        .par_for_each(|(planes, dx)| blocks_to_planes(dx, area, planes));
    let db = (0..shape.outputs).map(|o| {
        let of_channel = dy.chunks_exact(area).skip(o).step_by(shape.outputs);
        let sum: f64 = of_channel.flatten().map(|&v| f64::from(v)).sum();
        sum as f32
    });
    (planes, dw, db.collect())
}
