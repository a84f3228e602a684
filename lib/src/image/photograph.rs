//! The ink of a photograph: the paper's level and shading are found, not assumed.

use ::image::DynamicImage;
use serde::Serialize;

use super::{
    Ink,
    specks::{Mark, marks},
};
use crate::data::decode::Grey;

/// Photographs are looked at with sides of so many pixels at most: a character needs no more,
/// and the paper's grain is averaged out.
const SIDE: usize = 512;
/// The paper's level is found on a grid of so many cells a side.
const GRID: usize = 64;

/// Why no character is read in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// Paper alone.
    NoInk,
    /// Marks that hardly stand out from the paper's grain.
    TooFaint,
    /// More than one character, side by side or on several lines.
    SeveralCharacters,
}

impl Unreadable {
    pub const ALL: [Self; 3] = [Self::NoInk, Self::TooFaint, Self::SeveralCharacters];

    /// As in tables.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoInk => "no ink",
            Self::TooFaint => "too faint",
            Self::SeveralCharacters => "several characters",
        }
    }
}

/// Whether an image is as flat as a drawing on a tablet: full ink on clean paper of the other
/// extreme, which also is what most of its border shows; what is between is no more than the ink.
pub fn is_flat(grey: &Grey) -> bool {
    let counts = |pixels: &mut dyn Iterator<Item = &u8>| {
        let mut counts = [0usize; 3];
        pixels.for_each(|&value| counts[usize::from(value > 16) + usize::from(value >= 239)] += 1);
        counts
    };
    let [dark, between, light] = counts(&mut grey.pixels.iter());
    let [on_dark, on_grey, on_light] = counts(&mut grey.border());
    let border = on_dark + on_grey + on_light;
    let is_sheet = |paper: usize, on_paper: usize, ink: usize| {
        2 * paper >= grey.pixels.len() && 4 * on_paper >= 3 * border && between <= ink
    };
    dark > 0 && is_sheet(light, on_light, dark) || light > 0 && is_sheet(dark, on_dark, light)
}

/// The ink of a photograph of one character, dark or light and of any colour, on paper of any
/// level and shading. Stray marks, dirt and what lies along the border are left out.
///
/// Paper is the local median of each colour (ink covers less than half of any half of the image);
/// ink is what differs from it in the direction in colour space in which the strongest differences
/// lie, cut half-way between the two means (T. W. Ridler and S. Calvard, "Picture thresholding
/// using an iterative selection method", 1978) and, where it hangs together with that, at a lower
/// level too (hysteresis: J. Canny, "A computational approach to edge detection", 1986).
///
/// Where noise hides a stroke, a look at half the size averages grain out, and one for paper in
/// quarters of the image allows for light that falls off steeply towards the corners.
pub fn ink_of_photograph(image: &DynamicImage) -> Result<Ink, Unreadable> {
    let first = Contrast::of(image, SIDE, 2);
    let Err(problem) = first.check() else {
        return first.ink();
    };
    let half = image.width().max(image.height()).div_ceil(2) as usize;
    let again = [(half.min(SIDE / 2), 2), (SIDE, 4)];
    let again = &again[usize::from(problem == Unreadable::NoInk)..];
    let look = |&(side, parts)| Contrast::of(image, side, parts);
    again.iter().map(look).find_map(|again| again.ink().ok()).ok_or(problem)
}

/// What stands out from the paper.
struct Contrast {
    width: usize,
    height: usize,
    /// How far each pixel does, in the direction of the ink's colour.
    strength: Vec<f32>,
    /// The mean of the ink.
    level: f32,
    /// The standard deviation of the paper.
    noise: f32,
}

impl Contrast {
    /// In an image whose sides are brought to `side` at most; paper is sought over the `parts`-th
    /// part of the longer.
    fn of(image: &DynamicImage, side: usize, parts: usize) -> Self {
        let planes = planes(image, side);
        let papers = planes.each_ref().map(|plane| plane.paper(parts));
        let (width, height) = (planes[0].width, planes[0].height);
        let differences: Vec<[f32; 3]> = (0..width * height)
            .map(|i| [0, 1, 2].map(|c| papers[c].values[i] - planes[c].values[i]))
            .collect();
        let strength = in_direction_of_ink(&differences);
        let middle = quantile(&strength, 0.5);
        let spread: Vec<f32> = strength.iter().map(|value| (value - middle).abs()).collect();
        let noise = 1.4826 * quantile(&spread, 0.5);
        let (_, level) = threshold(&strength, quantile(&strength, 0.99) / 2.0);
        Self { width, height, strength, level, noise }
    }

