//! What passes from stage to stage.

use std::borrow::Cow;

use super::Context;
use crate::{
    kernels::{
        buffer::{Buffer, F32x16, flat, flat_mut},
        conv::ConvShape,
        passes::{Affine, blocks_to_planes, normalise, pad_blocks, pad_planes, planes_to_blocks},
    },
    shape::Dims,
    threads::ParForEach,
};

/// A batch between two stages.
pub(crate) enum Activation {
    /// The network's input: the images of the batch.
    Input(Dims),
    Blocks(Blocks),
    Rows(Rows),
}

/// Images in blocks of 16 channels, `(batch, channels / 16, height, width, 16)`.
pub(crate) struct Blocks {
    pub values: Buffer,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Normalisation and ReLU that whoever reads the values does on the way.
    pub pending: Option<Affine>,
}

/// Vectors `(batch, units)`.
#[derive(Clone)]
pub(crate) struct Rows {
    pub values: Buffer,
    pub units: usize,
}

/// The gradient of an [`Activation`].
pub(crate) struct Gradient {
    pub values: Buffer,
    /// Where the gradient is already 0 wherever the pending ReLU is: each image's sums of it
    /// and of its product with `z - mean`.
    pub sums: Option<Buffer>,
}

impl From<Buffer> for Gradient {
    fn from(values: Buffer) -> Self {
        Self { values, sums: None }
    }
}

impl Rows {
    pub fn new(batch: usize, units: usize) -> Self {
        Self {
            values: Buffer::new((batch * units).div_ceil(16)),
            units,
        }
    }

    pub fn get(&self, batch: usize) -> &[f32] {
        &flat(&self.values)[..batch * self.units]
    }

    pub fn get_mut(&mut self, batch: usize) -> &mut [f32] {
        &mut flat_mut(&mut self.values)[..batch * self.units]
    }
}

impl Blocks {
    pub fn new(batch: usize, channels: usize, height: usize, width: usize) -> Self {
        let values = Buffer::new(batch * channels.div_ceil(16) * height * width);
        Self::of(values, (channels, height, width))
    }

    /// Of values of which nothing is pending.
    pub fn of(values: Buffer, (channels, height, width): (usize, usize, usize)) -> Self {
        Self {
            values,
            channels,
            height,
            width,
            pending: None,
        }
    }

    pub fn area(&self) -> usize {
        self.height * self.width
    }

    /// Vectors of one image.
    pub fn image_len(&self) -> usize {
        self.channels.div_ceil(16) * self.area()
    }

    /// Image `index`, with what is pending done, into `to`.
    pub fn copy_image(&self, index: usize, to: &mut [F32x16]) {
        let from = &self.values[index * to.len()..][..to.len()];
        match &self.pending {
            Some(affine) => normalise(from, affine, to),
            None => to.copy_from_slice(from),
        }
    }
}

impl Activation {
    /// Of arbitrary content.
    pub fn new(batch: usize, dims: Dims) -> Self {
        let (channels, height, width) = dims.sizes();
        match dims {
            Dims::Image { .. } => Self::Blocks(Blocks::new(batch, channels, height, width)),
            Dims::Vector(units) => Self::Rows(Rows::new(batch, units)),
        }
    }

    /// Of values as [`pack`] makes them.
    pub fn of(values: Buffer, dims: Dims) -> Self {
        match dims {
            Dims::Image { .. } => Self::Blocks(Blocks::of(values, dims.sizes())),
            Dims::Vector(units) => Self::Rows(Rows { values, units }),
        }
    }

    pub fn dims(&self) -> Dims {
        match self {
            Self::Input(dims) => *dims,
            Self::Blocks(blocks) => Dims::image(blocks.channels, blocks.height, blocks.width),
            Self::Rows(rows) => Dims::Vector(rows.units),
        }
    }

    /// All values of a batch, blocks with the channels that fill them up.
    pub fn values_mut(&mut self, batch: usize) -> &mut [f32] {
        match self {
            Self::Input(_) => &mut [],
            Self::Blocks(blocks) => flat_mut(&mut blocks.values),
            Self::Rows(rows) => rows.get_mut(batch),
        }
    }

    /// Pads image `index` for a convolution.
    pub fn pad(&self, context: &Context, shape: &ConvShape, index: usize, to: &mut [F32x16]) {
        match self {
            Self::Input(dims) => {
                let image = &context.batch.images[index * dims.len()..][..dims.len()];
                pad_planes(shape, image, to);
            }
            Self::Blocks(blocks) => {
                let len = blocks.image_len();
                let image = &blocks.values[index * len..][..len];
                pad_blocks(shape, image, blocks.pending.as_ref(), to);
            }
            Self::Rows(_) => unreachable!("the builder has refused a convolution of vectors"),
        }
    }

