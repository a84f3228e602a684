//! Sixteen `f32` at a time, on three kinds of processor, chosen at run time.

use std::sync::{
    OnceLock,
    atomic::{AtomicU8, Ordering},
};

/// The instructions that the kernels use. Each machine's best is found at run
/// time; the environment variable `GLYPHS_SIMD` (`avx512`, `avx2`, `portable`)
/// asks for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instructions {
    /// 512-bit vectors with fused multiply-add.
    Avx512,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// What the compiler makes of plain Rust.
    Portable,
}

impl Instructions {
    const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// Those that this processor has, the fastest first.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|i| i.is_available()).collect()
    }

    /// Those in use.
    pub fn current() -> Self {
        match FORCED.load(Ordering::Relaxed) {
            0 => *Self::chosen(),
            forced => Self::ALL[usize::from(forced) - 1],
        }
    }

    /// Uses `self` from now on, in all threads; for tests and comparisons.
    /// False, and no change, where this processor does not have it.
    pub fn force(self) -> bool {
        let available = self.is_available();
        if available {
            let index = Self::ALL.iter().position(|&i| i == self).unwrap_or(2);
            FORCED.store(index as u8 + 1, Ordering::Relaxed);
        }
        available
    }

    fn chosen() -> &'static Self {
        static CHOSEN: OnceLock<Instructions> = OnceLock::new();
        CHOSEN.get_or_init(|| {
            let wish = std::env::var("GLYPHS_SIMD").unwrap_or_default();
            let wish = match wish.as_str() {
                "avx512" => Self::Avx512,
                "avx2" => Self::Avx2,
                "portable" => Self::Portable,
                _ => Self::available()[0],
            };
            if wish.is_available() {
                wish
            } else {
                Self::available()[0]
            }
        })
    }

    #[cfg(target_arch = "x86_64")]
    fn is_available(self) -> bool {
        match self {
            Self::Avx512 => Self::Avx2.is_available() && is_x86_feature_detected!("avx512f"),
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Portable => true,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_available(self) -> bool {
        self == Self::Portable
    }
}

/// 0: as found; otherwise one more than the index in [`Instructions::ALL`].
static FORCED: AtomicU8 = AtomicU8::new(0);

/// Sixteen lanes of `f32`.
///
/// # Safety
/// Every method asks that the processor has the implementor's instructions.
/// `load` and `store` ask for a pointer to 16 valid `f32`.
pub(super) unsafe trait Simd: Copy {
    type V: Copy;
    /// Rows of a register tile: so many fit. One of 14 (two vectors wide), 6 and 4 (one wide).
    const ROWS: usize;
    /// Registers for a tile two vectors wide.
    const WIDE: bool = Self::ROWS == 14;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// `a * b + c`
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of 0 and `a`; not a number stays so.
    unsafe fn relu(a: Self::V) -> Self::V;
    /// `x` where `a > 0`, else 0.
    unsafe fn keep_positive(a: Self::V, x: Self::V) -> Self::V;
    /// `then` where `a > b`, else `otherwise`. Lanes where `a` is not a number count as greater.
    unsafe fn select_greater(a: Self::V, b: Self::V, then: Self::V, otherwise: Self::V) -> Self::V;
    /// `x` where `a == b`, else 0.
    unsafe fn keep_equal(a: Self::V, b: Self::V, x: Self::V) -> Self::V;
    /// Reads 16 rows of 16 values, `stride` apart, and writes their columns one after another.
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32) {
        for row in 0..16 {
            for column in 0..16 {
                unsafe { *to.add(column * 16 + row) = *from.add(row * stride + column) };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Simd;

    #[derive(Clone, Copy)]
    pub struct Avx512;

    // SAFETY: each method is one or two AVX-512F instructions on its arguments.
    unsafe impl Simd for Avx512 {
        type V = __m512;
        const ROWS: usize = 14;

        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, v: __m512) {
            unsafe { _mm512_storeu_ps(p, v) }
        }
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sqrt(a: __m512) -> __m512 {
            unsafe { _mm512_sqrt_ps(a) }
        }
        #[inline(always)]
        unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn relu(a: __m512) -> __m512 {
            // The instruction returns its second operand where one is not a number.
            unsafe { _mm512_max_ps(_mm512_setzero_ps(), a) }
        }
        #[inline(always)]
        unsafe fn keep_positive(a: __m512, x: __m512) -> __m512 {
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps());
                _mm512_maskz_mov_ps(mask, x)
            }
        }
        #[inline(always)]
        unsafe fn select_greater(a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(a, b);
                _mm512_mask_blend_ps(mask, otherwise, then)
            }
        }
        #[inline(always)]
        unsafe fn keep_equal(a: __m512, b: __m512, x: __m512) -> __m512 {
            unsafe {
                let mask = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
                _mm512_maskz_mov_ps(mask, x)
            }
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32) {
            unsafe {
                let mut r = [_mm512_setzero_ps(); 16];
                for i in 0..16 {
                    r[i] = _mm512_loadu_ps(from.add(i * stride));
                }
                let mut t = r;
                for i in 0..8 {
                    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
                }
                for i in (0..16).step_by(4) {
                    for h in 0..2 {
                        let a = _mm512_castps_pd(t[i + h]);
                        let b = _mm512_castps_pd(t[i + 2 + h]);
                        r[i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                        r[i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                    }
                }
                for j in 0..4 {
                    let even = _mm512_shuffle_f32x4::<0x88>(r[j], r[4 + j]);
                    let odd = _mm512_shuffle_f32x4::<0xdd>(r[j], r[4 + j]);
                    let even2 = _mm512_shuffle_f32x4::<0x88>(r[8 + j], r[12 + j]);
                    let odd2 = _mm512_shuffle_f32x4::<0xdd>(r[8 + j], r[12 + j]);
                    let columns = [
                        _mm512_shuffle_f32x4::<0x88>(even, even2),
                        _mm512_shuffle_f32x4::<0x88>(odd, odd2),
                        _mm512_shuffle_f32x4::<0xdd>(even, even2),
                        _mm512_shuffle_f32x4::<0xdd>(odd, odd2),
                    ];
                    for (k, column) in columns.into_iter().enumerate() {
                        _mm512_storeu_ps(to.add((4 * k + j) * 16), column);
                    }
                }
            }
        }
    }

    #[derive(Clone, Copy)]
    pub struct Avx2;

    /// An instruction on both halves.
    macro_rules! halves {
        ($f:expr, $a:expr, $b:expr) => {
            [$f($a[0], $b[0]), $f($a[1], $b[1])]
        };
    }

    // SAFETY: each method is a few AVX2 or FMA instructions on its arguments.
    unsafe impl Simd for Avx2 {
        type V = [__m256; 2];
        const ROWS: usize = 6;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self::V {
            unsafe { [_mm256_set1_ps(x); 2] }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self::V {
            unsafe { [_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))] }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, v: Self::V) {
            unsafe {
                _mm256_storeu_ps(p, v[0]);
                _mm256_storeu_ps(p.add(8), v[1]);
            }
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            unsafe { halves!(_mm256_add_ps, a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
            unsafe { halves!(_mm256_sub_ps, a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
            unsafe { halves!(_mm256_mul_ps, a, b) }
        }
        #[inline(always)]
        unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
            unsafe { halves!(_mm256_div_ps, a, b) }
        }
        #[inline(always)]
        unsafe fn sqrt(a: Self::V) -> Self::V {
            unsafe { [_mm256_sqrt_ps(a[0]), _mm256_sqrt_ps(a[1])] }
        }
        #[inline(always)]
        unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
            unsafe {
                [
                    _mm256_fmadd_ps(a[0], b[0], c[0]),
                    _mm256_fmadd_ps(a[1], b[1], c[1]),
                ]
            }
        }
        #[inline(always)]
        unsafe fn relu(a: Self::V) -> Self::V {
            unsafe {
                let zero = _mm256_setzero_ps();
                [_mm256_max_ps(zero, a[0]), _mm256_max_ps(zero, a[1])]
            }
        }
        #[inline(always)]
        unsafe fn keep_positive(a: Self::V, x: Self::V) -> Self::V {
            unsafe {
                let zero = [_mm256_setzero_ps(); 2];
                let mask = halves!(_mm256_cmp_ps::<_CMP_GT_OQ>, a, zero);
                halves!(_mm256_and_ps, mask, x)
            }
        }
        #[inline(always)]
        unsafe fn select_greater(
            a: Self::V,
            b: Self::V,
            then: Self::V,
            otherwise: Self::V,
        ) -> Self::V {
            unsafe {
                let mask = halves!(_mm256_cmp_ps::<_CMP_NLE_UQ>, a, b);
                [
                    _mm256_blendv_ps(otherwise[0], then[0], mask[0]),
                    _mm256_blendv_ps(otherwise[1], then[1], mask[1]),
                ]
            }
        }
        #[inline(always)]
        unsafe fn keep_equal(a: Self::V, b: Self::V, x: Self::V) -> Self::V {
            unsafe {
                let mask = halves!(_mm256_cmp_ps::<_CMP_EQ_OQ>, a, b);
                halves!(_mm256_and_ps, mask, x)
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[derive(Clone, Copy)]
pub(super) struct Portable;

#[inline(always)]
fn map2(a: [f32; 16], b: [f32; 16], f: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

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
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        map2(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn sqrt(a: Self::V) -> Self::V {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Two roundings where the processor may lack a fused instruction: emulating one costs a call a lane.
        std::array::from_fn(|i| {
            if cfg!(target_arch = "aarch64") {
                a[i].mul_add(b[i], c[i])
            } else {
                a[i] * b[i] + c[i]
            }
        })
    }
    #[inline(always)]
    unsafe fn relu(a: Self::V) -> Self::V {
        a.map(|a| if a < 0.0 { 0.0 } else { a })
    }
    #[inline(always)]
    unsafe fn keep_positive(a: Self::V, x: Self::V) -> Self::V {
        map2(a, x, |a, x| if a > 0.0 { x } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn select_greater(a: Self::V, b: Self::V, then: Self::V, otherwise: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] <= b[i] { otherwise[i] } else { then[i] })
    }
    #[inline(always)]
    unsafe fn keep_equal(a: Self::V, b: Self::V, x: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] == b[i] { x[i] } else { 0.0 })
    }
}

/// Runs a block for `i` in `0..n`, `n` at most 16, written out. The compiler's own
/// unrolling comes too late to keep an array of accumulators in registers.
macro_rules! unroll {
    (for $i:ident in 0..$n:tt $body:block) => {
        unroll!(@ $i $n $body 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $i:ident $n:tt $body:block $($k:literal)*) => {
        $(if $k < $n {
            let $i: usize = $k;
            $body
        })*
    };
}
pub(super) use unroll;

/// Defines a safe function that runs `$body::<S>` with the instructions in use.
/// The body checks its own bounds.
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: this function runs only where the processor has AVX-512.
                unsafe { $body::<$crate::nn::kernels::simd::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: this function runs only where the processor has AVX2 and FMA.
                unsafe { $body::<$crate::nn::kernels::simd::Avx2>($($arg),*) }
            }
            match $crate::nn::kernels::simd::Instructions::current() {
                // SAFETY: `current` is one of those that the processor has.
                #[cfg(target_arch = "x86_64")]
                $crate::nn::kernels::simd::Instructions::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::nn::kernels::simd::Instructions::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: plain Rust needs no special instructions.
                _ => unsafe { $body::<$crate::nn::kernels::simd::Portable>($($arg),*) },
            }
        }
    };
}
pub(super) use dispatch;
