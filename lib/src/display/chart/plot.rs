//! The plotting area that all charts share: grid, ticks, axis names.

use std::io;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Scale;
use super::figure::Figure;
use super::svg::FONT;
use crate::display::palette::{GRID, INK, MUTED};

/// plotters places things at whole numbers; four of them make one pixel of a chart.
pub(super) const UNIT: i32 = 4;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;
type Context<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Size of a chart and what is written around it, in pixels.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    pub width: i32,
    pub height: i32,
    pub x: (&'a str, &'a Scale),
    pub y: (&'a str, &'a Scale),
    /// Grid lines at the ticks of x, of y.
    pub grid: (bool, bool),
    /// Size of the tick labels.
    pub font: i32,
}

/// What a chart draws on, in the positions of its scales.
pub(super) struct Plot<'a, 'b> {
    context: Context<'a, 'b>,
    root: &'a Area<'b>,
}

impl<'a> Frame<'a> {
    pub fn new(x: (&'a str, &'a Scale), y: (&'a str, &'a Scale)) -> Self {
        Self { width: 460, height: 290, x, y, grid: (false, true), font: 13 }
    }

    /// Draws the frame, then the chart in it. The result is the SVG of `figure`.
    pub fn draw(&self, figure: Figure, draw: impl FnOnce(&mut Plot) -> Drawn) -> Figure {
        let mut svg = String::new();
        let size = ((self.width * UNIT) as u32, (self.height * UNIT) as u32);
        let done = {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            self.draw_on(&root, draw).and_then(|()| root.present())
        };
        figure.drawn(svg, size, done.err().map(|e| e.to_string()))
    }

    /// What the longest label of y takes: letters are a little more than half as wide as high,
    /// and one alone may be a W.
    pub fn left(&self) -> i32 {
        (self.y.1.longest_label() as i32 * self.font * 58 / 100).max(self.font) + 8
    }

    fn draw_on(&self, root: &Area, draw: impl FnOnce(&mut Plot) -> Drawn) -> Drawn {
        let (x, y) = (self.x.1, self.y.1);
        let left = self.left().min(self.width * 3 / 5);
        let top = if self.y.0.is_empty() { self.font / 2 + 2 } else { self.font + 15 };
        // The last number may stand at the very end.
        let right = (x.longest_label() as i32 * self.font * 3 / 10 + 2).clamp(14, 40);
        let bottom = self.font + 11 + if self.x.0.is_empty() { 0 } else { self.font + 8 };
        let context = ChartBuilder::on(root)
            .margin_top(top * UNIT)
            .margin_right(right * UNIT)
            .margin_bottom(bottom * UNIT)
            .margin_left(left * UNIT)
            .build_cartesian_2d(x.low..x.high, y.low..y.high)?;
        let mut plot = Plot { context, root };
        self.draw_mesh(&plot)?;
        draw(&mut plot)
    }

    fn draw_mesh(&self, plot: &Plot) -> Drawn {
        let (x, y) = (self.x.1, self.y.1);
        let ((left, base), (right, _)) = (plot.pixel((x.low, y.low)), plot.pixel((x.high, y.low)));
        let line =
            |from, to, colour: RGBColor| plot.line(&[from, to], colour.stroke_width(UNIT as u32));
        let label = |words, at, anchor| plot.words(words, at, self.font, MUTED, anchor);
        let name = |words, at, anchor| plot.words(words, at, self.font, INK, anchor);
        for (at, words) in &x.ticks {
            if self.grid.0 {
                line((*at, y.low), (*at, y.high), GRID)?;
            }
            let below = (plot.pixel((*at, y.low)).0, base + 7 * UNIT);
            label(words, below, (HPos::Center, VPos::Top))?;
        }
        for (at, words) in &y.ticks {
            if self.grid.1 {
                line((x.low, *at), (x.high, *at), GRID)?;
            }
            let beside = (left - 6 * UNIT, plot.pixel((x.low, *at)).1);
            label(words, beside, (HPos::Right, VPos::Center))?;
        }
        if self.grid.1 {
            line((x.low, y.low), (x.high, y.low), MUTED)?;
        }
        let end = (right, (self.height - 3) * UNIT);
        name(self.x.0, end, (HPos::Right, VPos::Bottom))?;
        name(self.y.0, (0, 2 * UNIT), (HPos::Left, VPos::Top))
    }
}

impl Plot<'_, '_> {
    pub fn pixel(&self, at: (f64, f64)) -> (i32, i32) {
        self.context.backend_coord(&at)
    }

    pub fn line(&self, points: &[(f64, f64)], style: impl Into<ShapeStyle>) -> Drawn {
        let pixels: Vec<(i32, i32)> = points.iter().map(|&at| self.pixel(at)).collect();
        self.root.draw(&PathElement::new(pixels, style))
    }

    pub fn area(&self, outline: &[(f64, f64)], colour: RGBAColor) -> Drawn {
        let pixels: Vec<(i32, i32)> = outline.iter().map(|&at| self.pixel(at)).collect();
        self.root.draw(&Polygon::new(pixels, colour))
    }

    pub fn rectangle(&self, a: (f64, f64), b: (f64, f64), colour: RGBAColor) -> Drawn {
        let corners = [self.pixel(a), self.pixel(b)];
        self.root.draw(&Rectangle::new(corners, colour.filled()))
    }

    /// `radius` in pixels of the chart.
    pub fn dot(&self, at: (f64, f64), radius: f64, colour: RGBAColor) -> Drawn {
        let radius = (radius * f64::from(UNIT)) as i32;
        self.root.draw(&Circle::new(self.pixel(at), radius, colour.filled()))
    }

    /// Words at a pixel, `size` in pixels of the chart.
    pub fn words(
        &self,
        words: &str,
        pixel: (i32, i32),
        size: i32,
        colour: RGBColor,
        (h, v): (HPos, VPos),
    ) -> Drawn {
        if words.is_empty() {
            return Ok(());
        }
        // The SVG backend divides sizes by 1.24.
        let size = f64::from(size * UNIT) * 1.24;
        let style = (FONT, size).into_font().color(&colour).pos(Pos::new(h, v));
        self.root.draw(&Text::new(words.to_owned(), pixel, style))
    }
}
