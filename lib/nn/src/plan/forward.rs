//! The forward pass in training.

use super::{
    Activation, Context,
    activation::pack,
    batch::Filters,
    infer::Folded,
    stage::{ConvStage, DenseStage, DropoutMask, Norm, Paths, PoolKind, Stage, Work},
    statistics::Statistics,
};
use crate::{
    Result,
    kernels::{
        amx,
        buffer::Buffer,
        conv::Epilogue,
        dense::{Matrix, Right, multiply},
        dropout::drop_out,
        passes::{Affine, centred_sums, normalise_pool},
        pooling::{global_average_pool, pool},
    },
    shape::Dims,
    threads::ParForEach,
};

/// What a stage has made, and what its gradient needs besides.
pub(crate) struct Step {
    pub out: Activation,
    pub saved: Saved,
}

pub(crate) enum Saved {
    Nothing,
    /// The statistics that normalised the output, which is pending.
    Statistics(Statistics),
    /// A convolution's output `z` before normalisation and pooling, which of each window was
    /// taken, and `z` there.
    Pooled {
        statistics: Statistics,
        affine: Affine,
        z: Buffer,
        choice: Buffer,
        best_z: Buffer,
    },
    Choice(Buffer),
    Residual {
        input: Activation,
        main: Vec<Step>,
        shortcut: Vec<Step>,
    },
}

/// Runs `stages` on `input`.
pub(crate) fn forward(
    stages: &[Stage],
    context: &Context,
    input: &Activation,
) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::with_capacity(stages.len());
    for stage in stages {
        let x = steps.last().map_or(input, |step| &step.out);
        let step = match &stage.work {
            Work::Conv(conv) => conv_forward(conv, context, x),
            Work::Norm(norm, relu) => norm_forward(*norm, *relu, context, x),
            Work::Pool(kind) => pool_forward(*kind, context, x),
            Work::Dense(dense) => {
                let mut y = dense_product(dense, context, x, &Folded::Nothing);
                if let Some(mask) = &dense.mask {
                    mask.apply(y.get_mut(context.batch.len), context);
                }
                Step::new(y)
            }
            Work::Relu => Step::new(relu_forward(context, x.done(context))),
            Work::Dropout(mask) => {
                let mut y = x.done(context);
                mask.apply(y.get_mut(context.batch.len), context);
                Step::new(y)
            }
            Work::Flatten => Step::new(x.flattened(context)),
            Work::Residual(paths) => residual_forward(paths, context, x)?,
            Work::Tape(layer, index) => {
                let y = context.on_tape(stage, *index, x, |pass| layer.forward(pass, true))?;
                Step::new(Activation::of(pack(&y, stage.output), stage.output))
            }
        };
        steps.push(step);
    }
    Ok(steps)
}

impl Step {
    fn new(out: Activation) -> Self {
        Self { out, saved: Saved::Nothing }
    }
}

fn conv_forward(conv: &ConvStage, context: &Context, x: &Activation) -> Step {
    let (shape, batch) = (&conv.shape, context.batch.len);
    let conv_bn = context.conv_bn(conv);
    let blocks = shape.output_blocks();
    let filters = Filters::new(*shape, conv_bn.weight, false, |_| 1.0);
    // Batch normalisation would take a bias away again.
    let bias = match conv_bn.has_norm() {
        true => Buffer::new(0),
        false => pack(conv_bn.bias, Dims::image(shape.outputs, 1, 1)),
    };
    let mut z = Buffer::new(batch * shape.output_len());
    let mut sums = Buffer::zeros(batch * 2 * blocks);
    (z.chunks_exact_mut(shape.output_len()))
        .zip(sums.chunks_exact_mut(2 * blocks))
        .enumerate()
        .par_for_each(|(image, (z, sums))| {
            let mut padded = Buffer::new(shape.input_len());
            x.pad(context, shape, image, &mut padded);
            let epilogue = Epilogue {
                bias: &bias,
                sums: if conv_bn.has_norm() { sums } else { &mut [] },
                ..Epilogue::default()
            };
            filters.apply(&padded, epilogue, false, false, z);
        });
    let statistics = Statistics::from_sums(&sums, batch, shape.outputs, shape.out_area(), false);
    let affine = statistics.affine(&conv_bn, conv.relu);
    if conv.pool {
        let (out, choice, best_z) = max_pool(&z, &affine, batch, shape.output());
        return Step { out, saved: Saved::Pooled { statistics, affine, z, choice, best_z } };
    }
    let mut out = Activation::of(z, shape.output());
    out.pending = Some(affine);
    Step { out, saved: Saved::Statistics(statistics) }
}

/// Normalised and pooled; which of each window was taken, and its value before.
fn max_pool(z: &Buffer, affine: &Affine, batch: usize, dims: Dims) -> (Activation, Buffer, Buffer) {
    let (channels, height, width) = dims.sizes();
    let mut out = Activation::new(batch, Dims::image(channels, height / 2, width / 2));
    let len = out.values.len() / batch;
    let mut choice = Buffer::new(batch * len);
    let mut best_z = Buffer::new(batch * len);
    (out.values.chunks_exact_mut(len))
        .zip(choice.chunks_exact_mut(len))
        .zip(best_z.chunks_exact_mut(len))
        .zip(z.chunks_exact(z.len() / batch))
        .par_for_each(|(((out, choice), best_z), z)| {
            normalise_pool(height, width, z, affine, out, choice, best_z);
        });
    (out, choice, best_z)
}

