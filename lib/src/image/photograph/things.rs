//! What lies on paper and is no ink: frames, dirt, punch holes, hairs, pens.

use super::ruling::without_ruling;
use crate::image::specks::Mark;

/// The largest mark, and the others that may belong to it: not what lies along the image's border,
/// as a scanner's frame or the edge of the paper does, nor dirt, nor, where the largest lies clear
/// of the border, what is cut off by it, as a neighbour's stroke is.
pub(super) fn without_dirt(marks: Vec<Mark>, width: usize, height: usize) -> Vec<Mark> {
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

/// Without punch holes, hairs, and what else is much thicker or thinner than the strokes of a pen.
fn without_things(marks: Vec<Mark>, width: usize, height: usize) -> Vec<Mark> {
    let side = width.max(height);
    let is_clear = |mark: &Mark| mark.is_clear(width, height);
    let is_line = |mark: &Mark| {
        let [height, width] = mark.extents();
        8 * height.min(width) < height.max(width)
    };
    let stroke = |mark: &Mark| mark.stroke_width(width);
    // A hole is wider than two strokes, or lies beside or below them, where no dot does.
    let (discs, others): (Vec<Mark>, Vec<Mark>) =
        marks.into_iter().partition(|mark| mark.is_disc(width));
    let main = others.iter().max_by_key(|mark| mark.longest());
    let is_dot = |disc: &Mark| {
        main.is_some_and(|main| {
            let size = disc.longest();
            let is_above = disc.columns[0] < main.columns[1] + size
                && main.columns[0] < disc.columns[1] + size;
            is_above
                && (size as f32) < 2.0 * stroke(main)
                && disc.rows[1] < main.rows[0] + main.extents()[0] / 3
        })
    };
    let dots: Vec<Mark> = discs.into_iter().filter(is_dot).collect();
    let marks = others.into_iter().chain(dots);
    let mut marks: Vec<(f32, Mark)> = marks.map(|mark| (stroke(&mark), mark)).collect();
    // A pen or a ruler is thicker than what was written beside it; a hair is thinner still.
    let is_written = |mark: &Mark, stroke: f32| {
        is_clear(mark)
            && 10 * mark.longest() > width.min(height)
            && 230.0 * stroke > side as f32
            && !mark.is_box(width)
            && !is_line(mark)
    };
    let written = marks.iter().filter(|(stroke, mark)| is_written(mark, *stroke));
    let thinnest = written.min_by(|(one, _), (other, _)| one.total_cmp(other));
    if let Some((pen, enough)) = thinnest.map(|(pen, mark)| (*pen, 12 * mark.blocks.len())) {
        marks.retain(|(stroke, mark)| {
            let most = if is_clear(mark) { 2.5 } else { 1.5 };
            *stroke < most * pen || 50.0 * stroke < side as f32 || mark.blocks.len() > enough
        });
    }
    let main = marks.iter().max_by_key(|(_, mark)| mark.blocks.len());
    let main = main.map_or(0.0, |(stroke, _)| *stroke);
    marks.retain(|(stroke, mark)| 2.5 * stroke > main || 20 * mark.longest() < side);
    marks.into_iter().map(|(_, mark)| mark).collect()
}
