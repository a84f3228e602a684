//! Characters on a page of 1200 x 900, and digits on 28 x 28.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::pen::{Point, drawn};
use super::writer::{Writer, bounds, normal};
use crate::data::sets::handwritten::{DRAWING_HEIGHT, DRAWING_WIDTH};
use crate::data::sets::mnist::SIDE;
use crate::{Error, Result};

/// Pixels for one unit of a form: the height of capitals, about 470 pixels with the
/// pen's width, is the median of the real drawings'.
const SCALE: f64 = 4.04;
/// Width of the pen in pixels, on nearly all real drawings.
const PEN: f64 = 67.0;
/// Where characters are on the page: mean of the real ones.
const MIDDLE: Point = [585.0, 466.0];
/// Of how far a character's middle is from that of capitals, this much is seen on the
/// page: people centre single letters more than a line of text would.
const BASELINE_SHARE: f64 = 0.35;

/// A page with one character: `(900, 1200)` row-major, true is ink.
pub fn page(writer: &Writer, label: usize) -> Vec<bool> {
    let (lines, above) = writer.write(label, 0);
    let mut rng = writer.place_of(label);
    let mut centre = [
        MIDDLE[0] + writer.place[0] + 40.0 * normal(&mut rng),
        MIDDLE[1] + writer.place[1] + 24.0 * normal(&mut rng) - BASELINE_SHARE * above * SCALE,
    ];
    let pen = PEN * writer.pen;
    let (low, high) = bounds(&lines);
    // Nobody writes over the edge: smaller where it does not fit, and moved inwards.
    let space = [DRAWING_WIDTH as f64, DRAWING_HEIGHT as f64];
    let fit = |k: usize| (space[k] - pen - 40.0) / (high[k] - low[k]).max(1.0);
    let scale = SCALE.min(fit(0)).min(fit(1));
    for k in 0..2 {
        let half = (high[k] - low[k]) / 2.0 * scale + pen / 2.0 + 10.0;
        centre[k] = centre[k].clamp(half, space[k] - half);
    }
    let place = |[x, y]: Point| [centre[0] + x * scale, centre[1] - y * scale];
    drawn(&lines, place, pen, [DRAWING_WIDTH, DRAWING_HEIGHT])
}

/// [`page`] as an RGB PNG file, black on white.
pub fn drawing(writer: &Writer, label: usize) -> Result<Vec<u8>> {
    let pixels: Vec<u8> =
        page(writer, label).into_iter().flat_map(|ink| [if ink { 0 } else { 255 }; 3]).collect();
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Up)
        .write_image(&pixels, DRAWING_WIDTH as u32, DRAWING_HEIGHT as u32, ExtendedColorType::Rgb8)
        .map_err(|e| Error::content("stand-in", e.to_string(), "report this"))?;
    Ok(bytes.into_inner())
}

/// A digit as MNIST shows it: 28 x 28, ink 255, the longer side 20 pixels, its centre
/// of mass in the middle.
pub fn digit(writer: &Writer, label: usize, attempt: u64) -> [u8; SIDE * SIDE] {
    // Drawn four times as large, then averaged.
    const FINE: usize = 4;
    const COLUMNS: usize = SIDE * FINE;
    let (lines, _) = writer.write(label, attempt);
    let (low, high) = bounds(&lines);
    let pen = FINE as f64 * 2.4 * writer.pen;
    let side = (high[0] - low[0]).max(high[1] - low[1]).max(1.0);
    let scale = ((20 * FINE) as f64 - pen) / side;
    let middle = COLUMNS as f64 / 2.0;
    let place = |[x, y]: Point| [middle + x * scale, middle - y * scale];
    let ink = drawn(&lines, place, pen, [COLUMNS; 2]);
    let shift = from_middle(&ink, COLUMNS);
    let mut pixels = [0; SIDE * SIDE];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let (row, column) = (i / SIDE * FINE, i % SIDE * FINE);
        let mut count = 0;
        for y in row..row + FINE {
            for x in column..column + FINE {
                let (x, y) = (x as i64 + shift[0], y as i64 + shift[1]);
                let inside = (0..COLUMNS as i64).contains(&x) && (0..COLUMNS as i64).contains(&y);
                count += usize::from(inside && ink[y as usize * COLUMNS + x as usize]);
            }
        }
        *pixel = (count * 255 / (FINE * FINE)) as u8;
    }
    pixels
}

/// From the middle of a square image to its ink's centre of mass, in whole pixels.
fn from_middle(ink: &[bool], columns: usize) -> [i64; 2] {
    let (mut count, mut sum) = (0i64, [0i64; 2]);
    for i in (0..ink.len()).filter(|&i| ink[i]) {
        count += 1;
        sum[0] += (i % columns) as i64;
        sum[1] += (i / columns) as i64;
    }
    sum.map(|sum| sum / count.max(1) - columns as i64 / 2)
}
