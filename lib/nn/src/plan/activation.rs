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

/// A batch between two stages: vectors, `(batch, units)`, or images in blocks of 16 channels,
/// `(batch, channels / 16, height, width, 16)`.
pub(crate) struct Activation {
    pub dims: Dims,
    /// Empty for the network's input, whose values are the batch's.
    pub values: Buffer,
    /// Normalisation and ReLU that the reader still has to apply.
    pub pending: Option<Affine>,
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

impl Activation {
    /// Of values as [`pack`] makes them.
    pub fn of(values: Buffer, dims: Dims) -> Self {
        Self { dims, values, pending: None }
    }

    /// The network's input.
    pub fn input(dims: Dims) -> Self {
        Self::of(Buffer::new(0), dims)
    }

    /// Of arbitrary content.
    pub fn new(batch: usize, dims: Dims) -> Self {
        let (channels, area) = dims.channels_and_area();
        let len = match dims {
            Dims::Image { .. } => batch * channels.div_ceil(16) * area,
            Dims::Vector(units) => (batch * units).div_ceil(16),
        };
        Self::of(Buffer::new(len), dims)
    }

    pub fn is_input(&self) -> bool {
        self.values.is_empty()
    }

    /// All values of a batch; blocks with the channels that fill them up.
    pub fn get(&self, batch: usize) -> &[f32] {
        match self.dims {
            Dims::Image { .. } => flat(&self.values),
            Dims::Vector(units) => &flat(&self.values)[..batch * units],
        }
    }

    pub fn get_mut(&mut self, batch: usize) -> &mut [f32] {
        match self.dims {
            Dims::Image { .. } => flat_mut(&mut self.values),
            Dims::Vector(units) => &mut flat_mut(&mut self.values)[..batch * units],
        }
    }

    /// Image `index`, with what is pending done, into `to`.
    pub fn copy_image(&self, index: usize, to: &mut [F32x16]) {
        let from = &self.values[index * to.len()..][..to.len()];
        match &self.pending {
            Some(affine) => normalise(from, affine, to),
            None => to.copy_from_slice(from),
        }
    }

    /// Pads image `index` for a convolution.
    pub fn pad(&self, context: &Context, shape: &ConvShape, index: usize, to: &mut [F32x16]) {
        if self.is_input() {
            let len = self.dims.len();
            pad_planes(shape, &context.batch.images[index * len..][..len], to);
        } else {
            let len = self.values.len() / context.batch.len;
            let image = &self.values[index * len..][..len];
            pad_blocks(shape, image, self.pending.as_ref(), to);
        }
    }

    /// A copy, with what is pending done.
    pub fn done(&self, context: &Context) -> Self {
        if self.is_input() {
            return Self::of(pack(context.batch.images, self.dims), self.dims);
        }
        let mut values = Buffer::new(self.values.len());
        match self.dims {
            Dims::Vector(_) => values.copy_from_slice(&self.values),
            Dims::Image { .. } => (values.chunks_exact_mut(self.values.len() / context.batch.len))
                .enumerate()
                .par_for_each(|(index, to)| self.copy_image(index, to)),
        }
        Self::of(values, self.dims)
    }

    /// As [`Activation::done`], without a copy where nothing is pending.
    pub fn into_done(self, context: &Context) -> Self {
        match self.is_input() || self.pending.is_some() {
            true => self.done(context),
            false => self,
        }
    }

    /// One vector a sample, `(channels, height, width)`.
    pub fn flattened(&self, context: &Context) -> Self {
        let batch = context.batch.len;
        let mut vectors = Self::new(batch, Dims::Vector(self.dims.len()));
        self.flatten_into(context, vectors.get_mut(batch));
        vectors
    }

    /// The same as values, without a copy of vectors.
    pub fn rows(&self, context: &Context) -> Cow<'_, [f32]> {
        let batch = context.batch.len;
        if !self.is_input() && self.dims == Dims::Vector(self.dims.len()) {
            return Cow::Borrowed(self.get(batch));
        }
        let mut rows = vec![0.0; batch * self.dims.len()];
        self.flatten_into(context, &mut rows);
        Cow::Owned(rows)
    }

    fn flatten_into(&self, context: &Context, to: &mut [f32]) {
        let batch = context.batch.len;
        match self.dims {
            _ if self.is_input() => to.copy_from_slice(context.batch.images),
            Dims::Vector(_) => to.copy_from_slice(self.get(batch)),
            image => {
                let (_, area) = image.channels_and_area();
                let len = self.values.len() / batch;
                (to.chunks_exact_mut(to.len() / batch).enumerate()).par_for_each(|(i, planes)| {
                    if self.pending.is_some() {
                        let mut done = Buffer::new(len);
                        self.copy_image(i, &mut done);
                        blocks_to_planes(&done, area, planes);
                    } else {
                        blocks_to_planes(&self.values[i * len..][..len], area, planes);
                    }
                });
            }
        }
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
