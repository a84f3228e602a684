//! plotters' SVG as the page has it: with a text alternative, the page's colours and
//! dashed lines. plotters writes none of these, so its text is edited; a golden picture
//! (`lib/tests/display/`) shows when it writes another one.

use super::plot::UNIT;
use crate::display::html::escape;
use crate::display::palette::{colours, dashes};

/// Fonts that every system has; nothing is fetched.
pub const FONT: &str = "system-ui, sans-serif";

/// `svg` with a title and a description, `size` being width and height of its drawing. The
/// style sheet is told the width at which text has its full size.
pub fn finished(svg: &str, size: (u32, u32), title: &str, description: &str) -> String {
    let inner = svg.split_once('>').map_or("", |(_, inner)| inner);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" style=\"--g-width:{}px\" role=\"img\" font-family=\"{FONT}\">\
         <title>{}</title><desc>{}</desc>{}",
        size.0,
        size.1,
        size.0 / UNIT as u32,
        escape(title),
        escape(description),
        themed(inner).replace(&format!(" font-family=\"{FONT}\""), "")
    )
}

/// With CSS variables for the palette's colours, and dashes on opaque lines.
fn themed(svg: &str) -> String {
    let mut themed = svg.to_owned();
    for (colour, dash) in dashes() {
        let line = format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\"");
        themed = themed.replace(&line, &format!("{line} stroke-dasharray=\"{dash}\""));
    }
    for (colour, variable) in colours() {
        themed = themed.replace(&format!("\"{colour}\""), &format!("\"{variable}\""));
    }
    themed
}
