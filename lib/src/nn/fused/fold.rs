//! Evaluation: batch normalisation becomes part of the convolution before it.

use super::{Half, Images, pooled_len, second};
use crate::nn::{
    kernels::{
        conv::{ConvShape, Epilogue, conv, pack_weights},
        lanes::{Buffer, Lane, flat_mut},
        passes::{clear_border, pad_blocks, pool},
        winograd::{Store, filter_len, fits, transform_filters, winograd},
    },
    threads::ParForEach,
};

/// The forward pass in evaluation: running statistics become part of the weights.
pub(crate) struct Folded {
    halves: [FoldedHalf; 2],
}

struct FoldedHalf {
    shape: ConvShape,
    weights: Weights,
    bias: Vec<Lane>,
}

enum Weights {
    Direct(Buffer),
    Winograd(Buffer),
}

impl Folded {
    /// With Winograd's algorithm where it fits.
    pub fn new(shape1: ConvShape, half1: &Half, half2: &Half) -> Self {
        let fold = |shape: ConvShape, half| FoldedHalf::new(shape, half, fits(&shape));
        Self {
            halves: [fold(shape1, half1), fold(second(shape1), half2)],
        }
    }

    /// With direct convolutions only: where a training step starts from what comes out, and
    /// should not depend on which of the algorithms fits.
    pub fn direct(shape1: ConvShape, half1: &Half, half2: &Half) -> Self {
        let fold = |shape, half| FoldedHalf::new(shape, half, false);
        Self {
            halves: [fold(shape1, half1), fold(second(shape1), half2)],
        }
    }

    /// Lanes of one pooled image.
    pub fn output_len(&self) -> usize {
        pooled_len(&self.halves[1].shape)
    }

    /// One image; everything but its input and output stays in the processor's cache.
    pub fn apply(&self, images: Images, image: usize, out: &mut [Lane]) {
        let [half1, half2] = &self.halves;
        let mut padded = Buffer::new(half1.shape.input_len());
        images.pad(&half1.shape, image, &mut padded);
        // Straight into the next convolution's border of zeros.
        let mut a1 = Buffer::new(half2.shape.input_len());
        let border = half2.shape.border();
        for block in a1.chunks_exact_mut(half2.shape.padded_area()) {
            clear_border(block, half2.shape.padded_width(), border);
        }
        half1.apply(&padded, Store::Image { border }, &mut a1);
        half2.apply(&a1, Store::Pooled, out);
    }

    /// The outputs of both halves and of the pooling, in blocks, each with its area.
    pub fn layers(&self, images: Images, batch: usize) -> [(Buffer, usize); 3] {
        let [half1, half2] = &self.halves;
        let (shape1, shape2) = (half1.shape, half2.shape);
        let len = shape2.output_len();
        let mut a1 = Buffer::new(batch * len);
        let mut a2 = Buffer::new(batch * len);
        let mut pooled = Buffer::new(batch * self.output_len());
        (a1.chunks_exact_mut(len))
            .zip(a2.chunks_exact_mut(len))
            .zip(pooled.chunks_exact_mut(self.output_len()))
            .enumerate()
            .par_for_each(|(image, ((a1, a2), pooled))| {
                let mut padded = Buffer::new(shape1.input_len());
                images.pad(&shape1, image, &mut padded);
                half1.apply(&padded, Store::Image { border: 0 }, a1);
                let mut padded = Buffer::new(shape2.input_len());
                pad_blocks(&shape2, a1, None, &mut padded);
                half2.apply(&padded, Store::Image { border: 0 }, a2);
                pool(shape2.height, shape2.width, a2, pooled);
            });
        let area = shape2.area();
        [(a1, area), (a2, area), (pooled, area / 4)]
    }
}

impl FoldedHalf {
    fn new(shape: ConvShape, half: &Half, by_winograd: bool) -> Self {
        let mut bias = vec![Lane::default(); shape.output_blocks()];
        let mut scales = vec![0.0; shape.outputs];
        if !half.has_norm() {
            flat_mut(&mut bias)[..shape.outputs].copy_from_slice(half.bias);
            scales.fill(1.0);
        }
        for c in 0..half.gamma.len() {
            let deviation = (f64::from(half.running_var[c]) + half.epsilon).sqrt();
            let scale = f64::from(half.gamma[c]) / deviation;
            let centre = f64::from(half.running_mean[c]) - f64::from(half.bias[c]);
            bias[c / 16].0[c % 16] = (f64::from(half.beta[c]) - centre * scale) as f32;
            scales[c] = scale as f32;
        }
        let weights = if by_winograd {
            let mut filters = Buffer::new(filter_len(&shape));
            transform_filters(&shape, half.weight, |o| scales[o], &mut filters);
            Weights::Winograd(filters)
        } else {
            let mut packed = Buffer::new(shape.weight_len());
            pack_weights(&shape, half.weight, |o| scales[o], &mut packed);
            Weights::Direct(packed)
        };
        Self {
            shape,
            weights,
            bias,
        }
    }

    /// One padded image, through the convolution and ReLU, and the pooling if `store` says so.
    fn apply(&self, x: &[Lane], store: Store, out: &mut [Lane]) {
        let Self {
            shape,
            weights,
            bias,
        } = self;
        match (weights, store) {
            (Weights::Winograd(filters), _) => winograd(shape, x, filters, bias, store, out),
            (Weights::Direct(packed), Store::Image { border }) => {
                let epilogue = Epilogue {
                    bias,
                    relu: true,
                    sums: &mut [],
                    border,
                };
                conv(shape, x, packed, out, epilogue);
            }
            (Weights::Direct(_), Store::Pooled) => {
                let mut image = Buffer::new(shape.output_len());
                self.apply(x, Store::Image { border: 0 }, &mut image);
                pool(shape.height, shape.width, &image, out);
            }
        }
    }
}