    /// Of three colours together: a grey that differs by 3 levels has 5.
    fn check(&self) -> Result<(), Unreadable> {
        let &Self { level, noise, .. } = self;
        if level < 4.0 * noise || level < 5.0 {
            return Err(Unreadable::NoInk);
        }
        if level < 6.0 * noise || level < 10.0 {
            return Err(Unreadable::TooFaint);
        }
        Ok(())
    }

    fn ink(&self) -> Result<Ink, Unreadable> {
        self.check()?;
        let &Self { width, height, level, noise, .. } = self;
        let mut low = (0.3 * level).max(3.5 * noise);
        let mut kept = self.marks_above(low, (0.6 * level).max(low));
        let is_squared = |mark: &Mark| squares(mark, width, height).is_some();
        if kept.iter().any(is_squared) {
            // What is written on squares hangs together with them, but it is stronger, and not in
            // many places.
            let above: Vec<f32> = self.strength.iter().copied().filter(|&x| x > low).collect();
            let (between, _) = threshold(&above, level);
            let stronger = self.marks_above(between, between);
            let sizes = || stronger.iter().map(|mark| mark.blocks.len());
            let is_one = 2 * sizes().max().unwrap_or(0) > sizes().sum();
            if is_one && !stronger.iter().any(is_squared) {
                (low, kept) = (between, stronger);
            }
        }
        let kept = without_dirt(kept, width, height);
        if kept.is_empty() {
            return Err(Unreadable::NoInk);
        }
        let mut pixels = vec![0; width * height];
        for &i in kept.iter().flat_map(|mark| &mark.blocks) {
            // Half of full ink at the lower level, which is where strokes end.
            pixels[i] = (128.0 * self.strength[i] / low).min(255.0) as u8;
        }
        Ok(Ink { width, height, pixels })
    }

    /// What is above `low` and hangs together with something above `strong`.
    fn marks_above(&self, low: f32, strong: f32) -> Vec<Mark> {
        let mut found: Vec<bool> = self.strength.iter().map(|&value| value > low).collect();
        wipe_ruling(&mut found, self.width, self.height);
        let mut kept = marks(&mut found, self.width);
        kept.retain(|mark| mark.blocks.iter().any(|&i| self.strength[i] > strong));
        kept
    }
}

/// The value half-way between the mean of what is above it and the mean of the others, sought from
/// `first` on; and the mean above.
fn threshold(values: &[f32], first: f32) -> (f32, f32) {
    let all: f64 = values.iter().map(|&value| f64::from(value)).sum();
    let (mut threshold, mut level) = (first, 0.0);
    for _ in 0..20 {
        let above = values.iter().filter(|&&value| value > threshold);
        let (sum, count) =
            above.fold((0.0, 0.0), |(sum, n), &value| (sum + f64::from(value), n + 1.0));
        if count == 0.0 {
            break;
        }
        let others = (all - sum) / (values.len() as f64 - count).max(1.0);
        level = (sum / count) as f32;
        let next = (level + others as f32) / 2.0;
        if (next - threshold).abs() < 0.1 {
            break;
        }
        threshold = next;
    }
    (threshold, level)
}

/// How far each difference from the paper goes in the direction of the strongest ones.
fn in_direction_of_ink(differences: &[[f32; 3]]) -> Vec<f32> {
    let square = |d: &[f32; 3]| d.iter().map(|x| x * x).sum::<f32>();
    let squares: Vec<f32> = differences.iter().map(square).collect();
    let least = quantile(&squares, 0.97);
    let mut direction = [0.0f64; 3];
    for (difference, _) in differences.iter().zip(&squares).filter(|(_, square)| **square >= least)
    {
        for (sum, &value) in direction.iter_mut().zip(difference) {
            *sum += f64::from(value);
        }
    }
    let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    let direction = direction.map(|x| (x / length) as f32);
    let along = |d: &[f32; 3]| d.iter().zip(direction).map(|(x, unit)| x * unit).sum();
    differences.iter().map(along).collect()
}

fn quantile(values: &[f32], share: f32) -> f32 {
    let mut values = values.to_vec();
    let place = (values.len().saturating_sub(1) as f32 * share) as usize;
    match values.get(place) {
        Some(_) => *values.select_nth_unstable_by(place, f32::total_cmp).1,
        None => 0.0,
    }
}

