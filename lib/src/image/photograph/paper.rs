//! The paper behind the ink: its level, colour by colour.

use ::image::DynamicImage;

use crate::image::specks::marks;

/// The paper's level is found on a grid of so many cells a side.
const GRID: usize = 64;

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

/// The sheet of paper in an image on all of whose sides something lighter or darker shows, such as a
/// table; none where there is none.
pub(super) fn sheet_within(image: &DynamicImage) -> Option<DynamicImage> {
    let [red, green, blue] = planes(image, GRID);
    let (width, height) = (red.width, red.height);
    let levels: Vec<f32> = (0..width * height)
        .map(|i| (red.values[i] + green.values[i] + blue.values[i]) / 3.0)
        .collect();
    let mean = levels.iter().sum::<f32>() / levels.len().max(1) as f32;
    let (threshold, _) = super::threshold(&levels, mean);
    let is_outer = |i: usize| {
        let (x, y) = (i % width, i / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let outer: Vec<bool> =
        (0..levels.len()).filter(|&i| is_outer(i)).map(|i| levels[i] > threshold).collect();
    let light = outer.iter().filter(|&&is_light| is_light).count();
    let is_light_around = 2 * light > outer.len();
    if 10 * light.min(outer.len() - light) > outer.len() {
        return None;
    }
    let mut others: Vec<bool> =
        levels.iter().map(|&level| (level > threshold) != is_light_around).collect();
    let sheet = marks(&mut others, width).into_iter().max_by_key(|mark| mark.blocks.len())?;
    // A stroke fills less of the rectangle around it.
    let [rows, columns] = sheet.extents();
    let is_sheet = 5 * rows > 2 * height
        && 5 * columns > 2 * width
        && 10 * sheet.blocks.len() > 7 * rows * columns;
    // Its edge is blurred.
    let inside = |[first, last]: [usize; 2]| (first + 2, (last + 1).saturating_sub(first + 4));
    let ((top, rows), (left, columns)) = (inside(sheet.rows), inside(sheet.columns));
    let factor = image.width().max(image.height()).div_ceil(GRID as u32).max(1);
    let pixels = |cells: usize| cells as u32 * factor;
    (is_sheet && rows > 0 && columns > 0)
        .then(|| image.crop_imm(pixels(left), pixels(top), pixels(columns), pixels(rows)))
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
    /// The paper at each pixel: the median around it, over a part of the image's longer side.
    pub fn paper(&self, parts: usize) -> Self {
        let factor = self.width.max(self.height).div_ceil(GRID).max(1);
        let at = |x: usize, y: usize| self.values[y * self.width + x];
        let medians = reduced(self.width, self.height, factor, at).local_medians(parts);
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
            row(top) * (1.0 - down) + row(bottom) * down
        };
        Self { values: (0..self.values.len()).map(value).collect(), ..*self }
    }

    fn local_medians(&self, parts: usize) -> Self {
        let radius = self.width.max(self.height) / (2 * parts);
        let around = |place: usize, size: usize| {
            place.saturating_sub(radius)..(place + radius + 1).min(size)
        };
        let mut values = Vec::with_capacity(self.values.len());
        for y in 0..self.height {
            let rows = around(y, self.height);
            let mut counts = [0usize; 256];
            let mut within = 0..0;
            for x in 0..self.width {
                let columns = around(x, self.width);
                let mut change = |columns: std::ops::Range<usize>, by: isize| {
                    for x in columns {
                        for y in rows.clone() {
                            let value = self.values[y * self.width + x].round() as usize;
                            counts[value] = counts[value].wrapping_add_signed(by);
                        }
                    }
                };
                change(within.start..columns.start, -1);
                change(within.end..columns.end, 1);
                let half = rows.len() * columns.len() / 2;
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
