//! Convolutions and dense layers in bf16 with sums of 32 bits, by Intel's AMX: one instruction
//! multiplies 16 rows of 32 numbers by 32 rows of 16.
//!
//! Evaluation alone uses it, and only where it is asked for: an operand rounded to bf16 keeps 8 of
//! its 24 bits. Stable Rust has no intrinsics for AMX, so these are a few lines of assembly.

use super::{
    buffer::{Buffer, F32x16, flat},
    conv::{ConvShape, Epilogue},
    simd::{Instructions, Simd, dispatch},
};
use crate::threads::ParForEach;

/// Numbers of a row that one instruction takes.
const DEPTH: usize = 32;
/// Rows of sums, of 2 x 2 tiles that share their operands.
pub(crate) const ROWS: usize = 32;
/// Vectors of a tile.
const TILE: usize = 16;

/// Whether evaluation in bf16 uses AMX from now on: choosing another instruction set also switches
/// it off, but not for weights that are packed already.
pub(crate) fn available() -> bool {
    Instructions::current() == Instructions::Avx512 && present()
}

/// Whether this processor and system have AMX for bf16. Asks the system for it.
fn present() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    {
        static FOUND: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *FOUND.get_or_init(tiles::allowed)
    }
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    false
}

/// Whether a convolution can be computed this way: whole blocks of inputs, and no stride.
pub(crate) fn fits(shape: &ConvShape) -> bool {
    shape.depth() == 16 && shape.stride == 1
}

/// Weights in tiles, `[outputs / 16][steps][16 pairs][16 outputs][2]`; an even number of blocks of
/// outputs.
#[derive(Debug)]
pub(crate) struct Weights {
    /// Products that each sum takes, [`DEPTH`] numbers at a time.
    steps: usize,
    tiles: Buffer,
}

