//! Direct convolution with "same" padding, without im2col.
//!
//! An image is stored in blocks of 16 channels, `[channels / 16][height][width][16]`
//! (oneDNN's `nChw16c`); the input of a convolution has a border of `(k - 1) / 2`
//! zeros on each side. A tile of 14 pixels by 32 output channels stays in registers
//! while all input channels and kernel positions pass: each weight vector is used 14
//! times, each pixel value twice. Inputs whose channels are no multiple of 16 are
//! stored as planes, one channel a block.

use super::{
    buffer::F32x16,
    simd::{Simd, dispatch, unroll},
};
use crate::{shape::Dims, threads::ParForEach};

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConvShape {
    pub inputs: usize,
    pub outputs: usize,
    /// Odd.
    pub kernel: usize,
    /// 1 or 2.
    pub stride: usize,
    /// Of the input.
    pub height: usize,
    pub width: usize,
}

impl ConvShape {
    /// Channels that lie side by side in the padded input: 16 or 1.
    pub fn depth(&self) -> usize {
        if self.inputs.is_multiple_of(16) { 16 } else { 1 }
    }

    pub fn input_blocks(&self) -> usize {
        self.inputs / self.depth()
    }

    pub fn output_blocks(&self) -> usize {
        self.outputs.div_ceil(16)
    }

    pub fn border(&self) -> usize {
        self.kernel / 2
    }

    pub fn padded_width(&self) -> usize {
        self.width + self.kernel - 1
    }

    /// Pixels of a padded image.
    pub fn padded_area(&self) -> usize {
        (self.height + self.kernel - 1) * self.padded_width()
    }

    pub fn in_area(&self) -> usize {
        self.height * self.width
    }

    pub fn out_height(&self) -> usize {
        self.height.div_ceil(self.stride)
    }

    pub fn out_width(&self) -> usize {
        self.width.div_ceil(self.stride)
    }

    pub fn out_area(&self) -> usize {
        self.out_height() * self.out_width()
    }

    pub fn output(&self) -> Dims {
        Dims::image(self.outputs, self.out_height(), self.out_width())
    }

    /// Vectors of one padded input image.
    pub fn input_len(&self) -> usize {
        (self.inputs * self.padded_area()).div_ceil(16)
    }

    /// Vectors of one output image, without a border.
    pub fn output_len(&self) -> usize {
        self.output_blocks() * self.out_area()
    }

    /// Vectors of the packed weights, `[outputs / 16][blocks][k][k][depth]`.
    pub fn weight_len(&self) -> usize {
        self.output_blocks() * self.inputs * self.kernel * self.kernel
    }

    /// The convolution that carries gradients from the outputs back to the inputs. With a stride,
    /// zeros stand between the gradients of the outputs, so that it has none itself.
    pub fn transposed(&self) -> Self {
        Self { inputs: self.output_blocks() * 16, outputs: self.inputs, stride: 1, ..*self }
    }
}

/// Packs weights `(outputs, inputs, k, k)`; output `o` is multiplied by `scale(o)`.
pub(crate) fn pack_weights(
    shape: &ConvShape,
    weight: &[f32],
    scale: impl Fn(usize) -> f32 + Sync,
    packed: &mut [F32x16],
) {
    let (depth, taps) = (shape.depth(), shape.kernel * shape.kernel);
    let each = shape.inputs * taps;
    assert_eq!(weight.len(), shape.outputs * each);
    assert_eq!(packed.len(), shape.weight_len());
    (packed.chunks_exact_mut(shape.weight_len() / shape.output_blocks()))
        .zip(weight.chunks(16 * each))
        .enumerate()
        .par_for_each(|(block, (packed, weight))| {
            packed.fill(F32x16::default());
            for (o, weight) in weight.chunks_exact(each).enumerate() {
                let scale = scale(block * 16 + o);
                for (i, from) in weight.chunks_exact(taps).enumerate() {
                    for (tap, value) in from.iter().enumerate() {
                        let at = (i / depth * taps + tap) * depth + i % depth;
                        packed[at].0[o] = value * scale;
                    }
                }
            }
        });
}

/// Weights `(outputs, inputs, k, k)` of `shape`, rotated by 180 degrees and with inputs and outputs
/// exchanged, for [`ConvShape::transposed`].
pub(crate) fn rotate_weights(shape: &ConvShape, weight: &[f32]) -> Vec<f32> {
    let (taps, outputs) = (shape.kernel * shape.kernel, shape.transposed().inputs);
    assert_eq!(weight.len(), shape.outputs * shape.inputs * taps);
    let mut rotated = vec![0.0; shape.inputs * outputs * taps];
    for (at, from) in weight.chunks_exact(taps).enumerate() {
        let (o, i) = (at / shape.inputs, at % shape.inputs);
        let to = &mut rotated[(i * outputs + o) * taps..][..taps];
        to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
    }
    rotated
}