/// The largest mark, and the others that may belong to it: not what lies along the image's border,
/// as a scanner's frame or the edge of the paper does, nor dirt, nor, where the largest lies clear
/// of the border, what is cut off by it, as a neighbour's stroke is.
fn without_dirt(marks: Vec<Mark>, width: usize, height: usize) -> Vec<Mark> {
    let marks = without_ruling(marks, width, height);
    let largest = |marks: &[Mark]| marks.iter().map(|mark| mark.blocks.len()).max().unwrap_or(0);
    let depth = |&i: &usize| {
        let (x, y) = (i % width, i / width);
        x.min(y).min(width - 1 - x).min(height - 1 - y)
    };
    let on_border = |mark: &Mark| mark.blocks.iter().filter(|i| depth(i) == 0).count();
    let lies_along_border = |mark: &Mark| on_border(mark).pow(2) > mark.blocks.len();
    let deepest = |mark: &Mark| mark.blocks.iter().map(depth).max().unwrap_or(0);
    // How much of the image's width and height it spans.
    let span = |mark: &Mark| {
        let [down, across] = mark.extents();
        (across as f32 / width as f32).min(down as f32 / height as f32)
    };
    // Something dark that reaches in: it lies on two borders all along.
    let is_in_corner = |mark: &Mark| {
        let sides = mark.extents().iter().sum::<usize>();
        span(mark) < 0.6 && 10 * on_border(mark) > 8 * sides
    };
    let (mut outer, mut inner): (Vec<Mark>, Vec<Mark>) =
        marks.into_iter().partition(lies_along_border);
    // A character that was cropped to its ink touches the border too, on all sides, but not all
    // along; an edge or a corner of the paper reaches neither far in nor far across.
    outer.retain(|mark| {
        let is_frame = 10 * on_border(mark) > 12 * (width + height);
        !is_frame
            && !is_in_corner(mark)
            && (span(mark) > 0.9 || deepest(mark) * 100 > 15 * width.min(height))
    });
    // A drawn frame, around something that is not much less.
    let frame = |mark: &Mark| span(mark) > 0.8 && deepest(mark) * 10 < width.min(height);
    let within = inner.iter().filter(|mark| !frame(mark)).map(|mark| mark.blocks.len()).max();
    inner.retain(|mark| !frame(mark) || 20 * within.unwrap_or(0) < mark.blocks.len());
    let mut kept = if 20 * largest(&inner) >= largest(&outer) { inner } else { outer };
    let most = largest(&kept);
    let is_clear = kept.iter().any(|mark| mark.blocks.len() == most && on_border(mark) == 0);
    kept.retain(|mark| mark.blocks.len() > most / 50 && !(is_clear && on_border(mark) > 0));
    kept
}

/// Without the lines of ruled or squared paper: three or more that go from border to border and touch
/// nothing, or what meets all four borders three times each and is spread evenly.
fn without_ruling(mut marks: Vec<Mark>, width: usize, height: usize) -> Vec<Mark> {
    let is_line = |mark: &Mark, vertical: bool| {
        let [down, across] = mark.extents();
        match vertical {
            true => 10 * down > 9 * height && 10 * across < width,
            false => 10 * across > 9 * width && 10 * down < height,
        }
    };
    for vertical in [false, true] {
        if marks.iter().filter(|mark| is_line(mark, vertical)).count() > 2 {
            marks.retain(|mark| !is_line(mark, vertical));
        }
    }
    let is_grid = |mark: &Mark| squares(mark, width, height).is_some_and(|is_even| is_even);
    marks.retain(|mark| !is_grid(mark));
    marks
}

/// Of what meets all four borders three times each, as the lines of squared paper do: whether it is
/// spread evenly.
fn squares(mark: &Mark, width: usize, height: usize) -> Option<bool> {
    // A line may lie on the border itself: a little further in it crosses others.
    let (right, low, aside, below) = (width - 1, height - 1, width / 20, height / 20);
    let mut borders = [(); 4].map(|()| [Vec::new(), Vec::new()]);
    let mut parts = [0_usize; 9];
    for &i in &mark.blocks {
        let (x, y) = (i % width, i / width);
        parts[3 * (3 * y / height) + 3 * x / width] += 1;
        let from_border =
            [(y, below, x), (low - y, below, x), (x, aside, y), (right - x, aside, y)];
        for ([outer, inner], (depth, inset, place)) in borders.iter_mut().zip(from_border) {
            outer.extend((depth == 0).then_some(place));
            inner.extend((depth == inset).then_some(place));
        }
    }
    let times = |places: &mut Vec<usize>| {
        places.sort_unstable();
        places.windows(2).filter(|pair| pair[1] > pair[0] + 1).count() + 1
    };
    let [least, most] = [parts.iter().min(), parts.iter().max()].map(|n| *n.unwrap_or(&0));
    let meets_all = borders.iter_mut().all(|[outer, inner]| times(outer).max(times(inner)) > 2);
    meets_all.then_some(5 * least > 2 * most)
}

