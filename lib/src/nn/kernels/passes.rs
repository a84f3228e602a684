//! The passes between convolutions, one image at a time: padding, batch
//! normalisation with ReLU, pooling, and their gradients. Each reads and writes
//! every value once.

use super::{
    conv::ConvShape,
    lanes::{Lane, flat, flat_mut},
    simd::{Simd, dispatch},
};

/// Batch normalisation as `scale * z + shift`, and what its gradient needs; one lane a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Affine {
    pub scale: Vec<Lane>,
    pub shift: Vec<Lane>,
    pub mean: Vec<Lane>,
}

/// `scale * dy + slope * z + offset`: the gradient before a batch normalisation
/// from the gradient `dy` after it (Ioffe and Szegedy, 2015).
#[derive(Clone, Debug, Default)]
pub(crate) struct AffineGradient {
    pub scale: Vec<Lane>,
    pub slope: Vec<Lane>,
    pub offset: Vec<Lane>,
}

/// Pads an image `(channels, height, width)` and brings it into blocks; of `shape`'s
/// inputs the channels beyond the image's are 0.
pub(crate) fn pad_planes(shape: &ConvShape, image: &[f32], padded: &mut [Lane]) {
    let (depth, border, area) = (shape.depth(), shape.border(), shape.area());
    let (width, padded_width) = (shape.width, shape.padded_width());
    assert!(image.len() <= shape.inputs * area);
    padded.fill(Lane::default());
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

dispatch! {
    /// Planes `(channels, area)` from blocks without a border.
    pub(crate) fn blocks_to_planes(blocks: &[Lane], area: usize, planes: &mut [f32]) = blocks_to_planes_body
}

#[inline(always)]
unsafe fn blocks_to_planes_body<S: Simd>(blocks: &[Lane], area: usize, planes: &mut [f32]) {
    for (block, planes) in planes.chunks_mut(16 * area).enumerate() {
        let lanes = &blocks[block * area..][..area];
        // 16 pixels of 16 channels at once, where there are so many.
        let whole = if planes.len() == 16 * area {
            area / 16 * 16
        } else {
            0
        };
        for at in (0..whole).step_by(16) {
            let mut turned = [Lane::default(); 16];
            let from = flat(&lanes[at..at + 16]);
            // SAFETY: 16 rows of 16 values on both sides.
            unsafe { S::transpose(from.as_ptr(), 16, turned.as_mut_ptr().cast()) };
            for (plane, channel) in planes.chunks_exact_mut(area).zip(&turned) {
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

/// The inverse of [`blocks_to_planes`]; channels that do not exist are 0.
pub(crate) fn planes_to_blocks(planes: &[f32], area: usize, blocks: &mut [Lane]) {
    let channels = planes.len() / area;
    if !channels.is_multiple_of(16) {
        blocks.fill(Lane::default());
    }
    for (channel, plane) in planes.chunks_exact(area).enumerate() {
        let block = &mut blocks[channel / 16 * area..][..area];
        for (value, lane) in plane.iter().zip(block) {
            lane.0[channel % 16] = *value;
        }
    }
}

dispatch! {
    /// Pads an image of blocks; `relu(scale * x + shift)` on the way where `affine` is given.
    pub(crate) fn pad_blocks(shape: &ConvShape, x: &[Lane], affine: Option<&Affine>, padded: &mut [Lane]) = pad_blocks_body
}

#[inline(always)]
unsafe fn pad_blocks_body<S: Simd>(
    shape: &ConvShape,
    x: &[Lane],
    affine: Option<&Affine>,
    padded: &mut [Lane],
) {
    let (width, border) = (shape.width, shape.border());
    let blocks = shape.input_blocks();
    assert_eq!(shape.depth(), 16);
    assert_eq!(x.len(), blocks * shape.area());
    assert_eq!(padded.len(), shape.input_len());
    let images = x.chunks_exact(shape.area());
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
                Some(affine) => {
                    // SAFETY: a `Lane` is 16 values.
                    unsafe {
                        let scale = S::load(affine.scale[block].0.as_ptr());
                        let shift = S::load(affine.shift[block].0.as_ptr());
                        for (from, to) in from.iter().zip(to) {
                            let y = S::fma(S::load(from.0.as_ptr()), scale, shift);
                            S::store(to.0.as_mut_ptr(), S::relu(y));
                        }
                    }
                }
            }
        }
        rows.for_each(clear);
    }
}

fn clear(lanes: &mut [Lane]) {
    lanes.fill(Lane::default());
}

/// What max pooling keeps for its gradient, one lane a pooled pixel and block.
pub(crate) struct Pooled<'a> {
    /// `relu(scale * z + shift)` at the largest of each 2 x 2 window.
    pub out: &'a mut [Lane],
    /// Which of the four it is: 0, 1, 2, 3 in reading order.
    pub choice: &'a mut [Lane],
    /// `z` there.
    pub z: &'a mut [Lane],
}

dispatch! {
    /// Batch normalisation, ReLU and 2 x 2 max pooling of one image of blocks.
    pub(crate) fn normalise_pool(height: usize, width: usize, z: &[Lane], affine: &Affine, pooled: Pooled) = normalise_pool_body
}

#[inline(always)]
unsafe fn normalise_pool_body<S: Simd>(
    height: usize,
    width: usize,
    z: &[Lane],
    affine: &Affine,
    pooled: Pooled,
) {
    let blocks = affine.scale.len();
    let (out_height, out_width) = (height / 2, width / 2);
    let len = blocks * out_height * out_width;
    assert_eq!(z.len(), blocks * height * width);
    assert!(pooled.out.len() == len && pooled.choice.len() == len && pooled.z.len() == len);
    for block in 0..blocks {
        // SAFETY: a `Lane` is 16 values; the lengths are checked above, and by indexing.
        unsafe {
            let scale = S::load(affine.scale[block].0.as_ptr());
            let shift = S::load(affine.shift[block].0.as_ptr());
            for y in 0..out_height {
                let rows = &z[(block * height + 2 * y) * width..][..2 * width];
                for x in 0..out_width {
                    let mut best_z = S::load(rows[2 * x].0.as_ptr());
                    let mut best = S::fma(best_z, scale, shift);
                    let mut choice = S::splat(0.0);
                    for k in 1..4 {
                        let z = S::load(rows[k / 2 * width + 2 * x + k % 2].0.as_ptr());
                        let value = S::fma(z, scale, shift);
                        choice = S::select_greater(value, best, S::splat(k as f32), choice);
                        best_z = S::select_greater(value, best, z, best_z);
                        best = S::select_greater(value, best, value, best);
                    }
                    let at = (block * out_height + y) * out_width + x;
                    S::store(pooled.out[at].0.as_mut_ptr(), S::relu(best));
                    S::store(pooled.choice[at].0.as_mut_ptr(), choice);
                    S::store(pooled.z[at].0.as_mut_ptr(), best_z);
                }
            }
        }
    }
}

dispatch! {
    /// 2 x 2 max pooling of one image of blocks, without a gradient.
    pub(crate) fn pool(height: usize, width: usize, z: &[Lane], out: &mut [Lane]) = pool_body
}

#[inline(always)]
unsafe fn pool_body<S: Simd>(height: usize, width: usize, z: &[Lane], out: &mut [Lane]) {
    let (out_height, out_width) = (height / 2, width / 2);
    assert_eq!(z.len() * out_height * out_width, out.len() * height * width);
    let images = z.chunks_exact(height * width);
    for (z, out) in images.zip(out.chunks_exact_mut(out_height * out_width)) {
        for (rows, out) in (z.chunks_exact(2 * width)).zip(out.chunks_exact_mut(out_width)) {
            for (x, out) in out.iter_mut().enumerate() {
                // SAFETY: a `Lane` is 16 values.
                unsafe {
                    let mut best = S::load(rows[2 * x].0.as_ptr());
                    for k in 1..4 {
                        let value = S::load(rows[k / 2 * width + 2 * x + k % 2].0.as_ptr());
                        best = S::select_greater(value, best, value, best);
                    }
                    S::store(out.0.as_mut_ptr(), best);
                }
            }
        }
    }
}

dispatch! {
    /// Sets `dy` to 0 where ReLU did (where `scale * z + shift` is not positive), and
    /// adds the sums of `dy` and of `dy * (z - mean)` to `sums`, two lanes a block.
    pub(crate) fn relu_gradient(z: &[Lane], affine: &Affine, dy: &mut [Lane], sums: &mut [Lane]) = relu_gradient_body
}

#[inline(always)]
unsafe fn relu_gradient_body<S: Simd>(
    z: &[Lane],
    affine: &Affine,
    dy: &mut [Lane],
    sums: &mut [Lane],
) {
    let blocks = affine.scale.len();
    let area = z.len() / blocks;
    assert!(dy.len() == z.len() && z.len() == blocks * area && sums.len() == 2 * blocks);
    for block in 0..blocks {
        // SAFETY: a `Lane` is 16 values.
        unsafe {
            let scale = S::load(affine.scale[block].0.as_ptr());
            let shift = S::load(affine.shift[block].0.as_ptr());
            let mean = S::load(affine.mean[block].0.as_ptr());
            let mut sum = [S::splat(0.0); 2];
            let mut sum_z = [S::splat(0.0); 2];
            let z = &z[block * area..][..area];
            let dy = &mut dy[block * area..][..area];
            for (i, (z, dy)) in z.iter().zip(dy).enumerate() {
                let z = S::load(z.0.as_ptr());
                let kept = S::keep_positive(S::fma(z, scale, shift), S::load(dy.0.as_ptr()));
                S::store(dy.0.as_mut_ptr(), kept);
                sum[i % 2] = S::add(sum[i % 2], kept);
                sum_z[i % 2] = S::fma(kept, S::sub(z, mean), sum_z[i % 2]);
            }
            let sums = sums[2 * block..].as_mut_ptr().cast::<f32>();
            S::store(sums, S::add(S::load(sums), S::add(sum[0], sum[1])));
            let sums = sums.add(16);
            S::store(sums, S::add(S::load(sums), S::add(sum_z[0], sum_z[1])));
        }
    }
}

dispatch! {
    /// The gradient before a batch normalisation, padded.
    pub(crate) fn pad_normalise_gradient(shape: &ConvShape, dy: &[Lane], z: &[Lane], gradient: &AffineGradient, padded: &mut [Lane]) = pad_normalise_gradient_body
}

#[inline(always)]
unsafe fn pad_normalise_gradient_body<S: Simd>(
    shape: &ConvShape,
    dy: &[Lane],
    z: &[Lane],
    gradient: &AffineGradient,
    padded: &mut [Lane],
) {
    let (width, border, area) = (shape.width, shape.border(), shape.area());
    let padded_width = shape.padded_width();
    let blocks = shape.output_blocks();
    assert!(z.len() == blocks * area && dy.len() == z.len());
    assert_eq!(padded.len(), blocks * shape.padded_area());
    for block in 0..blocks {
        let to = &mut padded[block * shape.padded_area()..][..shape.padded_area()];
        clear_border(to, padded_width, border);
        // SAFETY: a `Lane` is 16 values.
        unsafe {
            let scale = S::load(gradient.scale[block].0.as_ptr());
            let slope = S::load(gradient.slope[block].0.as_ptr());
            let offset = S::load(gradient.offset[block].0.as_ptr());
            for row in 0..shape.height {
                let from = block * area + row * width;
                let z = &z[from..][..width];
                let dy = &dy[from..][..width];
                let to = &mut to[(row + border) * padded_width + border..][..width];
                for ((to, z), dy) in to.iter_mut().zip(z).zip(dy) {
                    let dz = S::fma(S::load(z.0.as_ptr()), slope, offset);
                    let dz = S::fma(S::load(dy.0.as_ptr()), scale, dz);
                    S::store(to.0.as_mut_ptr(), dz);
                }
            }
        }
    }
}

dispatch! {
    /// The gradient before a batch normalisation that 2 x 2 max pooling follows,
    /// padded. `dy` is the pooled gradient, already 0 where ReLU was.
    pub(crate) fn pad_unpool_gradient(shape: &ConvShape, dy: &[Lane], choice: &[Lane], z: &[Lane], gradient: &AffineGradient, padded: &mut [Lane]) = pad_unpool_gradient_body
}

#[inline(always)]
unsafe fn pad_unpool_gradient_body<S: Simd>(
    shape: &ConvShape,
    dy: &[Lane],
    choice: &[Lane],
    z: &[Lane],
    gradient: &AffineGradient,
    padded: &mut [Lane],
) {
    let (width, border, area) = (shape.width, shape.border(), shape.area());
    let padded_width = shape.padded_width();
    let blocks = shape.output_blocks();
    let (out_height, out_width) = (shape.height / 2, width / 2);
    let len = blocks * out_height * out_width;
    assert_eq!(z.len(), blocks * area);
    assert!(dy.len() == len && choice.len() == len);
    assert_eq!(padded.len(), blocks * shape.padded_area());
    for block in 0..blocks {
        let to = &mut padded[block * shape.padded_area()..][..shape.padded_area()];
        clear_border(to, padded_width, border);
        // SAFETY: a `Lane` is 16 values; the lengths are checked above, and by indexing.
        unsafe {
            let scale = S::load(gradient.scale[block].0.as_ptr());
            let slope = S::load(gradient.slope[block].0.as_ptr());
            let offset = S::load(gradient.offset[block].0.as_ptr());
            for y in 0..out_height {
                let z = &z[block * area + 2 * y * width..][..2 * width];
                let to = &mut to[(2 * y + border) * padded_width + border..];
                let to = &mut to[..padded_width + width];
                for x in 0..out_width {
                    let at = (block * out_height + y) * out_width + x;
                    let choice = S::load(choice[at].0.as_ptr());
                    let scaled = S::mul(S::load(dy[at].0.as_ptr()), scale);
                    for k in 0..4 {
                        let z = S::load(z[k / 2 * width + 2 * x + k % 2].0.as_ptr());
                        let dy = S::keep_equal(choice, S::splat(k as f32), scaled);
                        let dz = S::add(S::fma(z, slope, offset), dy);
                        let to = &mut to[k / 2 * padded_width + 2 * x + k % 2];
                        S::store(to.0.as_mut_ptr(), dz);
                    }
                }
            }
        }
    }
}

/// Writes zeros into the border of a padded block.
pub(crate) fn clear_border(padded: &mut [Lane], padded_width: usize, border: usize) {
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
