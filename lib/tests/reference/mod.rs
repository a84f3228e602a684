//! The layers once more, in f64 and as plainly as they are defined, to compare with.
#![allow(dead_code)]

use std::collections::BTreeMap;

/// Values of a test, uniform in ±1: a linear congruential generator (Knuth's MMIX).
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    next();
    (0..len).map(|_| next()).collect()
}

pub fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

/// The largest difference, relative to the largest expected value.
pub fn error(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let differences = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - b).abs());
    differences.fold(0.0, f64::max) / scale.max(f64::MIN_POSITIVE)
}

/// `(n, channels, height, width)`
#[derive(Clone, Debug)]
pub struct Maps {
    pub n: usize,
    pub c: usize,
    pub h: usize,
    pub w: usize,
    pub values: Vec<f64>,
}

impl Maps {
    pub fn at(&self, n: usize, c: usize, y: usize, x: usize) -> f64 {
        self.values[((n * self.c + c) * self.h + y) * self.w + x]
    }
}

/// Convolution with "same" padding, weights `(o, c, k, k)`.
pub fn conv(x: &Maps, weight: &[f64], bias: &[f64], k: usize) -> Maps {
    let o = bias.len();
    let mut values = Vec::with_capacity(x.n * o * x.h * x.w);
    for n in 0..x.n {
        for out in 0..o {
            let mut plane = vec![bias[out]; x.h * x.w];
            for c in 0..x.c {
                let input = &x.values[(n * x.c + c) * x.h * x.w..][..x.h * x.w];
                for ky in 0..k {
                    for kx in 0..k {
                        let w = weight[((out * x.c + c) * k + ky) * k + kx];
                        for y in 0..x.h {
                            let Some(sy) = (y + ky).checked_sub(k / 2).filter(|&s| s < x.h) else {
                                continue;
                            };
                            for px in 0..x.w {
                                let sx = (px + kx).wrapping_sub(k / 2);
                                if sx < x.w {
                                    plane[y * x.w + px] += w * input[sy * x.w + sx];
                                }
                            }
                        }
                    }
                }
            }
            values.extend(plane);
        }
    }
    Maps { c: o, values, ..*x }
}

/// Batch mean and biased variance of each channel.
pub fn statistics(x: &Maps) -> (Vec<f64>, Vec<f64>) {
    let area = x.h * x.w;
    let count = (x.n * area) as f64;
    let of_channel =
        |c: usize| (0..x.n).flat_map(move |n| (0..area).map(move |i| (n * x.c + c) * area + i));
    let means: Vec<f64> = (0..x.c)
        .map(|c| of_channel(c).map(|i| x.values[i]).sum::<f64>() / count)
        .collect();
    let vars = (0..x.c).map(|c| {
        of_channel(c)
            .map(|i| (x.values[i] - means[c]).powi(2))
            .sum::<f64>()
            / count
    });
    let vars = vars.collect();
    (means, vars)
}

pub fn normalise(x: &Maps, mean: &[f64], var: &[f64], gamma: &[f64], beta: &[f64]) -> Maps {
    let area = x.h * x.w;
    let values = x.values.iter().enumerate().map(|(i, v)| {
        let c = i / area % x.c;
        (v - mean[c]) / (var[c] + 1e-5).sqrt() * gamma[c] + beta[c]
    });
    Maps {
        values: values.collect(),
        ..*x
    }
}

pub fn relu(mut x: Maps) -> Maps {
    x.values.iter_mut().for_each(|v| *v = v.max(0.0));
    x
}

pub fn pool(x: &Maps) -> Maps {
    let (h, w) = (x.h / 2, x.w / 2);
    let mut values = Vec::new();
    for n in 0..x.n {
        for c in 0..x.c {
            for y in 0..h {
                for px in 0..w {
                    let window = [(0, 0), (0, 1), (1, 0), (1, 1)];
                    let window = window.map(|(a, b)| x.at(n, c, 2 * y + a, 2 * px + b));
                    values.push(window.into_iter().fold(f64::MIN, f64::max));
                }
            }
        }
    }
    Maps { h, w, values, ..*x }
}

/// `x (n, inputs)` times `weight (outputs, inputs)`, transposed, plus `bias`.
pub fn linear(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let inputs = weight.len() / bias.len();
    x.chunks(inputs)
        .flat_map(|row| {
            weight
                .chunks(inputs)
                .zip(bias)
                .map(move |(w, b)| b + row.iter().zip(w).map(|(a, b)| a * b).sum::<f64>())
        })
        .collect()
}

pub fn cross_entropy(logits: &[f64], labels: &[usize]) -> f64 {
    let classes = logits.len() / labels.len();
    let each = logits.chunks(classes).zip(labels).map(|(row, &label)| {
        let largest = row.iter().fold(f64::MIN, |a, b| a.max(*b));
        row.iter().map(|x| (x - largest).exp()).sum::<f64>().ln() + largest - row[label]
    });
    each.sum::<f64>() / labels.len() as f64
}

/// Parameters by name.
pub type Parameters = BTreeMap<String, Vec<f64>>;

/// One block: [conv, batch norm, ReLU] twice, pooling.
pub fn block(p: &Parameters, name: &str, x: &Maps, training: bool) -> Maps {
    let get = |field: &str| &p[&format!("{name}.{field}")];
    let mut x = x.clone();
    for half in ["1", "2"] {
        let z = conv(
            &x,
            get(&format!("conv{half}.weight")),
            get(&format!("conv{half}.bias")),
            3,
        );
        let Some(gamma) = p.get(&format!("{name}.bn{half}.weight")) else {
            x = relu(z);
            continue;
        };
        let (mean, var) = if training {
            statistics(&z)
        } else {
            let running = |what: &str| get(&format!("bn{half}.running_{what}")).clone();
            (running("mean"), running("var"))
        };
        let beta = get(&format!("bn{half}.bias"));
        x = relu(normalise(&z, &mean, &var, gamma, beta));
    }
    pool(&x)
}

/// The logits of a `CharCnn` without dropout.
pub fn char_cnn(p: &Parameters, images: &[f64], features: &[f64], training: bool) -> Vec<f64> {
    let n = images.len() / 784;
    let x = Maps {
        n,
        c: 1,
        h: 28,
        w: 28,
        values: images.to_vec(),
    };
    let x = block(p, "block2", &block(p, "block1", &x, training), training);
    let mut hidden = linear(&x.values, &p["hidden.weight"], &p["hidden.bias"]);
    if let Some(weight) = p.get("features.weight") {
        let zeros = vec![0.0; p["hidden.bias"].len()];
        let more = linear(features, weight, &zeros);
        hidden.iter_mut().zip(more).for_each(|(a, b)| *a += b);
    }
    hidden.iter_mut().for_each(|v| *v = v.max(0.0));
    linear(&hidden, &p["output.weight"], &p["output.bias"])
}
