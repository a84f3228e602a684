//! Exact area resampling of a rectangle to 28 x 28.

use super::Ink;
use crate::data::SIDE;

/// A rectangle of an image in pixels; it may reach beyond the image, where there is
/// no ink.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

/// The mean ink of each of the 28 x 28 cells of `window`, 0 to 255, row by row. A
/// pixel that two cells share counts for each by its share of area.
pub fn resample(ink: &Ink, window: Window) -> [f32; SIDE * SIDE] {
    let rows = cells(window.top, window.height, ink.height);
    let columns = cells(window.left, window.width, ink.width);
    let mut out = [0.0; SIDE * SIDE];
    let mut sums = vec![0.0f32; ink.width];
    for (row, out) in rows.iter().zip(out.chunks_exact_mut(SIDE)) {
        // Down the columns first: a sum of whole rows, which the compiler vectorises.
        sums.fill(0.0);
        for y in row.first..row.end {
            let weight = row.weight(y);
            let line = &ink.pixels[y * ink.width..][..ink.width];
            for (sum, &value) in sums.iter_mut().zip(line) {
                *sum += weight * f32::from(value);
            }
        }
        for (column, out) in columns.iter().zip(out) {
            let total: f32 = (column.first..column.end)
                .map(|x| column.weight(x) * sums[x])
                .sum();
            *out = total / (row.length() * column.length());
        }
    }
    out
}

/// The stretch from `start` to `stop` along one axis, and the pixels it touches.
struct Cell {
    start: f32,
    stop: f32,
    first: usize,
    end: usize,
}

impl Cell {
    fn length(&self) -> f32 {
        self.stop - self.start
    }

    /// How much of pixel `i`, which spans `i` to `i + 1`, lies in the cell.
    fn weight(&self, i: usize) -> f32 {
        (self.stop.min(i as f32 + 1.0) - self.start.max(i as f32)).max(0.0)
    }
}

fn cells(start: f32, length: f32, pixels: usize) -> [Cell; SIDE] {
    std::array::from_fn(|i| {
        let edge = |i: usize| start + length * i as f32 / SIDE as f32;
        let (start, stop) = (edge(i), edge(i + 1));
        let end = (stop.ceil().max(0.0) as usize).min(pixels);
        Cell {
            start,
            stop,
            first: (start.floor().max(0.0) as usize).min(end),
            end,
        }
    })
}
