//! The sheet of paper in a photograph that shows more than it.

use ::image::DynamicImage;

use super::{
    contrast::threshold,
    paper::{GRID, planes},
};
use crate::image::specks::marks;

/// A sheet of paper, in the part of an image that it fills.
pub(super) struct Sheet {
    pub image: DynamicImage,
    /// Whether each cell of the image is on the sheet, row by row.
    is_on: Vec<bool>,
    columns: usize,
    /// Whether what is not on it may be a character that was cropped to its ink: it surrounds paper too,
    /// and reaches all borders.
    pub may_be_crop: bool,
}

impl Sheet {
    /// Whether each pixel of its image, brought down to `width` x `height`, is on it.
    pub fn mask(&self, width: usize, height: usize) -> Vec<bool> {
        let rows = self.is_on.len() / self.columns;
        let cell = |i: usize| {
            let (x, y) = (i % width, i / width);
            y * rows / height * self.columns + x * self.columns / width
        };
        (0..width * height).map(|i| self.is_on[cell(i)]).collect()
    }
}

/// The sheet of paper in an image on some of whose sides something else shows, such as a table; none
/// where there is none.
pub(super) fn sheet_within(image: &DynamicImage) -> Option<Sheet> {
    let [red, green, blue] = planes(image, GRID);
    let (width, height) = (red.width, red.height);
    if width * height == 0 {
        return None;
    }
    let colours = [red.values, green.values, blue.values];
    let sum = |i: usize| colours.iter().map(|colour| colour[i]).sum::<f32>();
    let light: Vec<f32> = (0..width * height).map(|i| sum(i) / 3.0).collect();
    // Yellow paper is as light as white, but less blue.
    let ways = std::iter::once(&light).chain(&colours);
    let (is_on, is_whole) =
        ways.into_iter().find_map(|levels| on_sheet(levels, &colours, width))?;
    let row_is_on = |y: usize| (0..width).all(|x| is_on[y * width + x]);
    let column_is_on = |x: usize| (0..height).all(|y| is_on[y * width + x]);
    let reaches_all = ![0, height - 1].into_iter().any(row_is_on)
        && ![0, width - 1].into_iter().any(column_is_on);
    // Its edge is blurred.
    let is_inside = |i: usize| {
        let (x, y) = (i % width, i / width);
        let mut near = (y.saturating_sub(2)..(y + 3).min(height))
            .flat_map(|y| (x.saturating_sub(2)..(x + 3).min(width)).map(move |x| y * width + x));
        near.all(|near| is_on[near])
    };
    let inside: Vec<bool> = (0..width * height).map(is_inside).collect();
    let within = |is_in: &dyn Fn(usize) -> bool, size: usize| {
        let first = (0..size).find(|&place| is_in(place))?;
        let last = (0..size).rfind(|&place| is_in(place))?;
        Some((first, last + 1 - first))
    };
    let (top, rows) = within(&|y| inside[y * width..][..width].contains(&true), height)?;
    let (left, columns) = within(&|x| (0..height).any(|y| inside[y * width + x]), width)?;
    let factor = image.width().max(image.height()).div_ceil(GRID as u32).max(1);
    let pixels = |cells: usize| cells as u32 * factor;
    let image = image.crop_imm(pixels(left), pixels(top), pixels(columns), pixels(rows));
    let is_on = (top..top + rows).flat_map(|y| inside[y * width + left..][..columns].to_vec());
    Some(Sheet { image, is_on: is_on.collect(), columns, may_be_crop: !is_whole && reaches_all })
}

/// Whether each cell is on a sheet, which differs from the rest by its `levels`; and whether the rest
/// shows on all sides.
fn on_sheet(levels: &[f32], colours: &[Vec<f32>; 3], width: usize) -> Option<(Vec<bool>, bool)> {
    let height = levels.len() / width;
    let mean = levels.iter().sum::<f32>() / levels.len().max(1) as f32;
    let (threshold, _) = threshold(levels, mean);
    let is_outer = |&i: &usize| {
        let (x, y) = (i % width, i / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let outer: Vec<bool> =
        (0..levels.len()).filter(is_outer).map(|i| levels[i] > threshold).collect();
    let light = outer.iter().filter(|&&is_light| is_light).count();
    let is_whole = 10 * light.min(outer.len() - light) <= outer.len();
    [true, false].into_iter().find_map(|is_light| {
        if is_whole && is_light == (2 * light > outer.len()) {
            return None;
        }
        let mut alike: Vec<bool> = levels.iter().map(|&x| (x > threshold) == is_light).collect();
        let sheet = marks(&mut alike, width).into_iter().max_by_key(|mark| mark.blocks.len())?;
        // A stroke fills less of the rectangle around it.
        let [rows, columns] = sheet.extents();
        let is_sheet = 5 * rows > 2 * height
            && 5 * columns > 2 * width
            && 10 * sheet.blocks.len() > 7 * rows * columns;
        // What lies on it does not reach the border.
        let mut others = vec![true; levels.len()];
        sheet.blocks.iter().for_each(|&i| others[i] = false);
        let mut is_on = vec![true; levels.len()];
        let around =
            marks(&mut others, width).into_iter().filter(|m| m.blocks.iter().any(is_outer));
        around.flat_map(|mark| mark.blocks).for_each(|i| is_on[i] = false);
        let is_around =
            is_whole || is_table(&is_on, colours) && is_on[height / 2 * width + width / 2];
        (is_sheet && is_around).then_some((is_on, is_whole))
    })
}

/// Whether what is not on the sheet is something else, and not the same paper in the shade: of another
/// colour, or less than half as light or more than twice.
fn is_table(is_on: &[bool], colours: &[Vec<f32>; 3]) -> bool {
    let count = |on: bool| is_on.iter().filter(|&&is_on| is_on == on).count().max(1) as f32;
    let mean = |on: bool| {
        colours.each_ref().map(|colour| {
            let values = colour.iter().zip(is_on).filter(|(_, is_on)| **is_on == on);
            values.map(|(value, _)| value).sum::<f32>() / count(on)
        })
    };
    let [on, off] = [true, false].map(mean);
    let [sum, other] = [on, off].map(|colour| colour.iter().sum::<f32>().max(1.0));
    let differs = |(on, off): (&f32, &f32)| (on / sum - off / other).abs() > 0.04;
    20.0 * count(false) > is_on.len() as f32
        && (2.0 * sum.min(other) < sum.max(other) || on.iter().zip(&off).any(differs))
}
