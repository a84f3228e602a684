//! What passes from stage to stage.

use super::{Context, Images};
use crate::{
    kernels::{
        buffer::{Buffer, F32x16, flat, flat_mut},
        passes::{Affine, blocks_to_planes, normalise, planes_to_blocks},
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
pub(crate) struct Rows {
    pub values: Buffer,
    pub units: usize,
}

/// The gradient of an [`Activation`].
pub(crate) enum Gradient {
    Blocks {
        values: Buffer,
        /// Where the gradient is already 0 wherever the pending ReLU is: each image's sums of it
        /// and of its product with `z - mean`.
        sums: Option<Buffer>,
    },
    Rows(Buffer),
}

impl Gradient {
    pub fn blocks(values: Buffer) -> Self {
        Self::Blocks { values, sums: None }
    }

    /// The values, whatever they are of.
    pub fn into_values(self) -> Buffer {
        match self {
            Self::Blocks { values, .. } | Self::Rows(values) => values,
        }
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
        Self {
            values: Buffer::new(batch * channels.div_ceil(16) * height * width),
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
}

impl Activation {
    pub fn dims(&self) -> Dims {
        match self {
            Self::Input(dims) => *dims,
            Self::Blocks(blocks) => Dims::Image {
                channels: blocks.channels,
                height: blocks.height,
                width: blocks.width,
            },
            Self::Rows(rows) => Dims::Vector(rows.units),
        }
    }

    /// As what a convolution pads.
    pub fn images<'a>(&'a self, context: &Context<'a>) -> Images<'a> {
        match self {
            Self::Input(_) => Images::Planes(context.batch.images),
            Self::Blocks(blocks) => Images::Blocks(&blocks.values, blocks.pending.as_ref()),
            Self::Rows(_) => unreachable!("the builder has refused a convolution of vectors"),
        }
    }

    /// What is pending, done: a copy, in blocks. Vectors stay vectors.
    pub fn done(&self, context: &Context) -> Activation {
        let batch = context.batch.len;
        match self {
            Self::Input(dims @ Dims::Image { .. }) => {
                let (channels, height, width) = super::stage::image(*dims);
                Self::Blocks(Blocks {
                    values: to_blocks(context.batch.images, channels, height * width),
                    channels,
                    height,
                    width,
                    pending: None,
                })
            }
            Self::Input(Dims::Vector(units)) => {
                let mut rows = Rows::new(batch, *units);
                rows.get_mut(batch).copy_from_slice(context.batch.images);
                Self::Rows(rows)
            }
            Self::Blocks(from) => {
                let mut blocks = Blocks::new(batch, from.channels, from.height, from.width);
                let len = blocks.image_len();
                (blocks.values.chunks_exact_mut(len))
                    .zip(from.values.chunks_exact(len))
                    .par_for_each(|(to, from_image)| match &from.pending {
                        Some(affine) => normalise(from_image, affine, to),
                        None => to.copy_from_slice(from_image),
                    });
                Self::Blocks(blocks)
            }
            Self::Rows(from) => {
                let mut rows = Rows::new(batch, from.units);
                rows.get_mut(batch).copy_from_slice(from.get(batch));
                Self::Rows(rows)
            }
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
                let (len, area) = (from.image_len(), from.area());
                (to.chunks_exact_mut(units))
                    .zip(from.values.chunks_exact(len))
                    .par_for_each(|(planes, blocks)| match &from.pending {
                        None => blocks_to_planes(blocks, area, planes),
                        Some(affine) => {
                            let mut done = Buffer::new(len);
                            normalise(blocks, affine, &mut done);
                            blocks_to_planes(&done, area, planes);
                        }
                    });
            }
        }
        rows
    }
}

/// Blocks `(batch, channels / 16, area, 16)` of planes `(batch, channels, area)`.
pub(crate) fn to_blocks(planes: &[f32], channels: usize, area: usize) -> Buffer {
    let len = channels.div_ceil(16) * area;
    let each = channels * area;
    let mut blocks = Buffer::new(planes.len() / each * len);
    (blocks.chunks_exact_mut(len))
        .zip(planes.chunks_exact(each))
        .par_for_each(|(blocks, planes)| planes_to_blocks(planes, area, blocks));
    blocks
}

/// The inverse of [`to_blocks`].
pub(crate) fn to_planes(blocks: &[F32x16], channels: usize, area: usize) -> Vec<f32> {
    let len = channels.div_ceil(16) * area;
    let mut planes = vec![0.0; blocks.len() / len * channels * area];
    (planes.chunks_exact_mut(channels * area))
        .zip(blocks.chunks_exact(len))
        .par_for_each(|(planes, blocks)| blocks_to_planes(blocks, area, planes));
    planes
}

/// `to += values`
pub(super) fn add(to: &mut Buffer, values: &Buffer) {
    const CHUNK: usize = 1 << 10;
    (to.chunks_mut(CHUNK))
        .zip(values.chunks(CHUNK))
        .par_for_each(|(to, values)| {
            for (to, value) in flat_mut(to).iter_mut().zip(flat(values)) {
                *to += value;
            }
        });
}