impl Weights {
    /// `value(output, step, k)` is the weight of number `k` of a step.
    fn pack(
        outputs: usize,
        steps: usize,
        value: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Self {
        let blocks = outputs.div_ceil(16).next_multiple_of(2);
        let mut tiles = Buffer::zeros(blocks * steps * TILE);
        (tiles.chunks_exact_mut(steps * TILE).enumerate()).par_for_each(|(block, tiles)| {
            for (at, pair) in halves_mut(tiles).chunks_exact_mut(2).enumerate() {
                let (lane, row) = (at % 16, at / 16);
                let output = block * 16 + lane;
                if output < outputs {
                    let k = 2 * (row % TILE);
                    pair[0] = bf16(value(output, row / TILE, k));
                    pair[1] = bf16(value(output, row / TILE, k + 1));
                }
            }
        });
        Self { steps, tiles }
    }

    /// Of a convolution's weights `(outputs, inputs, k, k)`; output `o` is multiplied by
    /// `scale(o)`. A step is 32 inputs at one place of the kernel.
    pub fn of_conv(shape: &ConvShape, weight: &[f32], scale: impl Fn(usize) -> f32 + Sync) -> Self {
        let taps = shape.kernel * shape.kernel;
        let steps = shape.inputs.div_ceil(DEPTH) * taps;
        Self::pack(shape.outputs, steps, |output, step, k| {
            let input = step / taps * DEPTH + k;
            match input < shape.inputs {
                true => {
                    scale(output) * weight[(output * shape.inputs + input) * taps + step % taps]
                }
                false => 0.0,
            }
        })
    }

    /// Of a dense layer's weights `(units, inputs)`.
    pub fn of_dense(weight: &[f32], units: usize) -> Self {
        let inputs = weight.len() / units;
        Self::pack(units, inputs.div_ceil(DEPTH), |output, step, k| {
            let input = step * DEPTH + k;
            if input < inputs { weight[output * inputs + input] } else { 0.0 }
        })
    }

    /// The tiles of two blocks of outputs.
    fn pair(&self, pair: usize) -> &[F32x16] {
        let len = 2 * self.steps * TILE;
        &self.tiles[pair * len..][..len]
    }

    fn pairs(&self) -> usize {
        self.tiles.len() / (2 * self.steps * TILE)
    }
}

/// Convolves one padded image; keeps the largest of each 2 x 2 window only, where `pooled` is set.
pub(crate) fn conv(
    shape: &ConvShape,
    x: &[F32x16],
    weights: &Weights,
    epilogue: Epilogue,
    pooled: bool,
    out: &mut [F32x16],
) {
    let (area, width) = (shape.padded_area(), shape.padded_width());
    let (groups, taps) = (shape.inputs.div_ceil(DEPTH), shape.kernel * shape.kernel);
    assert!(fits(shape) && x.len() >= shape.input_len() && weights.steps == groups * taps);
    // All pixels in one row of the padded width: those at its end are computed for nothing. The
    // last tiles look beyond the image: less than two tiles, and the last row of the kernel.
    let pixels = (shape.height * width).next_multiple_of(ROWS);
    let group = area + 2 * ROWS + shape.kernel;
    let mut rounded = Buffer::new(groups * group);
    for (of_group, to) in rounded.chunks_exact_mut(group).enumerate() {
        let (first, second) = (&x[2 * of_group * area..][..area], (2 * of_group + 1) * area);
        tiles::round_pixels(first, x.get(second..second + area), to);
    }
    let offsets: Vec<usize> = (0..weights.steps)
        .map(|step| {
            let (tap, of_group) = (step % taps, step / taps);
            of_group * group + tap / shape.kernel * width + tap % shape.kernel
        })
        .collect();
    let mut sums = Buffer::new(2 * weights.pairs() * pixels);
    let of_pairs = sums.chunks_exact_mut(2 * pixels).enumerate();
    tiles::with(|| {
        for (pair, sums) in of_pairs {
            for first in (0..pixels).step_by(ROWS) {
                let rows = Rows { a: &rounded[first..], others: TILE, offsets: &offsets };
                tiles::multiply(rows, weights.pair(pair), &mut sums[first..], 1, pixels);
            }
        }
    });
    let sums = sums.chunks_exact(pixels).take(shape.output_blocks());
    let out_len = out.len() / shape.output_blocks();
    for (block, (sums, out)) in sums.zip(out.chunks_exact_mut(out_len)).enumerate() {
        let bias = epilogue.bias.get(block).copied().unwrap_or_default();
        finish(shape, sums, bias, epilogue.relu, epilogue.border, pooled, out);
    }
}

/// `out = x W^T` for rows `(batch, inputs)`, without a bias.
pub(crate) fn dense(x: &[f32], batch: usize, weights: &Weights, out: &mut [f32]) {
    let (inputs, units, steps) = (x.len() / batch, out.len() / batch, weights.steps);
    assert!(inputs.div_ceil(DEPTH) == steps && units <= 32 * weights.pairs());
    // `[rows / 16][steps][16 rows]`, so that a tile lies in one piece.
    let mut rounded = Buffer::new(batch.next_multiple_of(ROWS) * steps);
    (rounded.chunks_exact_mut(steps * TILE).zip(x.chunks(TILE * inputs))).par_for_each(
        |(to, rows)| {
            for (i, row) in rows.chunks_exact(inputs).enumerate() {
                tiles::round_row(row, to[i..].iter_mut().step_by(TILE));
            }
        },
    );
    let offsets: Vec<usize> = (0..steps).map(|step| step * TILE).collect();
    // A thread's rows, as many as stay in its cache while all weights pass.
    let chunk = batch.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS).min(4 * ROWS);
    (out.chunks_mut(chunk * units).enumerate()).par_for_each(|(number, out)| {
        tiles::with(|| {
            let mut sums = [F32x16::default(); 2 * ROWS];
            for pair in 0..weights.pairs() {
                let columns = 32 * pair..units.min(32 * pair + 32);
                for (i, out) in out.chunks_mut(ROWS * units).enumerate() {
                    let (a, others) = (number * chunk + i * ROWS, steps * TILE);
                    let rows = Rows { a: &rounded[a * steps..], others, offsets: &offsets };
                    tiles::multiply(rows, weights.pair(pair), &mut sums, 2, 1);
                    for (sums, out) in sums.chunks_exact(2).zip(out.chunks_exact_mut(units)) {
                        out[columns.clone()].copy_from_slice(&flat(sums)[..columns.len()]);
                    }
                }
            }
        });
    });
}

