//! The backward pass.

use std::borrow::Cow;

use super::{
    Activation, Context, Gradient,
    activation::pack,
    batch::{Filters, weight_gradients},
    forward::{Saved, Step},
    stage::{ConvStage, DenseStage, Norm, Paths, PoolKind, Stage, Work},
    statistics::affine_gradient,
    tape::TapeLayer,
};
use crate::{
    Batch, Result,
    kernels::{
        buffer::{Buffer, F32x16, add, flat, flat_mut},
        conv::{ConvShape, Epilogue},
        dense::{Matrix, Right, multiply},
        passes::{Affine, pad_gradient, relu_gradient},
        pooling::{global_average_unpool, unpool},
    },
    shape::Dims,
    threads::ParForEach,
};

/// What the backward pass computes for a network's tensors.
#[derive(Default)]
pub(crate) struct Gradients {
    /// By the tensor's index; a buffer may be a little longer than its tensor.
    pub values: Vec<(usize, Buffer)>,
    /// New values of what modules on dfdx's tape keep beside their parameters.
    pub updated: Vec<(usize, Vec<f32>)>,
}

/// The backward pass of a batch, and the gradients so far.
pub(crate) struct Backward<'a> {
    context: &'a Context<'a>,
    pub gradients: Gradients,
}

impl<'a> Backward<'a> {
    pub fn new(context: &'a Context<'a>) -> Self {
        Self { context, gradients: Gradients::default() }
    }

    /// Walks back through `stages`, whose forward pass was `steps` from `input`, with the gradient
    /// of their output. Returns the gradient of `input` where it is wanted.
    pub fn through(
        &mut self,
        stages: &[Stage],
        mut steps: Vec<Step>,
        input: &Activation,
        mut dy: Gradient,
        wants_dx: bool,
    ) -> Result<Option<Gradient>> {
        let batch = self.context.batch.len;
        for stage in stages.iter().rev() {
            let Some(step) = steps.pop() else { break };
            let x = steps.last().map_or(input, |step| &step.out);
            // Only the first stage of all has an input whose gradient nobody asks for.
            let wants_dx = wants_dx || !steps.is_empty();
            let dx = match &stage.work {
                Work::Conv(conv) => self.conv(conv, step, x, dy, wants_dx),
                Work::Norm(norm, _) => Some(self.norm(*norm, step, dy)),
                Work::Pool(kind) => Some(pool_backward(*kind, &step.saved, x, dy, batch)),
                Work::Dense(dense) => {
                    let (deferred, dx) =
                        backward_dense(dense, &step, self.context, x, dy, wants_dx);
                    let keep = |tensor, values| self.gradients.values.push((tensor, values));
                    deferred.each(self.context.batch, keep);
                    dx
                }
                Work::Relu => Some(relu_backward(&step.out, dy, batch)),
                Work::Dropout(mask) => {
                    let mut dx = Activation::of(dy.values, step.out.dims);
                    mask.apply(dx.get_mut(batch), self.context);
                    Some(dx.values.into())
                }
                Work::Flatten if wants_dx => {
                    Some(pack(&flat(&dy.values)[..batch * x.dims.len()], x.dims).into())
                }
                Work::Flatten => None,
                Work::Residual(paths) => self.residual(paths, step, dy, wants_dx)?,
                Work::Tape(layer, index) => {
                    let dy = Activation::of(dy.values, stage.output);
                    Some(self.tape(stage, (&**layer, *index), x, &dy.rows(self.context))?)
                }
            };
            match dx {
                Some(dx) if wants_dx => dy = dx,
                _ => return Ok(None),
            }
        }
        Ok(Some(dy))
    }

