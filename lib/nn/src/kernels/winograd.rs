//! Convolution by Winograd's minimal filtering, F(4 x 4, 3 x 3) (A. Lavin and S. Gray, "Fast
//! Algorithms for Convolutional Neural Networks", CVPR 2016): 36 multiplications for a tile of
//! 4 x 4 outputs, where direct convolution takes 144.
//!
//! A tile `d` of 6 x 6 inputs, a filter `g` and the outputs `y` of an input and an output channel:
//! `y = A^T [(G g G^T) * (B^T d B)] A`, multiplied value by value and summed over the input
//! channels before the last transform. So each of the 36 positions is a matrix product of its own,
//! tiles by inputs times inputs by outputs. The tiles of an image pass in strips that stay in the
//! processor's cache from the first transform to the last.
//!
//! The transforms evaluate polynomials at the points 0, ±1/√2, ±√2 and infinity. The usual 0, ±1,
//! ±2 and infinity would make the error four times as large, and here it is about twice that of
//! direct convolution (on points: B. Barabasz et al., "Error Analysis and Improving the Accuracy of
//! Winograd Convolution for Deep Neural Networks", ACM TOMS 2020). A NaN reaches all
//! outputs of its tile.

use std::{
    f32::consts::{FRAC_1_SQRT_2, SQRT_2},
    ops::Range,
};

use super::{
    buffer::{Buffer, F32x16, Target, flat_mut},
    conv::{Call, ConvShape, Epilogue, conv_blocks},
    simd::{Simd, dispatch, unroll},
};
use crate::threads::ParForEach;

/// Tiles that pass together.
pub(super) const STRIP: usize = 28;
/// Positions of a transformed tile.
pub(super) const POSITIONS: usize = 36;

/// The points in use are 0, ±[`A`], ±[`B`] and infinity.
pub(super) const A: f32 = FRAC_1_SQRT_2;
pub(super) const B: f32 = SQRT_2;

/// Whether a convolution can be computed this way: 3 x 3, whole blocks of inputs, and an even image,
/// as pooling wants it. A tile may reach over the image's edge.
pub(crate) fn fits(shape: &ConvShape) -> bool {
    let even = shape.height.is_multiple_of(2) && shape.width.is_multiple_of(2);
    shape.kernel == 3 && shape.stride == 1 && shape.depth() == 16 && even
}

/// Whether it pays: a tile is 4 pixels high and wide.
pub(crate) fn pays(shape: &ConvShape) -> bool {
    fits(shape) && shape.height >= 4 && shape.width >= 4
}

/// Vectors of the transformed filters, `[36 positions][outputs / 16][inputs]`.
pub(crate) fn filter_len(shape: &ConvShape) -> usize {
    POSITIONS * shape.output_blocks() * shape.inputs
}

/// `G g G^T` for weights `(outputs, inputs, 3, 3)`; output `o` is multiplied by `scale(o)`.
pub(crate) fn transform_filters(
    shape: &ConvShape,
    weight: &[f32],
    scale: impl Fn(usize) -> f32 + Sync,
    filters: &mut [F32x16],
) {
    assert!(fits(shape));
    assert_eq!(weight.len(), shape.outputs * shape.inputs * 9);
    assert_eq!(filters.len(), filter_len(shape));
    // The filters of some inputs, `[blocks][inputs][36]`, then sorted by their positions.
    let blocks = shape.output_blocks();
    let mut sorted = Buffer::new(filters.len());
    (sorted.chunks_exact_mut(shape.inputs * POSITIONS).enumerate()).par_for_each(
        |(block, sorted)| {
            let outputs = block * 16..shape.outputs.min(block * 16 + 16);
            for (i, to) in sorted.chunks_exact_mut(POSITIONS).enumerate() {
                let mut taps = [F32x16::default(); 9];
                for (lane, o) in outputs.clone().enumerate() {
                    let filter = &weight[(o * shape.inputs + i) * 9..][..9];
                    let scale = scale(o);
                    for (to, value) in taps.iter_mut().zip(filter) {
                        to.0[lane] = value * scale;
                    }
                }
                transform_filter(&taps, to);
            }
        },
    );
    let position_len = blocks * shape.inputs;
    (filters.chunks_exact_mut(position_len).enumerate()).par_for_each(|(position, to)| {
        for (to, from) in to.iter_mut().zip(sorted.iter().skip(position).step_by(POSITIONS)) {
            *to = *from;
        }
    });
}

