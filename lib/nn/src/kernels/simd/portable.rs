//! Plain Rust, for the compiler to make vectors of.

use std::array::from_fn;

use super::{Simd, methods};

#[derive(Clone, Copy)]
pub struct Portable;

// SAFETY: plain Rust; only `load` and `store` touch memory, 16 values each.
unsafe impl Simd for Portable {
    type V = [f32; 16];
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; 16]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        unsafe { p.cast::<[f32; 16]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        unsafe { p.cast::<[f32; 16]>().write_unaligned(v) }
    }
    methods! {
        add(a, b) = from_fn(|i| a[i] + b[i]);
        sub(a, b) = from_fn(|i| a[i] - b[i]);
        mul(a, b) = from_fn(|i| a[i] * b[i]);
        div(a, b) = from_fn(|i| a[i] / b[i]);
        sqrt(a) = a.map(f32::sqrt);
        // Two roundings where the processor may lack a fused instruction: emulating one costs a
        // call a lane.
        fma(a, b, c) = from_fn(|i| match cfg!(target_arch = "aarch64") {
            true => a[i].mul_add(b[i], c[i]),
            false => a[i] * b[i] + c[i],
        });
        relu(a) = a.map(|a| if a < 0.0 { 0.0 } else { a });
        keep_positive(a, x) = from_fn(|i| if a[i] > 0.0 { x[i] } else { 0.0 });
        select_greater(a, b, then, otherwise) =
            from_fn(|i| if a[i] > b[i] || a[i].is_nan() { then[i] } else { otherwise[i] });
        keep_equal(a, b, x) = from_fn(|i| if a[i] == b[i] { x[i] } else { 0.0 });
        away_from_0(a, least) = from_fn(|i| match a[i].abs() < least[i] && a[i] != 0.0 {
            true => least[i].copysign(a[i]),
            false => a[i],
        });
    }
}
