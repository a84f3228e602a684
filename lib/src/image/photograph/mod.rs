//! The ink of a photograph: the paper's level and shading are found, not assumed.

mod contrast;
mod paper;
mod ruling;
mod sheet;
mod things;

use ::image::DynamicImage;
use serde::Serialize;

use self::{
    contrast::{Contrast, Look, RARE, SIDE, USUAL},
    sheet::{Sheet, sheet_within},
};
use super::Ink;
use crate::data::decode::Grey;

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
