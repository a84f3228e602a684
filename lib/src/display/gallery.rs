//! Galleries: images, with what the network read in them.

use std::fmt::Write as _;

use crate::data::Samples;
use crate::eval::{ConfusedPair, Evaluation, MostConfused};
use crate::numbers::format_counted;

use super::html::{Html, Show, escape};
use super::picture::Picture;
use super::table::Table;

const ZOOM: usize = 3;
/// As many pairs that are confused equally often are named in a title.
const NAMED: usize = 4;
/// A picture of more pixels takes the room of two images.
const WIDE: usize = 2 * 28 * ZOOM;

/// Captioned images in a responsive grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    title: String,
    tiles: Vec<Tile>,
}

/// One or more pictures that belong together, with a caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    pub pictures: Vec<Picture>,
    /// First line of the caption, and with the tile's place the alternative text of the pictures.
    pub caption: String,
    /// A second line, less prominent; may be empty.
    pub detail: String,
}

impl Tile {
    pub fn new(picture: Picture, caption: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pictures: vec![picture], caption: caption.into(), detail: detail.into() }
    }

    /// Adds a picture on the right, e.g. what became of the first.
    pub fn then(mut self, picture: Picture) -> Self {
        self.pictures.push(picture);
        self
    }
}

impl Gallery {
    pub fn new(title: impl Into<String>, tiles: impl IntoIterator<Item = Tile>) -> Self {
        Self { title: title.into(), tiles: tiles.into_iter().collect() }
    }
}

impl Show for Gallery {
    fn show(&self) -> Html {
        let widths = self.tiles.iter().map(|Tile { pictures, .. }| {
            let widest = pictures.iter().map(Picture::width).max().unwrap_or(0);
            // Pictures that belong together stand beside each other.
            if pictures.len() > 1 { widest.max(WIDE + 1) } else { widest }
        });
        let class = match widths.max().unwrap_or(0) {
            width if width > 2 * WIDE => "g-gallery g-strips",
            width if width > WIDE => "g-gallery g-pairs",
            _ => "g-gallery",
        };
        let mut body = match self.title.as_str() {
            "" => String::new(),
            title => format!("<p class=\"g-heading\">{}</p>", escape(title)),
        };
        let _ = write!(body, "<div class=\"{class}\">");
        let mut text = self.title.clone();
        for (Tile { pictures, caption, detail }, rank) in self.tiles.iter().zip(1..) {
            // Two tiles may have the same caption: their places tell them apart.
            let place = match self.tiles.len() {
                1 => String::new(),
                all => format!("{rank} of {all}: "),
            };
            let words = |i: usize| match (pictures.len(), detail.as_str()) {
                (1, "") => format!("{place}{caption}"),
                (1, detail) => format!("{place}{caption}, {detail}"),
                (count, _) => format!("{place}{caption}, picture {} of {count}", i + 1),
            };
            let images = pictures.iter().enumerate();
            let images: String = images.map(|(i, picture)| picture.html(&words(i))).collect();
            let _ = write!(
                body,
                "<figure class=\"g-tile\"><div class=\"g-pictures\">{images}</div>\
                 <figcaption>{}<span>{}</span></figcaption></figure>",
                escape(caption),
                escape(detail)
            );
            let _ = write!(text, "\n  {caption}  {detail}");
        }
        body.push_str("</div>");
        Html::new(body, text)
    }
}

impl Evaluation {
    /// The `n` mistakes made with the most confidence, with their images.
    /// `samples` are those that were evaluated.
    pub fn mistake_gallery(&self, samples: &Samples, n: usize) -> Gallery {
        let mistakes = self.mistakes();
        let all = format!(
            "{} in {}",
            format_counted(mistakes.len(), "mistake"),
            format_counted(self.len(), "image")
        );
        let title = match n {
            n if n < mistakes.len() => format!("The {n} most confident of {all}"),
            _ => all,
        };
        let known = mistakes.iter().take(n).filter(|m| m.index < samples.len());
        let zoom = Picture::zoom(samples.image_shape()[1], ZOOM);
        let tiles = known.map(|mistake| {
            let picture = Picture::new(samples.image(mistake.index), zoom);
            let caption = format!("{} read as {}", mistake.truth, mistake.prediction);
            let (confidence, truth) = (mistake.confidence, mistake.truth_probability);
            let detail =
                format!("confidence {:.0} %, truth {:.0} %", 100.0 * confidence, 100.0 * truth);
            Tile::new(picture, caption, detail)
        });
        Gallery::new(title, tiles)
    }
}

impl MostConfused {
    /// The table with up to `n` images of each pair. `samples` are those that were evaluated.
    pub fn gallery(&self, samples: &Samples, n: usize) -> Table {
        let zoom = Picture::zoom(samples.image_shape()[1], 2);
        let columns = ["truth", "read as", "times", "of", "images"];
        let rows = self.0.iter().map(|pair| {
            let known = pair.indices.iter().filter(|&&i| i < samples.len());
            let shown: Vec<usize> = known.take(n).copied().collect();
            let words = format!(
                "{} of {} read as {}",
                format_counted(shown.len(), "image"),
                pair.truth,
                pair.prediction
            );
            let images = shown.into_iter().map(|i| samples.image(i));
            let strip = Picture::strip(images, zoom).html(&words);
            [
                pair.truth.as_str().into(),
                pair.prediction.as_str().into(),
                pair.count.into(),
                pair.support.into(),
                Html::new(strip, "").into(),
            ]
        });
        Table::new(self.title(), columns).rows(rows)
    }

    /// What is confused most often.
    fn title(&self) -> String {
        let Some(first) = self.0.first() else {
            return "No confusions".into();
        };
        let often = match first.count {
            1 => "once".into(),
            2 => "twice".into(),
            count => format!("{count} times"),
        };
        let equals = self.0.iter().filter(|pair| pair.count == first.count);
        let equals =
            equals.map(|ConfusedPair { truth, prediction, .. }| format!("{truth} as {prediction}"));
        match equals.collect::<Vec<_>>().as_slice() {
            [one] => {
                format!("Confused most often: {one}, {} of {} times", first.count, first.support)
            }
            several if first.count > 1 && several.len() <= NAMED => {
                format!("Confused most often, {often} each: {}", several.join(", "))
            }
            _ => format!("No pair is confused more than {often}"),
        }
    }
}
