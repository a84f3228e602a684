//! Evaluation: batch normalisation becomes part of the convolution before it, and an image goes
//! through all convolutions while it stays in the processor's cache.

use super::{
    Activation, Context, ConvBn,
    activation::pack,
    batch::Filters,
    forward::{dense_product, pooled, rectify},
    stage::{ConvStage, Stage, Work},
};
use crate::{
    Result,
    kernels::{
        amx,
        buffer::{Buffer, F32x16, flat_mut},
        conv::Epilogue,
        passes::{Affine, clear_border},
    },
    shape::Dims,
    threads::ParForEach,
};

/// A stage made ready for evaluation.
pub(crate) struct Folded<'a> {
    stage: &'a Stage,
    parts: Parts<'a>,
}

/// What is computed of a stage before all images.
enum Parts<'a> {
    Conv(FoldedConv<'a>),
    Norm(Affine),
    /// A dense layer's weights in bf16.
    Bf16(amx::Weights),
    /// Both paths.
    Residual([Vec<Folded<'a>>; 2]),
    Nothing,
}

/// A convolution whose weights hold the batch normalisation after it.
struct FoldedConv<'a> {
    stage: &'a ConvStage,
    filters: Filters,
    bias: Vec<F32x16>,
}

impl<'a> Folded<'a> {
    /// With convolutions and dense layers in bf16 where `bf16` is set.
    pub fn new(stages: &'a [Stage], context: &Context, bf16: bool) -> Vec<Self> {
        let fold = |stage: &'a Stage| {
            let parts = match &stage.work {
                Work::Conv(conv) => {
                    Parts::Conv(FoldedConv::new(conv, &context.conv_bn(conv), bf16))
                }
                // For few rows rounding the weights takes longer than using them.
                Work::Dense(dense) if bf16 && context.batch.len >= amx::ROWS => {
                    let weight = context.values(dense.weight);
                    Parts::Bf16(amx::Weights::of_dense(weight, dense.units))
                }
                Work::Norm(norm, relu) => {
                    let norm = context.norm(Some(norm));
                    Parts::Norm(Affine::of(norm.gamma.len(), *relu, |c| {
                        let (scale, shift) = norm.running(c);
                        [scale, shift, 0.0]
                    }))
                }
                Work::Residual(paths) => Parts::Residual(
                    [&paths.main, &paths.shortcut].map(|path| Self::new(path, context, bf16)),
                ),
                _ => Parts::Nothing,
            };
            Self { stage, parts }
        };
        stages.iter().map(fold).collect()
    }

    /// Whether each image can go through it alone.
    fn is_local(&self) -> bool {
        match &self.parts {
            Parts::Residual(paths) => paths.iter().flatten().all(Self::is_local),
            _ => !matches!(self.stage.work, Work::Dense(_) | Work::Tape(..)),
        }
    }

    /// Runs any stage but a convolution.
    fn run(&self, context: &Context, x: Activation) -> Result<Activation> {
        let batch = context.batch.len;
        Ok(match (&self.parts, &self.stage.work) {
            (Parts::Norm(affine), _) => {
                let mut x = x.into_done(context);
                x.pending = Some(affine.clone());
                x.into_done(context)
            }
            (Parts::Residual([main, shortcut]), Work::Residual(paths)) => {
                let x = x.into_done(context);
                let mut y = evaluate(main, context, x.done(context))?.into_done(context);
                let other = evaluate(shortcut, context, x)?.into_done(context);
                y.values.add(&other.values);
                if paths.relu {
                    rectify(y.get_mut(batch));
                }
                y
            }
            (_, Work::Relu) => {
                let mut y = x.into_done(context);
                rectify(y.get_mut(batch));
                y
            }
            (_, Work::Pool(kind)) => pooled(*kind, &x.into_done(context), batch),
            (_, Work::Flatten) => x.flattened(context),
            (Parts::Bf16(weights), Work::Dense(dense)) => {
                dense_product(dense, context, &x, Some(weights))
            }
            (_, Work::Dense(dense)) => dense_product(dense, context, &x, None),
            (_, Work::Tape(layer, index)) => {
                let y =
                    context.on_tape(self.stage, *index, &x, |pass| layer.forward(pass, false))?;
                Activation::of(pack(&y, self.stage.output), self.stage.output)
            }
            _ => x,
        })
    }
}

impl<'a> FoldedConv<'a> {
    fn new(stage: &'a ConvStage, conv_bn: &ConvBn, bf16: bool) -> Self {
        let outputs = stage.shape.outputs;
        let mut bias = vec![F32x16::default(); stage.shape.output_blocks()];
        let mut scales = vec![1.0; outputs];
        for (c, bias) in flat_mut(&mut bias)[..outputs].iter_mut().enumerate() {
            let (scale, shift) = match conv_bn.has_norm() {
                true => conv_bn.running(c),
                false => (1.0, f64::from(conv_bn.bias[c])),
            };
            (scales[c], *bias) = (scale as f32, shift as f32);
        }
        let filters = Filters::new(stage.shape, conv_bn.weight, bf16, |o| scales[o]);
        Self { stage, filters, bias }
    }

