//! The gradient of a 3 x 3 convolution's weights by Winograd's F(3 x 3, 4 x 4), on the tiles and
//! points of [`winograd`](super::winograd): 36 multiplications for a tile of 4 x 4 gradients, where
//! the direct one takes 144.
//!
//! A tile `d` of 6 x 6 inputs and a tile `g` of 4 x 4 gradients of the outputs give the 3 x 3
//! gradients of the weights, `A^T [(G g G^T) * (B^T d B)] A`: the four gradients of a row are the
//! filter now, and `B` is the same. The products of all tiles and images are summed before the
//! last transform.

use super::{
    buffer::{Buffer, F32x16},
    conv::ConvShape,
    conv_gradient::Part,
    simd::{Simd, dispatch, unroll},
    winograd::{
        A, B, Input, POSITIONS, STRIP, Transform, column, fits, transform_output, transform_tile,
    },
};

/// Vectors of the products, `[36 positions][inputs][outputs / 16]`.
pub(crate) fn product_len(shape: &ConvShape) -> usize {
    POSITIONS * shape.inputs * shape.output_blocks()
}

dispatch!(
    /// Adds the products of one image to `products`, given its padded input `x` and the gradient
    /// `dz` of its output, padded as widely.
    pub(crate) fn add_products<S: Simd>(
        shape: &ConvShape,
        x: &[F32x16],
        dz: &[F32x16],
        products: &mut [F32x16],
    ) {
        let (inputs, outputs) = (shape.input_blocks(), shape.output_blocks());
        assert!(fits(shape) && x.len() >= shape.input_len());
        assert_eq!(dz.len(), shape.transposed().input_len());
        assert_eq!(products.len(), product_len(shape));
        let across = shape.width.div_ceil(4);
        let tiles = shape.height.div_ceil(4) * across;
        // `[positions][blocks][tiles]`: transformed inputs and gradients.
        let mut scratch = Buffer::new(POSITIONS * STRIP * (inputs + outputs));
        let (v, u) = scratch.split_at_mut(POSITIONS * STRIP * inputs);
        for first in (0..tiles).step_by(STRIP) {
            let count = STRIP.min(tiles - first);
            // SAFETY: the lengths checked above are what the tiles walk over.
            unsafe {
                for tile in 0..count {
                    let (y, at) = ((first + tile) / across, (first + tile) % across);
                    transform_tile::<S, Input, 6>(shape, x, inputs, (y, at), &mut v[tile..]);
                    transform_tile::<S, Gradient, 4>(shape, dz, outputs, (y, at), &mut u[tile..]);
                }
                for position in 0..POSITIONS {
                    // As if each tile were a pixel.
                    let product = Part {
                        x: v[position * inputs * STRIP..].as_ptr().cast(),
                        x_row: 0,
                        dz: u[position * outputs * STRIP..].as_ptr().cast(),
                        dz_row: 0,
                        dz_block: STRIP * 16,
                        rows: 1,
                        width: count,
                        dw: products[position * shape.inputs * outputs..].as_mut_ptr().cast(),
                        dw_row: outputs * 16,
                        dw_block: 16,
                    };
                    for block in (0..outputs).step_by(S::ACROSS) {
                        if S::WIDE && block + 1 < outputs {
                            add_product::<S, 8, 2>(product, shape.inputs, block);
                        } else if S::WIDE {
                            add_product::<S, 8, 1>(product, shape.inputs, block);
                        } else {
                            add_product::<S, 4, 1>(product, shape.inputs, block);
                        }
                    }
                }
            }
        }
    }
);

/// The product at one position, `dw += v^T u` for a strip of tiles: output blocks
/// `block..block + V`, all inputs, `P` of them at a time in registers.
#[inline(always)]
unsafe fn add_product<S: Simd, const P: usize, const V: usize>(
    mut product: Part,
    inputs: usize,
    block: usize,
) {
    unsafe {
        product.dz = product.dz.add(block * product.dz_block);
        product.dw = product.dw.add(block * product.dw_block);
        for first in (0..inputs).step_by(P) {
            let at = first / 16 * STRIP * 16 + first % 16;
            product.add::<S, 16, P, V>(at, first);
        }
    }
}

/// `G g`: four values as a polynomial at each point, divided by the product of the point's
/// distances to the others.
struct Gradient;

impl Transform<4> for Gradient {
    #[inline(always)]
    unsafe fn line<S: Simd>([a, b, c, d]: [S::V; 4]) -> [S::V; 6] {
        unsafe {
            let (half, two) = (S::splat(0.5), S::splat(2.0));
            let even1 = S::mul(S::fma(c, half, a), S::splat(-1.0 / 1.5));
            let even2 = S::mul(S::fma(c, two, a), S::splat(1.0 / 6.0));
            let odd1 = S::mul(S::fma(d, half, b), S::splat(A / -1.5));
            let odd2 = S::mul(S::fma(d, two, b), S::splat(B / 6.0));
            [
                a,
                S::add(even1, odd1),
                S::sub(even1, odd1),
                S::add(even2, odd2),
                S::sub(even2, odd2),
                d,
            ]
        }
    }
}

dispatch!(
    /// `A^T m A` of all products: the gradients of the packed weights, see
    /// [`pack_weights`](super::conv::pack_weights).
    pub(crate) fn transform_products<S: Simd>(
        shape: &ConvShape,
        products: &[F32x16],
        dw: &mut [F32x16],
    ) {
        assert_eq!(products.len(), product_len(shape));
        assert_eq!(dw.len(), shape.weight_len());
        let outputs = shape.output_blocks();
        let step = shape.inputs * outputs * 16;
        for i in 0..shape.inputs {
            for block in 0..outputs {
                let to = (block * shape.inputs + i / 16 * 16) * 9 + i % 16;
                let to = &mut dw[to..][..8 * 16 + 1];
                // SAFETY: the lengths checked above.
                unsafe {
                    let from: *const f32 = products[i * outputs + block..].as_ptr().cast();
                    let mut half = [[S::splat(0.0); 3]; 6];
                    unroll! { for x in 0..6 {
                        half[x] = product::<S>(column::<S>(from.add(x * step), 6 * step));
                    } }
                    unroll! { for y in 0..3 {
                        let row = product::<S>([
                            half[0][y], half[1][y], half[2][y], half[3][y], half[4][y], half[5][y],
                        ]);
                        unroll! { for x in 0..3 {
                            S::put(&mut to[(y * 3 + x) * 16], row[x]);
                        } }
                    } }
                }
            }
        }
    }
);

/// `A^T m`
#[inline(always)]
unsafe fn product<S: Simd>(m: [S::V; 6]) -> [S::V; 3] {
    unsafe {
        let [a, b, c, _] = transform_output::<S>(m);
        [a, b, S::add(c, m[5])]
    }
}
