//! The passes between convolutions, one image at a time: padding, batch
//! normalisation with ReLU, pooling, and their gradients. Each reads and writes
//! every value once.

use super::{
    buffer::{F32x16, flat, flat_mut},
    conv::ConvShape,
    simd::{Simd, dispatch},
};

/// Batch normalisation as `scale * z + shift`, and what its gradient needs; one vector a block.
#[derive(Clone, Debug)]
pub(crate) struct Affine {
    /// Whether ReLU follows.
    pub relu: bool,
    pub scale: Vec<F32x16>,
    pub shift: Vec<F32x16>,
    pub mean: Vec<F32x16>,
}

/// `scale * dy + slope * z + offset`: the gradient before a batch normalisation
/// from the gradient `dy` after it (Ioffe and Szegedy, 2015).
#[derive(Clone, Debug)]
pub(crate) struct AffineGradient {
    pub scale: Vec<F32x16>,
    pub slope: Vec<F32x16>,
    pub offset: Vec<F32x16>,
}

/// Pads an image `(channels, height, width)` and brings it into blocks; of `shape`'s
/// inputs the channels beyond the image's are 0.
pub(crate) fn pad_planes(shape: &ConvShape, image: &[f32], padded: &mut [F32x16]) {
    let (depth, border, area) = (shape.depth(), shape.border(), shape.in_area());
    let (width, padded_width) = (shape.width, shape.padded_width());
    assert!(image.len() <= shape.inputs * area);
    padded.fill(F32x16::default());
    let padded = flat_mut(padded);
    for (channel, plane) in image.chunks_exact(area).enumerate() {
        let block = channel / depth * shape.padded_area();
        for (row, from) in plane.chunks_exact(width).enumerate() {
            let at = (block + (row + border) * padded_width + border) * depth + channel % depth;
            let to = &mut padded[at..];
            if depth == 1 {
                to[..width].copy_from_slice(from);
            } else {
                for (to, value) in to.iter_mut().step_by(depth).zip(from) {
                    *to = *value;
                }
            }
        }
    }
}

dispatch!(
    /// Planes `(channels, area)` from blocks without a border.
    pub(crate) fn blocks_to_planes<S: Simd>(blocks: &[F32x16], area: usize, planes: &mut [f32]) {
        for (block, planes) in planes.chunks_mut(16 * area).enumerate() {
            let lanes = &blocks[block * area..][..area];
            // 16 pixels of 16 channels at once, where there are so many.
            let whole = if planes.len() == 16 * area { area / 16 * 16 } else { 0 };
            for at in (0..whole).step_by(16) {
                let mut columns = [F32x16::default(); 16];
                let from = flat(&lanes[at..at + 16]);
                // SAFETY: 16 rows of 16 values on both sides.
                unsafe { S::transpose(from.as_ptr(), 16, columns.as_mut_ptr().cast()) };
                for (plane, channel) in planes.chunks_exact_mut(area).zip(&columns) {
                    plane[at..at + 16].copy_from_slice(&channel.0);
                }
            }
            for (channel, plane) in planes.chunks_exact_mut(area).enumerate() {
                for (value, lane) in plane[whole..].iter_mut().zip(&lanes[whole..]) {
                    *value = lane.0[channel];
                }
            }
        }
    }
);

/// The inverse of [`blocks_to_planes`]; channels that do not exist are 0.
pub(crate) fn planes_to_blocks(planes: &[f32], area: usize, blocks: &mut [F32x16]) {
    let channels = planes.len() / area;
    if !channels.is_multiple_of(16) {
        blocks.fill(F32x16::default());
    }
    for (channel, plane) in planes.chunks_exact(area).enumerate() {
        let block = &mut blocks[channel / 16 * area..][..area];
        for (value, lane) in plane.iter().zip(block) {
            lane.0[channel % 16] = *value;
        }
    }
}

