//! Strokes: from a form's text to smooth lines, and from lines to ink.

/// A point in the units of the form, or in pixels.
pub type Point = [f64; 2];

/// A control point of a stroke.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knot {
    pub at: Point,
    pub corner: bool,
}

/// The strokes of a form, as `forms.txt` writes them; none where the text
/// is malformed.
pub fn parse(form: &str) -> Option<Vec<Vec<Knot>>> {
    form.split(';').map(|stroke| knots(stroke.trim())).collect()
}

fn knots(stroke: &str) -> Option<Vec<Knot>> {
    let mut knots = Vec::new();
    for word in stroke.split_whitespace() {
        let numbers = word.trim_start_matches('@').trim_end_matches('!').split(',');
        let numbers: Vec<f64> = numbers.map(|n| n.parse().ok()).collect::<Option<_>>()?;
        match (word.starts_with('@'), numbers.as_slice()) {
            (true, &[x, y, rx, ry, from, to]) => {
                let steps = ((to - from).abs() / 30.0).ceil().max(1.0);
                knots.extend((0..=steps as usize).map(|i| {
                    let angle = (from + (to - from) * i as f64 / steps).to_radians();
                    Knot { at: [x + rx * angle.cos(), y + ry * angle.sin()], corner: false }
                }));
            }
            (false, &[x, y]) => knots.push(Knot { at: [x, y], corner: false }),
            _ => return None,
        }
        knots.last_mut()?.corner |= word.ends_with('!');
    }
    (knots.len() > 1).then_some(knots)
}

/// A smooth line through the knots (Catmull and Rom, 1974), with a point about every
/// `step`; corners stay sharp.
pub fn spline(knots: &[Knot], step: f64) -> Vec<Point> {
    let mut line = Vec::new();
    for (i, pair) in knots.windows(2).enumerate() {
        let (start, end) = (pair[0].at, pair[1].at);
        // Beyond a corner or an end the line goes on straight.
        let before = match i.checked_sub(1) {
            Some(previous) if !pair[0].corner => knots[previous].at,
            _ => mirrored(end, start),
        };
        let after = match knots.get(i + 2) {
            Some(next) if !pair[1].corner => next.at,
            _ => mirrored(start, end),
        };
        let steps = (distance(start, end) / step).ceil().max(1.0) as usize;
        line.extend((0..steps).map(|s| {
            let t = s as f64 / steps as f64;
            catmull_rom([before, start, end, after], t)
        }));
    }
    line.extend(knots.last().map(|knot| knot.at));
    line
}

/// Every point moved to the mean of the line within `reach` points, ends kept: rounds
/// corners.
pub fn rounded(line: &[Point], reach: usize) -> Vec<Point> {
    let last = line.len().saturating_sub(1);
    (0..line.len())
        .map(|i| {
            let reach = reach.min(i).min(last - i);
            let near = &line[i - reach..=i + reach];
            [0, 1].map(|axis| near.iter().map(|p| p[axis]).sum::<f64>() / near.len() as f64)
        })
        .collect()
}

/// What a round pen marks: every pixel within half of `width` of a line. `place` says where a
/// point is on the image, which is row-major, rows downwards; what lies outside it is lost.
pub fn drawn(
    lines: &[Vec<Point>],
    place: impl Fn(Point) -> Point,
    width: f64,
    [columns, rows]: [usize; 2],
) -> Vec<bool> {
    let radius = width / 2.0;
    let mut ink = vec![false; columns * rows];
    let span = |a: f64, b: f64, end: usize| {
        let low = (a.min(b) - radius).floor().max(0.0) as usize;
        let high = (a.max(b) + radius).ceil().max(0.0) as usize;
        low.min(end)..high.min(end)
    };
    for pair in lines.iter().flat_map(|line| line.windows(2)) {
        let (a, b) = (place(pair[0]), place(pair[1]));
        let along = [b[0] - a[0], b[1] - a[1]];
        let length = (along[0] * along[0] + along[1] * along[1]).max(1e-12);
        let across = span(a[0], b[0], columns);
        for y in span(a[1], b[1], rows) {
            let dy = y as f64 + 0.5 - a[1];
            for x in across.clone() {
                let dx = x as f64 + 0.5 - a[0];
                let t = ((dx * along[0] + dy * along[1]) / length).clamp(0.0, 1.0);
                let (ex, ey) = (dx - t * along[0], dy - t * along[1]);
                if ex * ex + ey * ey <= radius * radius {
                    ink[y * columns + x] = true;
                }
            }
        }
    }
    ink
}

fn catmull_rom([a, b, c, d]: [Point; 4], t: f64) -> Point {
    [0, 1].map(|k| {
        let (a, b, c, d) = (a[k], b[k], c[k], d[k]);
        let linear = (c - a) * t;
        let square = (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t;
        let cube = (3.0 * b - a - 3.0 * c + d) * t * t * t;
        b + (linear + square + cube) / 2.0
    })
}

/// The point as far beyond `at` as `from` lies before it.
fn mirrored(from: Point, at: Point) -> Point {
    [2.0 * at[0] - from[0], 2.0 * at[1] - from[1]]
}

pub fn distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}
