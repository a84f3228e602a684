//! AVX-512, and AVX2 with FMA.

use std::arch::x86_64::*;

use super::{Simd, methods};

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
    methods! {
        add(a, b) = _mm512_add_ps(a, b);
        sub(a, b) = _mm512_sub_ps(a, b);
        mul(a, b) = _mm512_mul_ps(a, b);
        div(a, b) = _mm512_div_ps(a, b);
        sqrt(a) = _mm512_sqrt_ps(a);
        fma(a, b, c) = _mm512_fmadd_ps(a, b, c);
        // The instruction returns its second operand where one is NaN.
        relu(a) = _mm512_max_ps(_mm512_setzero_ps(), a);
        keep_positive(a, x) = {
            let mask = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(mask, x)
        };
        select_greater(a, b, then, otherwise) = {
            let greater = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b);
            let mask = greater | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
            _mm512_mask_blend_ps(mask, otherwise, then)
        };
        keep_equal(a, b, x) = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), x);
        away_from_0(a, least) = {
            let near = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(_mm512_abs_ps(a), least);
            let mask = _mm512_mask_cmp_ps_mask::<_CMP_NEQ_OQ>(near, a, _mm512_setzero_ps());
            // The sign of `a`, and the other bits of `least`.
            let (a, sign) = (_mm512_castps_si512(a), _mm512_set1_epi32(i32::MIN));
            let held = _mm512_ternarylogic_epi32::<0xca>(sign, a, _mm512_castps_si512(least));
            _mm512_castsi512_ps(_mm512_mask_mov_epi32(a, mask, held))
        };
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
    ($instruction:expr, $($vector:expr),+) => {
        [$instruction($($vector[0]),+), $instruction($($vector[1]),+)]
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
    methods! {
        add(a, b) = halves!(_mm256_add_ps, a, b);
        sub(a, b) = halves!(_mm256_sub_ps, a, b);
        mul(a, b) = halves!(_mm256_mul_ps, a, b);
        div(a, b) = halves!(_mm256_div_ps, a, b);
        sqrt(a) = halves!(_mm256_sqrt_ps, a);
        fma(a, b, c) = halves!(_mm256_fmadd_ps, a, b, c);
        relu(a) = halves!(_mm256_max_ps, [_mm256_setzero_ps(); 2], a);
        keep_positive(a, x) = {
            let mask = halves!(_mm256_cmp_ps::<_CMP_GT_OQ>, a, [_mm256_setzero_ps(); 2]);
            halves!(_mm256_and_ps, mask, x)
        };
        select_greater(a, b, then, otherwise) = {
            let greater = halves!(_mm256_cmp_ps::<_CMP_GT_OQ>, a, b);
            let is_nan = halves!(_mm256_cmp_ps::<_CMP_UNORD_Q>, a, a);
            halves!(_mm256_blendv_ps, otherwise, then, halves!(_mm256_or_ps, greater, is_nan))
        };
        keep_equal(a, b, x) = {
            let mask = halves!(_mm256_cmp_ps::<_CMP_EQ_OQ>, a, b);
            halves!(_mm256_and_ps, mask, x)
        };
        away_from_0(a, least) = {
            let (zero, sign) = ([_mm256_setzero_ps(); 2], [_mm256_set1_ps(-0.0); 2]);
            let near = halves!(_mm256_cmp_ps::<_CMP_LT_OQ>, halves!(_mm256_andnot_ps, sign, a), least);
            let mask = halves!(_mm256_and_ps, near, halves!(_mm256_cmp_ps::<_CMP_NEQ_OQ>, a, zero));
            let held = halves!(_mm256_or_ps, halves!(_mm256_and_ps, sign, a), least);
            halves!(_mm256_blendv_ps, a, held, mask)
        };
    }
}
