//! Writers, each with a hand of their own, and the lines they draw.

use std::array::from_fn;
use std::iter::repeat_n;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::forms::CHARACTERS;
use super::pen::{Knot, Point, parse, rounded, spline};

/// One person's way of writing. Lengths are in units of a form: capitals have 100.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Columns shifted for each unit of height; positive leans to the right.
    slant: f64,
    /// Width and size of characters relative to the forms.
    width: f64,
    pub size: f64,
    /// Height of small letters, and depth of descenders, relative to the forms.
    x_height: f64,
    descent: f64,
    /// How far corners are rounded off.
    roundness: f64,
    /// Slow and fast deviation from the intended line.
    wobble: f64,
    tremor: f64,
    /// Where this writer starts on the page, relative to the usual place, in pixels.
    pub place: Point,
    /// Width of the pen, relative to the usual one.
    pub pen: f64,
    seed: u64,
}

impl Writer {
    /// Writer number `number` of the people that `seed` stands for.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut rng = random(seed, number);
        Self {
            slant: 0.08 + 0.13 * normal(&mut rng),
            width: (0.10 * normal(&mut rng)).exp(),
            size: (0.16 * normal(&mut rng)).exp(),
            x_height: (0.10 * normal(&mut rng)).exp(),
            descent: (0.15 * normal(&mut rng)).exp(),
            roundness: rng.random_range(1.0..8.0),
            wobble: 1.6 * (0.3 * normal(&mut rng)).exp(),
            tremor: 0.25 * (0.5 * normal(&mut rng)).exp(),
            place: [58.0 * normal(&mut rng), 28.0 * normal(&mut rng)],
            // About one writer in twenty has a broad pen.
            pen: if number % 20 == 1 { 1.33 } else { 1.0 },
            seed: rng.random(),
        }
    }

    /// The writer's `attempt`-th character of class `label`: its strokes, y upwards,
    /// the ink's box centred at the origin, and the height of that centre above the
    /// form's middle (y = 50).
    pub fn write(&self, label: usize, attempt: u64) -> (Vec<Vec<Point>>, f64) {
        let mut rng = random(self.seed, label as u64 + 64 * attempt);
        let character = &CHARACTERS[label];
        let strokes = parse(choose(&mut rng, &character.forms)).unwrap_or_default();
        let (width, size) = (0.16 * normal(&mut rng), 0.12 * normal(&mut rng));
        let size = self.size * size.exp();
        let width = self.width * width.exp() * size * character.size[0] / 100.0;
        let height = size * character.size[1] / 100.0;
        let slant = self.slant + 0.06 * normal(&mut rng);
        let turn = 0.04 * normal(&mut rng);
        let warp = warp(&mut rng, 3.0 * self.wobble);
        let mut lines: Vec<Vec<Point>> = strokes
            .iter()
            .map(|knots| {
                let line = self.line(&mut rng, knots);
                line.into_iter()
                    .map(|point| {
                        let [x, y] = warp(point);
                        let (x, y) = (x * width + slant * y * height, self.height(y) * height);
                        [x - turn * y, y + turn * x]
                    })
                    .collect()
            })
            .collect();
        let (low, high) = bounds(&lines);
        let centre = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
        for point in lines.iter_mut().flatten() {
            *point = [point[0] - centre[0], point[1] - centre[1]];
        }
        (lines, centre[1] - 50.0 * size)
    }

    /// The random numbers for where the character `label` is put on its page.
    pub fn place_of(&self, label: usize) -> Pcg64 {
        random(self.seed, u64::MAX - label as u64)
    }

    /// One stroke as this writer's hand draws it, still upright and in the form's units.
    fn line(&self, rng: &mut Pcg64, knots: &[Knot]) -> Vec<Point> {
        let apart = [1.8 * normal(rng), 1.8 * normal(rng)];
        let mut knots = knots.to_vec();
        let mut off = [0.0; 2];
        for knot in &mut knots {
            for axis in 0..2 {
                // Neighbouring points go astray together, or circles become polygons.
                off[axis] = 0.7 * off[axis] + 0.7 * self.wobble * normal(rng);
                knot.at[axis] += apart[axis] + off[axis];
            }
        }
        overshoot(rng, &mut knots);
        let mut line = rounded(&spline(&knots, 2.0), self.roundness as usize);
        let mut drift = [0.0; 2];
        for point in &mut line {
            for axis in 0..2 {
                // A deviation that returns to the line within about ten points.
                drift[axis] = 0.9 * drift[axis] + self.tremor * normal(rng);
                point[axis] += drift[axis];
            }
        }
        line
    }

    /// The height that the writer gives to a form's height.
    fn height(&self, y: f64) -> f64 {
        let x_height = 59.0 * self.x_height;
        match y {
            y if y < 0.0 => y * self.descent,
            y if y < 59.0 => y * self.x_height,
            // The top of ascenders and capitals stays where it is.
            y => x_height + (y - 59.0) * (100.0 - x_height) / 41.0,
        }
    }
}

