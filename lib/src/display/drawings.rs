//! Drawings, and what preprocessing makes of them.

use super::evaluation::range;
use super::gallery::{Gallery, Tile};
use super::html::{Html, Show, stack};
use super::picture::Picture;
use super::table::{Cell, Table};
use super::{format_count, format_counted};
use crate::data::Handwritten;
use crate::data::handwritten::Drawing;
use crate::image::Preprocess;
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
        let table = Table::new(title, ["", ""])
            .row(["drawings".into(), self.len().into()])
            .row(["classes".into(), self.classes.concat().into()])
            .row(["drawings of each class".into(), Cell::Value(range(&self.counts()), None)])
            .row(["writers".into(), writers.len().into()]);
        stack(&[&table, &self.provenance])
    }
}

impl Handwritten {
    /// One small drawing of each class, by different writers where possible.
    pub fn sheet(&self) -> Result<Gallery> {
        let drawings = self.one_of_each_class().into_iter();
        let tiles = drawings.map(|index| self.tile(&self.drawings[index]));
        let tiles = tiles.collect::<Result<Vec<_>>>()?;
        Ok(Gallery::new("One drawing of each class", tiles))
    }

    fn tile(&self, drawing: &Drawing) -> Result<Tile> {
        let image = ::image::load_from_memory(&drawing.bytes).map_err(|error| {
            let problem = format!("cannot be decoded ({error})");
            Error::content(&drawing.name, problem, "unpack the archive again")
        })?;
        let writer = format!("writer {}", drawing.writer);
        Ok(Tile::new(Picture::scaled(&image, THUMBNAIL), &self.classes[drawing.label], writer))
    }

    /// `n` drawings, each followed by what each way of preprocessing makes of it. The title gives
    /// the mean brightness of the results, which is the share of ink.
    pub fn before_and_after(&self, ways: &[Preprocess], n: usize) -> Result<Gallery> {
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
        let named = ways.iter().zip(&made).map(|(way, samples)| {
            let ink = samples.images.mapv(f64::from).mean().unwrap_or_default() / 2.55;
            format!("{} (ink {ink:.0} %)", way.name().replace('-', " "))
        });
        let named: Vec<String> = named.collect();
        let title = format!("Drawing, then {}", named.join(", "));
        Ok(Gallery::new(title, tiles.collect::<Result<Vec<_>>>()?))
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