    fn conv(
        &mut self,
        stage: &ConvStage,
        step: Step,
        x: &Activation,
        dy: Gradient,
        wants_dx: bool,
    ) -> Option<Gradient> {
        let context = self.context;
        let (shape, batch) = (&stage.shape, context.batch.len);
        let conv_bn = context.conv_bn(stage);
        let len = shape.output_len();
        // Through pooling and ReLU. `carrier` gives the gradient before the normalisation, image by
        // image, together with `beside`, and takes the input's where it has the same size.
        let (statistics, sums, mut carrier, beside, choice) = match step.saved {
            Saved::Pooled { statistics, affine, z, choice, best_z } => {
                let mut dy = dy.values;
                // Only the chosen pixels carry a gradient.
                let sums = masked(&best_z, &affine, &mut dy, batch);
                (statistics, sums, z, dy, Some(choice))
            }
            Saved::Statistics(statistics) => {
                let (dy, sums) = through_pending(dy, &step.out, batch);
                (statistics, sums, dy, step.out.values, None)
            }
            _ => unreachable!("a convolution's forward pass keeps its statistics"),
        };
        let (parameters, through) = affine_gradient(&sums, batch, &conv_bn, &statistics);

        // Through the convolution, and the normalisation and ReLU that its input waits for.
        let rotated = wants_dx.then(|| Filters::rotated(shape, conv_bn.weight));
        let input_len = shape.transposed().output_len();
        let in_place = input_len == len;
        let mut dx = Buffer::new(match wants_dx && !in_place {
            true => batch * input_len,
            false => 0,
        });
        let waits = x.pending.as_ref().filter(|_| wants_dx);
        let sums_len = waits.map_or(0, |affine| 2 * affine.scale.len());
        let mut input_sums = Buffer::zeros(batch * sums_len);
        let dx_len = dx.len() / batch;
        let beside_len = beside.len() / batch;
        let own = [(&mut carrier, len), (&mut dx, dx_len), (&mut input_sums, sums_len)];
        let weight =
            weight_gradients(shape, batch, own, |image, padded, dz, [carrier, dx, sums]| {
                let at = image * beside_len..(image + 1) * beside_len;
                let beside = &beside[at.clone()];
                match &choice {
                    Some(choice) => {
                        let choice = Some(&choice[at]);
                        pad_gradient(shape, beside, choice, carrier, &through, dz);
                    }
                    None => pad_gradient(shape, carrier, None, beside, &through, dz),
                }
                x.pad(context, shape, image, padded);
                if let Some(rotated) = &rotated {
                    let to = if in_place { carrier } else { dx };
                    rotated.apply(dz, Epilogue::default(), false, false, to);
                    if let Some(affine) = waits {
                        let z = &x.values[image * input_len..][..input_len];
                        relu_gradient(z, affine, to, sums);
                    }
                }
            });
        self.gradients.values.push((stage.weight, weight));
        self.keep_norm(stage.norm, Some(stage.bias), parameters);
        wants_dx.then(|| Gradient {
            values: if in_place { carrier } else { dx },
            sums: waits.map(|_| input_sums),
        })
    }

    fn norm(&mut self, norm: Norm, step: Step, dy: Gradient) -> Gradient {
        let batch = self.context.batch.len;
        let Saved::Statistics(statistics) = step.saved else {
            unreachable!("a normalisation's forward pass keeps its statistics");
        };
        let (dy, sums) = through_pending(dy, &step.out, batch);
        let conv_bn = self.context.norm(Some(norm));
        let (parameters, through) = affine_gradient(&sums, batch, &conv_bn, &statistics);
        self.keep_norm(Some(norm), None, parameters);
        // As a convolution that pads nothing.
        let (channels, height, width) = step.out.dims.sizes();
        let shape =
            ConvShape { inputs: channels, outputs: channels, kernel: 1, stride: 1, height, width };
        let len = dy.len() / batch;
        let mut dx = Buffer::new(dy.len());
        (dx.chunks_exact_mut(len))
            .zip(dy.chunks_exact(len))
            .zip(step.out.values.chunks_exact(len))
            .par_for_each(|((dx, dy), z)| pad_gradient(&shape, dy, None, z, &through, dx));
        dx.into()
    }