/// Wipes the lines of ruled paper out, also where the character is written across them:
/// two or more thin ones that go from border to border, past all else. What is thicker where they
/// pass stays (as staff lines are taken out of music: I. Fujinaga, "Staff detection and removal",
/// 2004).
fn wipe_ruling(found: &mut [bool], width: usize, height: usize) {
    let across = lines(found, [width, height], |x, y| y * width + x);
    let down = lines(found, [height, width], |y, x| y * width + x);
    let is_inside = |line: &Line, breadth: usize| {
        let middle = (line.first + line.last) / 2;
        (breadth / 20..breadth - breadth / 20).contains(&middle)
    };
    // The bars of a Z or the stems of an H that was cropped to its ink lie on the borders. Of squares,
    // strokes along the lines would go with them.
    let several =
        |lines: &[Line], breadth| lines.iter().filter(|line| is_inside(line, breadth)).count() > 1;
    if several(&across, height) != several(&down, width) {
        for i in across.into_iter().chain(down).flat_map(|line| line.pixels) {
            found[i] = false;
        }
    }
}

/// A thin line: where it begins and ends, and its pixels but for those where something crosses it.
struct Line {
    first: usize,
    last: usize,
    pixels: Vec<usize>,
}

/// Thin lines that go along all of an image's length, at most a twelfth of its breadth askew; none
/// where what is near the two borders is not lines alone.
fn lines(
    found: &[bool],
    [length, breadth]: [usize; 2],
    at: impl Fn(usize, usize) -> usize,
) -> Vec<Line> {
    // How thick everything is, across the lines.
    let thickness = |along: usize| {
        let mut thickness = vec![0; breadth];
        let mut start = 0;
        for place in 0..=breadth {
            if place == breadth || !found[at(along, place)] {
                thickness[start..place].fill(place - start);
                start = place + 1;
            }
        }
        thickness
    };
    let thickest = breadth / 20;
    let end = length / 25;
    let is_thin = |along: &usize| thickness(*along).iter().all(|&thick| thick <= thickest);
    // Lines alone, but for one that crosses them there.
    let is_free = |border: std::ops::Range<usize>| 2 * border.filter(is_thin).count() >= end;
    if end == 0 || !is_free(0..end) || !is_free(length - end..length) {
        return Vec::new();
    }
    let thickness: Vec<Vec<usize>> = (0..length).map(thickness).collect();
    let place = |first: usize, last: usize, along: usize| {
        (first * (length - 1 - along) + last * along) / (length - 1)
    };
    let askew = breadth / 12;
    let mut candidates = Vec::new();
    for first in (0..breadth).filter(|&first| (0..end).any(|along| found[at(along, first)])) {
        for last in first.saturating_sub(askew)..(first + askew + 1).min(breadth) {
            let on = |along: &usize| found[at(*along, place(first, last, *along))];
            let count = (0..length).step_by(2).filter(on).count();
            if 100 * count > 85 * length.div_ceil(2) {
                candidates.push((count, first, last));
            }
        }
    }
    candidates.sort_by_key(|&(count, ..)| std::cmp::Reverse(count));
    let mut lines: Vec<Line> = Vec::new();
    for (_, first, last) in candidates {
        let is_known =
            |line: &Line| (line.first + line.last).abs_diff(first + last) <= 2 * thickest.max(1);
        if lines.iter().any(is_known) {
            continue;
        }
        let on = (0..length).map(|along| (along, place(first, last, along)));
        let mut thick: Vec<usize> = on.clone().map(|(x, y)| thickness[x][y]).collect();
        let (_, &mut usual, _) = thick.select_nth_unstable(length / 2);
        if usual > thickest {
            continue;
        }
        let near = on.flat_map(|(along, middle)| {
            (middle.saturating_sub(usual + 1)..(middle + usual + 2).min(breadth))
                .map(move |place| (along, place))
        });
        let near = near.filter(|&(x, y)| (1..=2 * usual.max(1)).contains(&thickness[x][y]));
        lines.push(Line { first, last, pixels: near.map(|(x, y)| at(x, y)).collect() });
    }
    lines
}

/// One colour of an image, reduced to a size that is enough.
struct Plane {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

/// Red, green and blue, averaged over squares of pixels so that no side is longer than `side`.
fn planes(image: &DynamicImage, side: usize) -> [Plane; 3] {
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
    fn paper(&self, parts: usize) -> Self {
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
