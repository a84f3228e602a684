//! Tables: numbers to the right with the same digits, a bar in a cell where that helps.

use std::fmt::Write as _;

use polars::prelude::{Column, DataFrame};

use super::html::{Html, Show, escape};
use crate::Result;
use crate::dataframe::dataframe;
use crate::eval::statistics::Estimate;
use crate::numbers::{format_count, format_number};

/// A table, built row by row.
///
/// ```
/// use glyphs::display::{Show, Table, bar, number};
/// let table = Table::new("Time of each part", ["part", "seconds", "share"])
///     .row([1.into(), number(318.2, 1), bar(0.62)])
///     .row([2.into(), number(195.0, 1), bar(0.38)]);
/// assert!(table.show().text().contains("318.2"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    caption: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    total: bool,
}

/// Text of more characters is kept from being squeezed on a narrow page.
const LONG: usize = 28;

/// A cell: text or an [`Html`] block to the left, a number to the right.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Text(String),
    /// A number as it is written, and its value, if there is one.
    Value(String, Option<f64>),
    /// A number with a bar of this length, 0 to 1.
    Bar(String, f64),
    Block(Html),
}

/// With this many decimals and commas at the thousands; a dash for what is not finite.
pub fn number(value: f64, decimals: usize) -> Cell {
    match value.is_finite() {
        true => Cell::Value(with_commas(&format_number(value, decimals)), Some(value)),
        false => no_number(),
    }
}

/// `−1,234.6`, of `−1234.6`
fn with_commas(words: &str) -> String {
    let (whole, rest) = words.split_at(words.find('.').unwrap_or(words.len()));
    let digits = whole.trim_start_matches('−');
    let sign = &whole[..whole.len() - digits.len()];
    let count = digits.parse().map(format_count);
    count.map_or(words.to_owned(), |count| format!("{sign}{count}{rest}"))
}

/// What a column of numbers shows where there is none.
pub fn no_number() -> Cell {
    Cell::Value("–".to_owned(), None)
}

/// A share of 0 to 1 as percentage with two decimals.
pub fn percent(share: f64) -> Cell {
    match share.is_finite() {
        true => Cell::Value(format!("{:.2} %", share * 100.0), Some(share)),
        false => no_number(),
    }
}

/// The 95 % interval of a share of 0 to 1 as percentages: `90.12 – 91.33 %`.
pub fn percent_interval(estimate: &Estimate) -> String {
    let percent = |share: f64| format_number(share * 100.0, 2);
    match estimate.interval {
        Some(interval) => format!("{} – {} %", percent(interval.low), percent(interval.high)),
        None => "none from one seed".into(),
    }
}

/// A share of 0 to 1 as percentage, with a bar of that length.
pub fn bar(share: f64) -> Cell {
    Cell::Bar(format!("{:.1} %", share * 100.0), share)
}

impl Table {
    /// Units are part of the column's name, e.g. `"time (s)"`.
    pub fn new<C: Into<String>>(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
            total: false,
        }
    }

    /// Under another title, e.g. one computed from the rows.
    pub fn titled(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// # Panics
    /// Where there are not as many cells as columns.
    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        let cells: Vec<Cell> = cells.into_iter().collect();
        let (found, expected) = (cells.len(), self.columns.len());
        assert_eq!(found, expected, "cells of a row of “{}”", self.caption);
        self.rows.push(cells);
        self
    }

    pub fn rows<R: IntoIterator<Item = Cell>>(self, rows: impl IntoIterator<Item = R>) -> Self {
        rows.into_iter().fold(self, Self::row)
    }

    /// A last row set apart from the others.
    pub fn total(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        self.total = true;
        self.row(cells)
    }

    /// A column is set to the right where its first cell is.
    fn is_numeric(&self, column: usize) -> bool {
        let first = self.rows.first().and_then(|row| row.get(column));
        matches!(first, Some(Cell::Value(..) | Cell::Bar(..)))
    }

    /// One row for each row but the total. Columns of values are numbers as they were
    /// before rounding (shares 0 to 1; null where there is none), all others text. A column
    /// without a name, or of another one's name, gets its number appended.
    pub fn dataframe(&self) -> Result<DataFrame> {
        let rows = &self.rows[..self.rows.len() - usize::from(self.total)];
        let mut names: Vec<String> = Vec::new();
        let columns = (0..self.columns.len()).map(|i| {
            let mut name = self.columns[i].clone();
            if name.is_empty() || names.contains(&name) {
                name = format!("{name} {}", i + 1).trim_start().to_owned();
            }
            names.push(name.clone());
            let cells = || rows.iter().map(|row| &row[i]);
            let values: Option<Vec<Option<f64>>> = cells().map(Cell::value).collect();
            match values {
                Some(values) => Column::new(name.into(), values),
                None => Column::new(name.into(), cells().map(Cell::words).collect::<Vec<_>>()),
            }
        });
        dataframe(columns.collect())
    }

    fn text(&self) -> String {
        let mut lines = vec![self.columns.clone()];
        let words = |row: &Vec<Cell>| row.iter().map(Cell::words).collect();
        lines.extend(self.rows.iter().map(words));
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut text = self.caption.clone();
        for line in &lines {
            let mut padded = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _ = match self.is_numeric(column) {
                    true => write!(padded, "{cell:>width$}  "),
                    false => write!(padded, "{cell:<width$}  "),
                };
            }
            let _ = write!(text, "\n{}", padded.trim_end());
        }
        text.trim_start().to_owned()
    }
}