dispatch!(
    /// Pads an image of blocks for a convolution; `scale * x + shift`, and ReLU, on the way where
    /// `affine` is given. Of channels that are no multiple of 16 it makes planes.
    pub(crate) fn pad_blocks<S: Simd>(
        shape: &ConvShape,
        x: &[F32x16],
        affine: Option<&Affine>,
        padded: &mut [F32x16],
    ) {
        let (width, border) = (shape.width, shape.border());
        assert_eq!(x.len(), shape.inputs.div_ceil(16) * shape.in_area());
        assert_eq!(padded.len(), shape.input_len());
        if shape.depth() == 1 {
            pad_channels(shape, x, affine, flat_mut(padded));
            return;
        }
        let images = x.chunks_exact(shape.in_area());
        let to = padded.chunks_exact_mut(shape.padded_area());
        for (block, (from, to)) in images.zip(to).enumerate() {
            let mut rows = to.chunks_exact_mut(shape.padded_width());
            rows.by_ref().take(border).for_each(clear);
            for (from, to) in from.chunks_exact(width).zip(rows.by_ref()) {
                clear(&mut to[..border]);
                clear(&mut to[border + width..]);
                let to = &mut to[border..][..width];
                match affine {
                    None => to.copy_from_slice(from),
                    // SAFETY: as in `normalise`.
                    Some(affine) => unsafe { normalise_block::<S>(from, affine, block, to) },
                }
            }
            rows.for_each(clear);
        }
    }
);

/// [`pad_blocks`] to planes, one channel after the other.
fn pad_channels(shape: &ConvShape, x: &[F32x16], affine: Option<&Affine>, padded: &mut [f32]) {
    let (width, border, area) = (shape.width, shape.border(), shape.in_area());
    padded.fill(0.0);
    for (channel, plane) in
        (padded.chunks_exact_mut(shape.padded_area())).take(shape.inputs).enumerate()
    {
        let (block, lane) = (channel / 16, channel % 16);
        let rows = plane.chunks_exact_mut(shape.padded_width()).skip(border);
        for (from, to) in (x[block * area..][..area].chunks_exact(width)).zip(rows) {
            let to = to[border..][..width].iter_mut();
            for (from, to) in from.iter().zip(to) {
                *to = match affine {
                    None => from.0[lane],
                    Some(affine) => affine.apply(block, lane, from.0[lane]),
                };
            }
        }
    }
}

/// Three values of each channel, one vector a block.
pub(crate) fn lanes(channels: usize, mut of: impl FnMut(usize) -> [f64; 3]) -> [Vec<F32x16>; 3] {
    let zeros = vec![F32x16::default(); channels.div_ceil(16)];
    let mut vectors = [zeros.clone(), zeros.clone(), zeros];
    for c in 0..channels {
        for (vectors, value) in vectors.iter_mut().zip(of(c)) {
            vectors[c / 16].0[c % 16] = value as f32;
        }
    }
    vectors
}

impl Affine {
    /// `of` gives scale, shift and mean of each channel.
    pub fn of(channels: usize, relu: bool, of: impl Fn(usize) -> [f64; 3]) -> Self {
        let [scale, shift, mean] = lanes(channels, of);
        Self { relu, scale, shift, mean }
    }

    /// Nothing but ReLU, where that is asked for.
    pub fn identity(channels: usize, relu: bool) -> Self {
        Self::of(channels, relu, |_| [1.0, 0.0, 0.0])
    }

    fn apply(&self, block: usize, lane: usize, x: f32) -> f32 {
        let y = x.mul_add(self.scale[block].0[lane], self.shift[block].0[lane]);
        // Not `max`: it would hide a NaN.
        if self.relu && y < 0.0 { 0.0 } else { y }
    }
}

dispatch!(
    /// `scale * x + shift`, and ReLU where it follows, of one image of blocks.
    pub(crate) fn normalise<S: Simd>(x: &[F32x16], affine: &Affine, out: &mut [F32x16]) {
        let blocks = affine.scale.len();
        assert_eq!(x.len(), out.len());
        let area = x.len() / blocks;
        for (block, (x, out)) in x.chunks_exact(area).zip(out.chunks_exact_mut(area)).enumerate() {
            // SAFETY: this runs with the instructions of `S`.
            unsafe { normalise_block::<S>(x, affine, block, out) };
        }
    }
);

/// Pixels of one block.
#[inline(always)]
unsafe fn normalise_block<S: Simd>(
    x: &[F32x16],
    affine: &Affine,
    block: usize,
    out: &mut [F32x16],
) {
    // SAFETY: this runs with the instructions of `S`.
    unsafe {
        let scale = S::get(&affine.scale[block]);
        let shift = S::get(&affine.shift[block]);
        for (x, out) in x.iter().zip(out) {
            let y = S::fma(S::get(x), scale, shift);
            let y = if affine.relu { S::relu(y) } else { y };
            S::put(out, y);
        }
    }
}

