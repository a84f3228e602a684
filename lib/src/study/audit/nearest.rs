//! The nearest image by the sum of absolute differences: exact, without looking at every
//! pixel of every image.
//!
//! Sums over blocks differ by no more than the pixels within do, so an image whose blocks
//! are already too far off needs no second look (W. Li and E. Salari, "Successive
//! elimination algorithm for motion estimation", IEEE Trans. Image Processing, 1995).

use std::borrow::Cow;

use ndarray::Array4;

use super::PIXELS;
use crate::data::SIDE;

/// An image and how far it is from the one that was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub index: usize,
    /// Sum of absolute differences over all pixels, in grey levels.
    pub distance: u32,
}

impl Match {
    /// Mean absolute difference of a pixel, 0 to 255.
    pub fn mean_difference(self) -> f64 {
        f64::from(self.distance) / PIXELS as f64
    }
}

/// Images of 28 x 28 in which the nearest one is looked for.
pub struct Nearest<'a> {
    pixels: Cow<'a, [u8]>,
    /// In rising order of ink.
    sketches: Vec<Sketch>,
}

/// Sums of ink: in all, and by blocks of 7 x 7.
struct Sketch {
    index: usize,
    ink: u32,
    blocks: [u32; 16],
}

impl<'a> Nearest<'a> {
    pub fn among(images: &'a Array4<u8>) -> Self {
        let pixels = flat(images);
        let images = pixels.chunks_exact(PIXELS).enumerate();
        let mut sketches: Vec<Sketch> = images.map(|(i, image)| Sketch::of(i, image)).collect();
        sketches.sort_by_key(|sketch| sketch.ink);
        Self { pixels, sketches }
    }

    /// The image nearest to `image` (784 pixels), the one at `except` left out. A good
    /// `guess` makes the search short and changes nothing else but which of equals is
    /// found. `None` where there is no image.
    pub fn to(&self, image: &[u8], guess: Option<usize>, except: Option<usize>) -> Option<Match> {
        let sketch = Sketch::of(0, image);
        let guess = guess.filter(|guess| except != Some(*guess));
        let mut best = guess.and_then(|index| self.at(image, index));
        // False as soon as no further image in this direction can be nearer.
        let mut consider = |other: &Sketch| {
            let bound = best.map_or(u32::MAX, |found: Match| found.distance);
            if sketch.ink.abs_diff(other.ink) >= bound {
                return false;
            }
            if apart(&sketch.blocks, &other.blocks) < bound && except != Some(other.index) {
                let candidate = self.at(image, other.index);
                best = candidate.filter(|found| found.distance < bound).or(best);
            }
            true
        };
        let start = self.sketches.partition_point(|s| s.ink < sketch.ink);
        let (below, above) = self.sketches.split_at(start);
        for other in above {
            if !consider(other) {
                break;
            }
        }
        for other in below.iter().rev() {
            if !consider(other) {
                break;
            }
        }
        best
    }

    fn at(&self, image: &[u8], index: usize) -> Option<Match> {
        let other = self.pixels.chunks_exact(PIXELS).nth(index)?;
        let differences = image.iter().zip(other);
        let distance = differences.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        Some(Match { index, distance })
    }
}

impl Sketch {
    fn of(index: usize, image: &[u8]) -> Self {
        let mut blocks = [0; 16];
        for (y, row) in image.chunks_exact(SIDE).enumerate() {
            for (x, run) in row.chunks_exact(SIDE / 4).enumerate() {
                let sum: u32 = run.iter().copied().map(u32::from).sum();
                blocks[y / 7 * 4 + x] += sum;
            }
        }
        Self { index, ink: blocks.iter().sum(), blocks }
    }
}

/// `(n, 1, 28, 28)` as one row after the other.
pub fn flat(images: &Array4<u8>) -> Cow<'_, [u8]> {
    match images.as_slice() {
        Some(pixels) => Cow::Borrowed(pixels),
        None => Cow::Owned(images.iter().copied().collect()),
    }
}

fn apart(a: &[u32; 16], b: &[u32; 16]) -> u32 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).sum()
}
