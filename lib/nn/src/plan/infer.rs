//! Evaluation: batch normalisation becomes part of the convolution before it, and an image goes
//! through all convolutions while it stays in the processor's cache.

use super::{
    Activation, Context, ConvBn,
    activation::pack,
    batch::Filters,
    forward::{dense_product, pooled, rectify},
    stage::{ConvStage, Paths, Stage, Work},
};
use crate::{
    Result,
    kernels::{
        amx,
        buffer::{Buffer, F32x16, flat_mut},
        conv::Epilogue,
        dense::Packed,
        passes::{Affine, clear_border},
    },
    shape::Dims,
    threads::ParForEach,
};

/// What is computed of a stage's weights once for all batches.
#[derive(Debug)]
pub(crate) enum Folded {
    Conv(FoldedConv),
    Norm(Affine),
    Dense(Packed),
    /// A dense layer's weights in bf16.
    Bf16(amx::Weights),
    /// Both paths.
    Residual([Vec<Folded>; 2]),
    Nothing,
}

/// A convolution whose weights hold the batch normalisation after it.
#[derive(Debug)]
pub(crate) struct FoldedConv {
    filters: Filters,
    bias: Vec<F32x16>,
}

impl Folded {
    /// One for each stage, with convolutions and dense layers in bf16 where `bf16` is set.
    pub fn new(stages: &[Stage], context: &Context, bf16: bool) -> Vec<Self> {
        let fold = |stage: &Stage| match &stage.work {
            Work::Conv(conv) => Self::Conv(FoldedConv::new(conv, &context.conv_bn(conv), bf16)),
            Work::Dense(dense) => {
                let weight = context.values(dense.weight);
                match bf16 {
                    true => Self::Bf16(amx::Weights::of_dense(weight, dense.units)),
                    false => Self::Dense(Packed::new(dense.matrix(weight).transposed())),
                }
            }
            Work::Norm(norm, relu) => {
                let norm = context.norm(Some(*norm));
                Self::Norm(Affine::of(norm.gamma.len(), *relu, |c| {
                    let (scale, shift) = norm.running(c);
                    [scale, shift, 0.0]
                }))
            }
            Work::Residual(paths) => Self::Residual(
                [&paths.main, &paths.shortcut].map(|path| Self::new(path, context, bf16)),
            ),
            _ => Self::Nothing,
        };
        stages.iter().map(fold).collect()
    }

    /// Runs a stage that is no convolution.
    fn run(&self, stage: &Stage, context: &Context, x: Activation) -> Result<Activation> {
        let batch = context.batch.len;
        Ok(match (self, &stage.work) {
            (Self::Norm(affine), _) => {
                let mut x = x.into_done(context);
                x.pending = Some(affine.clone());
                x.into_done(context)
            }
            (Self::Residual([main, shortcut]), Work::Residual(paths)) => {
                let x = x.into_done(context);
                let mut y = evaluate(&paths.main, main, context, x.done(context))?;
                y = y.into_done(context);
                let other = evaluate(&paths.shortcut, shortcut, context, x)?.into_done(context);
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
            (_, Work::Dense(dense)) => dense_product(dense, context, &x, self),
            (_, Work::Tape(layer, index)) => {
                let y = context.on_tape(stage, *index, &x, |pass| layer.forward(pass, false))?;
                Activation::of(pack(&y, stage.output), stage.output)
            }
            _ => x,
        })
    }
}

impl FoldedConv {
    fn new(conv: &ConvStage, conv_bn: &ConvBn, bf16: bool) -> Self {
        let outputs = conv.shape.outputs;
        let mut bias = vec![F32x16::default(); conv.shape.output_blocks()];
        let mut scales = vec![1.0; outputs];
        for (c, bias) in flat_mut(&mut bias)[..outputs].iter_mut().enumerate() {
            let (scale, shift) = match conv_bn.has_norm() {
                true => conv_bn.running(c),
                false => (1.0, f64::from(conv_bn.bias[c])),
            };
            (scales[c], *bias) = (scale as f32, shift as f32);
        }
        let filters = Filters::new(conv.shape, conv_bn.weight, bf16, |o| scales[o]);
        Self { filters, bias }
    }

