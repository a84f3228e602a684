//! Photographs, and what preprocessing makes of them.

use super::evaluation::range;
use super::gallery::{Gallery, Tile};
use super::html::{Html, Show, stack};
use super::picture::Picture;
use super::table::{Table, number};
use crate::data::handwritten::Photo;
use crate::data::{Handwritten, Samples};
use crate::image::{InkStatistics, Preprocess};
use crate::{Error, Result};

/// Longer side of a thumbnail, in pixels.
const THUMBNAIL: u32 = 120;

/// Counts and provenance.
impl Show for Handwritten {
    fn show(&self) -> Html {
        let mut writers: Vec<u16> = self.photos.iter().map(|photo| photo.writer).collect();
        writers.sort_unstable();
        writers.dedup();
        let table = Table::new("Photographs of handwritten characters", ["", ""])
            .row(["photographs".into(), self.len().into()])
            .row(["classes".into(), self.classes.concat().into()])
            .row([
                "photographs of each class".into(),
                range(&self.counts()).into(),
            ])
            .row(["writers".into(), writers.len().into()]);
        stack(&[&table, &self.provenance])
    }
}

impl Handwritten {
    /// A photograph of each class, small, every one by another writer where possible.
    pub fn sheet(&self) -> Result<Gallery> {
        let tiles = self.one_of_each_class().into_iter().map(|index| {
            let photo = &self.photos[index];
            let writer = format!("writer {}", photo.writer);
            Ok(Tile::new(
                thumbnail(photo)?,
                &self.classes[photo.label],
                writer,
            ))
        });
        Ok(Gallery::new(
            "One photograph of each class",
            tiles.collect::<Result<Vec<_>>>()?,
        ))
    }

    /// `n` photographs, each followed by what the ways of preprocessing make of it.
    pub fn before_and_after(&self, ways: &[Preprocess], n: usize) -> Result<Gallery> {
        let step = (self.len() / n.max(1)).max(1);
        let shown: Vec<usize> = (0..self.len()).step_by(step).take(n).collect();
        let part = self.select(&shown);
        let made = ways
            .iter()
            .map(|way| part.preprocess(way))
            .collect::<Result<Vec<_>>>()?;
        let tiles = part.photos.iter().enumerate().map(|(i, photo)| {
            let tile = Tile::new(
                thumbnail(photo)?,
                &part.classes[photo.label],
                format!("writer {}", photo.writer),
            );
            Ok(made.iter().fold(tile, |tile, samples| {
                let zoom = Picture::zoom(samples.image_shape()[1], 3);
                tile.then(Picture::new(samples.image(i), zoom))
            }))
        });
        let names: Vec<&str> = ways.iter().map(Preprocess::name).collect();
        let title = format!("Photograph, then {}", names.join(", "));
        Ok(Gallery::new(title, tiles.collect::<Result<Vec<_>>>()?))
    }

    fn one_of_each_class(&self) -> Vec<usize> {
        (0..self.classes.len())
            .filter_map(|class| {
                let all: Vec<usize> = (0..self.len())
                    .filter(|&i| self.photos[i].label == class)
                    .collect();
                all.get(class % all.len().max(1)).copied()
            })
            .collect()
    }
}

fn thumbnail(photo: &Photo) -> Result<Picture> {
    let image = ::image::load_from_memory(&photo.bytes).map_err(|error| {
        Error::content(
            &photo.name,
            format!("cannot be decoded ({error})"),
            "unpack the archive anew",
        )
    })?;
    Ok(Picture::photo(&image, THUMBNAIL))
}

/// Means over all classes of how much ink there is, for several ways side by side.
pub fn ink_table(ways: &[(&str, &Samples)]) -> Table {
    let rows = ways.iter().map(|(name, samples)| {
        let classes = InkStatistics::by_class(samples);
        let mean = |value: fn(&InkStatistics) -> f64| {
            classes.iter().map(value).sum::<f64>() / classes.len().max(1) as f64
        };
        [
            (*name).into(),
            number(100.0 * mean(|class| class.ink_share), 1),
            number(mean(|class| class.stroke_width), 2),
            number(mean(|class| class.height), 1),
            number(mean(|class| class.width), 1),
        ]
    });
    let size = ways
        .first()
        .map_or([0; 3], |(_, samples)| samples.image_shape());
    Table::new(
        format!(
            "Ink in the {} × {} images, means over the classes",
            size[1], size[2]
        ),
        [
            "",
            "ink (% of full)",
            "stroke width (pixels)",
            "height (pixels)",
            "width (pixels)",
        ],
    )
    .rows(rows)
}
