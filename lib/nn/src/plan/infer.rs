//! Evaluation: batch normalisation becomes part of the convolution before it, and an image goes
//! through all convolutions while it stays in the processor's cache.

use super::{
    Activation, Context, ConvBn, Images,
    activation::{Blocks, Rows, to_planes},
    batch::Filters,
    forward::{dense_product, from_tape, rectify, sum},
    stage::{ConvStage, DenseStage, PoolKind, PoolStage, Stage, TapeStage, image},
};
use crate::{
    Result,
    kernels::{
        buffer::{Buffer, F32x16, flat, flat_mut},
        conv::{ConvShape, Epilogue},
        passes::{
            Affine, blocks_to_planes, clear_border, normalise, pad_blocks, pad_planes,
            planes_to_blocks, pool,
        },
        pooling::{average_pool, global_average_pool},
    },
    shape::Dims,
    threads::ParForEach,
};

/// A stage made ready for evaluation.
pub(crate) enum Folded<'a> {
    Conv(FoldedConv),
    Norm(Affine),
    Relu,
    Pool(&'a PoolStage),
    /// Dropout.
    Nothing,
    Flatten,
    Residual(Vec<Folded<'a>>, Vec<Folded<'a>>, bool),
    Dense(&'a DenseStage),
    Tape(&'a TapeStage),
}

/// A convolution whose weights hold the batch normalisation after it.
pub(crate) struct FoldedConv {
    shape: ConvShape,
    filters: Filters,
    bias: Vec<F32x16>,
    relu: bool,
    pool: bool,
}

impl<'a> Folded<'a> {
    pub fn new(stages: &'a [Stage], context: &Context) -> Vec<Self> {
        let fold = |stage: &'a Stage| match stage {
            Stage::Conv(conv) => Self::Conv(FoldedConv::new(conv, &context.conv_bn(conv))),
            Stage::Norm(stage) => {
                let norm = context.norm(Some(&stage.norm));
                let (channels, _) = stage.dims.channels_and_area();
                let mut affine = Affine::identity(channels, stage.relu);
                for c in 0..channels {
                    let (scale, shift) = norm.running(c);
                    affine.scale[c / 16].0[c % 16] = scale as f32;
                    affine.shift[c / 16].0[c % 16] = shift as f32;
                }
                Self::Norm(affine)
            }
            Stage::Relu { .. } => Self::Relu,
            Stage::Pool(pool) => Self::Pool(pool),
            Stage::Dropout { .. } => Self::Nothing,
            Stage::Flatten => Self::Flatten,
            Stage::Dense(dense) => Self::Dense(dense),
            Stage::Tape(tape) => Self::Tape(tape),
            Stage::Residual {
                main,
                shortcut,
                relu,
                ..
            } => Self::Residual(
                Self::new(main, context),
                Self::new(shortcut, context),
                *relu,
            ),
        };
        stages.iter().map(fold).collect()
    }

    /// Whether each image can go through it alone.
    fn is_local(&self) -> bool {
        match self {
            Self::Dense(_) | Self::Tape(_) => false,
            Self::Residual(main, shortcut, _) => main.iter().chain(shortcut).all(Self::is_local),
            _ => true,
        }
    }
}

impl FoldedConv {
    fn new(stage: &ConvStage, conv_bn: &ConvBn) -> Self {
        let shape = stage.shape;
        let mut bias = vec![F32x16::default(); shape.output_blocks()];
        let mut scales = vec![1.0; shape.outputs];
        if conv_bn.has_norm() {
            for c in 0..shape.outputs {
                let (scale, shift) = conv_bn.running(c);
                scales[c] = scale as f32;
                bias[c / 16].0[c % 16] = shift as f32;
            }
        } else {
            flat_mut(&mut bias)[..shape.outputs].copy_from_slice(conv_bn.bias);
        }
        let filters = Filters::new(shape, conv_bn.weight, |o| scales[o]);
        Self {
            shape,
            filters,
            bias,
            relu: stage.relu,
            pool: stage.pool.is_some(),
        }
    }

    /// Height and width of what comes out.
    fn output(&self) -> (usize, usize) {
        let (height, width) = (self.shape.out_height(), self.shape.out_width());
        match self.pool {
            true => (height / 2, width / 2),
            false => (height, width),
        }
    }

    /// What follows the convolution; the result has a border of this width.
    fn epilogue(&self, border: usize) -> Epilogue<'_> {
        Epilogue {
            bias: &self.bias,
            relu: self.relu,
            sums: &mut [],
            border,
        }
    }
}

