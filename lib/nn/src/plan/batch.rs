//! Convolutions and their weight gradients over a batch.

use crate::{
    kernels::{
        amx,
        buffer::{Buffer, F32x16, add, flat, flat_mut},
        conv::{ConvShape, Epilogue, conv, pack_weights, rotate_weights, unpack_weights},
        conv_gradient::weight_gradient,
        pooling::pool,
        winograd::{filter_len, pays, transform_filters, winograd},
        winograd_gradient::{add_products, product_len, transform_products},
    },
    threads::ParForEach,
};

/// A convolution's weights as its kernel takes them: by Winograd's algorithm where it pays.
#[derive(Debug)]
pub(super) struct Filters {
    shape: ConvShape,
    weights: Weights,
}

#[derive(Debug)]
enum Weights {
    Direct(Buffer),
    Winograd(Buffer),
    Bf16(amx::Weights),
}

impl Filters {
    /// Of weights `(outputs, inputs, k, k)`; output `o` is multiplied by `scale(o)`. In bf16 where
    /// `bf16` is set and the shape allows it.
    pub fn new(
        shape: ConvShape,
        weight: &[f32],
        bf16: bool,
        scale: impl Fn(usize) -> f32 + Sync,
    ) -> Self {
        let weights = if bf16 && amx::fits(&shape) {
            Weights::Bf16(amx::Weights::of_conv(&shape, weight, scale))
        } else if pays(&shape) {
            let mut filters = Buffer::new(filter_len(&shape));
            transform_filters(&shape, weight, scale, &mut filters);
            Weights::Winograd(filters)
        } else {
            let mut packed = Buffer::new(shape.weight_len());
            pack_weights(&shape, weight, scale, &mut packed);
            Weights::Direct(packed)
        };
        Self { shape, weights }
    }

    /// For the backward pass, see [`ConvShape::transposed`].
    pub fn rotated(of: &ConvShape, weight: &[f32]) -> Self {
        Self::new(of.transposed(), &rotate_weights(of, weight), false, |_| 1.0)
    }

    /// Convolves one padded image; keeps the largest of each 2 x 2 window only, where `pooled` is
    /// set. On all threads, where it can and the image is `alone`.
    pub fn apply(
        &self,
        x: &[F32x16],
        epilogue: Epilogue,
        pooled: bool,
        alone: bool,
        out: &mut [F32x16],
    ) {
        let shape = &self.shape;
        match &self.weights {
            Weights::Winograd(filters) => winograd(shape, x, filters, epilogue, pooled, alone, out),
            Weights::Bf16(weights) => amx::conv(shape, x, weights, epilogue, pooled, out),
            Weights::Direct(weights) if pooled => {
                let mut image = Buffer::new(shape.output_len());
                conv(shape, x, weights, &mut image, epilogue);
                pool(shape.out_height(), shape.out_width(), false, &image, out);
            }
            Weights::Direct(weights) => conv(shape, x, weights, out, epilogue),
        }
    }
}

/// The gradient of a convolution's weights over a batch. `fill(image, padded, dz,
/// own)` pads each image's input and output gradient; `own` are its parts of the
/// buffers given with their lengths an image.
pub(super) fn weight_gradients<const N: usize>(
    shape: &ConvShape,
    batch: usize,
    buffers: [(&mut Buffer, usize); N],
    fill: impl Fn(usize, &mut [F32x16], &mut [F32x16], [&mut [F32x16]; N]) + Sync,
) -> Buffer {
    struct Group<'a, const N: usize> {
        images: std::ops::Range<usize>,
        turn: usize,
        begun: bool,
        own: [&'a mut [F32x16]; N],
        partial: &'a mut [F32x16],
    }
    // A number that depends on the batch alone fixes the order of the sum. Winograd's products are
    // transformed once a group, which has to pay.
    let by_winograd = pays(shape);
    let count = match by_winograd {
        true => batch.div_ceil(IMAGES).min(GROUPS),
        false => batch.min(GROUPS),
    };
    let lens = buffers.each_ref().map(|(_, len)| *len);
    let mut rest = buffers.map(|(buffer, _)| &mut **buffer);
    let mut partial = Buffer::new(count * shape.weight_len());
    let groups =
        partial.chunks_exact_mut(shape.weight_len()).enumerate().map(|(group, partial)| {
            let images = group * batch / count..(group + 1) * batch / count;
            Group {
                own: split_off(&mut rest, lens.map(|len| len * images.len())),
                turn: match by_winograd {
                    true => images.len(),
                    false => images.len().div_ceil(TURNS),
                },
                images,
                begun: false,
                partial,
            }
        });
    groups.par_work_off(|mut group| {
        let mut padded = Buffer::new(shape.input_len());
        let mut dz = Buffer::new(shape.transposed().input_len());
        if !group.begun {
            group.partial.fill(F32x16::default());
            group.begun = true;
        }
        let mut products = Buffer::zeros(if by_winograd { product_len(shape) } else { 0 });
        for image in group.images.by_ref().take(group.turn) {
            let own = split_off(&mut group.own, lens);
            fill(image, &mut padded, &mut dz, own);
            match by_winograd {
                true => add_products(shape, &padded, &dz, &mut products),
                false => weight_gradient(shape, &padded, &dz, group.partial),
            }
        }
        if by_winograd {
            transform_products(shape, &products, group.partial);
        }
        (!group.images.is_empty()).then_some(group)
    });
    let (total, others) = partial.split_at_mut(shape.weight_len());
    (total.chunks_mut(SUMMED).enumerate()).par_for_each(|(part, total)| {
        for other in others.chunks_exact(shape.weight_len()) {
            add(flat_mut(total), flat(&other[part * SUMMED..]));
        }
    });
    let len = shape.outputs * shape.inputs * shape.kernel * shape.kernel;
    let mut weight = Buffer::new(len.div_ceil(16));
    unpack_weights(shape, total, &mut flat_mut(&mut weight)[..len]);
    weight
}

/// The first `lens` vectors of each.
fn split_off<'a, const N: usize>(
    rest: &mut [&'a mut [F32x16]; N],
    lens: [usize; N],
) -> [&'a mut [F32x16]; N] {
    let mut lens = lens.into_iter();
    rest.each_mut().map(|rest| {
        let len = lens.next().unwrap_or(0);
        rest.split_off_mut(..len).unwrap_or_default()
    })
}

/// Groups of images whose weight gradients are summed apart.
const GROUPS: usize = 16;
/// Images of a group by Winograd's algorithm, where there are not more than fill all groups.
const IMAGES: usize = 4;
/// Turns in which a group is worked off, between which it may go to another thread: 16 pieces
/// are too few to divide evenly where one core is an eighth slower.
const TURNS: usize = 2;
/// Vectors of a task that adds the groups up.
const SUMMED: usize = 128;