/// The inverse of [`pack_weights`], for gradients.
pub(crate) fn unpack_weights(shape: &ConvShape, packed: &[F32x16], weight: &mut [f32]) {
    let (depth, taps) = (shape.depth(), shape.kernel * shape.kernel);
    let each = shape.inputs * taps;
    assert_eq!(weight.len(), shape.outputs * each);
    assert_eq!(packed.len(), shape.weight_len());
    (packed.chunks_exact(shape.weight_len() / shape.output_blocks()))
        .zip(weight.chunks_mut(16 * each))
        .par_for_each(|(packed, weight)| {
            for (o, weight) in weight.chunks_exact_mut(each).enumerate() {
                for (i, to) in weight.chunks_exact_mut(taps).enumerate() {
                    for (tap, value) in to.iter_mut().enumerate() {
                        let at = (i / depth * taps + tap) * depth + i % depth;
                        *value = packed[at].0[o];
                    }
                }
            }
        });
}

/// Where a convolution writes its output, and what it does on the way: nothing by default.
#[derive(Default)]
pub(crate) struct Epilogue<'a> {
    /// Added to every pixel: one vector an output block, or none.
    pub bias: &'a [F32x16],
    pub relu: bool,
    /// Sum and sum of squares, two vectors an output block, are added here; or nowhere where it is empty.
    pub sums: &'a mut [F32x16],
    /// The width of the border that the output has.
    pub border: usize,
}

dispatch!(
    /// Convolves one padded image `x` with packed weights `w`.
    pub(crate) fn conv<S: Simd>(
        shape: &ConvShape,
        x: &[F32x16],
        w: &[F32x16],
        out: &mut [F32x16],
        epilogue: Epilogue,
    ) {
        let blocks = shape.output_blocks();
        let out_width = shape.out_width() + 2 * epilogue.border;
        let out_area = (shape.out_height() + 2 * epilogue.border) * out_width;
        assert!(shape.stride == 1 || shape.stride == 2);
        assert!(x.len() >= shape.input_len() && w.len() == shape.weight_len());
        assert_eq!(out.len(), blocks * out_area);
        assert!(epilogue.bias.is_empty() || epilogue.bias.len() == blocks);
        assert!(epilogue.sums.is_empty() || epilogue.sums.len() == 2 * blocks);
        let call = Call {
            shape,
            x: x.as_ptr().cast(),
            w: w.as_ptr().cast(),
            w_block: w.len() / blocks * 16,
            out: out[(out_width + 1) * epilogue.border..].as_mut_ptr().cast(),
            out_row: out_width * 16,
            out_block: out_area * 16,
            width: shape.out_width(),
            epilogue,
        };
        // SAFETY: the lengths checked above are what the tiles walk over.
        unsafe {
            match (shape.depth(), shape.stride) {
                (16, 1) => conv_blocks::<S, 16, 1, false>(call),
                (16, _) => conv_blocks::<S, 16, 2, false>(call),
                (_, 1) => conv_blocks::<S, 1, 1, false>(call),
                _ => conv_blocks::<S, 1, 2, false>(call),
            }
        }
    }
);

pub(super) struct Call<'a> {
    pub shape: &'a ConvShape,
    pub x: *const f32,
    pub w: *const f32,
    /// Steps from one block or row to the next are in values.
    pub w_block: usize,
    pub out: *mut f32,
    pub out_row: usize,
    pub out_block: usize,
    /// Pixels of a row that are computed.
    pub width: usize,
    pub epilogue: Epilogue<'a>,
}

/// Convolves; `EVEN`, with register tiles that divide short rows evenly. It changes the order of
/// the sums, so that those of a convolution are kept as they are.
#[inline(always)]
pub(super) unsafe fn conv_blocks<
    S: Simd,
    const DEPTH: usize,
    const STRIDE: usize,
    const EVEN: bool,
>(
    mut call: Call,
) {
    let blocks = call.shape.output_blocks();
    for block in (0..blocks).step_by(S::ACROSS) {
        unsafe {
            if S::WIDE && block + 1 < blocks {
                conv_rows::<S, DEPTH, STRIDE, EVEN, 2>(&mut call, block);
            } else {
                conv_rows::<S, DEPTH, STRIDE, EVEN, 1>(&mut call, block);
            }
        }
    }
}

/// Output blocks `block..block + V`, all rows.
#[inline(always)]
unsafe fn conv_rows<
    S: Simd,
    const DEPTH: usize,
    const STRIDE: usize,
    const EVEN: bool,
    const V: usize,