/// One image on its way.
enum Local {
    Planes(Buffer, Dims),
    Blocks(Buffer, Dims),
    /// Already with the border that the convolution after it wants.
    Padded(Buffer),
}

/// Runs one image through `stages`.
fn run_image(stages: &[Folded], planes: Option<&[f32]>, mut x: Local) -> Local {
    let mut planes = planes;
    for (i, stage) in stages.iter().enumerate() {
        let input = planes.take();
        x = match stage {
            Folded::Conv(folded) => {
                let shape = &folded.shape;
                let padded = match x {
                    Local::Padded(padded) => padded,
                    Local::Planes(ref values, dims) => {
                        let mut padded = Buffer::new(shape.input_len());
                        let own = flat(values);
                        let planes = input.unwrap_or_else(|| &own[..dims.len()]);
                        pad_planes(shape, planes, &mut padded);
                        padded
                    }
                    Local::Blocks(values, _) => {
                        let mut padded = Buffer::new(shape.input_len());
                        pad_blocks(shape, &values, None, &mut padded);
                        padded
                    }
                };
                let (height, width) = folded.output();
                let blocks = shape.output_blocks();
                let border = match stages.get(i + 1) {
                    Some(Folded::Conv(next)) if !folded.pool && next.shape.depth() == 16 => {
                        next.shape.border()
                    }
                    _ => 0,
                };
                let out_width = width + 2 * border;
                let area = (height + 2 * border) * out_width;
                let mut out = Buffer::new(blocks * area);
                if border > 0 {
                    // Straight into the next convolution's border of zeros.
                    for block in out.chunks_exact_mut(area) {
                        clear_border(block, out_width, border);
                    }
                }
                let epilogue = folded.epilogue(border);
                match folded.pool {
                    true => folded.filters.apply_pooled(&padded, epilogue, &mut out),
                    false => folded.filters.apply(&padded, epilogue, &mut out),
                }
                match border {
                    0 => Local::Blocks(
                        out,
                        Dims::Image {
                            channels: shape.outputs,
                            height,
                            width,
                        },
                    ),
                    _ => Local::Padded(out),
                }
            }
            other => {
                let (values, dims) = match (x, input) {
                    (Local::Planes(_, dims), Some(planes)) => (blocks_of(planes, dims), dims),
                    (Local::Planes(values, dims), None) => (blocks_of(flat(&values), dims), dims),
                    (Local::Blocks(values, dims), _) => (values, dims),
                    (Local::Padded(_), _) => unreachable!("only a convolution is handed a border"),
                };
                run_simple(other, values, dims)
            }
        };
    }
    x
}

fn blocks_of(planes: &[f32], dims: Dims) -> Buffer {
    let (channels, area) = dims.channels_and_area();
    let mut blocks = Buffer::new(channels.div_ceil(16) * area);
    planes_to_blocks(&planes[..channels * area], area, &mut blocks);
    blocks
}

