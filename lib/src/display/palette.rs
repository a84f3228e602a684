//! The colours, once for light and once for dark pages, and the style sheet.
//!
//! Charts are drawn in the light colours; `chart::svg` then replaces each by its CSS
//! variable, which keeps the light colour for viewers without the style sheet.

use std::fmt::Write as _;
use std::sync::LazyLock;

use plotters::style::RGBColor;

struct Colour {
    name: &'static str,
    light: RGBColor,
    dark: RGBColor,
}

const fn rgb(hex: u32) -> RGBColor {
    RGBColor((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const fn colour(name: &'static str, light: u32, dark: u32) -> Colour {
    Colour { name, light: rgb(light), dark: rgb(dark) }
}

/// The series are Okabe and Ito's colours ("Color universal design", 2008), a
/// little darker on light pages and lighter on dark ones.
const COLOURS: [Colour; 10] = [
    colour("ink", 0x1F2328, 0xE6EDF3),
    colour("muted", 0x59636E, 0xA3ADB8),
    colour("grid", 0xDCE1E6, 0x3A424B),
    colour("paper", 0xFFFFFE, 0x111418),
    colour("blue", 0x0072B2, 0x5BB5E8),
    colour("vermillion", 0xD55E00, 0xFF8B4D),
    colour("green", 0x00896B, 0x3CCBA0),
    colour("purple", 0xB0578D, 0xE5A4C8),
    colour("orange", 0xC98A00, 0xF0BE4A),
    colour("sky", 0x3E97CC, 0xA5D8F6),
];

pub(super) const INK: RGBColor = COLOURS[0].light;
pub(super) const MUTED: RGBColor = COLOURS[1].light;
pub(super) const GRID: RGBColor = COLOURS[2].light;
pub(super) const BLUE: RGBColor = COLOURS[4].light;
pub(super) const VERMILLION: RGBColor = COLOURS[5].light;

const FIRST_SERIES: usize = 4;

/// Lines in ink are those to compare with.
pub(super) const REFERENCE_DASH: &str = "8 12";

/// Dashes go with the colours, so that lines survive greyscale; in units of a chart.
const DASHES: [&str; 6] = ["", "32 16", "8 12", "40 12 8 12", "20 10", "4 8"];

/// The colour of the `i`-th series.
pub(super) fn series_colour(i: usize) -> RGBColor {
    COLOURS[FIRST_SERIES + i % DASHES.len()].light
}

/// The dashes of the `i`-th series' line.
pub(super) fn series_dash(i: usize) -> &'static str {
    DASHES[i % DASHES.len()]
}

/// `var(--g-blue,#0072B2)`
pub(super) fn css(colour: RGBColor) -> String {
    let hex = hex(colour);
    match COLOURS.iter().find(|known| known.light == colour) {
        Some(known) => format!("var(--g-{},{hex})", known.name),
        None => hex,
    }
}

/// Each colour as plotters writes it, and as the page has it.
pub(super) fn colours() -> impl Iterator<Item = (String, String)> {
    let colours = COLOURS.iter().map(|colour| colour.light);
    colours.map(|light| (hex(light), css(light)))
}

/// The colours of dashed lines, with their dashes.
pub(super) fn dashes() -> impl Iterator<Item = (String, &'static str)> {
    let series = (0..DASHES.len()).map(|i| (hex(series_colour(i)), series_dash(i)));
    let dashed = series.filter(|(_, dash)| !dash.is_empty());
    dashed.chain([(hex(INK), REFERENCE_DASH)])
}

/// The style sheet of every block, for pages that want it once in their head.
///
/// Light or dark follows the `color-scheme` that the page declares, and JupyterLab's theme.
pub fn stylesheet() -> &'static str {
    static SHEET: LazyLock<String> = LazyLock::new(|| {
        let mut sheet = String::from(".glyphs{");
        for Colour { name, light, dark } in &COLOURS {
            let (light, dark) = (hex(*light), hex(*dark));
            let _ = write!(sheet, "--g-{name}:light-dark({light},{dark});");
        }
        sheet.push_str("}\n");
        sheet.push_str(include_str!("style.css"));
        sheet
    });
    &SHEET
}

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}
