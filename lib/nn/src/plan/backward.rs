//! The backward pass.

use super::{
    Activation, Context, Gradient, Statistics,
    activation::{Blocks, Rows, add, to_blocks, to_planes},
    batch::{Filters, weight_gradients},
    forward::{Saved, Step},
    stage::{ConvStage, DenseStage, Norm, NormStage, PoolKind, PoolStage, Stage, TapeStage},
    statistics::{AffineParameters, affine_gradient},
};
use crate::{
    Result,
    kernels::{
        buffer::{Buffer, F32x16, flat, flat_mut},
        conv::{ConvShape, Epilogue},
        dense::{Matrix, multiply},
        passes::{Affine, pad_normalise_gradient, pad_unpool_gradient, relu_gradient},
        pooling::{average_unpool, global_average_unpool, max_unpool},
    },
    shape::Dims,
    threads::ParForEach,
};

/// What the backward pass finds out about a network's tensors.
#[derive(Default)]
pub(crate) struct Gradients {
    /// By the tensor's place.
    pub values: Vec<(usize, Values)>,
    /// The batch's statistics, for the running ones; with the bias of the convolution before.
    pub statistics: Vec<(Norm, Option<usize>, Statistics)>,
    /// New values of what modules on dfdx's tape keep beside their parameters.
    pub updated: Vec<(usize, Vec<f32>)>,
}

/// A gradient's values; a buffer may be a little longer than its tensor.
pub(crate) enum Values {
    Vec(Vec<f32>),
    Buffer(Buffer),
}

impl Values {
    pub fn get(&self, len: usize) -> &[f32] {
        match self {
            Self::Vec(values) => &values[..len],
            Self::Buffer(buffer) => &flat(buffer)[..len],
        }
    }
}

/// Walks back through `stages`, whose forward pass was `steps` from `input`, with the gradient of
/// their output. Returns the gradient of `input` where it is wanted.
pub(crate) fn backward(
    stages: &[Stage],
    mut steps: Vec<Step>,
    context: &Context,
    input: &Activation,
    mut dy: Gradient,
    wants_input: bool,
    found: &mut Gradients,
) -> Result<Option<Gradient>> {
    for stage in stages.iter().rev() {
        let Some(step) = steps.pop() else { break };
        let x = steps.last().map_or(input, |step| &step.out);
        // Only the first stage of all has an input whose gradient nobody asks for.
        let wants = wants_input || !steps.is_empty();
        let dx = match stage {
            Stage::Conv(conv) => conv_backward(conv, step, context, x, dy, wants, found),
            Stage::Norm(norm) => Some(norm_backward(norm, step, context, dy, found)),
            Stage::Pool(pool) => Some(pool_backward(pool, step, context, dy)),
            Stage::Dense(dense) => {
                let (deferred, dx) = backward_dense(dense, &step, context, dy, wants);
                deferred.each(x, context, |tensor, values| {
                    found.values.push((tensor, values));
                });
                dx
            }
            Stage::Relu { .. } => Some(relu_backward(&step.out, context, dy)),
            Stage::Dropout { mask } => Some(match dy {
                Gradient::Blocks { mut values, .. } => {
                    mask.apply(flat_mut(&mut values), context);
                    Gradient::blocks(values)
                }
                Gradient::Rows(mut values) => {
                    let len = context.batch.len * step.out.dims().len();
                    mask.apply(&mut flat_mut(&mut values)[..len], context);
                    Gradient::Rows(values)
                }
            }),
            Stage::Flatten => Some(match x {
                Activation::Blocks(x) => {
                    let dy = dy.into_values();
                    let dy = &flat(&dy)[..context.batch.len * x.channels * x.area()];
                    Gradient::blocks(to_blocks(dy, x.channels, x.area()))
                }
                _ => dy,
            }),
            Stage::Residual {
                main,
                shortcut,
                relu,
                ..
            } => residual_backward(main, shortcut, *relu, step, context, dy, wants, found)?,
            Stage::Tape(tape) => Some(tape_backward(tape, context, x, dy, found)?),
        };
        match dx {
            Some(dx) if wants => dy = dx,
            _ => return Ok(None),
        }
    }
    Ok(Some(dy))
}

/// Sets `dy` to 0 where the ReLU of `affine` did, and sums it up for the gradients of its
/// normalisation.
fn masked(z: &[F32x16], affine: &Affine, dy: &mut [F32x16], batch: usize) -> Buffer {
    let each = 2 * affine.scale.len();
    let mut sums = Buffer::zeros(batch * each);
    let len = dy.len() / batch;
    (dy.chunks_exact_mut(len))
        .zip(z.chunks_exact(len))
        .zip(sums.chunks_exact_mut(each))
        .par_for_each(|((dy, z), sums)| relu_gradient(z, affine, dy, sums));
    sums
}