/// Any stage but a convolution, of one image in blocks; a vector is an image of one pixel.
fn run_simple(stage: &Folded, mut x: Buffer, dims: Dims) -> Local {
    let (channels, height, width) = image(dims);
    let blocks = channels.div_ceil(16);
    let half = Dims::Image {
        channels,
        height: height / 2,
        width: width / 2,
    };
    match stage {
        Folded::Nothing => Local::Blocks(x, dims),
        Folded::Norm(affine) => {
            let mut out = Buffer::new(x.len());
            normalise(&x, affine, &mut out);
            Local::Blocks(out, dims)
        }
        Folded::Relu => {
            rectify(flat_mut(&mut x));
            Local::Blocks(x, dims)
        }
        Folded::Pool(stage) => match stage.kind {
            PoolKind::GlobalAverage => {
                let mut out = Buffer::new(blocks);
                global_average_pool(&x, height * width, &mut flat_mut(&mut out)[..channels]);
                Local::Planes(out, Dims::Vector(channels))
            }
            kind => {
                let mut out = Buffer::new(blocks * (height / 2) * (width / 2));
                match kind {
                    PoolKind::Max => pool(height, width, &x, &mut out),
                    _ => average_pool(height, width, &x, &mut out),
                }
                Local::Blocks(out, half)
            }
        },
        Folded::Flatten => {
            let mut out = Buffer::new(dims.len().div_ceil(16));
            blocks_to_planes(&x, height * width, &mut flat_mut(&mut out)[..dims.len()]);
            Local::Planes(out, Dims::Vector(dims.len()))
        }
        Folded::Residual(main, shortcut, relu) => {
            let copy = Local::Blocks(x.clone(), dims);
            let main = run_image(main, None, Local::Blocks(x, dims));
            let shortcut = run_image(shortcut, None, copy);
            let (mut total, dims) = in_blocks(main);
            let (other, _) = in_blocks(shortcut);
            for (to, value) in flat_mut(&mut total).iter_mut().zip(flat(&other)) {
                *to += value;
            }
            if *relu {
                rectify(flat_mut(&mut total));
            }
            Local::Blocks(total, dims)
        }
        Folded::Conv(..) | Folded::Dense(_) | Folded::Tape(_) => {
            unreachable!("not a stage of a single image, or run elsewhere")
        }
    }
}

fn in_blocks(x: Local) -> (Buffer, Dims) {
    match x {
        Local::Blocks(values, dims) => (values, dims),
        Local::Planes(values, dims) => (blocks_of(flat(&values), dims), dims),
        Local::Padded(_) => unreachable!("the last stage hands on no border"),
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
        if first.is_local() {
            let count = rest.iter().take_while(|stage| stage.is_local()).count();
            x = run_images(&rest[..count], context, &x);
            rest = &rest[count..];
            continue;
        }
        x = match first {
            Folded::Dense(dense) => Activation::Rows(dense_product(dense, context, &x)),
            Folded::Tape(tape) => {
                let y = context.on_tape(tape, &x, |layer, pass| layer.evaluate(pass))?;
                from_tape(y, tape.output, context.batch.len)
            }
            Folded::Residual(main, shortcut, relu) => {
                let a = evaluate(main, context, x.done(context))?.done(context);
                let b = evaluate(shortcut, context, x.done(context))?.done(context);
                sum(a, b, *relu, context.batch.len).done(context)
            }
            _ => unreachable!("every other stage is local"),
        };
        rest = &rest[1..];
    }
    Ok(x)
}

/// Runs every image of a batch through `stages` by itself.
fn run_images(stages: &[Folded], context: &Context, x: &Activation) -> Activation {
    let batch = context.batch.len;
    let dims = x.dims();
    let output = stages.iter().fold(dims, output_dims);
    let (channels, height, width) = image(output);
    let local = |index: usize| match x {
        Activation::Input(dims) => {
            let len = dims.len();
            let planes = &context.batch.images[index * len..][..len];
            run_image(stages, Some(planes), Local::Planes(Buffer::new(0), *dims))
        }
        Activation::Blocks(blocks) => {
            let len = blocks.image_len();
            let mut image = Buffer::new(len);
            match &blocks.pending {
                Some(affine) => {
                    normalise(&blocks.values[index * len..][..len], affine, &mut image);
                }
                None => image.copy_from_slice(&blocks.values[index * len..][..len]),
            }
            run_image(stages, None, Local::Blocks(image, dims))
        }
        Activation::Rows(rows) => {
            let mut row = Buffer::new(rows.units.div_ceil(16));
            let from = &rows.get(batch)[index * rows.units..][..rows.units];
            flat_mut(&mut row)[..rows.units].copy_from_slice(from);
            run_image(stages, None, Local::Planes(row, dims))
        }
    };
    if let Dims::Vector(units) = output {
        let mut rows = Rows::new(batch, units);
        (rows.get_mut(batch).chunks_exact_mut(units))
            .enumerate()
            .par_for_each(|(index, out)| match local(index) {
                Local::Planes(values, _) => {
                    out.copy_from_slice(&flat(&values)[..units]);
                }
                // A vector is an image of one pixel.
                Local::Blocks(values, _) => blocks_to_planes(&values, 1, out),
                Local::Padded(_) => unreachable!("the last stage hands on no border"),
            });
        return Activation::Rows(rows);
    }
    let mut blocks = Blocks::new(batch, channels, height, width);
    let len = blocks.image_len();
    (blocks.values.chunks_exact_mut(len))
        .enumerate()
        .par_for_each(|(index, out)| out.copy_from_slice(&in_blocks(local(index)).0));
    Activation::Blocks(blocks)
}

