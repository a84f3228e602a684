//! Exact area resampling of a rectangle to a square.

use super::Ink;

/// A rectangle of an image in pixels; it may reach beyond the image, where there is
/// no ink.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

/// The mean ink of each of the `side` x `side` cells of `window`, 0 to 255, row by row.
/// A pixel that two cells share counts for each by its share of area.
pub fn resample(ink: &Ink, window: Window, side: usize) -> Vec<f32> {
    let rows = cells(window.top, window.height, ink.height, side);
    let columns = cells(window.left, window.width, ink.width, side);
    let mut out = vec![0.0; side * side];
    let mut sums = vec![0.0f32; ink.width];
    for (row, out) in rows.iter().zip(out.chunks_exact_mut(side.max(1))) {
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
            let total: f32 = (column.first..column.end).map(|x| column.weight(x) * sums[x]).sum();
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

fn cells(start: f32, length: f32, pixels: usize, count: usize) -> Vec<Cell> {
    let cell = |i: usize| {
        let edge = |i: usize| start + length * i as f32 / count as f32;
        let (start, stop) = (edge(i), edge(i + 1));
        let end = (stop.ceil().max(0.0) as usize).min(pixels);
        Cell { start, stop, first: (start.floor().max(0.0) as usize).min(end), end }
    };
    (0..count).map(cell).collect()
}
