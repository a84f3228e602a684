//! The ink of a photograph: the paper's level and shading are found, not assumed.

mod paper;
mod ruling;
mod sheet;
mod things;

use ::image::DynamicImage;
use serde::Serialize;

use self::{
    paper::{Plane, planes, take_shade},
    ruling::{squares, wipe_ruling, without_ruling},
    sheet::{Sheet, sheet_within},
    things::without_things,
};
use super::{
    Ink,
    specks::{Mark, marks},
};
use crate::data::decode::Grey;

/// Photographs are looked at with sides of so many pixels at most: a character needs no more,
/// and the paper's grain is averaged out.
const SIDE: usize = 512;

/// How an image is looked at.
#[derive(Clone, Copy)]
struct Look {
    /// Its sides are brought to so many pixels at most.
    side: usize,
    /// Paper is sought over such a part of the longer side.
    parts: usize,
    /// Whether paper in the shade is told from ink.
    is_shaded: bool,
    /// Ranks among all differences from paper: of the least that shows the direction of the ink, and of
    /// twice the first threshold.
    ranks: [f32; 2],
}

/// For a character that covers a few hundredths of the image.
const USUAL: Look = Look { side: SIDE, parts: 2, is_shaded: false, ranks: [0.97, 0.99] };

/// For one that covers next to nothing.
const RARE: Look = Look { parts: 8, ranks: [0.9998, 0.9999], ..USUAL };

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
/// Where something else shows on some sides, such as a table, the sheet of paper is found first. Where
/// noise hides a stroke, a look at half the size averages grain out, and one for paper in
/// quarters of the image allows for light that falls off steeply towards the corners. A small
/// character is looked at again from closer by.
pub fn ink_of_photograph(image: &DynamicImage) -> Result<Ink, Unreadable> {
    match sheet_within(image) {
        None => ink_on(image, None),
        Some(sheet) => match ink_on(&sheet.image, Some(&sheet)) {
            // A character that was cropped to its ink surrounds paper too.
            Err(_) if sheet.may_be_crop => ink_on(image, None),
            found => found,
        },
    }
}

/// The ink in an image, or in the part of it that is on a sheet.
fn ink_on(image: &DynamicImage, sheet: Option<&Sheet>) -> Result<Ink, Unreadable> {
    let found = ink_as_seen(image, sheet);
    let closer = match &found {
        Ok(ink) if ink.is_speck() => None,
        Ok(ink) => ink.bounds().and_then(|bounds| {
            closer(image, [bounds.left, bounds.top], [bounds.width, bounds.height], ink.width)
        }),
        Err(Unreadable::NoInk) => tiny(image, sheet),
        Err(_) => None,
    };
    closer.map_or(found, Ok)
}

/// The ink in an image, looked at as a whole. What reaches its border, or is no strokes, may be a shadow
/// or an edge: it is looked at again with paper sought nearby, which follows shadows.
fn ink_as_seen(image: &DynamicImage, sheet: Option<&Sheet>) -> Result<Ink, Unreadable> {
    let first = Contrast::of(image, sheet, USUAL);
    let Err(problem) = first.check() else {
        let found = first.ink();
        let is_doubtful = |ink: &Ink| ink.is_thick(0.2) || ink.sides() > 0;
        if found.as_ref().is_ok_and(|ink| !is_doubtful(ink)) {
            return found;
        }
        let shaded = Contrast::of(image, sheet, Look { is_shaded: true, ..USUAL });
        // Ink differs from its paper by more than half of the light, or by more than a shadow does.
        let is_crop = found.as_ref().is_ok_and(|ink| ink.sides() == 4);
        let is_stronger = shaded.share > 0.5 || shaded.share > 1.1 * first.share;
        return match (found, shaded.ink()) {
            (_, Ok(ink)) if is_stronger && !is_crop && !is_doubtful(&ink) => Ok(ink),
            // Only crumbs are left; a character that was cropped to its ink reaches all borders.
            (Ok(ink), Ok(rest)) if !is_crop && 4 * rest.amount() < ink.amount() => {
                Err(Unreadable::NoInk)
            }
            (Ok(_), Err(problem)) if !is_crop => Err(problem),
            (Ok(ink), _) if ink.is_thick(0.3) => Err(Unreadable::NoInk),
            (_, Ok(ink)) if ink.is_edge() => Err(Unreadable::NoInk),
            (found, _) => found,
        };
    };
    let half = image.width().max(image.height()).div_ceil(2) as usize;
    let again = [Look { side: half.min(SIDE / 2), ..USUAL }, Look { parts: 4, ..USUAL }];
    let again = &again[usize::from(problem == Unreadable::NoInk)..];
    let look = |&look| Contrast::of(image, sheet, look);
    again.iter().map(look).find_map(|again| again.ink().ok()).ok_or(problem)
}