    /// What is pending, done: a copy, in blocks. Vectors stay vectors.
    pub fn done(&self, context: &Context) -> Self {
        match self {
            Self::Input(dims) => Self::of(pack(context.batch.images, *dims), *dims),
            Self::Rows(rows) => Self::Rows(rows.clone()),
            Self::Blocks(from) => {
                let size = (from.channels, from.height, from.width);
                let mut values = Buffer::new(from.values.len());
                (values.chunks_exact_mut(from.image_len()))
                    .enumerate()
                    .par_for_each(|(index, to)| from.copy_image(index, to));
                Self::Blocks(Blocks::of(values, size))
            }
        }
    }

    /// As [`Activation::done`], without a copy where nothing is pending.
    pub fn into_done(self, context: &Context) -> Self {
        match &self {
            Self::Rows(_) | Self::Blocks(Blocks { pending: None, .. }) => self,
            other => other.done(context),
        }
    }

    pub fn into_blocks(self) -> Blocks {
        match self {
            Self::Blocks(blocks) => blocks,
            _ => unreachable!("the builder has refused a layer for images after vectors"),
        }
    }

    /// As [`Activation::flattened`], without a copy of vectors.
    pub fn rows(&self, context: &Context) -> Cow<'_, Rows> {
        match self {
            Self::Rows(rows) => Cow::Borrowed(rows),
            other => Cow::Owned(other.flattened(context)),
        }
    }

    /// One vector a sample, `(channels, height, width)`.
    pub fn flattened(&self, context: &Context) -> Rows {
        let batch = context.batch.len;
        let units = self.dims().len();
        let mut rows = Rows::new(batch, units);
        let to = rows.get_mut(batch);
        match self {
            Self::Input(_) => to.copy_from_slice(context.batch.images),
            Self::Rows(from) => to.copy_from_slice(from.get(batch)),
            Self::Blocks(from) => {
                let pending = from.pending.as_ref();
                to_planes(&from.values, pending, from.area(), batch, to);
            }
        }
        rows
    }
}

/// Row-major values, `(batch, channels, height, width)` or `(batch, units)`, as stages take them:
/// images in blocks.
pub(crate) fn pack(values: &[f32], dims: Dims) -> Buffer {
    if let Dims::Vector(_) = dims {
        let mut rows = Buffer::new(values.len().div_ceil(16));
        flat_mut(&mut rows)[..values.len()].copy_from_slice(values);
        return rows;
    }
    let (channels, area) = dims.channels_and_area();
    let len = channels.div_ceil(16) * area;
    let mut blocks = Buffer::new(values.len() / dims.len() * len);
    (blocks.chunks_exact_mut(len))
        .zip(values.chunks_exact(dims.len()))
        .par_for_each(|(blocks, planes)| planes_to_blocks(planes, area, blocks));
    blocks
}

/// The inverse of [`pack`].
pub(crate) fn unpack(values: &[F32x16], dims: Dims, batch: usize) -> Vec<f32> {
    if let Dims::Vector(units) = dims {
        return flat(values)[..batch * units].to_vec();
    }
    let mut planes = vec![0.0; batch * dims.len()];
    let area = dims.channels_and_area().1;
    to_planes(values, None, area, batch, &mut planes);
    planes
}

fn to_planes(
    blocks: &[F32x16],
    pending: Option<&Affine>,
    area: usize,
    batch: usize,
    planes: &mut [f32],
) {
    let len = blocks.len() / batch;
    (planes.chunks_exact_mut(planes.len() / batch))
        .zip(blocks.chunks_exact(len))
        .par_for_each(|(planes, blocks)| match pending {
            None => blocks_to_planes(blocks, area, planes),
            Some(affine) => {
                let mut done = Buffer::new(len);
                normalise(blocks, affine, &mut done);
                blocks_to_planes(&done, area, planes);
            }
        });
}

/// `to += values`
pub(super) fn add(to: &mut Buffer, values: &Buffer) {
    const CHUNK: usize = 1 << 12;
    (to.chunks_mut(CHUNK))
        .zip(values.chunks(CHUNK))
        .par_for_each(|(to, values)| {
            for (to, value) in flat_mut(to).iter_mut().zip(flat(values)) {
                *to += value;
            }
        });
}