/// Where a product finds its rows: vectors of [`DEPTH`] numbers, 16 rows one after another.
#[derive(Clone, Copy)]
struct Rows<'a> {
    a: &'a [F32x16],
    /// From the first 16 rows to the others.
    others: usize,
    /// Of each step.
    offsets: &'a [usize],
}

/// To the nearest bf16; of two equally near, the even one. A NaN stays one.
fn bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    match value.is_nan() {
        true => 0x7fc0,
        false => ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16,
    }
}

/// A vector as 32 numbers of 16 bits.
fn halves_mut(vectors: &mut [F32x16]) -> &mut [u16] {
    // SAFETY: a vector is 64 bytes without padding, and every bit pattern is a number.
    unsafe { std::slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), vectors.len() * 32) }
}

dispatch!(
    /// Bias, ReLU and pooling of one block; `sums` have rows of the padded width.
    fn finish<S: Simd>(
        shape: &ConvShape,
        sums: &[F32x16],
        bias: F32x16,
        relu: bool,
        border: usize,
        pooled: bool,
        out: &mut [F32x16],
    ) {
        let side = if pooled { 2 } else { 1 };
        let (height, width) = (shape.height / side, shape.width / side);
        let (row, out_row) = (shape.padded_width(), width + 2 * border);
        for y in 0..height {
            let out = &mut out[(y + border) * out_row + border..][..width];
            for (x, out) in out.iter_mut().enumerate() {
                // SAFETY: this runs with the instructions of `S`.
                unsafe {
                    let value =
                        |k: usize| S::get(&sums[(side * y + k / 2) * row + side * x + k % 2]);
                    let mut best = value(0);
                    if pooled {
                        for k in 1..4 {
                            best = S::select_greater(value(k), best, value(k), best);
                        }
                    }
                    best = S::add(best, S::get(&bias));
                    S::put(out, if relu { S::relu(best) } else { best });
                }
            }
        }
    }
);

