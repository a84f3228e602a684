//! Evaluation: batch normalisation becomes part of the convolution before it.

use rayon::prelude::*;

use super::{Half, Images, pooled_len, second};
use crate::nn::kernels::{
    conv::{ConvShape, Epilogue, conv, pack_weights},
    lanes::{Buffer, Lane, flat_mut},
    passes::{pad_blocks, pool},
};

/// The forward pass in evaluation: running statistics become part of the weights.
pub(crate) struct Folded {
    shape1: ConvShape,
    weights: [Buffer; 2],
    biases: [Vec<Lane>; 2],
}

impl Folded {
    pub fn new(shape1: ConvShape, half1: &Half, half2: &Half) -> Self {
        let fold = |shape: &ConvShape, half: &Half| {
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
            let mut weight = Buffer::new(shape.weight_len());
            pack_weights(shape, half.weight, |o| scales[o], &mut weight);
            (weight, bias)
        };
        let (weight1, bias1) = fold(&shape1, half1);
        let (weight2, bias2) = fold(&second(shape1), half2);
        Self {
            shape1,
            weights: [weight1, weight2],
            biases: [bias1, bias2],
        }
    }

    /// Lanes of one pooled image.
    pub fn output_len(&self) -> usize {
        pooled_len(&self.shape1)
    }

    /// One image; everything but its input and output stays in the processor's cache.
    pub fn apply(&self, images: Images, image: usize, out: &mut [Lane]) {
        let (shape1, shape2) = (self.shape1, second(self.shape1));
        let mut padded = Buffer::new(shape1.input_len());
        images.pad(&shape1, image, &mut padded);
        // Straight into the next convolution's border of zeros.
        let mut a1 = Buffer::zeros(shape2.input_len());
        let epilogue = self.epilogue(0, shape2.border());
        conv(&shape1, &padded, &self.weights[0], &mut a1, epilogue);
        let mut a2 = Buffer::new(shape2.output_len());
        let epilogue = self.epilogue(1, 0);
        conv(&shape2, &a1, &self.weights[1], &mut a2, epilogue);
        pool(shape2.height, shape2.width, &a2, out);
    }

    /// The outputs of both halves and of the pooling, in blocks, each with its area.
    pub fn layers(&self, images: Images, batch: usize) -> [(Buffer, usize); 3] {
        let (shape1, shape2) = (self.shape1, second(self.shape1));
        let len = shape2.output_len();
        let mut a1 = Buffer::new(batch * len);
        let mut a2 = Buffer::new(batch * len);
        let mut pooled = Buffer::new(batch * self.output_len());
        (a1.par_chunks_exact_mut(len))
            .zip(a2.par_chunks_exact_mut(len))
            .zip(pooled.par_chunks_exact_mut(self.output_len()))
            .enumerate()
            .for_each(|(image, ((a1, a2), pooled))| {
                let mut padded = Buffer::new(shape1.input_len());
                images.pad(&shape1, image, &mut padded);
                conv(&shape1, &padded, &self.weights[0], a1, self.epilogue(0, 0));
                let mut padded = Buffer::new(shape2.input_len());
                pad_blocks(&shape2, a1, None, &mut padded);
                conv(&shape2, &padded, &self.weights[1], a2, self.epilogue(1, 0));
                pool(shape2.height, shape2.width, a2, pooled);
            });
        let area = shape2.area();
        [(a1, area), (a2, area), (pooled, area / 4)]
    }

    fn epilogue(&self, half: usize, border: usize) -> Epilogue<'_> {
        Epilogue {
            bias: &self.biases[half],
            relu: true,
            sums: &mut [],
            border,
        }
    }
}
