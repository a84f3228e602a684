//! The forward pass in training.

use super::{
    Activation, Context, Statistics,
    activation::{Blocks, Rows, add, to_blocks},
    batch::convolve,
    stage::{ConvStage, DenseStage, MaskSpec, NormStage, PoolKind, PoolStage, Stage, TapeStage},
};
use crate::{
    Result,
    kernels::{
        buffer::{Buffer, flat_mut},
        dense::{Matrix, multiply},
        passes::{Affine, Pooled, add_sums, normalise_pool},
        pooling::{average_pool, global_average_pool},
    },
    mask::drop_out,
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
        let step = match stage {
            Stage::Conv(conv) => conv_forward(conv, context, x),
            Stage::Norm(norm) => norm_forward(norm, context, x),
            Stage::Pool(pool) => pool_forward(pool, context, x),
            Stage::Dense(dense) => Step::new(dense_forward(dense, context, x)),
            Stage::Relu { .. } => Step::new(relu_forward(context, x)),
            Stage::Dropout { mask } => Step::new(dropout_forward(mask, context, x)),
            Stage::Flatten => Step::new(Activation::Rows(x.flattened(context))),
            Stage::Residual {
                main,
                shortcut,
                relu,
                ..
            } => residual_forward(main, shortcut, *relu, context, x)?,
            Stage::Tape(tape) => Step::new(tape_forward(tape, context, x)?),
        };
        steps.push(step);
    }
    Ok(steps)
}

impl Step {
    fn new(out: Activation) -> Self {
        Self {
            out,
            saved: Saved::Nothing,
        }
    }
}

fn conv_forward(conv: &ConvStage, context: &Context, x: &Activation) -> Step {
    let (shape, batch) = (&conv.shape, context.batch.len);
    let conv_bn = context.conv_bn(conv);
    let images = x.images(context);
    let (z, sums) = convolve(shape, batch, &conv_bn, |image, padded| {
        images.pad(shape, image, padded);
    });
    let statistics = Statistics::from_sums(&sums, batch, shape.outputs, shape.out_area());
    let affine = statistics.affine(&conv_bn, conv.relu);
    let (height, width) = (shape.out_height(), shape.out_width());
    if conv.pool.is_none() {
        return Step {
            out: Activation::Blocks(Blocks {
                values: z,
                channels: shape.outputs,
                height,
                width,
                pending: Some(affine),
            }),
            saved: Saved::Statistics(statistics),
        };
    }
    let (out, choice, best_z) = max_pool(&z, &affine, batch, (shape.outputs, height, width));
    Step {
        out: Activation::Blocks(out),
        saved: Saved::Pooled {
            statistics,
            affine,
            z,
            choice,
            best_z,
        },
    }
}

/// Normalised and pooled; which of each window was taken, and its value before.
fn max_pool(
    z: &Buffer,
    affine: &Affine,
    batch: usize,
    (channels, height, width): (usize, usize, usize),
) -> (Blocks, Buffer, Buffer) {
    let mut out = Blocks::new(batch, channels, height / 2, width / 2);
    let len = out.image_len();
    let mut choice = Buffer::new(batch * len);
    let mut best_z = Buffer::new(batch * len);
    (out.values.chunks_exact_mut(len))
        .zip(choice.chunks_exact_mut(len))
        .zip(best_z.chunks_exact_mut(len))
        .zip(z.chunks_exact(z.len() / batch))
        .par_for_each(|(((out, choice), best_z), z)| {
            let pooled = Pooled {
                out,
                choice,
                z: best_z,
            };
            normalise_pool(height, width, z, affine, pooled);
        });
    (out, choice, best_z)
}

fn norm_forward(stage: &NormStage, context: &Context, x: &Activation) -> Step {
    let Activation::Blocks(mut z) = x.done(context) else {
        unreachable!("the builder has refused batch normalisation of vectors");
    };
    let batch = context.batch.len;
    let (len, each) = (z.image_len(), 2 * z.channels.div_ceil(16));
    let mut sums = Buffer::zeros(batch * each);
    (z.values.chunks_exact(len))
        .zip(sums.chunks_exact_mut(each))
        .par_for_each(|(z, sums)| add_sums(z, sums));
    let statistics = Statistics::from_sums(&sums, batch, z.channels, z.area());
    z.pending = Some(statistics.affine(&context.norm(Some(&stage.norm)), stage.relu));
    Step {
        out: Activation::Blocks(z),
        saved: Saved::Statistics(statistics),
    }
}

fn pool_forward(pool: &PoolStage, context: &Context, x: &Activation) -> Step {
    let Activation::Blocks(x) = x.done(context) else {
        unreachable!("the builder has refused pooling of vectors");
    };
    let batch = context.batch.len;
    let (channels, height, width) = (pool.channels, pool.height, pool.width);
    match pool.kind {
        PoolKind::Max => {
            let as_it_is = Affine::identity(channels, false);
            let dims = (channels, height, width);
            let (out, choice, _) = max_pool(&x.values, &as_it_is, batch, dims);
            Step {
                out: Activation::Blocks(out),
                saved: Saved::Choice(choice),
            }
        }
        PoolKind::Average => {
            let mut out = Blocks::new(batch, channels, height / 2, width / 2);
            let len = out.image_len();
            (out.values.chunks_exact_mut(len))
                .zip(x.values.chunks_exact(x.image_len()))
                .par_for_each(|(out, x)| average_pool(height, width, x, out));
            Step::new(Activation::Blocks(out))
        }
        PoolKind::GlobalAverage => {
            let mut out = Rows::new(batch, channels);
            (out.get_mut(batch).chunks_exact_mut(channels))
                .zip(x.values.chunks_exact(x.image_len()))
                .par_for_each(|(out, x)| global_average_pool(x, height * width, out));
            Step::new(Activation::Rows(out))
        }
    }
}

