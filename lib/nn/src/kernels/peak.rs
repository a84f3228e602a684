//! What the processor can do at most.

use std::time::Instant;

use rayon::prelude::*;

use super::simd::{Simd, dispatch, unroll};

/// Fused multiply-adds from registers to registers on all of rayon's threads: billions of
/// multiplications and additions a second, the best of several tries.
pub fn peak_gflops() -> f64 {
    const ROUNDS: usize = 1 << 20;
    let threads = rayon::current_num_threads();
    let mut best = 0.0f64;
    for _ in 0..8 {
        let start = Instant::now();
        let sum: f32 = (0..threads)
            .into_par_iter()
            .with_max_len(1)
            .map(|_| multiply_add(std::hint::black_box(ROUNDS)))
            .sum();
        std::hint::black_box(sum);
        let operations = (threads * ROUNDS * CHAINS * 16 * 2) as f64;
        best = best.max(operations / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}

/// Independent sums: enough to fill the pipelines, few enough for the registers.
const CHAINS: usize = 12;

dispatch!(
    fn multiply_add<S: Simd>(rounds: usize) -> f32 {
        // SAFETY: `values` are the 16 that a vector has.
        unsafe {
            // Values that the compiler does not know, different in each sum: otherwise it would compute
            // one sum for all.
            let hidden = std::hint::black_box([0.999f32, 1e-3]);
            let (a, b) = (S::splat(hidden[0]), S::splat(hidden[1]));
            let mut acc = [S::splat(1.0); CHAINS];
            unroll! { for i in 0..CHAINS {
                acc[i] = S::splat(hidden[0] * i as f32);
            } }
            for _ in 0..rounds {
                unroll! { for i in 0..CHAINS {
                    acc[i] = S::fma(acc[i], a, b);
                } }
            }
            let mut total = S::splat(0.0);
            for value in acc {
                total = S::add(total, value);
            }
            let mut values = [0.0f32; 16];
            S::store(values.as_mut_ptr(), total);
            values[0]
        }
    }
);
