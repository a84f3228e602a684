//! The ink of a drawing: where it is, and how much.

use crate::data::decode::Grey;

/// From this value on a pixel belongs to the character: half of full ink.
pub(super) const THRESHOLD: u8 = 128;

/// A drawing with its ink bright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ink {
    pub width: usize,
    pub height: usize,
    /// `(height, width)` row-major, 0 is paper and 255 is full ink.
    pub pixels: Vec<u8>,
}

/// The smallest rectangle around all ink, with figures of the ink in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InkBox {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    /// Centre of mass, in pixels of the drawing: column, then row.
    pub mass: (f32, f32),
    /// Share of the drawing's pixels that are ink.
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
        let mut pixels = grey.pixels;
        if is_light {
            pixels.iter_mut().for_each(|value| *value = 255 - *value);
        }
        Self { width: grey.width, height: grey.height, pixels }
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
        let across: u64 = columns.iter().zip(0..).map(|(&n, x)| u64::from(n) * x).sum();
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

    /// Whether its strokes are nearly as wide as those of dataset 1's pen, 53 of 1200 pixels: at
    /// least 20.
    pub(super) fn has_wide_strokes(&self) -> bool {
        60.0 * self.stroke_width() >= self.width.max(self.height) as f32
    }

    /// The width of its strokes in pixels: twice the area for each pixel of outline. It is right for
    /// strokes along rows or columns, and up to a third too small for others.
    pub(super) fn stroke_width(&self) -> f32 {
        let is_ink = |value: &u8| u32::from(*value >= THRESHOLD);
        let differ = |one: &[u8], next: &[u8]| -> u32 {
            one.iter().zip(next).map(|(one, next)| is_ink(one) ^ is_ink(next)).sum()
        };
        let (mut area, mut outline) = (0, 0);
        let mut above: Option<&[u8]> = None;
        for row in self.pixels.chunks_exact(self.width.max(1)) {
            area += row.iter().map(is_ink).sum::<u32>();
            outline += differ(row, &row[1..]) + above.map_or(0, |above| differ(above, row));
            above = Some(row);
        }
        2.0 * area as f32 / outline.max(1) as f32
    }
}

/// Whether the mean of the image's border is on the light side.
pub(super) fn has_light_paper(grey: &Grey) -> bool {
    let (sum, count) =
        (grey.border()).fold((0u64, 0u64), |(sum, n), &v| (sum + u64::from(v), n + 1));
    sum * 2 >= count * 255
}

impl Grey {
    /// The outermost pixels, the corners twice.
    pub(super) fn border(&self) -> impl Iterator<Item = &u8> {
        let (width, height) = (self.width, self.height);
        let rows = [0, height.saturating_sub(1)].into_iter();
        let columns = [0, width.saturating_sub(1)];
        let across = rows.flat_map(move |y| (0..width).map(move |x| (y, x)));
        let down = (0..height).flat_map(move |y| columns.map(move |x| (y, x)));
        across.chain(down).map(move |(y, x)| &self.pixels[y * width + x])
    }
}