    fn keep(&mut self, tensor: usize, values: &[f32]) {
        let values = pack(values, Dims::Vector(values.len()));
        self.gradients.values.push((tensor, values));
    }

    /// Keeps the gradients of a batch normalisation and of the bias before it, of those that there are.
    fn keep_norm(&mut self, norm: Option<Norm>, bias: Option<usize>, [gamma, beta]: [Vec<f32>; 2]) {
        match (norm, bias) {
            (Some(norm), bias) if !self.context.is_frozen(norm.gamma) => {
                if let Some(bias) = bias {
                    // Taken away by the normalisation; but an optimiser may let it decay.
                    self.keep(bias, &vec![0.0; beta.len()]);
                }
                self.keep(norm.gamma, &gamma);
                self.keep(norm.beta, &beta);
            }
            (_, Some(bias)) => self.keep(bias, &beta),
            _ => {}
        }
    }

    fn residual(
        &mut self,
        paths: &Paths,
        step: Step,
        dy: Gradient,
        wants_dx: bool,
    ) -> Result<Option<Gradient>> {
        let dy = match paths.relu {
            true => relu_backward(&step.out, dy, self.context.batch.len),
            false => dy,
        };
        let Saved::Residual { input, main, shortcut } = step.saved else {
            unreachable!("a residual's forward pass keeps that of its paths");
        };
        let copy = dy.values.clone().into();
        let a = self.through(&paths.main, main, &input, dy, wants_dx)?;
        let b = self.through(&paths.shortcut, shortcut, &input, copy, wants_dx)?;
        let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
        let mut total = a.values;
        total.add(&b.values);
        Ok(Some(total.into()))
    }

    fn tape(
        &mut self,
        stage: &Stage,
        (layer, index): (&dyn TapeLayer, u64),
        x: &Activation,
        dy: &[f32],
    ) -> Result<Gradient> {
        let context = self.context;
        let gradient = context.on_tape(stage, index, x, |pass| layer.gradient(pass, dy))?;
        let changes = stage.tensors.clone().zip(gradient.tensors);
        for (tensor, change) in changes.filter(|(tensor, _)| !context.is_frozen(*tensor)) {
            match context.tensors[tensor].trainable {
                true => self.keep(tensor, &change),
                false => self.gradients.updated.push((tensor, change)),
            }
        }
        Ok(pack(&gradient.input, x.dims).into())
    }
}

/// Sets `dy` to 0 where the ReLU of `affine` did, and sums it up for the gradients of its
/// normalisation.
fn masked(z: &[F32x16], affine: &Affine, dy: &mut [F32x16], batch: usize) -> Buffer {
    let sums_len = 2 * affine.scale.len();
    let mut sums = Buffer::zeros(batch * sums_len);
    let len = dy.len() / batch;
    (dy.chunks_exact_mut(len))
        .zip(z.chunks_exact(len))
        .zip(sums.chunks_exact_mut(sums_len))
        .par_for_each(|((dy, z), sums)| relu_gradient(z, affine, dy, sums));
    sums
}

/// Through what is pending of `out`, unless its reader has done it: the gradient before the ReLU,
/// and its sums.
fn through_pending(dy: Gradient, out: &Activation, batch: usize) -> (Buffer, Buffer) {
    let mut values = dy.values;
    if let Some(sums) = dy.sums {
        return (values, sums);
    }
    let as_it_is = || Affine::identity(out.dims.sizes().0, false);
    let affine = out.pending.clone().unwrap_or_else(as_it_is);
    let sums = masked(&out.values, &affine, &mut values, batch);
    (values, sums)
}

