//! Poolings and their gradients, one image of blocks at a time.

use super::{
    buffer::F32x16,
    simd::{Simd, dispatch},
};

dispatch!(
    /// The largest of each 2 x 2 window, or its mean.
    pub(crate) fn pool<S: Simd>(
        height: usize,
        width: usize,
        mean: bool,
        x: &[F32x16],
        out: &mut [F32x16],
    ) {
        let (out_height, out_width) = (height / 2, width / 2);
        assert_eq!(x.len() / (height * width), out.len() / (out_height * out_width));
        let images = x.chunks_exact(height * width);
        for (x, out) in images.zip(out.chunks_exact_mut(out_height * out_width)) {
            for (rows, out) in (x.chunks_exact(2 * width)).zip(out.chunks_exact_mut(out_width)) {
                for (x, out) in out.iter_mut().enumerate() {
                    // SAFETY: this runs with the instructions of `S`.
                    unsafe {
                        let value = |k: usize| S::get(&rows[k / 2 * width + 2 * x + k % 2]);
                        let pooled = if mean {
                            let sum =
                                S::add(S::add(value(0), value(1)), S::add(value(2), value(3)));
                            S::mul(sum, S::splat(0.25))
                        } else {
                            let mut best = value(0);
                            for k in 1..4 {
                                best = S::select_greater(value(k), best, value(k), best);
                            }
                            best
                        };
                        S::put(out, pooled);
                    }
                }
            }
        }
    }
);

dispatch!(
    /// The gradient of the input of 2 x 2 pooling: of the mean, or of the largest, where
    /// `choice` is which of each window was taken.
    pub(crate) fn unpool<S: Simd>(
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
                    // SAFETY: this runs with the instructions of `S`.
                    unsafe {
                        let dy = S::get(dy);
                        let part = match choice {
                            None => S::mul(dy, S::splat(0.25)),
                            Some(choice) => {
                                let choice = S::get(&choice[block * area + at]);
                                S::keep_equal(choice, S::splat(k as f32), dy)
                            }
                        };
                        S::put(&mut dx[to], part);
                    }
                }
            }
        }
    }
);

/// The mean of each channel: `out` has one value per channel.
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
