//! Dropout, in place.

use crate::threads::ParForEach;

/// Sets each value to 0 with probability `p`, and divides the others by `1 - p`.
///
/// Which ones depends on `seed` and `step` and the value's place alone, so that a
/// resumed run repeats it, on any number of threads.
pub(crate) fn drop_out(values: &mut [f32], p: f32, seed: u64, step: u64) {
    const CHUNK: usize = 1 << 12;
    let scale = 1.0 / (1.0 - p);
    let threshold = (f64::from(p) * 2f64.powi(32)) as u64;
    let stream = mix(seed ^ mix(step.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    values.chunks_mut(CHUNK).enumerate().par_for_each(|(chunk, values)| {
        let first = stream.wrapping_add((chunk * CHUNK / 2) as u64);
        for (i, pair) in values.chunks_mut(2).enumerate() {
            let bits = mix(first.wrapping_add(i as u64));
            for (value, bits) in pair.iter_mut().zip([bits >> 32, bits & 0xffff_ffff]) {
                *value = if bits < threshold { 0.0 } else { *value * scale };
            }
        }
    });
}

fn mix(x: u64) -> u64 {
    split_mix64(x.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The output function of SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA 2014): spreads the bits of a counter.
pub fn split_mix64(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