/// Through what is pending of `out`, unless its reader has done it: the gradient before the ReLU,
/// and its sums.
fn through_pending(dy: Gradient, out: &Blocks, batch: usize) -> (Buffer, Buffer) {
    if let Gradient::Blocks {
        values,
        sums: Some(sums),
    } = dy
    {
        return (values, sums);
    }
    let as_it_is;
    let affine = match &out.pending {
        Some(affine) => affine,
        None => {
            as_it_is = Affine::identity(out.channels, false);
            &as_it_is
        }
    };
    let mut dy = dy.into_values();
    let sums = masked(&out.values, affine, &mut dy, batch);
    (dy, sums)
}

fn conv_backward(
    stage: &ConvStage,
    step: Step,
    context: &Context,
    x: &Activation,
    dy: Gradient,
    wants_input: bool,
    found: &mut Gradients,
) -> Option<Gradient> {
    let (shape, batch) = (&stage.shape, context.batch.len);
    let conv_bn = context.conv_bn(stage);
    let len = shape.output_len();
    // Through pooling and ReLU. `carrier` gives the gradient before the normalisation, image by
    // image, and takes the input's where it has the same size.
    let pooled;
    let (statistics, sums, mut carrier, z) = match (step.saved, step.out, dy) {
        (
            Saved::Pooled {
                statistics,
                affine,
                z,
                choice,
                best_z,
            },
            _,
            dy,
        ) => {
            let mut dy = dy.into_values();
            // Only the chosen pixels carry a gradient.
            let sums = masked(&best_z, &affine, &mut dy, batch);
            pooled = Some((dy, choice));
            (statistics, sums, z, None)
        }
        (Saved::Statistics(statistics), Activation::Blocks(out), dy) => {
            pooled = None;
            let (dy, sums) = through_pending(dy, &out, batch);
            (statistics, sums, dy, Some(out.values))
        }
        _ => unreachable!("a convolution's forward pass keeps its statistics"),
    };
    let (parameters, through) = affine_gradient(&sums, batch, &conv_bn, &statistics);

    // Through the convolution, and the normalisation and ReLU that its input waits for.
    let rotated = wants_input.then(|| Filters::rotated(shape, conv_bn.weight));
    let input_len = shape.transposed().output_len();
    let in_place = input_len == len;
    let mut dx = Buffer::new(match wants_input && !in_place {
        true => batch * input_len,
        false => 0,
    });
    let waits = match x {
        Activation::Blocks(x) if wants_input => x.pending.as_ref().map(|affine| (x, affine)),
        _ => None,
    };
    let each = waits.map_or(0, |(_, affine)| 2 * affine.scale.len());
    let mut input_sums = Buffer::zeros(batch * each);
    let images = x.images(context);
    let dx_len = dx.len() / batch;
    let own = [
        (&mut carrier, len),
        (&mut dx, dx_len),
        (&mut input_sums, each),
    ];
    let weight = weight_gradients(
        shape,
        batch,
        own,
        |image, padded, dz, [carrier, dx, sums]| {
            match (&pooled, &z) {
                (Some((dy, choice)), _) => {
                    let len = dy.len() / batch;
                    let at = image * len..(image + 1) * len;
                    let (dy, choice) = (&dy[at.clone()], &choice[at]);
                    pad_unpool_gradient(shape, dy, choice, carrier, &through, dz);
                }
                (None, Some(z)) => {
                    let z = &z[image * len..][..len];
                    pad_normalise_gradient(shape, carrier, z, &through, dz);
                }
                (None, None) => {}
            }
            images.pad(shape, image, padded);
            if let Some(rotated) = &rotated {
                let to = if in_place { carrier } else { dx };
                rotated.apply(dz, Epilogue::none(), to);
                if let Some((x, affine)) = waits {
                    let z = &x.values[image * input_len..][..input_len];
                    relu_gradient(z, affine, to, sums);
                }
            }
        },
    );
    found.values.push((stage.weight, Values::Vec(weight)));
    keep_norm(
        stage.norm, stage.bias, parameters, statistics, context, found,
    );
    wants_input.then(|| Gradient::Blocks {
        values: if in_place { carrier } else { dx },
        sums: waits.map(|_| input_sums),
    })
}

/// Keeps the gradients of a batch normalisation and its statistics; without one, the gradient of
/// the bias before it.
fn keep_norm(
    norm: Option<Norm>,
    bias: usize,
    parameters: AffineParameters,
    statistics: Statistics,
    context: &Context,
    found: &mut Gradients,
) {
    let AffineParameters { gamma, beta } = parameters;
    let Some(norm) = norm else {
        found.values.push((bias, Values::Vec(beta)));
        return;
    };
    if context.is_frozen(norm.gamma) {
        if bias != norm.beta {
            found.values.push((bias, Values::Vec(beta)));
        }
        return;
    }
    let bias = (bias != norm.beta).then_some(bias);
    if let Some(bias) = bias {
        // Taken away by the normalisation; but an optimiser may let it decay.
        found
            .values
            .push((bias, Values::Vec(vec![0.0; beta.len()])));
    }
    found.values.push((norm.gamma, Values::Vec(gamma)));
    found.values.push((norm.beta, Values::Vec(beta)));
    found.statistics.push((norm, bias, statistics));
}