fn pool_backward(
    kind: PoolKind,
    saved: &Saved,
    x: &Activation,
    dy: Gradient,
    batch: usize,
) -> Gradient {
    let (channels, height, width) = x.dims.sizes();
    let mut dx = Activation::new(batch, x.dims).values;
    let len = dx.len() / batch;
    let images = dx.chunks_exact_mut(len);
    let dy = dy.values;
    if kind == PoolKind::GlobalAverage {
        let dy = flat(&dy)[..batch * channels].chunks_exact(channels);
        images.zip(dy).par_for_each(|(dx, dy)| global_average_unpool(dy, height * width, dx));
    } else {
        let dy_len = dy.len() / batch;
        let choice = match saved {
            Saved::Choice(choice) => Some(choice),
            _ => None,
        };
        (images.zip(dy.chunks_exact(dy_len)).enumerate()).par_for_each(|(image, (dx, dy))| {
            let choice = choice.map(|choice| &choice[image * dy_len..][..dy_len]);
            unpool(height, width, dy, choice, dx);
        });
    }
    dx.into()
}

/// `out` is what ReLU made, or what it is still to be done to.
fn relu_backward(out: &Activation, mut dy: Gradient, batch: usize) -> Gradient {
    if let Dims::Image { .. } = out.dims {
        return through_pending(dy, out, batch).0.into();
    }
    for (dy, y) in flat_mut(&mut dy.values).iter_mut().zip(out.get(batch)) {
        *dy = if *y > 0.0 { *dy } else { 0.0 };
    }
    dy
}

/// Gradients of a dense layer's tensors that are still to be computed: nothing waits for them.
pub(crate) struct Deferred<'a> {
    stage: &'a DenseStage,
    x: Cow<'a, [f32]>,
    /// The gradient before ReLU and dropout, `(batch, units)`.
    dz: Buffer,
}

/// Walks back through a dense layer, and puts off the gradients of its tensors.
pub(crate) fn backward_dense<'a>(
    stage: &'a DenseStage,
    step: &Step,
    context: &Context,
    x: &'a Activation,
    dy: Gradient,
    wants_dx: bool,
) -> (Deferred<'a>, Option<Gradient>) {
    let (batch, units) = (context.batch.len, stage.units);
    let mut dz = dy.values;
    let values = &mut flat_mut(&mut dz)[..batch * units];
    if stage.relu {
        // An output is positive where neither ReLU nor dropout took it.
        let scale = 1.0 / (1.0 - stage.mask.as_ref().map_or(0.0, |mask| mask.p));
        for (gradient, value) in values.iter_mut().zip(step.out.get(batch)) {
            *gradient = if *value > 0.0 { *gradient * scale } else { 0.0 };
        }
    } else if let Some(mask) = &stage.mask {
        mask.apply(values, context);
    }
    let dx = wants_dx.then(|| {
        let weight = context.values(stage.weight);
        let inputs = weight.len() / units;
        let mut dx = Activation::new(batch, Dims::Vector(inputs));
        let dz = Matrix::row_major(&flat(&dz)[..batch * units], batch, units);
        let weight = Matrix::row_major(weight, units, inputs);
        multiply(dz, Right::Matrix(weight), false, dx.get_mut(batch));
        dx.values.into()
    });
    let deferred = Deferred { stage, x: x.rows(context), dz };
    (deferred, dx)
}

impl Deferred<'_> {
    /// Computes each gradient, and hands it on.
    pub fn each(&self, batch: Batch, mut keep: impl FnMut(usize, Buffer)) {
        let (len, units) = (batch.len, self.stage.units);
        let dz = &flat(&self.dz)[..len * units];
        let product = |of: &[f32]| {
            let width = of.len() / len;
            let mut to = Buffer::new((units * width).div_ceil(16));
            let gradient = Matrix::row_major(dz, len, units);
            let of = Right::Matrix(Matrix::row_major(of, len, width));
            let into = &mut flat_mut(&mut to)[..units * width];
            multiply(gradient.transposed(), of, false, into);
            to
        };
        keep(self.stage.weight, product(&self.x));
        let mut bias = Buffer::zeros(units.div_ceil(16));
        for row in dz.chunks_exact(units) {
            add(flat_mut(&mut bias), row);
        }
        keep(self.stage.bias, bias);
        if let Some(features) = self.stage.features {
            keep(features, product(batch.features));
        }
    }
}
