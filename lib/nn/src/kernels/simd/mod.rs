//! Sixteen `f32` at a time, on three kinds of processor, chosen at run time. AVX-512 and AVX2 give
//! the same bits; plain Rust does not, where it rounds a product before it is added.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::{
    LazyLock,
    atomic::{AtomicU8, Ordering},
};

use super::buffer::F32x16;
pub(super) use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

/// The instructions that the kernels use. Each machine's best is found at run
/// time; the environment variable `DFDX_CONV_SIMD` (`avx512`, `avx2`, `portable`, in
/// capitals or not) asks for another one. Any other word is ignored, and so are instructions that
/// the processor does not have.
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

    /// As `DFDX_CONV_SIMD` names them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Those that this processor has, the fastest first.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|i| i.is_available()).collect()
    }

    /// Those in use.
    pub fn current() -> Self {
        Self::ALL[usize::from(IN_USE.load(Ordering::Relaxed))]
    }

    /// Uses `self` from now on, in all threads; for tests and comparisons, and not while a network
    /// is running: its kernels would differ from one another in their rounding. False, and no
    /// change, where this processor does not have it.
    pub fn force(self) -> bool {
        let available = self.is_available();
        if available {
            IN_USE.store(self as u8, Ordering::Relaxed);
        }
        available
    }

    /// What the environment variable asks for, or else the fastest.
    fn wished(wish: &str) -> Self {
        let available = Self::available();
        let wished = available.iter().find(|these| these.name().eq_ignore_ascii_case(wish));
        *wished.unwrap_or(&available[0])
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

/// The index in [`Instructions::ALL`] of those in use.
static IN_USE: LazyLock<AtomicU8> = LazyLock::new(|| {
    let wish = std::env::var("DFDX_CONV_SIMD").unwrap_or_default();
    AtomicU8::new(Instructions::wished(&wish) as u8)
});

/// Sixteen values of `f32`.
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
    /// Vectors across a tile.
    const ACROSS: usize = if Self::WIDE { 2 } else { 1 };

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    #[inline(always)]
    unsafe fn get(from: &F32x16) -> Self::V {
        // SAFETY: a vector is 16 values.
        unsafe { Self::load(from.0.as_ptr()) }
    }
    #[inline(always)]
    unsafe fn put(to: &mut F32x16, v: Self::V) {
        // SAFETY: as in `get`.
        unsafe { Self::store(to.0.as_mut_ptr(), v) }
    }
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// `a * b + c`
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of 0 and `a`; a NaN stays one.
    unsafe fn relu(a: Self::V) -> Self::V;
    /// `x` where `a > 0`, else 0.
    unsafe fn keep_positive(a: Self::V, x: Self::V) -> Self::V;
    /// `then` where `a > b` or `a` is NaN, else `otherwise`.
    unsafe fn select_greater(a: Self::V, b: Self::V, then: Self::V, otherwise: Self::V) -> Self::V;
    /// `x` where `a == b`, else 0.
    unsafe fn keep_equal(a: Self::V, b: Self::V, x: Self::V) -> Self::V;
    /// `a`, but `least` with its sign where it is nearer to 0 than that, and not 0.
    unsafe fn away_from_0(a: Self::V, least: Self::V) -> Self::V;
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

/// Methods of [`Simd`] from vectors to a vector, one expression each.
macro_rules! methods {
    ($($name:ident($($arg:ident),+) = $value:expr;)+) => {
        $(
            #[inline(always)]
            #[allow(unused_unsafe, reason = "some are plain Rust")]
            unsafe fn $name($($arg: Self::V),+) -> Self::V {
                unsafe { $value }
            }
        )+
    };
}
use methods;

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

/// Defines a safe function whose body runs with the instructions in use, as `S`. The body checks its
/// own bounds. Called with parentheses, because rustfmt leaves braces alone.
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<S: Simd>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            unsafe fn body<S: Simd>($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: this function runs only where the processor has AVX-512.
                unsafe { body::<$crate::kernels::simd::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: this function runs only where the processor has AVX2 and FMA.
                unsafe { body::<$crate::kernels::simd::Avx2>($($arg),*) }
            }
            match $crate::kernels::simd::Instructions::current() {
                // SAFETY: `current` is one of those that the processor has.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::simd::Instructions::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::simd::Instructions::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: plain Rust needs no special instructions.
                _ => unsafe { body::<$crate::kernels::simd::Portable>($($arg),*) },
            }
        }
    };
}
pub(super) use dispatch;

#[cfg(test)]
#[path = "../../../tests/unit/simd.rs"]
mod tests;