dispatch!(
    /// `G g G^T` of 16 filters, whose nine values come one vector each.
    fn transform_filter<S: Simd>(taps: &[F32x16; 9], to: &mut [F32x16]) {
        assert_eq!(to.len(), POSITIONS);
        // SAFETY: this runs with the instructions of `S`.
        unsafe {
            let tap = |y: usize, x: usize| S::get(&taps[y * 3 + x]);
            let mut columns = [[S::splat(0.0); 6]; 3];
            unroll! { for x in 0..3 {
                columns[x] = filter::<S>([tap(0, x), tap(1, x), tap(2, x)]);
            } }
            unroll! { for y in 0..6 {
                let row = filter::<S>([columns[0][y], columns[1][y], columns[2][y]]);
                unroll! { for x in 0..6 {
                    S::put(&mut to[y * 6 + x], row[x]);
                } }
            } }
        }
    }
);

/// `G g`: the filter at each point, divided by the product of the point's distances to the others.
#[inline(always)]
unsafe fn filter<S: Simd>([a, b, c]: [S::V; 3]) -> [S::V; 6] {
    unsafe {
        let (first, second) = (S::splat(-1.0 / 1.5), S::splat(1.0 / 6.0));
        let even1 = S::mul(S::fma(c, S::splat(0.5), a), first);
        let even2 = S::mul(S::fma(c, S::splat(2.0), a), second);
        let odd1 = S::mul(b, S::splat(A / -1.5));
        let odd2 = S::mul(b, S::splat(B / 6.0));
        [a, S::add(even1, odd1), S::sub(even1, odd1), S::add(even2, odd2), S::sub(even2, odd2), c]
    }
}

/// Convolves one padded image `x` with transformed filters; keeps the largest of each 2 x 2
/// window only, where `pooled` is set. On all threads, and without sums, where it is `alone`.
pub(crate) fn winograd(
    shape: &ConvShape,
    x: &[F32x16],
    filters: &[F32x16],
    epilogue: Epilogue,
    pooled: bool,
    alone: bool,
    out: &mut [F32x16],
) {
    // Each call writes the pixels of its own tiles.
    let out = flat_mut(out);
    let out = Target(out.as_mut_ptr(), out.len());
    let tiles = tiles(shape);
    if !alone {
        return winograd_tiles(shape, x, filters, epilogue, pooled, 0..tiles, &out);
    }
    let Epilogue { bias, relu, border, .. } = epilogue;
    let part = tiles.div_ceil(rayon::current_num_threads()).max(8);
    (0..tiles).step_by(part).par_for_each(|first| {
        let here = first..tiles.min(first + part);
        let epilogue = Epilogue { bias, relu, border, sums: &mut [] };
        winograd_tiles(shape, x, filters, epilogue, pooled, here, &out);
    });
}

fn tiles(shape: &ConvShape) -> usize {
    shape.height.div_ceil(4) * shape.width.div_ceil(4)
}

/// Height and width of what is stored.
fn size(shape: &ConvShape, pooled: bool) -> (usize, usize) {
    match pooled {
        true => (shape.height / 2, shape.width / 2),
        false => (shape.height, shape.width),
    }
}

dispatch!(
    fn winograd_tiles<S: Simd>(
        shape: &ConvShape,
        x: &[F32x16],
        filters: &[F32x16],
        epilogue: Epilogue,
        pooled: bool,
        range: Range<usize>,
        out: &Target,
    ) {
        let mut epilogue = epilogue;
        let (inputs, outputs) = (shape.input_blocks(), shape.output_blocks());
        let (height, width) = size(shape, pooled);
        let border = epilogue.border;
        let out_len = outputs * (height + 2 * border) * (width + 2 * border);
        assert!(fits(shape));
        assert!(x.len() >= shape.input_len() && filters.len() == filter_len(shape));
        assert!(epilogue.bias.is_empty() || epilogue.bias.len() == outputs);
        assert!(epilogue.sums.is_empty() || epilogue.sums.len() == 2 * outputs);
        assert_eq!(out.1, 16 * out_len);
        assert!(range.end <= tiles(shape));
        let across = shape.width.div_ceil(4);
        // The products at a position are a convolution of 1 x 1, as if each tile of a strip were a pixel.
        let strip = ConvShape { kernel: 1, height: 1, width: STRIP, ..*shape };
        // `[positions][blocks][tiles]`: transformed inputs, and products before the last transform.
        let mut scratch = Buffer::new(POSITIONS * STRIP * (inputs + outputs));
        let (v, m) = scratch.split_at_mut(POSITIONS * STRIP * inputs);
        for first in range.clone().step_by(STRIP) {
            let count = STRIP.min(range.end - first);
            // SAFETY: the lengths checked above are what the tiles walk over.
            unsafe {
                for tile in 0..count {
                    let place = ((first + tile) / across, (first + tile) % across);
                    transform_tile::<S, Input, 6>(shape, x, inputs, place, &mut v[tile..]);
                }
                for position in 0..POSITIONS {
                    let product = Call {
                        shape: &strip,
                        x: v[position * inputs * STRIP..].as_ptr().cast(),
                        w: filters[position * outputs * shape.inputs..].as_ptr().cast(),
                        w_block: shape.inputs * 16,
                        out: m[position * outputs * STRIP..].as_mut_ptr().cast(),
                        out_row: 0,
                        out_block: STRIP * 16,
                        width: count,
                        epilogue: Epilogue::default(),
                    };
                    conv_blocks::<S, 16, 1, true>(product);
                }
                for tile in 0..count {
                    let place = ((first + tile) / across, (first + tile) % across);
                    let m = &m[tile..];
                    if epilogue.sums.is_empty() {
                        transform_outputs::<S, false>(shape, m, place, &mut epilogue, pooled, out);
                    } else {
                        transform_outputs::<S, true>(shape, m, place, &mut epilogue, pooled, out);
                    }
                }
            }
        }
    }
);

