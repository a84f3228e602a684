//! Convolution by Winograd's minimal filtering, F(2 x 2, 3 x 3) (A. Lavin and S. Gray, "Fast
//! Algorithms for Convolutional Neural Networks", CVPR 2016): 16 multiplications for a tile of
//! 2 x 2 outputs, where direct convolution takes 36.
//!
//! A tile `d` of 4 x 4 inputs, a filter `g` and the outputs `y` of an input and an output channel:
//! `y = A^T [(G g G^T) * (B^T d B)] A`, multiplied value by value and summed over the input
//! channels before the last transform. So each of the 16 positions is a matrix product of its own,
//! tiles by inputs times inputs by outputs. The tiles of an image pass in strips that stay in the
//! processor's cache from the first transform to the last.
//!
//! Rounding differs from that of direct convolution, and what is not a number reaches all outputs
//! of its tile: this is for evaluation.

use super::{
    conv::ConvShape,
    lanes::{Buffer, Lane},
    simd::{Simd, dispatch, unroll},
};

/// Tiles that pass together.
const STRIP: usize = 28;
/// Positions of a transformed tile.
const POSITIONS: usize = 16;

/// Whether a convolution can be computed so: 3 x 3, whole blocks of inputs, whole tiles.
pub(crate) fn fits(shape: &ConvShape) -> bool {
    let even = shape.height.is_multiple_of(2) && shape.width.is_multiple_of(2);
    shape.kernel == 3 && shape.depth() == 16 && even
}

/// Lanes of the transformed filters, `[16 positions][outputs / 16][inputs]`.
pub(crate) fn filter_len(shape: &ConvShape) -> usize {
    POSITIONS * shape.output_blocks() * shape.inputs
}

/// `G g G^T` for weights `(outputs, inputs, 3, 3)`; output `o` is multiplied by `scale(o)`.
pub(crate) fn transform_filters(
    shape: &ConvShape,
    weight: &[f32],
    scale: impl Fn(usize) -> f32,
    filters: &mut [Lane],
) {
    assert!(fits(shape));
    assert_eq!(weight.len(), shape.outputs * shape.inputs * 9);
    assert_eq!(filters.len(), filter_len(shape));
    filters.fill(Lane::default());
    let position_len = shape.output_blocks() * shape.inputs;
    for (o, of_output) in weight.chunks_exact(shape.inputs * 9).enumerate() {
        let scale = f64::from(scale(o));
        for (i, g) in of_output.chunks_exact(9).enumerate() {
            let g = |y: usize, x: usize| f64::from(g[y * 3 + x]) * scale;
            let columns = [0, 1, 2].map(|x| transform_filter([g(0, x), g(1, x), g(2, x)]));
            let at = o / 16 * shape.inputs + i;
            for y in 0..4 {
                let row = transform_filter(columns.map(|column| column[y]));
                for (x, value) in row.into_iter().enumerate() {
                    filters[(y * 4 + x) * position_len + at].0[o % 16] = value as f32;
                }
            }
        }
    }
}

/// `G g`
fn transform_filter([a, b, c]: [f64; 3]) -> [f64; 4] {
    [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c]
}

/// Where the outputs go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Store {
    /// An image with a border of this width, which is not written.
    Image { border: usize },
    /// The largest of each 2 x 2 window: a tile is one.
    Pooled,
}

impl Store {
    /// Height and width of what is written to.
    fn size(self, shape: &ConvShape) -> (usize, usize) {
        match self {
            Store::Image { border } => (shape.height + 2 * border, shape.width + 2 * border),
            Store::Pooled => (shape.height / 2, shape.width / 2),
        }
    }
}

dispatch! {
    /// `relu(x * filters + bias)` of one padded image `x`; `bias` is one lane an output block.
    pub(crate) fn winograd(shape: &ConvShape, x: &[Lane], filters: &[Lane], bias: &[Lane], store: Store, out: &mut [Lane]) = winograd_body
}