fn norm_backward(
    stage: &NormStage,
    step: Step,
    context: &Context,
    dy: Gradient,
    found: &mut Gradients,
) -> Gradient {
    let batch = context.batch.len;
    let (Saved::Statistics(statistics), Activation::Blocks(out)) = (step.saved, step.out) else {
        unreachable!("a normalisation's forward pass keeps its statistics");
    };
    let (dy, sums) = through_pending(dy, &out, batch);
    let conv_bn = context.norm(Some(&stage.norm));
    let (parameters, through) = affine_gradient(&sums, batch, &conv_bn, &statistics);
    keep_norm(
        Some(stage.norm),
        stage.norm.beta,
        parameters,
        statistics,
        context,
        found,
    );
    // As a convolution that pads nothing.
    let shape = ConvShape {
        inputs: out.channels,
        outputs: out.channels,
        kernel: 1,
        stride: 1,
        height: out.height,
        width: out.width,
    };
    let len = out.image_len();
    let mut dx = Buffer::new(batch * len);
    (dx.chunks_exact_mut(len))
        .zip(dy.chunks_exact(len))
        .zip(out.values.chunks_exact(len))
        .par_for_each(|((dx, dy), z)| pad_normalise_gradient(&shape, dy, z, &through, dx));
    Gradient::blocks(dx)
}

fn pool_backward(pool: &PoolStage, step: Step, context: &Context, dy: Gradient) -> Gradient {
    let batch = context.batch.len;
    let (channels, height, width) = (pool.channels, pool.height, pool.width);
    let mut dx = Blocks::new(batch, channels, height, width);
    let len = dx.image_len();
    let images = dx.values.chunks_exact_mut(len);
    let dy = dy.into_values();
    match (pool.kind, &step.saved) {
        (PoolKind::GlobalAverage, _) => {
            let dy = flat(&dy)[..batch * channels].chunks_exact(channels);
            images
                .zip(dy)
                .par_for_each(|(dx, dy)| global_average_unpool(dy, height * width, dx));
        }
        (_, Saved::Choice(choice)) => {
            let each = dy.len() / batch;
            let parts = dy.chunks_exact(each).zip(choice.chunks_exact(each));
            images
                .zip(parts)
                .par_for_each(|(dx, (dy, choice))| max_unpool(height, width, dy, choice, dx));
        }
        _ => {
            images
                .zip(dy.chunks_exact(dy.len() / batch))
                .par_for_each(|(dx, dy)| average_unpool(height, width, dy, dx));
        }
    }
    Gradient::blocks(dx.values)
}

/// `out` is what ReLU made, or what it is still to be done to.
fn relu_backward(out: &Activation, context: &Context, dy: Gradient) -> Gradient {
    let batch = context.batch.len;
    match (out, dy) {
        (Activation::Blocks(out), dy) => Gradient::blocks(through_pending(dy, out, batch).0),
        (Activation::Rows(out), dy) => {
            let mut dy = dy.into_values();
            for (dy, y) in flat_mut(&mut dy).iter_mut().zip(out.get(batch)) {
                *dy = if *y > 0.0 { *dy } else { 0.0 };
            }
            Gradient::Rows(dy)
        }
        (Activation::Input(_), dy) => dy,
    }
}

#[allow(clippy::too_many_arguments)]
fn residual_backward(
    main: &[Stage],
    shortcut: &[Stage],
    relu: bool,
    step: Step,
    context: &Context,
    dy: Gradient,
    wants_input: bool,
    found: &mut Gradients,
) -> Result<Option<Gradient>> {
    let dy = match relu {
        true => relu_backward(&step.out, context, dy),
        false => dy,
    };
    let Saved::Residual {
        input,
        main: main_steps,
        shortcut: shortcut_steps,
    } = step.saved
    else {
        unreachable!("a residual's forward pass keeps that of its paths");
    };
    let copy = match &dy {
        Gradient::Blocks { values, .. } => Gradient::blocks(values.clone()),
        Gradient::Rows(values) => Gradient::Rows(values.clone()),
    };
    let (wants, input) = (wants_input, &input);
    let a = backward(main, main_steps, context, input, dy, wants, found)?;
    let b = backward(shortcut, shortcut_steps, context, input, copy, wants, found)?;
    Ok(match (a, b) {
        (Some(a), Some(b)) => {
            let is_rows = matches!(a, Gradient::Rows(_));
            let mut total = a.into_values();
            add(&mut total, &b.into_values());
            Some(match is_rows {
                true => Gradient::Rows(total),
                false => Gradient::blocks(total),
            })
        }
        _ => None,
    })
}

