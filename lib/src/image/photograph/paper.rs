//! The paper behind the ink: its level, colour by colour.

use ::image::DynamicImage;

use super::sheet::Sheet;

/// The paper's level is found on a grid of so many cells a side.
pub(super) const GRID: usize = 64;

/// Between two cells the light changes by so many levels only at an edge.
const EDGE: f32 = 8.0;

/// Paper in a shadow has at least such a share of its light; strokes of ink have less.
const SHADE: f32 = 0.4;

/// One colour of an image, reduced to a size that is enough.
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// Red, green and blue, averaged over squares of pixels so that no side is longer than `side`.
pub(super) fn planes(image: &DynamicImage, side: usize) -> [Plane; 3] {
    let converted;
    let rgb = match image {
        DynamicImage::ImageRgb8(rgb) => rgb,
        other => {
            converted = other.to_rgb8();
            &converted
        }
    };
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    [0, 1, 2].map(|channel| {
        let plane = |x: usize, y: usize| f32::from(rgb.as_raw()[(y * width + x) * 3 + channel]);
        reduced(width, height, width.max(height).div_ceil(side).max(1), plane)
    })
}

/// Takes the paper `near` a pixel for its paper, where that may be the same in a shadow, or out of one:
/// where it has the same colour.
pub(super) fn take_shade(papers: &mut [Plane; 3], near: &[Plane; 3]) {
    for i in 0..papers[0].values.len() {
        let ratios = [0, 1, 2].map(|c| near[c].values[i].max(1.0) / papers[c].values[i].max(1.0));
        let [least, most] =
            [f32::min, f32::max].map(|of| ratios.into_iter().reduce(of).unwrap_or(1.0));
        if least > SHADE && SHADE * most < 1.0 && most < 1.15 * least {
            for (paper, near) in papers.iter_mut().zip(near) {
                paper.values[i] = near.values[i];
            }
        }
    }
}

fn reduced(
    width: usize,
    height: usize,
    factor: usize,
    value: impl Fn(usize, usize) -> f32,
) -> Plane {
    let (columns, rows) = (width.div_ceil(factor), height.div_ceil(factor));
    let mut values = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (bottom, right) =
                (height.min((row + 1) * factor), width.min((column + 1) * factor));
            let mut sum = 0.0;
            for y in row * factor..bottom {
                sum += (column * factor..right).map(|x| value(x, y)).sum::<f32>();
            }
            values.push(sum / ((bottom - row * factor) * (right - column * factor)) as f32);
        }
    }
    Plane { width: columns, height: rows, values }
}

impl Plane {
    /// The paper at each pixel: the median around it, over a part of the image's longer side, of what
    /// is on the sheet; with the sharp edges of shadows, where there may be some.
    pub fn paper(&self, parts: usize, sheet: Option<&Sheet>, is_shaded: bool) -> Self {
        let factor = self.width.max(self.height).div_ceil(GRID).max(1);
        let at = |x: usize, y: usize| self.values[y * self.width + x];
        let medians = reduced(self.width, self.height, factor, at).local_medians(parts, sheet);
        // Between the middles of four cells.
        let between = |place: usize, cells: usize| {
            let at = ((place as f32 + 0.5) / factor as f32 - 0.5).clamp(0.0, cells as f32 - 1.0);
            let first = at as usize;
            (first, (first + 1).min(cells - 1), at - first as f32)
        };
        let cell = |x: usize, y: usize| medians.values[y * medians.width + x];
        let value = |i: usize| {
            let (left, right, to_right) = between(i % self.width, medians.width);
            let (top, bottom, down) = between(i / self.width, medians.height);
            let row = |y| cell(left, y) * (1.0 - to_right) + cell(right, y) * to_right;
            let smooth = row(top) * (1.0 - down) + row(bottom) * down;
            // Where a shadow begins between cells, it does so at any pixel between them.
            let cells =
                [cell(left, top), cell(right, top), cell(left, bottom), cell(right, bottom)];
            let [least, most] = [f32::min, f32::max].map(|of| cells.into_iter().fold(smooth, of));
            match is_shaded && most - least > EDGE && least > SHADE * most {
                true => self.values[i].clamp(least, most),
                false => smooth,
            }
        };
        Self { values: (0..self.values.len()).map(value).collect(), ..*self }
    }

    fn local_medians(&self, parts: usize, sheet: Option<&Sheet>) -> Self {
        let is_on = sheet.map(|sheet| sheet.mask(self.width, self.height));
        let is_on = |i: usize| is_on.as_ref().is_none_or(|is_on| is_on[i]);
        let radius = self.width.max(self.height) / (2 * parts);
        let around = |place: usize, size: usize| {
            place.saturating_sub(radius)..(place + radius + 1).min(size)
        };
        let mut values = Vec::with_capacity(self.values.len());
        for y in 0..self.height {
            let rows = around(y, self.height);
            let mut counts = [0usize; 256];
            let mut count = 0_usize;
            let mut within = 0..0;
            for x in 0..self.width {
                let columns = around(x, self.width);
                let mut change = |columns: std::ops::Range<usize>, by: isize| {
                    for x in columns {
                        for i in rows.clone().map(|y| y * self.width + x).filter(|&i| is_on(i)) {
                            let value = self.values[i].round() as usize;
                            counts[value] = counts[value].wrapping_add_signed(by);
                            count = count.wrapping_add_signed(by);
                        }
                    }
                };
                change(within.start..columns.start, -1);
                change(within.end..columns.end, 1);
                let half = count / 2;
                within = columns;
                let mut below = 0;
                let median = counts.iter().position(|count| {
                    below += count;
                    below > half
                });
                values.push(median.unwrap_or(255) as f32);
            }
        }
        Self { values, ..*self }
    }
}