/// What is done to the `N` values of a row or a column of a tile.
pub(super) trait Transform<const N: usize> {
    unsafe fn line<S: Simd>(values: [S::V; N]) -> [S::V; 6];
}

/// Transforms one tile of a padded image, all blocks: the inner `N` x `N` of its 6 x 6 pixels.
#[inline(always)]
pub(super) unsafe fn transform_tile<S: Simd, T: Transform<N>, const N: usize>(
    shape: &ConvShape,
    x: &[F32x16],
    blocks: usize,
    (y, at): (usize, usize),
    to: &mut [F32x16],
) {
    let (width, area) = (shape.padded_width(), shape.padded_area());
    let rows = (shape.height + N - 4 - 4 * y).min(N);
    let columns = (shape.width + N - 4 - 4 * at).min(N);
    let border = (6 - N) / 2;
    let mut edge: [F32x16; 36];
    for block in 0..blocks {
        let from = &x[block * area + (4 * y + border) * width + 4 * at + border..];
        let (from, row): (*const f32, usize) = if rows == N && columns == N {
            (from.as_ptr().cast(), width * 16)
        } else {
            // What lies beyond the image is 0.
            edge = [F32x16::default(); 36];
            for row in 0..rows {
                edge[row * N..][..columns].copy_from_slice(&from[row * width..][..columns]);
            }
            (edge.as_ptr().cast(), N * 16)
        };
        unsafe {
            let to: *mut f32 = to.as_mut_ptr().add(block * STRIP).cast();
            let mut half = [[S::splat(0.0); 6]; N];
            let mut line = [S::splat(0.0); N];
            unroll! { for i in 0..N {
                unroll! { for j in 0..N {
                    line[j] = S::load(from.add(j * row + i * 16));
                } }
                half[i] = T::line::<S>(line);
            } }
            unroll! { for j in 0..6 {
                unroll! { for i in 0..N {
                    line[i] = half[i][j];
                } }
                let values = T::line::<S>(line);
                unroll! { for i in 0..6 {
                    S::store(to.add((j * 6 + i) * blocks * STRIP * 16), values[i]);
                } }
            } }
        }
    }
}

/// `B^T d`
pub(super) struct Input;

impl Transform<6> for Input {
    #[inline(always)]
    unsafe fn line<S: Simd>([a, b, c, d, e, f]: [S::V; 6]) -> [S::V; 6] {
        unsafe {
            // The squares of the points, and their sum.
            let (a2, b2, both) = (S::splat(-0.5), S::splat(-2.0), S::splat(-2.5));
            let (even1, odd1) = (S::fma(c, b2, e), S::fma(b, b2, d));
            let (even2, odd2) = (S::fma(c, a2, e), S::fma(b, a2, d));
            [
                S::fma(c, both, S::add(a, e)),
                S::fma(odd1, S::splat(A), even1),
                S::fma(odd1, S::splat(-A), even1),
                S::fma(odd2, S::splat(B), even2),
                S::fma(odd2, S::splat(-B), even2),
                S::fma(d, both, S::add(b, f)),
            ]
        }
    }
}

