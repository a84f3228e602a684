//! Mild distortions of images and of their auxiliary features, so that a network sees none
//! twice.

use std::f32::consts::PI;

use dfdx_conv::split_mix64;
use ndarray::{Array2, ArrayView2, ArrayView3, s};
use rand::RngExt;
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};

use crate::numbers::is_default;

/// How far an image may be distorted: an affine map, then an elastic displacement
/// (P. Y. Simard, D. Steinkraus and J. C. Platt, "Best practices for convolutional
/// neural networks applied to visual document analysis", ICDAR 2003).
///
/// Every amount is drawn evenly from `-x` to `x`. Lengths are in pixels of the image: what
/// is mild for 28 x 28 moves a larger image less.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augment {
    /// Degrees.
    pub rotation: f32,
    /// Change of size, e.g. 0.1 for 90 to 110 %; each axis draws its own.
    pub scale: f32,
    /// Columns shifted for each row.
    pub shear: f32,
    /// Pixels, each axis.
    pub translation: f32,
    /// Strength of the elastic displacement (Simard's alpha); 0 for none.
    pub elastic: f32,
    /// Smoothness of the elastic displacement (Simard's sigma), in pixels.
    pub smoothness: f32,
    /// Change of each auxiliary feature, as a share of its typical deviation.
    #[serde(skip_serializing_if = "is_default")]
    pub features: f32,
    /// Share of the images whose auxiliary features are all set to their mean, 0, as where
    /// there is no sheet to measure them on.
    #[serde(skip_serializing_if = "is_default")]
    pub without_features: f32,
}

impl Default for Augment {
    /// Mild: a character stays the character it is.
    fn default() -> Self {
        Self {
            rotation: 10.0,
            scale: 0.1,
            shear: 0.1,
            translation: 1.5,
            elastic: 24.0,
            ..Self::none()
        }
    }
}

impl Augment {
    /// Leaves every image as it is.
    pub const fn none() -> Self {
        Self {
            rotation: 0.0,
            scale: 0.0,
            shear: 0.0,
            translation: 0.0,
            elastic: 0.0,
            smoothness: 4.0,
            features: 0.0,
            without_features: 0.0,
        }
    }

    /// Every change of an image `factor` times as strong.
    pub fn times(self, factor: f32) -> Self {
        Self {
            rotation: self.rotation * factor,
            scale: self.scale * factor,
            shear: self.shear * factor,
            translation: self.translation * factor,
            elastic: self.elastic * factor,
            ..self
        }
    }

    pub fn is_none(&self) -> bool {
        self.keeps_images() && self.features == 0.0 && self.without_features == 0.0
    }

    fn keeps_images(&self) -> bool {
        let amounts = [self.rotation, self.scale, self.shear, self.translation, self.elastic];
        amounts.iter().all(|&amount| amount == 0.0)
    }

    /// Writes a distorted copy of `image`, `(channels, height, width)`, over `out`, row by
    /// row; all channels move alike. What it draws depends on `seed`, `epoch` and the
    /// image's `index` alone, not on threads.
    ///
    /// # Panics
    /// Where `out` has not as many values as the image.
    pub fn apply(
        &self,
        image: ArrayView3<f32>,
        out: &mut [f32],
        seed: u64,
        epoch: u64,
        index: u64,
    ) {
        assert_eq!(image.len(), out.len(), "values of an image and of its copy");
        if self.keeps_images() || out.is_empty() {
            out.iter_mut().zip(image).for_each(|(to, from)| *to = *from);
            return;
        }
        let (_, height, width) = image.dim();
        let mut rng = Pcg32::new(mix(seed, epoch), index);
        let [a, b, c, d, e, f] = self.affine(&mut rng);
        let mut shifts = [vec![0.0; height * width], vec![0.0; height * width]];
        if self.elastic != 0.0 {
            let kernel = gaussian(self.smoothness);
            for shift in &mut shifts {
                displacement(&mut rng, &kernel, self.elastic, shift, width);
            }
        }
        let middle = |size: usize| (size as f32 - 1.0) / 2.0;
        let (middle_x, middle_y) = (middle(width), middle(height));
        let mut sources = Vec::with_capacity(height * width);
        for (i, (shift_x, shift_y)) in shifts[0].iter().zip(&shifts[1]).enumerate() {
            let (dx, dy) = ((i % width) as f32 - middle_x, (i / width) as f32 - middle_y);
            sources.push((
                a * dx + b * dy + c + middle_x + shift_x,
                d * dx + e * dy + f + middle_y + shift_y,
            ));
        }
        for (channel, out) in image.outer_iter().zip(out.chunks_exact_mut(height * width)) {
            let framed = Framed::of(channel);
            for (value, &(x, y)) in out.iter_mut().zip(&sources) {
                *value = framed.at(x, y);
            }
        }
    }

    /// Changes the auxiliary features of an image, or drops them, by draws of their own.
    pub fn apply_to_features(&self, features: &mut [f32], seed: u64, epoch: u64, index: u64) {
        if self.features == 0.0 && self.without_features == 0.0 {
            return;
        }
        let mut rng = Pcg32::new(mix(mix(seed, epoch), FEATURES), index);
        if self.without_features > 0.0 && rng.random::<f32>() < self.without_features {
            return features.fill(0.0);
        }
        for value in features {
            *value += self.features * symmetric(&mut rng);
        }
    }