fn norm_forward(norm: Norm, relu: bool, context: &Context, x: &Activation) -> Step {
    let mut out = x.done(context);
    let batch = context.batch.len;
    let (channels, area) = out.dims.channels_and_area();
    let sums_len = 2 * channels.div_ceil(16);
    let mut sums = Buffer::zeros(batch * sums_len);
    (out.values.chunks_exact(out.values.len() / batch))
        .zip(sums.chunks_exact_mut(sums_len))
        .par_for_each(|(z, sums)| centred_sums(z, sums));
    let statistics = Statistics::from_sums(&sums, batch, channels, area, true);
    out.pending = Some(statistics.affine(&context.norm(Some(norm)), relu));
    Step { out, saved: Saved::Statistics(statistics) }
}

fn pool_forward(kind: PoolKind, context: &Context, x: &Activation) -> Step {
    let x = x.done(context);
    let batch = context.batch.len;
    if kind != PoolKind::Max {
        return Step::new(pooled(kind, &x, batch));
    }
    let as_it_is = Affine::identity(x.dims.sizes().0, false);
    let (out, choice, _) = max_pool(&x.values, &as_it_is, batch, x.dims);
    Step { out, saved: Saved::Choice(choice) }
}

/// Pools images of which nothing is pending.
pub(super) fn pooled(kind: PoolKind, x: &Activation, batch: usize) -> Activation {
    let (channels, height, width) = x.dims.sizes();
    let images = x.values.chunks_exact(x.values.len() / batch);
    if kind == PoolKind::GlobalAverage {
        let mut out = Activation::new(batch, Dims::Vector(channels));
        (out.get_mut(batch).chunks_exact_mut(channels))
            .zip(images)
            .par_for_each(|(out, image)| global_average_pool(image, height * width, out));
        return out;
    }
    let mean = kind == PoolKind::Average;
    let mut out = Activation::new(batch, Dims::image(channels, height / 2, width / 2));
    let len = out.values.len() / batch;
    (out.values.chunks_exact_mut(len))
        .zip(images)
        .par_for_each(|(out, image)| pool(height, width, mean, image, out));
    out
}

/// ReLU of what nothing is pending of; it is pending itself, of images.
fn relu_forward(context: &Context, mut y: Activation) -> Activation {
    match y.dims {
        Dims::Image { channels, .. } => y.pending = Some(Affine::identity(channels, true)),
        Dims::Vector(_) => rectify(y.get_mut(context.batch.len)),
    }
    y
}

/// ReLU.
pub(super) fn rectify(values: &mut [f32]) {
    for value in values {
        // Not `max`: it would hide a NaN.
        *value = if *value < 0.0 { 0.0 } else { *value };
    }
}

impl DropoutMask {
    /// Drops the same of `values` in the same step: in the forward and in the backward pass.
    pub(super) fn apply(&self, values: &mut [f32], context: &Context) {
        // The first mask is drawn from the seed itself.
        let seed = context.seed ^ self.index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        drop_out(values, self.p, seed, context.step);
    }
}

/// Values that one task goes through at least.
const TASK: usize = 1 << 14;

/// The layer and the ReLU after it, if there is one; `folded` has its weights made ready.
pub(super) fn dense_product(
    dense: &DenseStage,
    context: &Context,
    x: &Activation,
    folded: &Folded,
) -> Activation {
    let (batch, units) = (context.batch.len, dense.units);
    let x = x.rows(context);
    let inputs = x.len() / batch;
    let mut out = Activation::new(batch, Dims::Vector(units));
    let values = out.get_mut(batch);
    let rows = Matrix::row_major(&x, batch, inputs);
    match folded {
        // For few rows AMX takes longer.
        Folded::Bf16(weights) if batch >= amx::ROWS => amx::dense(&x, batch, weights, values),
        Folded::Dense(weights) => multiply(rows, Right::Packed(weights), false, values),
        _ => {
            let weight = dense.matrix(context.values(dense.weight));
            multiply(rows, Right::Matrix(weight.transposed()), false, values);
        }
    }
    if let Some(weight) = dense.features {
        let features = context.batch.features;
        let features = Matrix::row_major(features, batch, features.len() / batch);
        let weight = dense.matrix(context.values(weight));
        multiply(features, Right::Matrix(weight.transposed()), true, values);
    }
    let bias = context.values(dense.bias);
    // Several rows a task: a short one costs less than handing it out.
    let rows = (TASK / units).max(1);
    values.chunks_mut(rows * units).par_for_each(|rows| {
        for row in rows.chunks_mut(units) {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
        if dense.relu {
            rectify(rows);
        }
    });
    out
}

fn residual_forward(paths: &Paths, context: &Context, x: &Activation) -> Result<Step> {
    let input = x.done(context);
    let main = forward(&paths.main, context, &input)?;
    let shortcut = forward(&paths.shortcut, context, &input)?;
    let path = |steps: &Vec<Step>| steps.last().map_or(&input, |step| &step.out).done(context);
    let mut out = path(&main);
    out.values.add(&path(&shortcut).values);
    if paths.relu {
        out = relu_forward(context, out);
    }
    Ok(Step { out, saved: Saved::Residual { input, main, shortcut } })
}