    /// Convolves an image that is padded already; the result, of size `output`, has a border of
    /// zeros of that width. On all threads where it is the only one of its batch.
    fn run(
        &self,
        conv: &ConvStage,
        padded: &[F32x16],
        output: Dims,
        border: usize,
        alone: bool,
    ) -> Buffer {
        let (_, height, width) = output.sizes();
        let out_width = width + 2 * border;
        let area = (height + 2 * border) * out_width;
        let mut out = Buffer::new(conv.shape.output_blocks() * area);
        if border > 0 {
            for block in out.chunks_exact_mut(area) {
                clear_border(block, out_width, border);
            }
        }
        let epilogue = Epilogue { bias: &self.bias, relu: conv.relu, sums: &mut [], border };
        self.filters.apply(padded, epilogue, conv.pool, alone, &mut out);
        out
    }
}

impl Stage {
    /// Whether each image can go through it alone.
    fn is_local(&self) -> bool {
        match &self.work {
            Work::Residual(Paths { main, shortcut, .. }) => {
                main.iter().chain(shortcut).all(Self::is_local)
            }
            Work::Dense(_) | Work::Tape(..) => false,
            _ => true,
        }
    }
}

/// Runs a batch through `stages`.
pub(crate) fn evaluate(
    stages: &[Stage],
    folded: &[Folded],
    context: &Context,
    mut x: Activation,
) -> Result<Activation> {
    let mut from = 0;
    while let Some(first) = stages.get(from) {
        let local = stages[from..].iter().take_while(|stage| stage.is_local()).count();
        let part = from..from + local.max(1);
        let (stages, folded) = (&stages[part.clone()], &folded[part.clone()]);
        x = match (local, context.batch.len) {
            (0, _) => folded[0].run(first, context, x)?,
            (_, 1) => run_image(stages, folded, context, x, true)?,
            _ => run_images(stages, folded, context, &x),
        };
        from = part.end;
    }
    Ok(x)
}

/// Runs a batch of one image through `stages`; `alone`, unless others run beside it.
fn run_image(
    stages: &[Stage],
    folded: &[Folded],
    context: &Context,
    mut x: Activation,
    alone: bool,
) -> Result<Activation> {
    // The next convolution's input, where the one before it has written it with its border.
    let mut written = None;
    for (i, (stage, folded)) in stages.iter().zip(folded).enumerate() {
        let (Folded::Conv(folded), Work::Conv(conv)) = (folded, &stage.work) else {
            x = folded.run(stage, context, x)?;
            continue;
        };
        let padded = written.take().unwrap_or_else(|| {
            let mut padded = Buffer::new(conv.shape.input_len());
            // Given back before the output asks for memory, which is in the cache then.
            let input = std::mem::replace(&mut x, Activation::input(stage.output));
            input.pad(context, &conv.shape, 0, &mut padded);
            padded
        });
        let border = match stages.get(i + 1).map(|next| &next.work) {
            Some(Work::Conv(next)) if !conv.pool && next.shape.depth() == 16 => next.shape.border(),
            _ => 0,
        };
        let out = folded.run(conv, &padded, stage.output, border, alone);
        match border {
            0 => x = Activation::of(out, stage.output),
            _ => written = Some(out),
        }
    }
    Ok(x)
}

/// Runs every image of a batch through `stages` by itself.
fn run_images(
    stages: &[Stage],
    folded: &[Folded],
    context: &Context,
    x: &Activation,
) -> Activation {
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
        let done = run_image(stages, folded, &alone, image, false).map(|y| y.into_done(&alone));
        done.expect("only a module on the tape fails, and no image goes through one alone")
    };
    let output = stages.last().map_or(dims, |last| last.output);
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
    for stage in stages.chunks_exact(1) {
        x = evaluate(stage, &Folded::new(stage, context, false), context, x)?;
        if !matches!(stage[0].work, Work::Dropout(_) | Work::Flatten) {
            outputs.push((stage[0].name.clone(), x.rows(context).into_owned()));
        }
    }
    Ok(outputs)
}
