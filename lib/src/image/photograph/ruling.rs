//! The lines of ruled and squared paper.

use super::super::specks::Mark;

/// Without the lines of ruled or squared paper: three or more that go from border to border and touch
/// nothing, or what meets all four borders three times each and is spread evenly.
pub(super) fn without_ruling(mut marks: Vec<Mark>, width: usize, height: usize) -> Vec<Mark> {
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
pub(super) fn squares(mark: &Mark, width: usize, height: usize) -> Option<bool> {
    // A line may lie on the border itself: a little further in it crosses others.
    let (right, low, aside, below) = (width - 1, height - 1, width / 20, height / 20);
    let [down, across] = mark.extents();
    if down + 2 * below < height || across + 2 * aside < width {
        return None;
    }
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
pub(super) fn wipe_ruling(found: &mut [bool], width: usize, height: usize) {
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