/// `A^T m A`, bias and ReLU of one tile, all blocks.
#[inline(always)]
unsafe fn transform_outputs<S: Simd, const SUMS: bool>(
    shape: &ConvShape,
    m: &[F32x16],
    (y, at): (usize, usize),
    epilogue: &mut Epilogue,
    pooled: bool,
    out: &Target,
) {
    let blocks = shape.output_blocks();
    let (height, width) = size(shape, pooled);
    let border = epilogue.border;
    let out_width = width + 2 * border;
    let out_area = (height + 2 * border) * out_width;
    // Outputs of a tile in a row, and how many of them the image has.
    let side = if pooled { 2 } else { 4 };
    let rows = height.saturating_sub(side * y).min(side);
    let columns = width.saturating_sub(side * at).min(side);
    let whole = rows == side && columns == side;
    let mut edge: [F32x16; 16];
    for block in 0..blocks {
        unsafe {
            let from: *const f32 = m.as_ptr().add(block * STRIP).cast();
            let step = blocks * STRIP * 16;
            let bias = match epilogue.bias.get(block) {
                Some(bias) => S::get(bias),
                None => S::splat(0.0),
            };
            let mut half = [[S::splat(0.0); 4]; 6];
            unroll! { for i in 0..6 {
                half[i] = transform_output::<S>(column::<S>(from.add(i * step), 6 * step));
            } }
            let mut values = [[bias; 4]; 4];
            unroll! { for j in 0..4 {
                let row = transform_output::<S>([
                    half[0][j], half[1][j], half[2][j], half[3][j], half[4][j], half[5][j],
                ]);
                unroll! { for i in 0..4 {
                    values[j][i] = S::add(row[i], bias);
                } }
            } }
            if epilogue.relu {
                unroll! { for j in 0..4 {
                    unroll! { for i in 0..4 {
                        values[j][i] = S::relu(values[j][i]);
                    } }
                } }
            }
            if SUMS {
                let sums: *mut f32 = epilogue.sums[2 * block..2 * block + 2].as_mut_ptr().cast();
                let (mut sum, mut squares) = (S::load(sums), S::load(sums.add(16)));
                unroll! { for j in 0..4 {
                    unroll! { for i in 0..4 {
                        if whole || (j < rows && i < columns) {
                            sum = S::add(sum, values[j][i]);
                            squares = S::fma(values[j][i], values[j][i], squares);
                        }
                    } }
                } }
                S::store(sums, sum);
                S::store(sums.add(16), squares);
            }
            let first = block * out_area + (side * y + border) * out_width + side * at + border;
            let mut cut: &mut [F32x16] = &mut [];
            let (to, row): (*mut f32, usize) = if whole {
                (out.0.add(first * 16), out_width * 16)
            } else {
                edge = [F32x16::default(); 16];
                cut = &mut edge;
                (cut.as_mut_ptr().cast(), side * 16)
            };
            if pooled {
                unroll! { for j in 0..2 {
                    unroll! { for i in 0..2 {
                        let (upper, lower) = (values[2 * j], values[2 * j + 1]);
                        let upper = larger::<S>(upper[2 * i], upper[2 * i + 1]);
                        let lower = larger::<S>(lower[2 * i], lower[2 * i + 1]);
                        S::store(to.add(j * row + i * 16), larger::<S>(upper, lower));
                    } }
                } }
            } else {
                unroll! { for j in 0..4 {
                    unroll! { for i in 0..4 {
                        S::store(to.add(j * row + i * 16), values[j][i]);
                    } }
                } }
            }
            if !whole {
                for row in 0..rows {
                    let to = out.0.add((first + row * out_width) * 16).cast::<F32x16>();
                    cut[row * side..].as_ptr().copy_to(to, columns);
                }
            }
        }
    }
}

/// Six vectors from `from` on, `step` values apart.
#[inline(always)]
pub(super) unsafe fn column<S: Simd>(from: *const f32, step: usize) -> [S::V; 6] {
    unsafe {
        let mut values = [S::splat(0.0); 6];
        unroll! { for i in 0..6 {
            values[i] = S::load(from.add(i * step));
        } }
        values
    }
}

/// `A^T m`
#[inline(always)]
pub(super) unsafe fn transform_output<S: Simd>([a, b, c, d, e, f]: [S::V; 6]) -> [S::V; 4] {
    unsafe {
        let (even1, odd1) = (S::add(b, c), S::sub(b, c));
        let (even2, odd2) = (S::add(d, e), S::sub(d, e));
        let (half, two) = (S::splat(0.5), S::splat(2.0));
        let cubes = S::fma(odd2, S::splat(B * 2.0), f);
        [
            S::add(a, S::add(even1, even2)),
            S::mul(S::splat(A), S::fma(odd2, two, odd1)),
            S::fma(even1, half, S::mul(even2, two)),
            S::fma(odd1, S::splat(A / 2.0), cubes),
        ]
    }
}

/// A NaN is the larger, and stays.
#[inline(always)]
unsafe fn larger<S: Simd>(a: S::V, b: S::V) -> S::V {
    unsafe { S::select_greater(b, a, b, a) }
}
