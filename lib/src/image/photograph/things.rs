//! What lies on paper and is no ink: punch holes, hairs, pens.

use super::super::specks::Mark;

/// Without punch holes, hairs, and what else is much thicker or thinner than the strokes of a pen.
pub(super) fn without_things(marks: Vec<Mark>, width: usize, height: usize) -> Vec<Mark> {
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