#[inline(always)]
unsafe fn winograd_body<S: Simd>(
    shape: &ConvShape,
    x: &[Lane],
    filters: &[Lane],
    bias: &[Lane],
    store: Store,
    out: &mut [Lane],
) {
    let (inputs, outputs) = (shape.input_blocks(), shape.output_blocks());
    let (height, width) = store.size(shape);
    assert!(fits(shape));
    assert!(x.len() >= shape.input_len() && filters.len() == filter_len(shape));
    assert!(bias.len() == outputs && out.len() == outputs * height * width);
    // `[positions][blocks][tiles]`: transformed inputs, and products before the last transform.
    let mut scratch = Buffer::new(POSITIONS * STRIP * (inputs + outputs));
    let (v, m) = scratch.split_at_mut(POSITIONS * STRIP * inputs);
    let tiles = shape.area() / 4;
    for first in (0..tiles).step_by(STRIP) {
        let count = STRIP.min(tiles - first);
        // SAFETY: the lengths checked above are what the strips walk over.
        unsafe {
            transform_inputs::<S>(shape, x, first, count, v);
            for position in 0..POSITIONS {
                let product = Product {
                    v: v[position * inputs * STRIP..].as_ptr().cast(),
                    u: filters[position * outputs * shape.inputs..].as_ptr().cast(),
                    m: m[position * outputs * STRIP..].as_mut_ptr().cast(),
                    inputs,
                    outputs,
                    count,
                };
                product.run::<S>();
            }
            transform_outputs::<S>(shape, m, first, count, bias, store, out);
        }
    }
}

/// `B^T d B` of tiles `first..first + count`.
#[inline(always)]
unsafe fn transform_inputs<S: Simd>(
    shape: &ConvShape,
    x: &[Lane],
    first: usize,
    count: usize,
    v: &mut [Lane],
) {
    let (across, blocks) = (shape.width / 2, shape.input_blocks());
    let row = shape.padded_width() * 16;
    let step = blocks * STRIP * 16;
    for tile in 0..count {
        let (y, x_at) = ((first + tile) / across * 2, (first + tile) % across * 2);
        for block in 0..blocks {
            let from = block * shape.padded_area() + y * shape.padded_width() + x_at;
            unsafe {
                let from: *const f32 = x.as_ptr().add(from).cast();
                let to: *mut f32 = v.as_mut_ptr().add(block * STRIP + tile).cast();
                let mut columns = [[S::splat(0.0); 4]; 4];
                unroll! { for i in 0..4 {
                    let at = from.add(i * 16);
                    columns[i] = transform_input::<S>([
                        S::load(at),
                        S::load(at.add(row)),
                        S::load(at.add(2 * row)),
                        S::load(at.add(3 * row)),
                    ]);
                } }
                unroll! { for j in 0..4 {
                    let values = transform_input::<S>([
                        columns[0][j],
                        columns[1][j],
                        columns[2][j],
                        columns[3][j],
                    ]);
                    unroll! { for i in 0..4 {
                        S::store(to.add((j * 4 + i) * step), values[i]);
                    } }
                } }
            }
        }
    }
}

/// `B^T d`
#[inline(always)]
unsafe fn transform_input<S: Simd>([a, b, c, d]: [S::V; 4]) -> [S::V; 4] {
    unsafe { [S::sub(a, c), S::add(b, c), S::sub(c, b), S::sub(b, d)] }
}

/// The product at one position: `m = v u` for a strip of tiles.
struct Product {
    /// `[input blocks][STRIP][16]`
    v: *const f32,
    /// `[output blocks][inputs][16]`
    u: *const f32,
    /// `[output blocks][STRIP][16]`
    m: *mut f32,
    inputs: usize,
    outputs: usize,
    count: usize,
}