dispatch!(
    /// The mean of `x`, and the sum of the squared distances from it: two vectors a block. The
    /// squares of values far from 0 would lose the digits that their variance is made of.
    pub(crate) fn centred_sums<S: Simd>(x: &[F32x16], sums: &mut [F32x16]) {
        let area = x.len() * 2 / sums.len();
        for (x, sums) in x.chunks_exact(area).zip(sums.chunks_exact_mut(2)) {
            // SAFETY: this runs with the instructions of `S`.
            unsafe {
                // From the first value on: the sum of the values themselves would be rounded more.
                let first = S::get(&x[0]);
                let mut sum = S::splat(0.0);
                for x in x {
                    sum = S::add(sum, S::sub(S::get(x), first));
                }
                let mean = S::fma(sum, S::splat(1.0 / area as f32), first);
                let mut squares = S::splat(0.0);
                for x in x {
                    let distance = S::sub(S::get(x), mean);
                    squares = S::fma(distance, distance, squares);
                }
                S::put(&mut sums[0], mean);
                S::put(&mut sums[1], squares);
            }
        }
    }
);

fn clear(vectors: &mut [F32x16]) {
    vectors.fill(F32x16::default());
}

dispatch!(
    /// Batch normalisation, ReLU and 2 x 2 max pooling of one image of blocks. Keeps for its
    /// gradient which of each window it took, 0 to 3 in reading order, and `z` there.
    pub(crate) fn normalise_pool<S: Simd>(
        height: usize,
        width: usize,
        z: &[F32x16],
        affine: &Affine,
        out: &mut [F32x16],
        choices: &mut [F32x16],
        chosen_z: &mut [F32x16],
    ) {
        let blocks = affine.scale.len();
        let (out_height, out_width) = (height / 2, width / 2);
        let len = blocks * out_height * out_width;
        assert_eq!(z.len(), blocks * height * width);
        assert!(out.len() == len && choices.len() == len && chosen_z.len() == len);
        for block in 0..blocks {
            // SAFETY: this runs with the instructions of `S`.
            unsafe {
                let scale = S::get(&affine.scale[block]);
                let shift = S::get(&affine.shift[block]);
                for y in 0..out_height {
                    let rows = &z[(block * height + 2 * y) * width..][..2 * width];
                    for x in 0..out_width {
                        let mut best_z = S::get(&rows[2 * x]);
                        let mut best = S::fma(best_z, scale, shift);
                        let mut choice = S::splat(0.0);
                        for k in 1..4 {
                            let z = S::get(&rows[k / 2 * width + 2 * x + k % 2]);
                            let value = S::fma(z, scale, shift);
                            choice = S::select_greater(value, best, S::splat(k as f32), choice);
                            best_z = S::select_greater(value, best, z, best_z);
                            best = S::select_greater(value, best, value, best);
                        }
                        let at = (block * out_height + y) * out_width + x;
                        let best = if affine.relu { S::relu(best) } else { best };
                        S::put(&mut out[at], best);
                        S::put(&mut choices[at], choice);
                        S::put(&mut chosen_z[at], best_z);
                    }
                }
            }
        }
    }
);

dispatch!(
    /// Sets `dy` to 0 where ReLU did (where it follows, and `scale * z + shift` is not positive), and
    /// adds the sums of `dy` and of `dy * (z - mean)` to `sums`, two vectors a block.
    pub(crate) fn relu_gradient<S: Simd>(
        z: &[F32x16],
        affine: &Affine,
        dy: &mut [F32x16],
        sums: &mut [F32x16],
    ) {
        let blocks = affine.scale.len();
        let area = z.len() / blocks;
        assert!(dy.len() == z.len() && z.len() == blocks * area && sums.len() == 2 * blocks);
        for block in 0..blocks {
            // SAFETY: this runs with the instructions of `S`.
            unsafe {
                let scale = S::get(&affine.scale[block]);
                let shift = S::get(&affine.shift[block]);
                let mean = S::get(&affine.mean[block]);
                let mut sum = [S::splat(0.0); 2];
                let mut sum_z = [S::splat(0.0); 2];
                let z = &z[block * area..][..area];
                let dy = &mut dy[block * area..][..area];
                for (i, (z, dy)) in z.iter().zip(dy).enumerate() {
                    let z = S::get(z);
                    let mut kept = S::get(dy);
                    if affine.relu {
                        kept = S::keep_positive(S::fma(z, scale, shift), kept);
                        S::put(dy, kept);
                    }
                    sum[i % 2] = S::add(sum[i % 2], kept);
                    sum_z[i % 2] = S::fma(kept, S::sub(z, mean), sum_z[i % 2]);
                }
                for (to, sum) in sums[2 * block..].iter_mut().zip([sum, sum_z]) {
                    let total = S::add(S::get(to), S::add(sum[0], sum[1]));
                    S::put(to, total);
                }
            }
        }
    }
);

