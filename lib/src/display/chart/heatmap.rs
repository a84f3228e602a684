//! A confusion matrix as a heat map.

use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::figure::{Figure, Key};
use super::plot::{Drawn, Frame, Plot};
use crate::display::html::{Html, Show};
use crate::display::palette::{BLUE, GRID, INK, VERMILLION};
use crate::eval::ConfusionMatrix;

/// Truth from top to bottom, prediction from left to right. A cell's strength is
/// its share of the truth's images: blue on the diagonal, vermillion off it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    title: String,
    axes: (String, String),
    matrix: ConfusionMatrix,
}

impl ConfusionMatrix {
    /// The heat map under a title that says what it shows.
    pub fn chart(&self, title: impl Into<String>) -> Heatmap {
        let axes = ("truth".to_owned(), "prediction".to_owned());
        Heatmap { title: title.into(), axes, matrix: self.clone() }
    }
}

impl Heatmap {
    /// Other names for rows and columns, e.g. `"given label"`.
    pub fn axes(mut self, rows: impl Into<String>, columns: impl Into<String>) -> Self {
        self.axes = (rows.into(), columns.into());
        self
    }

    fn figure(&self) -> Figure {
        let counts = &self.matrix.counts;
        let (right, total) = (counts.diag().sum(), counts.sum());
        let words = format!(
            "{} by {} for {} classes: {right} of {total} on the diagonal.",
            self.axes.0,
            self.axes.1,
            self.matrix.classes.len()
        );
        let agree = format!("{} and {} agree", self.axes.0, self.axes.1);
        Figure::new(&self.title, words)
            .legend(Key::Patch(BLUE), agree)
            .legend(Key::Patch(VERMILLION), "they differ")
            .wide(self.is_large())
    }

    fn is_large(&self) -> bool {
        self.matrix.classes.len() > 20
    }

    fn draw_cell(&self, plot: &Plot, (t, p): (usize, usize), size: i32) -> Drawn {
        let counts = &self.matrix.counts;
        let (count, support) = (counts[[t, p]], counts.row(t).sum());
        if count == 0 {
            return Ok(());
        }
        let (x, y) = (p as f64, (counts.nrows() - 1 - t) as f64);
        // The root lifts the few and rare errors into sight; above 0.55, ink is hard to read.
        let strength = 0.55 * (count as f64 / support as f64).sqrt().clamp(0.2, 1.0);
        let colour = if t == p { BLUE } else { VERMILLION };
        plot.rectangle((x - 0.5, y + 0.5), (x + 0.5, y - 0.5), colour.mix(strength))?;
        let middle = (HPos::Center, VPos::Center);
        plot.words(&count.to_string(), plot.pixel((x, y)), size, INK, middle)
    }
}

impl Show for Heatmap {
    fn show(&self) -> Html {
        let n = self.matrix.classes.len();
        let mut names = self.matrix.classes.clone();
        let x = Axis::categories(&names);
        names.reverse();
        let y = Axis::categories(&names);
        let mut frame = Frame::new((&self.axes.1, &x), (&self.axes.0, &y));
        frame.grid = (false, false);
        let cell = 800 / n.max(1) as i32;
        let size;
        (frame.width, frame.height, frame.font, size) = match self.is_large() {
            true => (860, 880, 10, (cell * 7 / 10).clamp(5, 9)),
            false => (460, 460, 13, 12),
        };
        let draw = |plot: &mut Plot| {
            for k in 0..=n {
                let at = k as f64 - 0.5;
                plot.line(&[(at, y.low), (at, y.high)], GRID.stroke_width(2))?;
                plot.line(&[(x.low, at), (x.high, at)], GRID.stroke_width(2))?;
            }
            let mut cells = (0..n).flat_map(|t| (0..n).map(move |p| (t, p)));
            cells.try_for_each(|cell| self.draw_cell(plot, cell, size))
        };
        frame.draw(self.figure(), draw).html()
    }
}
