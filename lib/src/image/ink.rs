//! The ink of a photograph: where it is, how much, and its statistics by class.

use serde::{Deserialize, Serialize};

use crate::data::Samples;
use crate::data::decode::Grey;

/// From this value on a pixel belongs to the character: half of full ink.
pub(super) const THRESHOLD: u8 = 128;

/// A photograph with its ink bright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ink {
    pub width: usize,
    pub height: usize,
    /// `(height, width)` row-major, 0 is paper and 255 is full ink.
    pub pixels: Vec<u8>,
}

/// The smallest rectangle that holds all ink, with what is known of the ink in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InkBox {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    /// Centre of mass, in pixels of the photograph: column, then row.
    pub mass: (f32, f32),
    /// Share of the photograph's pixels that are ink.
    pub share: f32,
}

impl Ink {
    /// Ink is what differs from the paper, and the paper is what the border shows:
    /// dark ink on light paper is inverted, light ink on dark paper is kept.
    pub fn of(grey: Grey) -> Self {
        let Grey {
            width,
            height,
            mut pixels,
        } = grey;
        if is_light(border(&pixels, width, height)) {
            pixels.iter_mut().for_each(|value| *value = 255 - *value);
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    /// None where there is no ink at all.
    pub fn bounds(&self) -> Option<InkBox> {
        let mut columns = vec![0u32; self.width];
        let (mut count, mut moment) = (0u64, 0u64);
        let (mut top, mut bottom) = (None, 0);
        for (y, row) in self.pixels.chunks_exact(self.width.max(1)).enumerate() {
            let mut in_row = 0u32;
            for (column, &value) in columns.iter_mut().zip(row) {
                let ink = u32::from(value >= THRESHOLD);
                *column += ink;
                in_row += ink;
            }
            if in_row > 0 {
                top.get_or_insert(y);
                bottom = y;
                count += u64::from(in_row);
                moment += u64::from(in_row) * y as u64;
            }
        }
        let (top, left) = (top?, columns.iter().position(|&n| n > 0)?);
        let right = columns.iter().rposition(|&n| n > 0)?;
        let across: u64 = columns
            .iter()
            .zip(0..)
            .map(|(&n, x)| u64::from(n) * x)
            .sum();
        let mean = |moment: u64| (moment as f64 / count as f64) as f32 + 0.5;
        Some(InkBox {
            left,
            top,
            width: right - left + 1,
            height: bottom - top + 1,
            mass: (mean(across), mean(moment)),
            share: count as f32 / self.pixels.len() as f32,
        })
    }
}

/// Ink of one class, means over its images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InkStatistics {
    pub class: String,
    /// Number of images.
    pub count: usize,
    /// Mean of all pixels, 0 to 1.
    pub ink_share: f64,
    /// Standard deviation of `ink_share` over the images.
    pub ink_share_deviation: f64,
    /// Rows and columns from the first to the last with ink, in pixels of 28.
    pub height: f64,
    pub width: f64,
    /// Mean width of the strokes in pixels of 28: twice the ink over its outline.
    pub stroke_width: f64,
}

impl InkStatistics {
    /// One row a class, in label order.
    pub fn by_class(samples: &Samples) -> Vec<Self> {
        let mut images = vec![Vec::new(); samples.classes.len()];
        for (image, &label) in samples.images.outer_iter().zip(&samples.labels) {
            images[label].push(measure(&image.iter().copied().collect::<Vec<u8>>()));
        }
        let rows = samples.classes.iter().zip(images);
        rows.map(|(class, images)| Self::of_class(class, &images))
            .collect()
    }

    fn of_class(class: &str, images: &[[f64; 4]]) -> Self {
        let mean = |of: &dyn Fn(&[f64; 4]) -> f64| {
            images.iter().map(of).sum::<f64>() / images.len().max(1) as f64
        };
        let ink_share = mean(&|image| image[0]);
        Self {
            class: class.into(),
            count: images.len(),
            ink_share,
            ink_share_deviation: mean(&|image| (image[0] - ink_share).powi(2)).sqrt(),
            height: mean(&|image| image[1]),
            width: mean(&|image| image[2]),
            stroke_width: mean(&|image| image[3]),
        }
    }
}

/// Ink share, height, width and stroke width of one 28 x 28 image.
fn measure(image: &[u8]) -> [f64; 4] {
    let side = crate::data::SIDE;
    let at = |y: usize, x: usize| f64::from(image[y * side + x]) / 255.0;
    let total: f64 = image.iter().map(|&value| f64::from(value) / 255.0).sum();
    let has_ink = |value: u8| value >= THRESHOLD / 2;
    let rows = image
        .chunks_exact(side)
        .filter(|row| row.iter().any(|&v| has_ink(v)));
    let columns = (0..side).filter(|x| image[*x..].iter().step_by(side).any(|&v| has_ink(v)));
    // The outline's length is the image's total variation; a stroke of width w and
    // length l has area w l and outline 2 l.
    let mut outline = 0.0;
    for y in 0..side - 1 {
        for x in 0..side - 1 {
            outline += (at(y + 1, x) - at(y, x)).hypot(at(y, x + 1) - at(y, x));
        }
    }
    let stroke = if outline > 0.0 {
        2.0 * total / outline
    } else {
        0.0
    };
    [
        total / image.len() as f64,
        rows.count() as f64,
        columns.count() as f64,
        stroke,
    ]
}

fn border(pixels: &[u8], width: usize, height: usize) -> impl Iterator<Item = u8> {
    let rows = [0, height.saturating_sub(1)];
    let columns = [0, width.saturating_sub(1)];
    let across = rows
        .into_iter()
        .flat_map(move |y| (0..width).map(move |x| (y, x)));
    let down = (0..height).flat_map(move |y| columns.into_iter().map(move |x| (y, x)));
    across.chain(down).map(move |(y, x)| pixels[y * width + x])
}

fn is_light(values: impl Iterator<Item = u8>) -> bool {
    let (sum, count) = values.fold((0u64, 0u64), |(sum, n), v| (sum + u64::from(v), n + 1));
    sum * 2 >= count * 255
}