/// The ink of a character that covers next to nothing of the image: the longest mark there is.
fn tiny(image: &DynamicImage, sheet: Option<&Sheet>) -> Option<Ink> {
    let all = Contrast::of(image, sheet, RARE);
    all.check().ok()?;
    let found = all.marks_above(0.3 * all.level, 0.6 * all.level);
    let mark = found.iter().max_by_key(|mark| mark.longest())?;
    let [height, width] = mark.extents();
    let side = all.width.max(all.height);
    let is_tiny = 40 * mark.longest() >= side && 8 * mark.longest() < side;
    let at = [mark.columns[0], mark.rows[0]];
    let seen = is_tiny.then(|| closer(image, at, [width, height], all.width))?;
    seen.filter(|ink| !ink.is_thick(0.25))
}

/// The ink of a small character in the part around it, where the image was brought to `seen` pixels
/// across and has more to show.
fn closer(image: &DynamicImage, at: [usize; 2], size: [usize; 2], seen: usize) -> Option<Ink> {
    let scale = image.width() as f32 / seen as f32;
    let margin = size[0].max(size[1]);
    let longer = image.width().max(image.height()) as f32;
    if longer < (2 * SIDE) as f32 || 5.0 * margin as f32 * scale > longer {
        return None;
    }
    let pixels = |cells: usize| (cells as f32 * scale) as u32;
    let [left, top] = at.map(|first| pixels(first.saturating_sub(margin)));
    let [width, height] = size.map(|size| pixels(size + 2 * margin));
    ink_as_seen(&image.crop_imm(left, top, width, height), None).ok()
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
    /// How much darker the ink is than the paper, or the paper than the ink: 0 to 1.
    share: f32,
}

impl Contrast {
    /// What is not on the sheet does not stand out.
    fn of(image: &DynamicImage, sheet: Option<&Sheet>, look: Look) -> Self {
        let planes = planes(image, look.side);
        let mut papers =
            planes.each_ref().map(|plane| plane.paper(look.parts, sheet, look.is_shaded));
        if look.is_shaded {
            let near = planes.each_ref().map(|plane| plane.paper(16, sheet, true));
            take_shade(&mut papers, &near);
        }
        let (width, height) = (planes[0].width, planes[0].height);
        let on: Vec<usize> = match sheet.map(|sheet| sheet.mask(width, height)) {
            None => (0..width * height).collect(),
            Some(is_on) => (0..width * height).filter(|&i| is_on[i]).collect(),
        };
        let differences: Vec<[f32; 3]> = on
            .iter()
            .map(|&i| [0, 1, 2].map(|c| papers[c].values[i] - planes[c].values[i]))
            .collect();
        let strength = in_direction_of_ink(&differences, look.ranks[0]);
        let middle = quantile(&strength, 0.5);
        let spread: Vec<f32> = strength.iter().map(|value| (value - middle).abs()).collect();
        let noise = 1.4826 * quantile(&spread, 0.5);
        let (_, level) = threshold(&strength, quantile(&strength, look.ranks[1]) / 2.0);
        let norm = |of: &[Plane; 3], i: usize| {
            of.iter().map(|plane| plane.values[i].powi(2)).sum::<f32>().sqrt()
        };
        let inked = on.iter().zip(&strength).filter(|(_, strength)| **strength > level / 2.0);
        let (differing, light) = inked.fold((0.0, 1.0), |(differing, light), (&i, strength)| {
            (differing + strength, light + norm(&papers, i).max(norm(&planes, i)))
        });
        let share = differing / light;
        let mut everywhere = vec![middle; width * height];
        on.iter().zip(strength).for_each(|(&i, strength)| everywhere[i] = strength);
        Self { width, height, strength: everywhere, level, noise, share }
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
        kept.retain(|mark| 20 * mark.longest() < width.max(height) || !self.is_soft(mark));
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

    /// Whether its edge is wider than a 64th of the image, as that of a light or a shadow is, and no
    /// stroke's. Strokes that fill the image seem to have such edges too, but reach three borders.
    fn is_soft(&self, mark: &Mark) -> bool {
        if mark.sides(self.width, self.height) > 2 {
            return false;
        }
        let strength: Vec<f32> = mark.blocks.iter().map(|&i| self.strength[i]).collect();
        let full = 0.75 * quantile(&strength, 0.9);
        let edge = strength.iter().filter(|&&strength| strength < full).count() as f32;
        let outline = 2.0 * strength.len() as f32 / mark.stroke_width(self.width);
        64.0 * edge > outline * self.width.max(self.height) as f32
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
fn in_direction_of_ink(differences: &[[f32; 3]], rank: f32) -> Vec<f32> {
    let square = |d: &[f32; 3]| d.iter().map(|x| x * x).sum::<f32>();
    let squares: Vec<f32> = differences.iter().map(square).collect();
    let least = quantile(&squares, rank);
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
    let marks = without_things(without_ruling(marks, width, height), width, height);
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
