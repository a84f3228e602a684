//! Updates of parameters, on all threads.

use super::simd::{Simd, dispatch};
use crate::threads::ParForEach;

/// One update of Adam, its factors worked out once a step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AdamFactors {
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    /// `learning_rate / (1 - beta1^t)`
    pub step_size: f32,
    /// `1 / sqrt(1 - beta2^t)`
    pub root_scale: f32,
    /// `1 - learning_rate * weight_decay`
    pub decay: f32,
}

/// The least first moment: times the step size, it is a normal number still.
const LEAST_FIRST: f32 = 1e-30;
/// The least second moment: its root is nothing beside `epsilon`.
const LEAST_SECOND: f32 = 2.0 * f32::MIN_POSITIVE;

/// Updates `values` and both moments from `gradient`.
///
/// The moments of a weight behind a dead unit or a blank border fade, after some 800 steps to
/// subnormal numbers, with which processors compute so slowly that whole steps took half as long
/// again. They stop before that. Beside `epsilon` they are nothing by then; their sign, which can
/// still decide a rounding, stays.
pub(crate) fn adam(
    factors: AdamFactors,
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    values: &mut [f32],
) {
    const CHUNK: usize = 1 << 14;
    assert!(gradient.len() == values.len());
    assert!(first.len() == values.len() && second.len() == values.len());
    (values.chunks_mut(CHUNK))
        .zip(first.chunks_mut(CHUNK))
        .zip(second.chunks_mut(CHUNK))
        .zip(gradient.chunks(CHUNK))
        .par_for_each(|(((values, first), second), gradient)| {
            adam_chunk(factors, gradient, first, second, values);
        });
}

dispatch!(
    fn adam_chunk<S: Simd>(
        f: AdamFactors,
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
        values: &mut [f32],
    ) {
        let len = values.len();
        assert!(gradient.len() == len && first.len() == len && second.len() == len);
        let whole = len / 16 * 16;
        // SAFETY: vectors of 16 up to `whole`; the rest goes through arrays of 16.
        unsafe {
            for at in (0..whole).step_by(16) {
                adam_vector::<S>(
                    f,
                    gradient.as_ptr().add(at),
                    first.as_mut_ptr().add(at),
                    second.as_mut_ptr().add(at),
                    values.as_mut_ptr().add(at),
                );
            }
            if whole < len {
                let rest = len - whole;
                let mut parts = [[0.0f32; 16]; 4];
                parts[0][..rest].copy_from_slice(&gradient[whole..]);
                parts[1][..rest].copy_from_slice(&first[whole..]);
                parts[2][..rest].copy_from_slice(&second[whole..]);
                parts[3][..rest].copy_from_slice(&values[whole..]);
                let [g, m, v, x] = &mut parts;
                adam_vector::<S>(f, g.as_ptr(), m.as_mut_ptr(), v.as_mut_ptr(), x.as_mut_ptr());
                first[whole..].copy_from_slice(&m[..rest]);
                second[whole..].copy_from_slice(&v[..rest]);
                values[whole..].copy_from_slice(&x[..rest]);
            }
        }
    }
);

#[inline(always)]
unsafe fn adam_vector<S: Simd>(
    f: AdamFactors,
    gradient: *const f32,
    first: *mut f32,
    second: *mut f32,
    values: *mut f32,
) {
    unsafe {
        let g = S::load(gradient);
        let kept = S::mul(S::splat(f.beta1), S::load(first));
        let m = S::away_from_0(S::fma(S::splat(1.0 - f.beta1), g, kept), S::splat(LEAST_FIRST));
        let kept = S::mul(S::splat(f.beta2), S::load(second));
        let v = S::away_from_0(
            S::fma(S::mul(S::splat(1.0 - f.beta2), g), g, kept),
            S::splat(LEAST_SECOND),
        );
        let root = S::mul(S::sqrt(v), S::splat(f.root_scale));
        let update = S::div(S::mul(S::splat(f.step_size), m), S::add(root, S::splat(f.epsilon)));
        let x = S::mul(S::splat(f.decay), S::load(values));
        S::store(first, m);
        S::store(second, v);
        S::store(values, S::sub(x, update));
    }
}
