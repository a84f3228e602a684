//! What stands out from the paper of a photograph, and by how much.

use ::image::DynamicImage;

use super::{
    Unreadable,
    paper::{Plane, planes, take_shade},
    ruling::{squares, wipe_ruling},
    sheet::Sheet,
    things::without_dirt,
};
use crate::image::{
    Ink,
    specks::{Mark, marks},
};

/// Photographs are looked at with sides of so many pixels at most: a character needs no more,
/// and the paper's grain is averaged out.
pub(super) const SIDE: usize = 512;

/// How an image is looked at.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Its sides are brought to so many pixels at most.
    pub side: usize,
    /// Paper is sought over such a part of the longer side.
    pub parts: usize,
    /// Whether paper in the shade is told from ink.
    pub is_shaded: bool,
    /// Ranks among all differences from paper: of the least that shows the direction of the ink, and of
    /// twice the first threshold.
    pub ranks: [f32; 2],
}

/// For a character that covers a few hundredths of the image.
pub(super) const USUAL: Look = Look { side: SIDE, parts: 2, is_shaded: false, ranks: [0.97, 0.99] };

/// For one that covers next to nothing.
pub(super) const RARE: Look = Look { parts: 8, ranks: [0.9998, 0.9999], ..USUAL };

/// What stands out from the paper.
pub(super) struct Contrast {
    pub width: usize,
    pub height: usize,
    /// How far each pixel does, in the direction of the ink's colour.
    strength: Vec<f32>,
    /// The mean of the ink.
    pub level: f32,
    /// The standard deviation of the paper.
    noise: f32,
    /// How much darker the ink is than the paper, or the paper than the ink: 0 to 1.
    pub share: f32,
}

impl Contrast {
    /// What is not on the sheet does not stand out.
    pub fn of(image: &DynamicImage, sheet: Option<&Sheet>, look: Look) -> Self {
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
    pub fn check(&self) -> Result<(), Unreadable> {
        let &Self { level, noise, .. } = self;
        if level < 4.0 * noise || level < 5.0 {
            return Err(Unreadable::NoInk);
        }
        if level < 6.0 * noise || level < 10.0 {
            return Err(Unreadable::TooFaint);
        }
        Ok(())
    }

    pub fn ink(&self) -> Result<Ink, Unreadable> {
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
    pub fn marks_above(&self, low: f32, strong: f32) -> Vec<Mark> {
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
pub(super) fn threshold(values: &[f32], first: f32) -> (f32, f32) {
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