impl Show for Table {
    fn show(&self) -> Html {
        let mut body = String::from("<figure class=\"g-figure g-listing\">");
        if !self.caption.is_empty() {
            let _ = write!(body, "<figcaption>{}</figcaption>", escape(&self.caption));
        }
        body.push_str("<div class=\"g-scroll\" tabindex=\"0\"><table class=\"g-table\">");
        body.push_str("<thead><tr>");
        for (column, name) in self.columns.iter().enumerate() {
            let is_numeric = self.is_numeric(column);
            let class = if is_numeric { " class=\"g-number\"" } else { "" };
            // A header without words is none.
            let _ = match name.as_str() {
                "" => write!(body, "<td></td>"),
                name => write!(body, "<th scope=\"col\"{class}>{}</th>", escape(name)),
            };
        }
        body.push_str("</tr></thead><tbody>");
        for (i, row) in self.rows.iter().enumerate() {
            let is_total = self.total && i + 1 == self.rows.len();
            body += if is_total { "<tr class=\"g-total\">" } else { "<tr>" };
            row.iter().for_each(|cell| cell.write(&mut body));
            body.push_str("</tr>");
        }
        body.push_str("</tbody></table></div></figure>");
        Html::new(body, self.text())
    }
}

impl Cell {
    fn words(&self) -> String {
        match self {
            Self::Text(words) | Self::Value(words, _) | Self::Bar(words, _) => words.clone(),
            Self::Block(block) => block.text().to_owned(),
        }
    }

    /// The value of a cell that has one; none within where it is missing.
    fn value(&self) -> Option<Option<f64>> {
        match *self {
            Self::Value(_, value) => Some(value),
            Self::Bar(_, share) => Some(Some(share)),
            _ => None,
        }
    }

    fn write(&self, body: &mut String) {
        let _ = match self {
            Self::Text(words) => {
                let is_figure = |c: char| c.is_ascii_digit() || "+−".contains(c);
                let class = match words.chars().count() > LONG {
                    true => " class=\"g-long\"",
                    // An interval stays on one line.
                    false if words.starts_with(is_figure) => " class=\"g-figures\"",
                    false => "",
                };
                write!(body, "<td{class}>{}</td>", escape(words))
            }
            Self::Block(block) => write!(body, "<td>{}</td>", block.body()),
            Self::Value(words, _) => {
                write!(body, "<td class=\"g-number\">{}</td>", escape(words))
            }
            Self::Bar(words, share) => {
                // `max` makes NaN 0.
                let length = share.clamp(0.0, 1.0).max(0.0);
                let bar = format!("<i style=\"width:{:.1}%\"></i>", 100.0 * length);
                let bar = format!("<span class=\"g-bar\" aria-hidden=\"true\">{bar}</span>");
                write!(body, "<td class=\"g-number\">{bar}<span>{}</span></td>", escape(words))
            }
        };
    }
}

impl From<&str> for Cell {
    fn from(words: &str) -> Self {
        Self::Text(words.to_owned())
    }
}

impl From<String> for Cell {
    fn from(words: String) -> Self {
        Self::Text(words)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Value(format_count(count), Some(count as f64))
    }
}

impl From<Html> for Cell {
    fn from(block: Html) -> Self {
        Self::Block(block)
    }
}