fn output_dims(dims: Dims, stage: &Folded) -> Dims {
    let (channels, height, width) = image(dims);
    match stage {
        Folded::Conv(folded) => {
            let (height, width) = folded.output();
            Dims::Image {
                channels: folded.shape.outputs,
                height,
                width,
            }
        }
        Folded::Pool(stage) if stage.kind == PoolKind::GlobalAverage => Dims::Vector(channels),
        Folded::Pool(_) => Dims::Image {
            channels,
            height: height / 2,
            width: width / 2,
        },
        Folded::Flatten => Dims::Vector(dims.len()),
        Folded::Residual(main, ..) => main.iter().fold(dims, output_dims),
        Folded::Dense(dense) => Dims::Vector(dense.units),
        Folded::Tape(tape) => tape.output,
        Folded::Norm(_) | Folded::Relu | Folded::Nothing => dims,
    }
}

/// The outputs of every stage of a batch, and of pooling by itself: `(batch, units)`, named.
pub(crate) fn layers(
    stages: &[Stage],
    context: &Context,
    input: Dims,
) -> Result<Vec<(String, Vec<f32>)>> {
    let folded = Folded::new(stages, context);
    let mut x = Activation::Input(input);
    let mut outputs = Vec::new();
    for (stage, folded) in stages.iter().zip(&folded) {
        if let (Stage::Conv(conv), Folded::Conv(folded)) = (stage, folded) {
            let whole = conv_layer(folded, x.images(context), context.batch.len);
            outputs.push((conv.name.clone(), planes(&whole)));
            x = match &conv.pool {
                None => Activation::Blocks(whole),
                Some(name) => {
                    let pooled = pooled(&whole, context.batch.len);
                    outputs.push((name.clone(), planes(&pooled)));
                    Activation::Blocks(pooled)
                }
            };
            continue;
        }
        x = evaluate(std::slice::from_ref(folded), context, x)?;
        if let Some(name) = name(stage) {
            let values = match &x {
                Activation::Blocks(blocks) => planes(blocks),
                other => other.flattened(context).get(context.batch.len).to_vec(),
            };
            outputs.push((name.into(), values));
        }
    }
    Ok(outputs)
}

/// A convolution with its ReLU, not yet pooled.
fn conv_layer(folded: &FoldedConv, images: Images, batch: usize) -> Blocks {
    let shape = &folded.shape;
    let (height, width) = (shape.out_height(), shape.out_width());
    let mut out = Blocks::new(batch, shape.outputs, height, width);
    let len = out.image_len();
    (out.values.chunks_exact_mut(len))
        .enumerate()
        .par_for_each(|(index, out)| {
            let mut padded = Buffer::new(shape.input_len());
            images.pad(shape, index, &mut padded);
            folded.filters.apply(&padded, folded.epilogue(0), out);
        });
    out
}

fn pooled(x: &Blocks, batch: usize) -> Blocks {
    let mut out = Blocks::new(batch, x.channels, x.height / 2, x.width / 2);
    let len = out.image_len();
    (out.values.chunks_exact_mut(len))
        .zip(x.values.chunks_exact(x.image_len()))
        .par_for_each(|(out, image)| pool(x.height, x.width, image, out));
    out
}

fn planes(x: &Blocks) -> Vec<f32> {
    to_planes(&x.values, x.channels, x.area())
}

/// None for stages whose output is that of another one.
fn name(stage: &Stage) -> Option<&str> {
    match stage {
        Stage::Conv(conv) => Some(&conv.name),
        Stage::Norm(norm) => Some(&norm.name),
        Stage::Relu { name } | Stage::Residual { name, .. } => Some(name),
        Stage::Pool(pool) => Some(&pool.name),
        Stage::Dense(dense) => Some(&dense.name),
        Stage::Tape(tape) => Some(&tape.name),
        Stage::Dropout { .. } | Stage::Flatten => None,
    }
}