impl Product {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let mut block = 0;
        while block < self.outputs {
            unsafe {
                if S::WIDE && block + 1 < self.outputs {
                    self.blocks::<S, 2>(block);
                    block += 2;
                } else {
                    self.blocks::<S, 1>(block);
                    block += 1;
                }
            }
        }
    }

    /// Output blocks `block..block + V`, all tiles.
    #[inline(always)]
    unsafe fn blocks<S: Simd, const V: usize>(&self, block: usize) {
        let mut at = 0;
        while at < self.count {
            let left = self.count - at;
            unsafe {
                if S::ROWS == 14 && left >= 14 {
                    self.tile::<S, 14, V>(block, at);
                    at += 14;
                } else if S::ROWS == 14 && left >= 7 {
                    self.tile::<S, 7, V>(block, at);
                    at += 7;
                } else if S::ROWS == 6 && left >= 6 {
                    self.tile::<S, 6, V>(block, at);
                    at += 6;
                } else if S::ROWS == 4 && left >= 4 {
                    self.tile::<S, 4, V>(block, at);
                    at += 4;
                } else if left >= 2 {
                    self.tile::<S, 2, V>(block, at);
                    at += 2;
                } else {
                    self.tile::<S, 1, V>(block, at);
                    at += 1;
                }
            }
        }
    }

    /// `P` tiles by `V` blocks of 16 output channels, in registers.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const V: usize>(&self, block: usize, at: usize) {
        unsafe {
            let mut acc = [[S::splat(0.0); V]; P];
            let u_block = self.inputs * 256;
            let mut v = self.v.add(at * 16);
            let mut u = self.u.add(block * u_block);
            for _ in 0..self.inputs {
                for c in 0..16 {
                    let mut uv = [S::splat(0.0); V];
                    unroll! { for k in 0..V {
                        uv[k] = S::load(u.add(k * u_block + c * 16));
                    } }
                    unroll! { for p in 0..P {
                        let value = S::splat(*v.add(p * 16 + c));
                        unroll! { for k in 0..V {
                            acc[p][k] = S::fma(value, uv[k], acc[p][k]);
                        } }
                    } }
                }
                v = v.add(STRIP * 16);
                u = u.add(256);
            }
            unroll! { for k in 0..V {
                let to = self.m.add(((block + k) * STRIP + at) * 16);
                unroll! { for p in 0..P {
                    S::store(to.add(p * 16), acc[p][k]);
                } }
            } }
        }
    }
}

/// `A^T m A`, bias and ReLU of tiles `first..first + count`.
#[inline(always)]
unsafe fn transform_outputs<S: Simd>(
    shape: &ConvShape,
    m: &[Lane],
    first: usize,
    count: usize,
    bias: &[Lane],
    store: Store,
    out: &mut [Lane],
) {
    let (across, blocks) = (shape.width / 2, shape.output_blocks());
    let (height, width) = store.size(shape);
    let step = blocks * STRIP * 16;
    for tile in 0..count {
        let (y, x) = ((first + tile) / across, (first + tile) % across);
        for block in 0..blocks {
            unsafe {
                let from: *const f32 = m.as_ptr().add(block * STRIP + tile).cast();
                let bias = S::load(bias.as_ptr().add(block).cast());
                let mut columns = [[S::splat(0.0); 2]; 4];
                unroll! { for i in 0..4 {
                    let at = from.add(i * step);
                    columns[i] = transform_output::<S>([
                        S::load(at),
                        S::load(at.add(4 * step)),
                        S::load(at.add(8 * step)),
                        S::load(at.add(12 * step)),
                    ]);
                } }
                let mut values = [[bias; 2]; 2];
                unroll! { for j in 0..2 {
                    let row = transform_output::<S>([
                        columns[0][j],
                        columns[1][j],
                        columns[2][j],
                        columns[3][j],
                    ]);
                    values[j] = [S::add(row[0], bias), S::add(row[1], bias)];
                } }
                let out: *mut f32 = out.as_mut_ptr().add(block * height * width).cast();
                match store {
                    Store::Image { border } => {
                        let at = (2 * y + border) * width + 2 * x + border;
                        let to = out.add(at * 16);
                        unroll! { for j in 0..2 {
                            let to = to.add(j * width * 16);
                            S::store(to, S::relu(values[j][0]));
                            S::store(to.add(16), S::relu(values[j][1]));
                        } }
                    }
                    Store::Pooled => {
                        let [[a, b], [c, d]] = values;
                        let best = larger::<S>(larger::<S>(larger::<S>(a, b), c), d);
                        S::store(out.add((y * width + x) * 16), S::relu(best));
                    }
                }
            }
        }
    }
}

/// `A^T m`
#[inline(always)]
unsafe fn transform_output<S: Simd>([a, b, c, d]: [S::V; 4]) -> [S::V; 2] {
    unsafe { [S::add(S::add(a, b), c), S::sub(S::sub(b, c), d)] }
}

/// What is not a number is the larger, and stays.
#[inline(always)]
unsafe fn larger<S: Simd>(a: S::V, b: S::V) -> S::V {
    unsafe { S::select_greater(b, a, b, a) }
}