/// The instructions themselves.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiles {
    use std::arch::{
        asm,
        x86_64::{__cpuid_count, _mm512_cvtne2ps_pbh, _mm512_loadu_ps},
    };

    use super::{DEPTH, F32x16, ROWS, Rows, TILE};

    /// Whether the processor has them, and the system lets this process use them: a thread's state
    /// grows by 8 kB.
    pub fn allowed() -> bool {
        const BF16_AND_TILES: u32 = 1 << 22 | 1 << 24;
        const ARCH_PRCTL: i64 = 158;
        const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
        const TILE_DATA: i64 = 18;
        if __cpuid_count(7, 0).edx & BF16_AND_TILES != BF16_AND_TILES
            || !is_x86_feature_detected!("avx512bf16")
        {
            return false;
        }
        let result: i64;
        // SAFETY: the call changes no memory of ours.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") ARCH_PRCTL => result,
                in("rdi") ARCH_REQ_XCOMP_PERM,
                in("rsi") TILE_DATA,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack)
            );
        }
        result == 0
    }

    /// Eight tiles of 16 rows of 64 bytes, as `ldtilecfg` reads it.
    #[repr(C, align(64))]
    struct Layout([u8; 64]);

    const LAYOUT: Layout = {
        let mut layout = [0; 64];
        layout[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            layout[16 + 2 * tile] = 64;
            layout[48 + tile] = 16;
            tile += 1;
        }
        Layout(layout)
    };

    /// Two blocks of 16 channels, the second may be missing, rounded to 32 numbers a pixel.
    pub fn round_pixels(first: &[F32x16], second: Option<&[F32x16]>, to: &mut [F32x16]) {
        let nothing = [0.0; 16];
        let second = |i: usize| second.map_or(&nothing, |second| &second[i].0);
        let pairs = first.iter().zip(to).enumerate();
        round(pairs.map(|(i, (first, to))| (&first.0, second(i), to)));
    }

    /// One row, filled up with zeros.
    pub fn round_row<'a>(from: &[f32], to: impl Iterator<Item = &'a mut F32x16>) {
        let (whole, rest) = from.as_chunks::<DEPTH>();
        let mut last = [0.0; DEPTH];
        last[..rest.len()].copy_from_slice(rest);
        let values = whole.iter().chain([&last]);
        round(values.zip(to).map(|(values, to)| {
            let (halves, _) = values.as_chunks::<16>();
            (&halves[0], &halves[1], to)
        }));
    }

    /// The first 16 numbers and the second, rounded to the nearest.
    fn round<'a>(pairs: impl Iterator<Item = (&'a [f32; 16], &'a [f32; 16], &'a mut F32x16)>) {
        #[target_feature(enable = "avx512bf16,avx512f")]
        fn round<'a>(pairs: impl Iterator<Item = (&'a [f32; 16], &'a [f32; 16], &'a mut F32x16)>) {
            for (first, second, to) in pairs {
                // SAFETY: 16 values each, and room for 32 of half the size.
                unsafe {
                    let [a, b] = [first, second].map(|x| _mm512_loadu_ps(x.as_ptr()));
                    *(to.0.as_mut_ptr().cast()) = _mm512_cvtne2ps_pbh(b, a);
                }
            }
        }
        assert!(super::present(), "AMX was asked for where there is none");
        // SAFETY: where there is AMX for bf16, there are these instructions.
        unsafe { round(pairs) }
    }

    /// Runs `work` with the tiles of this thread laid out for [`multiply`].
    pub fn with(work: impl FnOnce()) {
        assert!(super::present(), "AMX was asked for where there is none");
        // SAFETY: the processor has AMX, and the system allows it.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &LAYOUT, options(nostack)) };
        work();
        // SAFETY: as above.
        unsafe { asm!("tilerelease", options(nostack)) };
    }

    /// The sums of [`ROWS`] rows and of two blocks of outputs, whose tiles are `b`; `row` and
    /// `block` are the steps between them. Within [`with`].
    pub fn multiply(rows: Rows, b: &[F32x16], sums: &mut [F32x16], row: usize, block: usize) {
        let steps = rows.offsets.len();
        let last = rows.offsets.iter().max().map_or(0, |last| last + rows.others + TILE - 1);
        assert!(rows.a.len() > last && b.len() == 2 * steps * TILE);
        assert!(sums.len() > (ROWS - 1) * row + block);
        // SAFETY: the lengths checked above are what is read and written; no compiled code uses
        // tiles.
        unsafe {
            asm!("tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3");
            for (step, offset) in rows.offsets.iter().enumerate() {
                let a = rows.a.as_ptr().add(*offset);
                let b = b.as_ptr().add(step * TILE);
                asm!(
                    "tileloadd tmm4, [{a} + {line}*1]",
                    "tileloadd tmm6, [{b} + {line}*1]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tileloadd tmm7, [{other_b} + {line}*1]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tileloadd tmm5, [{other_a} + {line}*1]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    a = in(reg) a,
                    other_a = in(reg) a.add(rows.others),
                    b = in(reg) b,
                    other_b = in(reg) b.add(steps * TILE),
                    line = in(reg) 64usize,
                    options(nostack, readonly)
                );
            }
            let c = sums.as_mut_ptr();
            asm!(
                "tilestored [{c0} + {row}*1], tmm0",
                "tilestored [{c1} + {row}*1], tmm1",
                "tilestored [{c2} + {row}*1], tmm2",
                "tilestored [{c3} + {row}*1], tmm3",
                c0 = in(reg) c,
                c1 = in(reg) c.add(block),
                c2 = in(reg) c.add(TILE * row),
                c3 = in(reg) c.add(TILE * row + block),
                row = in(reg) row * 64,
                options(nostack)
            );
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod tiles {
    use super::{F32x16, Rows};

    pub fn round_pixels(_: &[F32x16], _: Option<&[F32x16]>, _: &mut [F32x16]) {}

    pub fn round_row<'a>(_: &[f32], _: impl Iterator<Item = &'a mut F32x16>) {}

    pub fn with(_: impl FnOnce()) {
        unreachable!("there is no AMX here");
    }

    pub fn multiply(_: Rows, _: &[F32x16], _: &mut [F32x16], _: usize, _: usize) {}
}

#[cfg(test)]
#[path = "../../tests/unit/amx.rs"]
mod tests;