/// Lengthens or shortens both ends of a stroke a little.
fn overshoot(rng: &mut Pcg64, knots: &mut [Knot]) {
    let n = knots.len();
    for (end, inner) in [(0, 1), (n - 1, n - 2)] {
        let (from, to) = (knots[inner].at, knots[end].at);
        let length = super::pen::distance(from, to).max(1.0);
        let more = (3.0 * normal(rng) / length).clamp(-0.3, 0.3);
        knots[end].at = [0, 1].map(|k| to[k] + more * (to[k] - from[k]));
    }
}

/// A smooth distortion of the plane: a displacement at 3 x 3 places, interpolated.
fn warp(rng: &mut Pcg64, amount: f64) -> impl Fn(Point) -> Point + use<> {
    let shifts: [[Point; 3]; 3] =
        from_fn(|_| from_fn(|_| [amount * normal(rng), amount * normal(rng)]));
    move |[x, y]: Point| {
        let (u, v) = ((x / 80.0).clamp(0.0, 1.0), ((y + 45.0) / 145.0).clamp(0.0, 1.0));
        // Quadratic Bernstein weights, smooth everywhere.
        let weights = |t: f64| [(1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t];
        let (wx, wy) = (weights(u), weights(v));
        let mut moved = [x, y];
        for (row, &wy) in shifts.iter().zip(&wy) {
            for (shift, &wx) in row.iter().zip(&wx) {
                moved[0] += wx * wy * shift[0];
                moved[1] += wx * wy * shift[1];
            }
        }
        moved
    }
}

pub fn bounds(lines: &[Vec<Point>]) -> (Point, Point) {
    let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
    for point in lines.iter().flatten() {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    (low, high)
}

fn choose<'a>(rng: &mut Pcg64, forms: &[(u32, &'a str)]) -> &'a str {
    let total: u32 = forms.iter().map(|&(weight, _)| weight).sum();
    let place = rng.random_range(0..total) as usize;
    let mut people = forms.iter().flat_map(|&(weight, form)| repeat_n(form, weight as usize));
    people.nth(place).unwrap_or_default()
}

/// The stream of random numbers that belongs to a pair of numbers.
pub fn random(seed: u64, number: u64) -> Pcg64 {
    let mut state = [0; 32];
    state[..8].copy_from_slice(&seed.to_le_bytes());
    state[8..16].copy_from_slice(&number.to_le_bytes());
    state[16..24].copy_from_slice(b"pen ink.");
    let mut rng = Pcg64::from_seed(state);
    for _ in 0..4 {
        rng.random::<u64>();
    }
    rng
}

/// About normally distributed, within six deviations: the sum of twelve even numbers,
/// which is the same on every machine.
pub fn normal(rng: &mut Pcg64) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}
