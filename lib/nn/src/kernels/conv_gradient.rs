//! The gradient of a convolution's weights.

use super::{
    buffer::{F32x16, flat},
    conv::ConvShape,
    simd::{Simd, dispatch, unroll},
};

dispatch!(
    /// Adds one image's gradient of the packed weights to `dw`, given its padded
    /// input `x` and the gradient `dz` of its output, padded as widely, with zeros between the
    /// values where the convolution has a stride.
    pub(crate) fn weight_gradient<S: Simd>(
        shape: &ConvShape,
        x: &[F32x16],
        dz: &[F32x16],
        dw: &mut [F32x16],
    ) {
        assert!(x.len() >= shape.input_len());
        assert_eq!(dz.len(), shape.transposed().input_len());
        assert_eq!(dw.len(), shape.weight_len());
        let blocks = shape.output_blocks();
        for block in (0..blocks).step_by(S::ACROSS) {
            // SAFETY: the lengths checked above are what the tiles walk over.
            unsafe {
                if S::WIDE && block + 1 < blocks {
                    weight_gradient_blocks::<S, 2>(shape, x, dz, dw, block);
                } else {
                    weight_gradient_blocks::<S, 1>(shape, x, dz, dw, block);
                }
            }
        }
    }
);

#[inline(always)]
unsafe fn weight_gradient_blocks<S: Simd, const V: usize>(
    shape: &ConvShape,
    x: &[F32x16],
    dz: &[F32x16],
    dw: &mut [F32x16],
    block: usize,
) {
    let (kernel, depth, border) = (shape.kernel, shape.depth(), shape.border());
    let (padded_width, padded_area) = (shape.padded_width(), shape.padded_area());
    let dw_block = dw.len() / shape.output_blocks();
    // As many rows as keep input and gradient in the first-level cache.
    let parts = shape.in_area().div_ceil(128);
    let rows = shape.height.div_ceil(parts);
    for input in 0..shape.input_blocks() {
        for row in (0..shape.height).step_by(rows) {
            let dz_at = block * padded_area + (row + border) * padded_width + border;
            for ky in 0..kernel {
                let x_at = (input * padded_area + (row + ky) * padded_width) * depth;
                let dw_at = block * dw_block + (input * kernel + ky) * kernel * depth;
                let part = Part {
                    x: flat(x)[x_at..].as_ptr(),
                    x_row: padded_width * depth,
                    dz: flat(dz)[dz_at * 16..].as_ptr(),
                    dz_row: padded_width * 16,
                    dz_block: padded_area * 16,
                    rows: rows.min(shape.height - row),
                    width: shape.width,
                    dw: dw[dw_at..].as_mut_ptr().cast(),
                    dw_row: 16,
                    dw_block: dw_block * 16,
                };
                unsafe {
                    match (depth, kernel) {
                        // Neighbouring taps of one plane, as if they were its channels.
                        (1, 3) => part.add::<S, 1, 3, V>(0, 0),
                        (1, 5) => part.add::<S, 1, 5, V>(0, 0),
                        (1, _) => {
                            for kx in 0..kernel {
                                part.add::<S, 1, 1, V>(kx, kx);
                            }
                        }
                        // All taps of a row and their channels lie side by side.
                        _ if S::WIDE => {
                            for first in (0..kernel * 16).step_by(8) {
                                part.add::<S, 16, 8, V>(first, first);
                            }
                        }
                        _ => {
                            for first in (0..kernel * 16).step_by(4) {
                                part.add::<S, 16, 4, V>(first, first);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A sum of products over some pixels, `dw += x^T dz`. Steps are in values.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub x: *const f32,
    pub x_row: usize,
    pub dz: *const f32,
    pub dz_row: usize,
    /// From one block of output channels to the next.
    pub dz_block: usize,
    pub rows: usize,
    pub width: usize,
    pub dw: *mut f32,
    /// From one input channel to the next.
    pub dw_row: usize,
    pub dw_block: usize,
}

impl Part {
    /// `B` input channels, from `first` on, which is at `x_at`, by `V` blocks of output channels, in
    /// registers.
    #[inline(always)]
    pub(super) unsafe fn add<S: Simd, const DEPTH: usize, const B: usize, const V: usize>(
        &self,
        x_at: usize,
        first: usize,
    ) {
        unsafe {
            let mut acc = [[S::splat(0.0); V]; B];
            for row in 0..self.rows {
                let x = self.x.add(row * self.x_row + x_at);
                let dz = self.dz.add(row * self.dz_row);
                for p in 0..self.width {
                    let mut d = [S::splat(0.0); V];
                    unroll! { for v in 0..V {
                        d[v] = S::load(dz.add(v * self.dz_block + p * 16));
                    } }
                    unroll! { for b in 0..B {
                        let value = S::splat(*x.add(p * DEPTH + b));
                        unroll! { for v in 0..V {
                            acc[b][v] = S::fma(value, d[v], acc[b][v]);
                        } }
                    } }
                }
            }
            unroll! { for b in 0..B {
                unroll! { for v in 0..V {
                    let dw = self.dw.add(v * self.dw_block + (first + b) * self.dw_row);
                    S::store(dw, S::add(S::load(dw), acc[b][v]));
                } }
            } }
        }
    }
}
