//! Average pooling, and the gradients of all poolings, one image of blocks at a time.

use super::{
    buffer::F32x16,
    simd::{Simd, dispatch},
};

dispatch! {
    /// The mean of each 2 x 2 window.
    pub(crate) fn average_pool(height: usize, width: usize, x: &[F32x16], out: &mut [F32x16]) = average_pool_body
}

#[inline(always)]
unsafe fn average_pool_body<S: Simd>(
    height: usize,
    width: usize,
    x: &[F32x16],
    out: &mut [F32x16],
) {
    let (out_height, out_width) = (height / 2, width / 2);
    let images = x.chunks_exact(height * width);
    for (x, out) in images.zip(out.chunks_exact_mut(out_height * out_width)) {
        for (at, out) in out.iter_mut().enumerate() {
            let first = at / out_width * 2 * width + at % out_width * 2;
            // SAFETY: a vector is 16 values.
            unsafe {
                let value = |at: usize| S::load(x[at].0.as_ptr());
                let upper = S::add(value(first), value(first + 1));
                let lower = S::add(value(first + width), value(first + width + 1));
                let mean = S::mul(S::add(upper, lower), S::splat(0.25));
                S::store(out.0.as_mut_ptr(), mean);
            }
        }
    }
}

dispatch! {
    /// The gradient of the input of 2 x 2 pooling: of [`average_pool`], or of max pooling, where
    /// `choice` is which of each window was taken.
    pub(crate) fn unpool(height: usize, width: usize, dy: &[F32x16], choice: Option<&[F32x16]>, dx: &mut [F32x16]) = unpool_body
}

#[inline(always)]
unsafe fn unpool_body<S: Simd>(
    height: usize,
    width: usize,
    dy: &[F32x16],
    choice: Option<&[F32x16]>,
    dx: &mut [F32x16],
) {
    let (out_height, out_width) = (height / 2, width / 2);
    let area = out_height * out_width;
    dx.fill(F32x16::default());
    for (block, dx) in dx.chunks_exact_mut(height * width).enumerate() {
        for (at, dy) in dy[block * area..][..area].iter().enumerate() {
            let first = at / out_width * 2 * width + at % out_width * 2;
            let window = [first, first + 1, first + width, first + width + 1];
            for (k, to) in window.into_iter().enumerate() {
                // SAFETY: a vector is 16 values.
                unsafe {
                    let dy = S::load(dy.0.as_ptr());
                    let part = match choice {
                        None => S::mul(dy, S::splat(0.25)),
                        Some(choice) => {
                            let choice = S::load(choice[block * area + at].0.as_ptr());
                            S::keep_equal(choice, S::splat(k as f32), dy)
                        }
                    };
                    S::store(dx[to].0.as_mut_ptr(), part);
                }
            }
        }
    }
}

/// The mean of each channel: `out` has one value a channel.
pub(crate) fn global_average_pool(x: &[F32x16], area: usize, out: &mut [f32]) {
    for (x, out) in x.chunks_exact(area).zip(out.chunks_mut(16)) {
        let mut sums = [0.0f32; 16];
        for x in x {
            for (sum, x) in sums.iter_mut().zip(&x.0) {
                *sum += x;
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum / area as f32;
        }
    }
}

/// The gradient of [`global_average_pool`]'s input.
pub(crate) fn global_average_unpool(dy: &[f32], area: usize, dx: &mut [F32x16]) {
    for (dx, dy) in dx.chunks_exact_mut(area).zip(dy.chunks(16)) {
        let mut each = F32x16::default();
        for (each, dy) in each.0.iter_mut().zip(dy) {
            *each = dy / area as f32;
        }
        dx.fill(each);
    }
}