dispatch!(
    /// The gradient before a batch normalisation, padded; with zeros between the values where
    /// the convolution has a stride. Where 2 x 2 max pooling follows, `choice` is which of each
    /// window was taken, and `dy` the pooled gradient, already 0 where ReLU was.
    pub(crate) fn pad_gradient<S: Simd>(
        shape: &ConvShape,
        dy: &[F32x16],
        choice: Option<&[F32x16]>,
        z: &[F32x16],
        gradient: &AffineGradient,
        padded: &mut [F32x16],
    ) {
        let (height, width, area) = (shape.out_height(), shape.out_width(), shape.out_area());
        let (padded_width, border, stride) = (shape.padded_width(), shape.border(), shape.stride);
        let blocks = shape.output_blocks();
        let (half_height, half_width) = (height / 2, width / 2);
        let dy_area = choice.map_or(area, |_| half_height * half_width);
        assert!(choice.is_none_or(|choice| stride == 1 && choice.len() == dy.len()));
        assert!(z.len() == blocks * area && dy.len() == blocks * dy_area);
        assert_eq!(padded.len(), blocks * shape.padded_area());
        for block in 0..blocks {
            let to = &mut padded[block * shape.padded_area()..][..shape.padded_area()];
            if stride == 1 {
                clear_border(to, padded_width, border);
            } else {
                clear(to);
            }
            let z = &z[block * area..][..area];
            let dy = &dy[block * dy_area..][..dy_area];
            // SAFETY: this runs with the instructions of `S`.
            unsafe {
                let scale = S::get(&gradient.scale[block]);
                let slope = S::get(&gradient.slope[block]);
                let offset = S::get(&gradient.offset[block]);
                let Some(choice) = choice.map(|choice| &choice[block * dy_area..][..dy_area])
                else {
                    let rows = z.chunks_exact(width).zip(dy.chunks_exact(width));
                    for (row, (z, dy)) in rows.enumerate() {
                        let to = &mut to[(row * stride + border) * padded_width + border..];
                        let to = &mut to[..(width - 1) * stride + 1];
                        for ((to, z), dy) in to.iter_mut().step_by(stride).zip(z).zip(dy) {
                            let dz = S::fma(S::get(z), slope, offset);
                            let dz = S::fma(S::get(dy), scale, dz);
                            S::put(to, dz);
                        }
                    }
                    continue;
                };
                for y in 0..half_height {
                    let z = &z[2 * y * width..][..2 * width];
                    let to = &mut to[(2 * y + border) * padded_width + border..];
                    let to = &mut to[..padded_width + width];
                    for x in 0..half_width {
                        let at = y * half_width + x;
                        let choice = S::get(&choice[at]);
                        let scaled = S::mul(S::get(&dy[at]), scale);
                        for k in 0..4 {
                            let z = S::get(&z[k / 2 * width + 2 * x + k % 2]);
                            let dy = S::keep_equal(choice, S::splat(k as f32), scaled);
                            let dz = S::add(S::fma(z, slope, offset), dy);
                            let to = &mut to[k / 2 * padded_width + 2 * x + k % 2];
                            S::put(to, dz);
                        }
                    }
                }
                // What pooling has dropped of an odd size still moved the batch's statistics.
                let odd = height % 2 == 1 || width % 2 == 1;
                for at in (0..area).filter(|_| odd) {
                    if at / width < 2 * half_height && at % width < 2 * half_width {
                        continue;
                    }
                    let z = S::get(&z[at]);
                    let to = &mut to[(at / width + border) * padded_width + border + at % width];
                    S::put(to, S::fma(z, slope, offset));
                }
            }
        }
    }
);

/// Writes zeros into the border of a padded block.
pub(crate) fn clear_border(padded: &mut [F32x16], padded_width: usize, border: usize) {
    let rows = padded.len() / padded_width;
    for (row, lanes) in padded.chunks_exact_mut(padded_width).enumerate() {
        if row < border || row >= rows - border {
            clear(lanes);
        } else {
            clear(&mut lanes[..border]);
            clear(&mut lanes[padded_width - border..]);
        }
    }
}