fn relu_forward(context: &Context, x: &Activation) -> Activation {
    let batch = context.batch.len;
    match x.done(context) {
        Activation::Blocks(mut blocks) => {
            blocks.pending = Some(Affine::identity(blocks.channels, true));
            Activation::Blocks(blocks)
        }
        Activation::Rows(mut rows) => {
            rectify(rows.get_mut(batch));
            Activation::Rows(rows)
        }
        input => input,
    }
}

/// ReLU.
pub(super) fn rectify(values: &mut [f32]) {
    for value in values {
        // Not `max`: it would hide a NaN.
        *value = if *value < 0.0 { 0.0 } else { *value };
    }
}

fn dropout_forward(mask: &MaskSpec, context: &Context, x: &Activation) -> Activation {
    let batch = context.batch.len;
    let mut y = x.done(context);
    match &mut y {
        Activation::Blocks(blocks) => mask.apply(flat_mut(&mut blocks.values), context),
        Activation::Rows(rows) => mask.apply(rows.get_mut(batch), context),
        Activation::Input(_) => {}
    }
    y
}

impl MaskSpec {
    /// Drops the same of `values` in the same step: on the way forward and on the way back.
    pub(super) fn apply(&self, values: &mut [f32], context: &Context) {
        let (seed, step) = context.draw;
        // The first mask is drawn from the seed itself.
        let seed = seed ^ self.index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        drop_out(values, self.p, seed, step);
    }
}

pub(super) fn dense_forward(dense: &DenseStage, context: &Context, x: &Activation) -> Activation {
    let mut out = dense_product(dense, context, x);
    if let Some(mask) = &dense.mask {
        mask.apply(out.get_mut(context.batch.len), context);
    }
    Activation::Rows(out)
}

/// Values that one task goes through at least.
const TASK: usize = 1 << 14;

/// The layer and the ReLU after it, if there is one.
pub(super) fn dense_product(dense: &DenseStage, context: &Context, x: &Activation) -> Rows {
    let (batch, units) = (context.batch.len, dense.units);
    let copy;
    let x = match x {
        Activation::Rows(rows) => rows.get(batch),
        other => {
            copy = other.flattened(context);
            copy.get(batch)
        }
    };
    let inputs = x.len() / batch;
    let mut out = Rows::new(batch, units);
    let values = out.get_mut(batch);
    let weight = Matrix::row_major(context.values(dense.weight), units, inputs);
    let x = Matrix::row_major(x, batch, inputs);
    multiply(x, weight.transposed(), false, values);
    if let Some(weight) = dense.features {
        let features = context.batch.features;
        let count = features.len() / batch;
        let weight = Matrix::row_major(context.values(weight), units, count);
        let features = Matrix::row_major(features, batch, count);
        multiply(features, weight.transposed(), true, values);
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

fn residual_forward(
    main: &[Stage],
    shortcut: &[Stage],
    relu: bool,
    context: &Context,
    x: &Activation,
) -> Result<Step> {
    let input = x.done(context);
    let main = forward(main, context, &input)?;
    let shortcut = forward(shortcut, context, &input)?;
    let path = |steps: &Vec<Step>| steps.last().map_or(&input, |step| &step.out).done(context);
    let out = sum(path(&main), path(&shortcut), relu, context.batch.len);
    Ok(Step {
        out,
        saved: Saved::Residual {
            input,
            main,
            shortcut,
        },
    })
}

/// The sum of two paths, of which nothing is pending; ReLU is, of images.
pub(super) fn sum(a: Activation, b: Activation, relu: bool, batch: usize) -> Activation {
    match (a, b) {
        (Activation::Blocks(mut a), Activation::Blocks(b)) => {
            add(&mut a.values, &b.values);
            a.pending = relu.then(|| Affine::identity(a.channels, true));
            Activation::Blocks(a)
        }
        (Activation::Rows(mut a), Activation::Rows(b)) => {
            add(&mut a.values, &b.values);
            if relu {
                rectify(a.get_mut(batch));
            }
            Activation::Rows(a)
        }
        _ => unreachable!("the builder has refused paths of different shapes"),
    }
}

fn tape_forward(tape: &TapeStage, context: &Context, x: &Activation) -> Result<Activation> {
    let y = context.on_tape(tape, x, |layer, pass| layer.train(pass))?;
    Ok(from_tape(y, tape.output, context.batch.len))
}

/// The values of a tensor of dfdx, as the next stage takes them.
pub(super) fn from_tape(values: Vec<f32>, dims: Dims, batch: usize) -> Activation {
    match dims {
        Dims::Vector(units) => {
            let mut rows = Rows::new(batch, units);
            rows.get_mut(batch).copy_from_slice(&values);
            Activation::Rows(rows)
        }
        Dims::Image {
            channels,
            height,
            width,
        } => Activation::Blocks(Blocks {
            values: to_blocks(&values, channels, height * width),
            channels,
            height,
            width,
            pending: None,
        }),
    }
}
