//! Drawings, and what preprocessing makes of them.

use std::collections::BTreeSet;
use std::path::Path;

use super::evaluation::range;
use super::gallery::{Gallery, Tile};
use super::html::{Html, Show, note, stack};
use super::picture::Picture;
use super::table::{Cell, Table};
use super::{format_count, format_counted};
use crate::data::Handwritten;
use crate::data::decode::decode_grey;
use crate::data::handwritten::Drawing;
use crate::image::{Ink, Preprocess};
use crate::{Error, Result};

/// Longer side of a thumbnail, in pixels.
const THUMBNAIL: u32 = 120;

/// Counts and provenance.
impl Show for Handwritten {
    fn show(&self) -> Html {
        let mut writers: Vec<u16> = self.drawings.iter().map(|drawing| drawing.writer).collect();
        writers.sort_unstable();
        writers.dedup();
        let title = format!(
            "{} drawings of {} by {}",
            format_count(self.len()),
            format_counted(self.classes.len(), "character"),
            format_counted(writers.len(), "writer")
        );
        let of_writer = |writer: &u16| {
            let drawings = self.drawings.iter();
            drawings.filter(|drawing| drawing.writer == *writer).count()
        };
        let of_each: Vec<usize> = writers.iter().map(of_writer).collect();
        let table = Table::new(title, ["property", "value"])
            .row(["drawings".into(), self.len().into()])
            .row(["classes".into(), self.classes.concat().into()])
            .row(["drawings of each class".into(), Cell::Value(range(&self.counts()), None)])
            .row(["writers".into(), writers.len().into()])
            .row(["drawings of each writer".into(), Cell::Value(range(&of_each), None)]);
        stack(&[&table, &self.provenance])
    }
}

impl Handwritten {
    /// One small drawing of each class, by different writers where possible; and how much of its
    /// sheet's height the lowest takes up, and the tallest.
    pub fn sheet(&self) -> Result<Html> {
        let drawings = self.one_of_each_class().into_iter().map(|index| &self.drawings[index]);
        let drawings: Vec<&Drawing> = drawings.collect();
        let writers: BTreeSet<u16> = drawings.iter().map(|drawing| drawing.writer).collect();
        let title =
            format!("One drawing of each class, by {}", format_counted(writers.len(), "writer"));
        let tiles = drawings.iter().map(|drawing| self.tile(drawing));
        let gallery = Gallery::new(title, tiles.collect::<Result<Vec<_>>>()?);
        let mut heights = Vec::new();
        for drawing in drawings {
            let sheet = decode_grey(Path::new(&drawing.name), &drawing.bytes)?;
            let of_sheet = 100.0 / sheet.height as f64;
            if let Some(ink) = Ink::of(sheet).bounds() {
                heights.push((of_sheet * ink.height as f64, &self.classes[drawing.label]));
            }
        }
        heights.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (Some((low, lowest)), Some((high, tallest))) = (heights.first(), heights.last()) else {
            return Ok(gallery.show());
        };
        let words = format!(
            "The lowest of these characters, “{lowest}”, takes up {low:.0} % of the height of its \
             sheet, the tallest, “{tallest}”, {high:.0} %."
        );
        Ok(stack(&[&gallery, &note(&words)]))
    }

    fn tile(&self, drawing: &Drawing) -> Result<Tile> {
        let image = ::image::load_from_memory(&drawing.bytes).map_err(|error| {
            let problem = format!("cannot be decoded ({error})");
            Error::content(&drawing.name, problem, "unpack the archive again")
        })?;
        let writer = format!("writer {}", drawing.writer);
        Ok(Tile::new(Picture::scaled(&image, THUMBNAIL), &self.classes[drawing.label], writer))
    }

    /// `n` drawings, each followed by what each way of preprocessing makes of it, and how large that
    /// is: the mean brightness is the share of ink.
    pub fn before_and_after(&self, ways: &[Preprocess], n: usize) -> Result<Html> {
        let step = (self.len() / n.max(1)).max(1);
        let shown: Vec<usize> = (0..self.len()).step_by(step).take(n).collect();
        let part = self.select(&shown);
        let made = ways.iter().map(|way| part.preprocess(way));
        let made = made.collect::<Result<Vec<_>>>()?;
        let tiles = part.drawings.iter().enumerate().map(|(i, drawing)| {
            Ok(made.iter().fold(part.tile(drawing)?, |tile, samples| {
                let zoom = Picture::zoom(samples.image_shape()[1], 3);
                tile.then(Picture::new(samples.image(i), zoom))
            }))
        });
        let tiles = tiles.collect::<Result<Vec<_>>>()?;
        let inks = ways.iter().zip(&made).map(|(way, samples)| {
            let ink = samples.images.mapv(f64::from).mean().unwrap_or_default() / 2.55;
            (way.name().replace('-', " "), ink)
        });
        let mut inks: Vec<(String, f64)> = inks.collect();
        let names: Vec<&str> = inks.iter().map(|(name, _)| name.as_str()).collect();
        let gallery = Gallery::new(format!("Drawing, then {}", names.join(", ")), tiles);
        inks.sort_by(|a, b| b.1.total_cmp(&a.1));
        let Some(((most, ink), others)) = inks.split_first() else {
            return Ok(gallery.show());
        };
        let mut words = format!(
            "The characters are largest after “{most}”: ink covers {ink:.0} % of these images"
        );
        for ((name, ink), i) in others.iter().zip(0..) {
            let against = if i == 0 { ", against" } else { " and" };
            words += &format!("{against} {ink:.0} % after “{name}”");
        }
        Ok(stack(&[&gallery, &note(&(words + "."))]))
    }

    fn one_of_each_class(&self) -> Vec<usize> {
        let of_class = |class: usize| {
            let labels = self.drawings.iter().enumerate();
            let all = labels.filter(|(_, drawing)| drawing.label == class);
            let all: Vec<usize> = all.map(|(i, _)| i).collect();
            all.get(class % all.len().max(1)).copied()
        };
        (0..self.classes.len()).filter_map(of_class).collect()
    }
}
