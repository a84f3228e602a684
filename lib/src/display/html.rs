//! [`Html`]: a block of a notebook's page, with its words for a terminal.

use std::fmt::Write as _;

use crate::Result;
use crate::data::Provenance;

use super::palette::stylesheet;
use crate::numbers::format_counted;

/// A block of HTML and the same in plain text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Html {
    /// Inner markup, without the style sheet.
    body: String,
    text: String,
}

/// A value with its own display.
pub trait Show {
    fn show(&self) -> Html;

    /// Called by evcxr on the last expression of a cell.
    fn evcxr_display(&self) {
        self.show().print();
    }
}

/// Blocks below each other.
pub fn stack(blocks: &[&dyn Show]) -> Html {
    joined("g-stack", blocks)
}

/// Blocks side by side if there is room, else below each other.
pub fn row(blocks: &[&dyn Show]) -> Html {
    joined("g-row", blocks)
}

/// A paragraph; text between backticks is code.
pub fn note(words: &str) -> Html {
    let parts: Vec<String> = escape(words)
        .split('`')
        .enumerate()
        .map(|(i, part)| match i % 2 {
            0 => part.to_owned(),
            _ => format!("<code>{part}</code>"),
        })
        .collect();
    Html::new(format!("<p class=\"g-note\">{}</p>", parts.concat()), words)
}

impl Html {
    /// Of markup without scripts or outside references, and the same in plain text.
    pub fn new(body: impl Into<String>, text: impl Into<String>) -> Self {
        Self { body: body.into(), text: text.into() }
    }

    /// The whole block with its style sheet: what goes into a page.
    pub fn html(&self) -> String {
        format!("<div class=\"glyphs\"><style>{}</style>\n{}\n</div>", stylesheet(), self.body)
    }

    pub(super) fn body(&self) -> &str {
        &self.body
    }

    /// For a terminal.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Prints both for evcxr; a front end takes the richest that it can show.
    fn print(&self) {
        for (kind, content) in [("html", &self.html()), ("plain", &self.text)] {
            println!("EVCXR_BEGIN_CONTENT text/{kind}\n{content}\nEVCXR_END_CONTENT");
        }
    }
}

impl Show for Html {
    fn show(&self) -> Html {
        self.clone()
    }
}

/// An error is shown with its remedy.
impl<T: Show> Show for Result<T> {
    fn show(&self) -> Html {
        match self {
            Ok(value) => value.show(),
            Err(error) => {
                let words = format!("error: {error}");
                Html::new(format!("<p class=\"g-error\">{}</p>", escape(&words)), words)
            }
        }
    }
}

/// One line: which data, how much of it, and whether it is a stand-in.
impl Show for Provenance {
    fn show(&self) -> Html {
        let hash: String = self.sha256.chars().take(12).collect();
        let mut words = format!("{}, {}", self.name, format_counted(self.count, "image"));
        if !self.source.is_empty() {
            let _ = write!(words, ", from {}", self.source);
        }
        if !hash.is_empty() {
            let _ = write!(words, ", sha256 {hash}…");
        }
        let (badge, mark) = if self.synthetic {
            let badge = "<strong class=\"g-badge\">STAND-IN</strong> not the real data: ";
            (badge, "[STAND-IN] not the real data: ")
        } else {
            ("Data: ", "data: ")
        };
        let body = format!("<p class=\"g-provenance\">{badge}{}</p>", escape(&words));
        Html::new(body, format!("{mark}{words}"))
    }
}

fn joined(class: &str, blocks: &[&dyn Show]) -> Html {
    let blocks: Vec<Html> = blocks.iter().map(|block| block.show()).collect();
    let texts: Vec<&str> = blocks.iter().map(Html::text).collect();
    let bodies = blocks.iter().map(|block| format!("<div>{}</div>", block.body));
    let bodies = bodies.collect::<Vec<_>>().concat();
    Html::new(format!("<div class=\"{class}\">{bodies}</div>"), texts.join("\n\n"))
}

/// Text escaped for HTML, attributes included.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
        // No line ends between a number and its sign.
        .replace(" %", "\u{a0}%")
}
