//! The ink of a photograph: where it is, how much, and its statistics by class.

use ndarray::{ArrayView2, Axis};
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
        let is_light = has_light_paper(&grey);
        Self::of_paper(grey, is_light)
    }

    /// As [`Ink::of`], where it is known whether the paper is light.
    pub(super) fn of_paper(grey: Grey, is_light: bool) -> Self {
        let Grey {
            width,
            height,
            mut pixels,
        } = grey;
        if is_light {
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
    /// Rows and columns with ink, in pixels.
    pub height: f64,
    pub width: f64,
    /// Mean width of the strokes in pixels: twice the ink over its outline.
    pub stroke_width: f64,
}

impl InkStatistics {
    /// One row a class, in label order; of colour images the first channel is measured.
    pub fn by_class(samples: &Samples) -> Vec<Self> {
        let mut images = vec![Vec::new(); samples.classes.len()];
        for (image, &label) in samples.images.outer_iter().zip(&samples.labels) {
            images[label].push(measure(image.index_axis(Axis(0), 0)));
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

/// Ink share, height, width and stroke width of one image `(height, width)`.
fn measure(image: ArrayView2<u8>) -> [f64; 4] {
    let (height, width) = image.dim();
    let ink = image.mapv(|value| f64::from(value) / 255.0);
    let total = ink.iter().sum::<f64>();
    let with_ink = |axis| {
        let lanes = image.axis_iter(Axis(axis));
        lanes
            .filter(|lane| lane.iter().any(|&value| value >= THRESHOLD / 2))
            .count()
    };
    // The outline's length is the image's total variation; a stroke of width w and
    // length l has area w l and outline 2 l.
    let mut outline = 0.0;
    for y in 0..height.saturating_sub(1) {
        for x in 0..width.saturating_sub(1) {
            let here = ink[[y, x]];
            outline += (ink[[y + 1, x]] - here).hypot(ink[[y, x + 1]] - here);
        }
    }
    let stroke = if outline > 0.0 {
        2.0 * total / outline
    } else {
        0.0
    };
    [
        total / image.len() as f64,
        with_ink(0) as f64,
        with_ink(1) as f64,
        stroke,
    ]
}

/// Whether the mean of the image's border is on the light side.
pub(super) fn has_light_paper(grey: &Grey) -> bool {
    let (width, height) = (grey.width, grey.height);
    let rows = [0, height.saturating_sub(1)].into_iter();
    let columns = [0, width.saturating_sub(1)];
    let across = rows.flat_map(move |y| (0..width).map(move |x| (y, x)));
    let down = (0..height).flat_map(move |y| columns.map(move |x| (y, x)));
    let border = across.chain(down).map(|(y, x)| grey.pixels[y * width + x]);
    let (sum, count) = border.fold((0u64, 0u64), |(sum, n), v| (sum + u64::from(v), n + 1));
    sum * 2 >= count * 255
}
