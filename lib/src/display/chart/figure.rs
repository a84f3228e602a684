//! A drawn chart with its title, legend and words: what becomes an [`Html`] block.

use std::fmt::Write as _;

use plotters::style::RGBColor;

use super::svg::finished;
use crate::display::html::{Html, escape};
use crate::display::palette::css;

#[derive(Clone, Debug, Default)]
pub(super) struct Figure {
    title: String,
    /// The text alternative of the chart.
    description: String,
    legend: Vec<(Key, String)>,
    wide: bool,
    svg: String,
}

/// How an entry of the legend is drawn.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Line(RGBColor, &'static str),
    Patch(RGBColor),
    Dot(RGBColor),
    Tick(RGBColor),
}

impl Figure {
    pub fn new(title: &str, description: impl Into<String>) -> Self {
        Self { title: title.to_owned(), description: description.into(), ..Self::default() }
    }

    pub fn legend(mut self, key: Key, words: impl Into<String>) -> Self {
        self.legend.push((key, words.into()));
        self
    }

    /// Whether the figure needs width: if so, it scrolls on a narrow page.
    pub fn wide(mut self, wide: bool) -> Self {
        self.wide = wide;
        self
    }

    /// Takes plotters' SVG, and gives it words and the page's colours.
    pub fn drawn(mut self, svg: String, size: (u32, u32), failure: Option<String>) -> Self {
        if let Some(failure) = failure {
            let words = format!("this chart could not be drawn: {failure}");
            self.svg = format!("<p class=\"g-error\">{}</p>", escape(&words));
            return self;
        }
        self.svg = finished(&svg, size, &self.title, &self.description);
        self
    }

    pub fn html(self) -> Html {
        let class = if self.wide { "g-figure g-wide" } else { "g-figure" };
        let mut body = format!("<figure class=\"{class}\">");
        if !self.title.is_empty() {
            let _ = write!(body, "<figcaption>{}</figcaption>", escape(&self.title));
        }
        if !self.legend.is_empty() {
            let items = self.legend.iter().map(|(key, words)| item(key, words));
            let items: String = items.collect();
            let _ = write!(body, "<div class=\"g-legend\" aria-hidden=\"true\">{items}</div>");
        }
        let _ = write!(body, "<div class=\"g-scroll\" tabindex=\"0\">{}</div></figure>", self.svg);
        let text = format!("{}\n{}", self.title, self.description);
        Html::new(body, text.trim())
    }
}

fn item(key: &Key, words: &str) -> String {
    let sample = match key {
        Key::Line(colour, dash) => format!(
            "<path d=\"M0 24H120\" fill=\"none\" stroke=\"{}\" stroke-width=\"10\" stroke-dasharray=\"{dash}\"/>",
            css(*colour)
        ),
        Key::Patch(colour) => {
            format!("<rect x=\"20\" y=\"4\" width=\"80\" height=\"40\" fill=\"{}\"/>", css(*colour))
        }
        Key::Dot(colour) => {
            format!("<circle cx=\"60\" cy=\"24\" r=\"20\" fill=\"{}\"/>", css(*colour))
        }
        Key::Tick(colour) => {
            format!("<path d=\"M60 2V46\" stroke=\"{}\" stroke-width=\"10\"/>", css(*colour))
        }
    };
    format!("<span><svg viewBox=\"0 0 120 48\">{sample}</svg>{}</span>", escape(words))
}
