//! The layers once more, in f64 and as plainly as they are defined, to compare with.

pub mod networks;

use std::collections::BTreeMap;

use dfdx_conv::{LayerKind, LayerSpec};

/// Values of a test, uniform in ±1: a linear congruential generator (Knuth's MMIX).
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
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
    let differences = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs());
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
    let means: Vec<f64> =
        (0..x.c).map(|c| of_channel(c).map(|i| x.values[i]).sum::<f64>() / count).collect();
    let vars = (0..x.c)
        .map(|c| of_channel(c).map(|i| (x.values[i] - means[c]).powi(2)).sum::<f64>() / count);
    let vars = vars.collect();
    (means, vars)
}

pub fn normalise(x: &Maps, mean: &[f64], var: &[f64], gamma: &[f64], beta: &[f64]) -> Maps {
    let area = x.h * x.w;
    let values = x.values.iter().enumerate().map(|(i, v)| {
        let c = i / area % x.c;
        (v - mean[c]) / (var[c] + 1e-5).sqrt() * gamma[c] + beta[c]
    });
    Maps { values: values.collect(), ..*x }
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
        let z = conv(&x, get(&format!("conv{half}.weight")), get(&format!("conv{half}.bias")), 3);
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

/// The output of any network, layer by layer; a vector is an image of one pixel. Batch
/// normalisation takes the batch's statistics where `training` says so of its name. Dropout does
/// nothing.
pub fn network(
    layers: &[LayerSpec],
    p: &Parameters,
    mut x: Maps,
    features: &[f64],
    training: &dyn Fn(&str) -> bool,
) -> Maps {
    for layer in layers {
        let get = |tensor: &str| &p[&format!("{}.{tensor}", layer.name)];
        x = match &layer.kind {
            LayerKind::Conv2d { kernel, stride } => {
                subsample(&conv(&x, get("weight"), get("bias"), *kernel), *stride)
            }
            LayerKind::BatchNorm2d => {
                let (mean, var) = match training(&layer.name) {
                    true => statistics(&x),
                    false => (get("running_mean").clone(), get("running_var").clone()),
                };
                normalise(&x, &mean, &var, get("weight"), get("bias"))
            }
            LayerKind::ReLU => relu(x),
            LayerKind::MaxPool2d => pool(&x),
            LayerKind::AvgPool2d => average(&x),
            LayerKind::GlobalAvgPool2d => {
                let planes = x.values.chunks(x.h * x.w);
                let mean = |plane: &[f64]| plane.iter().sum::<f64>() / plane.len() as f64;
                let values = planes.map(mean).collect();
                Maps { h: 1, w: 1, values, ..x }
            }
            LayerKind::Flatten => Maps { c: x.c * x.h * x.w, h: 1, w: 1, ..x },
            LayerKind::Linear { features: count } => {
                let bias = get("bias");
                let mut values = linear(&x.values, get("weight"), bias);
                if *count > 0 {
                    let zeros = vec![0.0; bias.len()];
                    let more = linear(features, get("features.weight"), &zeros);
                    values.iter_mut().zip(more).for_each(|(a, b)| *a += b);
                }
                Maps { c: bias.len(), values, ..x }
            }
            LayerKind::Residual { main, shortcut } => {
                let mut sum = network(main, p, x.clone(), features, training);
                let other = network(shortcut, p, x, features, training);
                sum.values.iter_mut().zip(other.values).for_each(|(a, b)| *a += b);
                sum
            }
            LayerKind::Dropout { .. } => x,
            other => match other.to_string().as_str() {
                "Tanh" => Maps { values: x.values.iter().map(|v| v.tanh()).collect(), ..x },
                "LayerNorm1D<12>" => layer_norm(x, get("gamma"), get("beta")),
                other => panic!("no reference for {other}"),
            },
        };
    }
    x
}

fn subsample(x: &Maps, stride: usize) -> Maps {
    let (h, w) = (x.h.div_ceil(stride), x.w.div_ceil(stride));
    let at = |i: usize| {
        let (plane, y, px) = (i / (h * w), i / w % h, i % w);
        x.at(plane / x.c, plane % x.c, y * stride, px * stride)
    };
    let values = (0..x.n * x.c * h * w).map(at).collect();
    Maps { h, w, values, ..*x }
}

fn average(x: &Maps) -> Maps {
    let (h, w) = (x.h / 2, x.w / 2);
    let at = |i: usize| {
        let (plane, y, px) = (i / (h * w), i / w % h, i % w);
        let window = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let value = |(a, b)| x.at(plane / x.c, plane % x.c, 2 * y + a, 2 * px + b);
        window.into_iter().map(value).sum::<f64>() / 4.0
    };
    let values = (0..x.n * x.c * h * w).map(at).collect();
    Maps { h, w, values, ..*x }
}

/// Of each vector by itself, as dfdx has it.
fn layer_norm(mut x: Maps, gamma: &[f64], beta: &[f64]) -> Maps {
    for row in x.values.chunks_mut(gamma.len()) {
        let n = row.len() as f64;
        let mean = row.iter().sum::<f64>() / n;
        let var = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        for ((v, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
            *v = (*v - mean) / (var + 1e-5).sqrt() * gamma + beta;
        }
    }
    x
}