fn tape_backward(
    tape: &TapeStage,
    context: &Context,
    x: &Activation,
    dy: Gradient,
    found: &mut Gradients,
) -> Result<Gradient> {
    let batch = context.batch.len;
    let dy = match (tape.output, dy) {
        (Dims::Vector(units), dy) => flat(&dy.into_values())[..batch * units].to_vec(),
        (dims @ Dims::Image { .. }, dy) => {
            let (channels, area) = dims.channels_and_area();
            to_planes(&dy.into_values(), channels, area)
        }
    };
    let gradient = context.on_tape(tape, x, |layer, pass| layer.gradient(pass, &dy))?;
    for (tensor, change) in tape.tensors.clone().zip(gradient.tensors) {
        match context.tensors[tensor].trainable {
            true => found.values.push((tensor, Values::Vec(change))),
            false => found.updated.push((tensor, change)),
        }
    }
    Ok(match tape.input {
        Dims::Vector(units) => {
            let mut dx = Rows::new(batch, units);
            dx.get_mut(batch).copy_from_slice(&gradient.input);
            Gradient::Rows(dx.values)
        }
        dims @ Dims::Image { .. } => {
            let (channels, area) = dims.channels_and_area();
            Gradient::blocks(to_blocks(&gradient.input, channels, area))
        }
    })
}

/// Gradients of a dense layer's tensors that are still to be computed: nothing waits for them.
pub(crate) struct Deferred<'a> {
    stage: &'a DenseStage,
    /// The gradient before ReLU and dropout, `(batch, units)`.
    dz: Buffer,
}

/// Walks back through a dense layer, and puts off the gradients of its tensors.
pub(crate) fn backward_dense<'a>(
    stage: &'a DenseStage,
    step: &Step,
    context: &Context,
    dy: Gradient,
    wants_input: bool,
) -> (Deferred<'a>, Option<Gradient>) {
    let (batch, units) = (context.batch.len, stage.units);
    let mut dz = dy.into_values();
    let values = &mut flat_mut(&mut dz)[..batch * units];
    match (&step.out, &stage.mask) {
        // An output is positive where neither ReLU nor dropout took it.
        (Activation::Rows(out), mask) if stage.relu => {
            let scale = 1.0 / (1.0 - mask.as_ref().map_or(0.0, |mask| mask.p));
            for (gradient, value) in values.iter_mut().zip(out.get(batch)) {
                *gradient = if *value > 0.0 { *gradient * scale } else { 0.0 };
            }
        }
        (_, Some(mask)) => mask.apply(values, context),
        _ => {}
    }
    let dx = wants_input.then(|| {
        let weight = context.values(stage.weight);
        let inputs = weight.len() / units;
        let mut dx = Rows::new(batch, inputs);
        let dz = Matrix::row_major(&flat(&dz)[..batch * units], batch, units);
        let weight = Matrix::row_major(weight, units, inputs);
        multiply(dz, weight, false, dx.get_mut(batch));
        Gradient::Rows(dx.values)
    });
    (Deferred { stage, dz }, dx)
}

impl Deferred<'_> {
    /// The tensors that it is about.
    pub fn tensors(&self) -> Vec<usize> {
        Stage::Dense(self.stage.clone()).tensors()
    }

    /// Computes each gradient, and hands it on; `x` is the layer's input.
    pub fn each(&self, x: &Activation, context: &Context, mut keep: impl FnMut(usize, Values)) {
        let (batch, units) = (context.batch.len, self.stage.units);
        let dz = &flat(&self.dz)[..batch * units];
        let copy;
        let x = match x {
            Activation::Rows(rows) => rows.get(batch),
            other => {
                copy = other.flattened(context);
                copy.get(batch)
            }
        };
        let product = |of: &[f32]| {
            let width = of.len() / batch;
            let mut to = Buffer::new((units * width).div_ceil(16));
            let gradient = Matrix::row_major(dz, batch, units);
            let of = Matrix::row_major(of, batch, width);
            let into = &mut flat_mut(&mut to)[..units * width];
            multiply(gradient.transposed(), of, false, into);
            Values::Buffer(to)
        };
        keep(self.stage.weight, product(x));
        let mut bias = vec![0.0; units];
        for row in dz.chunks_exact(units) {
            for (sum, value) in bias.iter_mut().zip(row) {
                *sum += value;
            }
        }
        keep(self.stage.bias, Values::Vec(bias));
        if let Some(features) = self.stage.features {
            keep(features, product(context.batch.features));
        }
    }
}