    /// Where a pixel of the result comes from, relative to the image's middle.
    fn affine(&self, rng: &mut Pcg32) -> [f32; 6] {
        let mut draw = |amount: f32| amount * symmetric(rng);
        let (sin, cos) = (draw(self.rotation) * PI / 180.0).sin_cos();
        let shear = draw(self.shear);
        let (scale_x, scale_y) = (1.0 + draw(self.scale), 1.0 + draw(self.scale));
        let (shift_x, shift_y) = (draw(self.translation), draw(self.translation));
        [
            (cos + shear * sin) / scale_x,
            (-sin + shear * cos) / scale_x,
            shift_x,
            sin / scale_y,
            cos / scale_y,
            shift_y,
        ]
    }
}

/// Sets the draws for features apart from those for images.
const FEATURES: u64 = 1;

/// Evenly from -1 to 1.
fn symmetric(rng: &mut Pcg32) -> f32 {
    rng.random::<f32>() * 2.0 - 1.0
}

/// One state for two numbers (the finaliser of SplitMix64).
fn mix(seed: u64, epoch: u64) -> u64 {
    split_mix64(seed ^ epoch.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Taps on each side of a Gaussian's middle.
const RADIUS: usize = 10;

type Kernel = [f32; 2 * RADIUS + 1];

/// A Gaussian of standard deviation `sigma` pixels, its sum 1.
fn gaussian(sigma: f32) -> Kernel {
    let sigma = sigma.max(0.1);
    let taps: Kernel = std::array::from_fn(|i| {
        let d = i as f32 - RADIUS as f32;
        (-d * d / (2.0 * sigma * sigma)).exp()
    });
    let sum: f32 = taps.iter().sum();
    taps.map(|tap| tap / sum)
}

/// A smooth random field over the rows of an image, `alpha` times even noise smoothed by
/// `kernel`.
fn displacement(rng: &mut Pcg32, kernel: &Kernel, alpha: f32, field: &mut [f32], width: usize) {
    let height = field.len() / width;
    field.fill_with(|| alpha * symmetric(rng));
    // Two passes down the columns with a transposition after each; neighbours in a row are
    // added together, which the compiler vectorises.
    let mut once = vec![0.0; field.len()];
    smooth_down_and_transpose(field, kernel, &mut once, width);
    smooth_down_and_transpose(&once, kernel, field, height);
}

/// `from` has rows of `width` values, `to` columns of as many.
fn smooth_down_and_transpose(from: &[f32], kernel: &Kernel, to: &mut [f32], width: usize) {
    let height = from.len() / width;
    for y in 0..height {
        let rows = y.saturating_sub(RADIUS)..(y + RADIUS).min(height - 1) + 1;
        let taps = &kernel[rows.start + RADIUS - y..];
        let lines = &from[rows.start * width..rows.end * width];
        let mut x = 0;
        let mut keep = |sums: &[f32]| {
            for sum in sums {
                to[x * height + y] = *sum;
                x += 1;
            }
            x
        };
        // As many columns at once as there are registers for.
        let mut done = 0;
        while done + 28 <= width {
            done = keep(&weighted_sums::<28>(lines, taps, width, done));
        }
        while done + 4 <= width {
            done = keep(&weighted_sums::<4>(lines, taps, width, done));
        }
        while done < width {
            done = keep(&weighted_sums::<1>(lines, taps, width, done));
        }
    }
}

/// Of `N` columns from `x` on, the sums of their values in `lines` times the lines' taps.
fn weighted_sums<const N: usize>(lines: &[f32], taps: &[f32], width: usize, x: usize) -> [f32; N] {
    let mut sums = [0.0; N];
    for (line, tap) in lines.chunks_exact(width).zip(taps) {
        for (sum, value) in sums.iter_mut().zip(&line[x..x + N]) {
            *sum += tap * value;
        }
    }
    sums
}

/// One channel with two blank pixels around it.
struct Framed {
    values: Vec<f32>,
    height: usize,
    width: usize,
}

impl Framed {
    fn of(channel: ArrayView2<f32>) -> Self {
        let (height, width) = (channel.nrows() + 4, channel.ncols() + 4);
        let mut values = Array2::<f32>::zeros((height, width));
        values.slice_mut(s![2..height - 2, 2..width - 2]).assign(&channel);
        Self { values: values.into_raw_vec_and_offset().0, height, width }
    }

    /// The value between four pixels; blank outside the image.
    fn at(&self, x: f32, y: f32) -> f32 {
        let edge = |size: usize| size as f32 - 2.001;
        let x = (x + 2.0).clamp(0.0, edge(self.width));
        let y = (y + 2.0).clamp(0.0, edge(self.height));
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |row: usize, column: usize| self.values[row * self.width + column];
        let upper = at(top, left) * (1.0 - fx) + at(top, left + 1) * fx;
        let lower = at(top + 1, left) * (1.0 - fx) + at(top + 1, left + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}
