//! The ink of a photograph: the paper's level and shading are found, not assumed.

mod paper;
mod ruling;

use ::image::DynamicImage;
use serde::Serialize;

use self::{
    paper::{planes, sheet_within},
    ruling::{squares, wipe_ruling, without_ruling},
};
use super::{
    Ink,
    specks::{Mark, marks},
};
use crate::data::decode::Grey;

/// Photographs are looked at with sides of so many pixels at most: a character needs no more,
/// and the paper's grain is averaged out.
const SIDE: usize = 512;

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
/// Where something else shows all around, such as a table, the sheet of paper is found first. Where
/// noise hides a stroke, a look at half the size averages grain out, and one for paper in
/// quarters of the image allows for light that falls off steeply towards the corners.
pub fn ink_of_photograph(image: &DynamicImage) -> Result<Ink, Unreadable> {
    let sheet = sheet_within(image);
    let image = sheet.as_ref().unwrap_or(image);
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
    // A frame, drawn along the border or anywhere as a box, around something that is not much less.
    let is_frame = |mark: &Mark| {
        span(mark) > 0.8 && deepest(mark) * 10 < width.min(height) || mark.is_box(width)
    };
    let within = inner.iter().filter(|mark| !is_frame(mark)).map(|mark| mark.blocks.len()).max();
    inner.retain(|mark| !is_frame(mark) || 20 * within.unwrap_or(0) < mark.blocks.len());
    let mut kept = if 20 * largest(&inner) >= largest(&outer) { inner } else { outer };
    let most = largest(&kept);
    let is_clear = kept.iter().any(|mark| mark.blocks.len() == most && on_border(mark) == 0);
    kept.retain(|mark| mark.blocks.len() > most / 50 && !(is_clear && on_border(mark) > 0));
    kept
}