    /// Convolves an image that is padded already; the result has a border of zeros of that width.
    fn run(&self, padded: &[F32x16], output: Dims, border: usize) -> Buffer {
        let (_, height, width) = output.sizes();
        let out_width = width + 2 * border;
        let area = (height + 2 * border) * out_width;
        let mut out = Buffer::new(self.stage.shape.output_blocks() * area);
        if border > 0 {
            for block in out.chunks_exact_mut(area) {
                clear_border(block, out_width, border);
            }
        }
        let epilogue = Epilogue { bias: &self.bias, relu: self.stage.relu, sums: &mut [], border };
        self.filters.apply(padded, epilogue, self.stage.pool, &mut out);
        out
    }
}

/// Runs a batch through `stages`.
pub(crate) fn evaluate(
    stages: &[Folded],
    context: &Context,
    mut x: Activation,
) -> Result<Activation> {
    let mut rest = stages;
    while let Some(first) = rest.first() {
        let local = rest.iter().take_while(|stage| stage.is_local()).count();
        x = match (local, context.batch.len) {
            (0, _) => first.run(context, x)?,
            (_, 1) => run_image(&rest[..local], context, x)?,
            _ => run_images(&rest[..local], context, &x),
        };
        rest = &rest[local.max(1)..];
    }
    Ok(x)
}

/// Runs a batch of one image through `stages`.
fn run_image(stages: &[Folded], context: &Context, mut x: Activation) -> Result<Activation> {
    // The next convolution's input, where the one before it has written it with its border.
    let mut written = None;
    for (i, stage) in stages.iter().enumerate() {
        let Parts::Conv(conv) = &stage.parts else {
            x = stage.run(context, x)?;
            continue;
        };
        let (shape, pool) = (&conv.stage.shape, conv.stage.pool);
        let padded = written.take().unwrap_or_else(|| {
            let mut padded = Buffer::new(shape.input_len());
            // Given back before the output asks for memory, which is in the cache then.
            let input = std::mem::replace(&mut x, Activation::input(stage.stage.output));
            input.pad(context, shape, 0, &mut padded);
            padded
        });
        let border = match stages.get(i + 1).map(|next| &next.parts) {
            Some(Parts::Conv(next)) if !pool && next.stage.shape.depth() == 16 => {
                next.stage.shape.border()
            }
            _ => 0,
        };
        let out = conv.run(&padded, stage.stage.output, border);
        match border {
            0 => x = Activation::of(out, stage.stage.output),
            _ => written = Some(out),
        }
    }
    Ok(x)
}

/// Runs every image of a batch through `stages` by itself.
fn run_images(stages: &[Folded], context: &Context, x: &Activation) -> Activation {
    let batch = context.batch.len;
    let dims = x.dims;
    let alone = |index: usize| {
        let mut alone = *context;
        alone.batch.len = 1;
        alone.batch.images = &[];
        let mut image = Activation::input(dims);
        if x.is_input() {
            let images = context.batch.images;
            alone.batch.images = &images[index * dims.len()..][..dims.len()];
        } else if let Dims::Vector(units) = dims {
            image.values = pack(&x.get(batch)[index * units..][..units], dims);
        } else {
            image.values = Buffer::new(x.values.len() / batch);
            x.copy_image(index, &mut image.values);
        }
        let done = run_image(stages, &alone, image).map(|y| y.into_done(&alone));
        done.expect("only a module on the tape fails, and no image goes through one alone")
    };
    let output = stages.last().map_or(dims, |last| last.stage.output);
    let mut out = Activation::new(batch, output);
    let values = out.get_mut(batch);
    (values.chunks_exact_mut(values.len() / batch).enumerate())
        .par_for_each(|(index, to)| to.copy_from_slice(alone(index).get(1)));
    out
}

/// The outputs of every stage of a batch, `(batch, units)`, named; not those of dropout and
/// flattening, which are another one's.
pub(crate) fn outputs(
    stages: &[Stage],
    context: &Context,
    input: Dims,
) -> Result<Vec<(String, Vec<f32>)>> {
    let mut x = Activation::input(input);
    let mut outputs = Vec::new();
    for folded in Folded::new(stages, context, false) {
        x = evaluate(std::slice::from_ref(&folded), context, x)?;
        if !matches!(folded.stage.work, Work::Dropout(_) | Work::Flatten) {
            let values = x.rows(context).into_owned();
            outputs.push((folded.stage.name.clone(), values));
        }
    }
    Ok(outputs)
}