>(
    call: &mut Call,
    block: usize,
) {
    let has_sums = !call.epilogue.sums.is_empty();
    for row in 0..call.shape.out_height() {
        let mut at = 0;
        while at < call.width {
            let left = call.width - at;
            let end = at + if has_sums { summed_together(left) } else { left };
            unsafe {
                let mut sums = [[S::splat(0.0); 2]; V];
                while at < end {
                    let left = end - at;
                    // 16 are two of 8 rather than 14 and 2.
                    at += if S::ROWS == 14 && left >= 14 && !(EVEN && left == 16) {
                        tile::<S, DEPTH, STRIDE, 14, V>(call, block, row, at, &mut sums)
                    } else if S::ROWS == 14 && EVEN && left >= 8 {
                        tile::<S, DEPTH, STRIDE, 8, V>(call, block, row, at, &mut sums)
                    } else if S::ROWS == 14 && left >= 7 {
                        tile::<S, DEPTH, STRIDE, 7, V>(call, block, row, at, &mut sums)
                    } else if S::ROWS == 6 && left >= 6 {
                        tile::<S, DEPTH, STRIDE, 6, V>(call, block, row, at, &mut sums)
                    } else if (EVEN || S::ROWS == 4) && left >= 4 {
                        tile::<S, DEPTH, STRIDE, 4, V>(call, block, row, at, &mut sums)
                    } else if left >= 2 {
                        tile::<S, DEPTH, STRIDE, 2, V>(call, block, row, at, &mut sums)
                    } else {
                        tile::<S, DEPTH, STRIDE, 1, V>(call, block, row, at, &mut sums)
                    };
                }
                if has_sums {
                    for v in 0..V {
                        let to = call.epilogue.sums[2 * (block + v)..][..2].as_mut_ptr();
                        let to: *mut f32 = to.cast();
                        S::store(to, S::add(S::load(to), sums[v][0]));
                        S::store(to.add(16), S::add(S::load(to.add(16)), sums[v][1]));
                    }
                }
            }
        }
    }
}

/// How many of a row's `left` pixels are summed up by themselves: as many on every processor, however
/// many fit into its registers, so that their sums, and all that follows from them, are equal.
fn summed_together(left: usize) -> usize {
    [14, 7, 2].into_iter().find(|&pixels| left >= pixels).unwrap_or(1)
}

/// `P` pixels of one row by `V` blocks of 16 output channels, in registers, whose sums and sums of
/// squares are added to `sums`. Returns `P`.
#[inline(always)]
unsafe fn tile<S: Simd, const DEPTH: usize, const STRIDE: usize, const P: usize, const V: usize>(
    call: &mut Call,
    block: usize,
    row: usize,
    at: usize,
    sums: &mut [[S::V; 2]; V],
) -> usize {
    unsafe {
        let shape = call.shape;
        let (kernel, padded_width) = (shape.kernel, shape.padded_width());
        let mut bias = [S::splat(0.0); V];
        if !call.epilogue.bias.is_empty() {
            unroll! { for v in 0..V {
                bias[v] = S::get(&call.epilogue.bias[block + v]);
            } }
        }
        let mut acc = [bias; P];
        let mut w = call.w.add(block * call.w_block);
        for input in 0..shape.input_blocks() {
            for ky in 0..kernel {
                let row = row * STRIDE + ky;
                let pixel = input * shape.padded_area() + row * padded_width + at * STRIDE;
                let mut x = call.x.add(pixel * DEPTH);
                for _ in 0..kernel {
                    for c in 0..DEPTH {
                        let mut wv = [S::splat(0.0); V];
                        unroll! { for v in 0..V {
                            wv[v] = S::load(w.add(v * call.w_block + c * 16));
                        } }
                        unroll! { for p in 0..P {
                            let value = S::splat(*x.add(p * STRIDE * DEPTH + c));
                            unroll! { for v in 0..V {
                                acc[p][v] = S::fma(value, wv[v], acc[p][v]);
                            } }
                        } }
                    }
                    w = w.add(DEPTH * 16);
                    x = x.add(DEPTH);
                }
            }
        }
        if !call.epilogue.sums.is_empty() {
            unroll! { for v in 0..V {
                let [sum, squares] = &mut sums[v];
                unroll! { for p in 0..P {
                    *sum = S::add(*sum, acc[p][v]);
                    *squares = S::fma(acc[p][v], acc[p][v], *squares);
                } }
            } }
        }
        if call.epilogue.relu {
            unroll! { for p in 0..P {
                unroll! { for v in 0..V {
                    acc[p][v] = S::relu(acc[p][v]);
                } }
            } }
        }
        unroll! { for v in 0..V {
            let out = (call.out).add((block + v) * call.out_block + row * call.out_row + at * 16);
            unroll! { for p in 0..P {
                S::store(out.add(p * 16), acc[p][v]);
            } }
        } }
        P
    }
}
