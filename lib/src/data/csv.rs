//! The CSV table of samples, read a line at a time: a data frame of text would take
//! ten times the file's size.

use std::io::{BufRead, Read};
use std::path::Path;

use super::SIDE;
use crate::{Error, Result};

const PIXELS: usize = SIDE * SIDE;

/// Most bytes of a line: 785 numbers have no more than 4 kB.
const MAX_LINE_BYTES: u64 = 64 << 10;

pub(super) const REMEDY: &str = "write the table again with `Samples::write_csv`";

/// What the columns `label`, `pixel0`, …, `pixel783` hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// `(n, 784)`, row by row.
    pub pixels: Vec<u8>,
    pub labels: Vec<usize>,
}

impl Table {
    /// Parses a table of whole numbers with a head of names, in any order; other columns
    /// are passed over. `path` is for errors only.
    ///
    /// # Errors
    /// Where a column is missing or comes twice, a row has more or fewer values than the
    /// head has names, or a value is no whole number from 0 to 255 (for a label: below
    /// `classes`).
    pub fn parse(path: &Path, mut reader: impl BufRead, classes: usize) -> Result<Self> {
        let wrong = |problem: String| Error::content(path, problem, REMEDY);
        let mut line = Vec::new();
        if !next_line(path, &mut reader, &mut line)? {
            return Err(wrong("an empty file".into()));
        }
        let columns = columns(&line).map_err(wrong)?;
        let mut table = Self {
            pixels: Vec::new(),
            labels: Vec::new(),
        };
        let mut row = 0;
        while next_line(path, &mut reader, &mut line)? {
            row += 1;
            if line.is_empty() {
                continue;
            }
            let start = table.pixels.len();
            table.pixels.resize(start + PIXELS, 0);
            let mut values = line.split(|&byte| byte == b',');
            for column in &columns {
                let value = values
                    .next()
                    .ok_or_else(|| wrong(format!("row {row} has too few values")))?;
                let number = |end| {
                    whole_number(value, end)
                        .map_err(|problem| wrong(format!("row {row}, column {column}: {problem}")))
                };
                match column {
                    Column::Label => table.labels.push(number(classes)?),
                    Column::Pixel(pixel) => table.pixels[start + pixel] = number(256)? as u8,
                    Column::Other => {}
                }
            }
            if values.next().is_some() {
                return Err(wrong(format!("row {row} has too many values")));
            }
        }
        Ok(table)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Label,
    Pixel(usize),
    Other,
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Label => write!(f, "label"),
            Self::Pixel(pixel) => write!(f, "pixel{pixel}"),
            Self::Other => write!(f, "of another name"),
        }
    }
}

/// The next line without its end; false behind the last one.
fn next_line(path: &Path, reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    let length = Read::take(reader, MAX_LINE_BYTES)
        .read_until(b'\n', line)
        .map_err(|e| Error::io(path, e, "check the file's rights"))?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if length as u64 == MAX_LINE_BYTES {
        let problem = format!("a line of more than {MAX_LINE_BYTES} bytes");
        return Err(Error::content(path, problem, REMEDY));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(length > 0)
}

/// What stands in each column, by the head of the table.
fn columns(head: &[u8]) -> Result<Vec<Column>, String> {
    let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
    let names = head.split(|&byte| byte == b',');
    let columns: Vec<Column> = names.map(|name| column(unquoted(name))).collect();
    let wanted = [Column::Label]
        .into_iter()
        .chain((0..PIXELS).map(Column::Pixel));
    let mut counts = vec![0; 1 + PIXELS];
    for column in &columns {
        match column {
            Column::Label => counts[0] += 1,
            Column::Pixel(pixel) => counts[1 + pixel] += 1,
            Column::Other => {}
        }
    }
    match wanted.zip(counts).find(|&(_, count)| count != 1) {
        Some((column, 0)) => Err(format!("no column {column}")),
        Some((column, count)) => Err(format!("{count} columns {column}")),
        None => Ok(columns),
    }
}

fn column(name: &[u8]) -> Column {
    let pixel = || {
        let digits = std::str::from_utf8(name.strip_prefix(b"pixel")?).ok()?;
        let pixel: usize = digits.parse().ok()?;
        // Not `pixel007` and not `pixel+7`.
        (pixel < PIXELS && pixel.to_string() == digits).then_some(pixel)
    };
    match pixel() {
        Some(pixel) => Column::Pixel(pixel),
        None if name == b"label" => Column::Label,
        None => Column::Other,
    }
}

/// A whole number below `end`.
fn whole_number(value: &[u8], end: usize) -> Result<usize, String> {
    let text = String::from_utf8_lossy(unquoted(value));
    text.parse().ok().filter(|&n| n < end).ok_or_else(|| {
        let shown: String = if text.is_empty() {
            "nothing".into()
        } else {
            text.chars().take(20).collect()
        };
        format!("{shown:?} is no whole number below {end}")
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inner.unwrap_or(value)
}
