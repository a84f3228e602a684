//! Samples as a table: `label, pixel0, …, pixel783`, as CSV through polars.

use std::fs::File;
use std::path::Path;

use ndarray::{Array2, Array3};
use polars::prelude::*;

use super::archive::sha256;
use super::{Provenance, SIDE, Samples};
use crate::files::write_atomically;
use crate::{Error, Result};

const PIXELS: usize = SIDE * SIDE;

impl Samples {
    /// One row an image: its label, then its 784 pixels row by row, 0 to 255.
    pub fn to_table(&self) -> Result<DataFrame> {
        let labels: Vec<u32> = self.labels.iter().map(|&label| label as u32).collect();
        let mut columns = vec![Column::new("label".into(), labels)];
        let flat = self
            .images
            .view()
            .into_shape_with_order((self.len(), PIXELS));
        let flat =
            flat.map_err(|e| Error::argument(e.to_string(), "keep the images in standard layout"))?;
        for (pixel, values) in flat.columns().into_iter().enumerate() {
            columns.push(Column::new(
                format!("pixel{pixel}").into(),
                values.mapv(u32::from).to_vec(),
            ));
        }
        DataFrame::new(self.len(), columns)
            .map_err(|e| Error::argument(format!("no table can be made ({e})"), "report this"))
    }

    /// Writes [`Samples::to_table`] as a CSV file, whole or not at all.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let mut bytes = Vec::new();
        CsvWriter::new(&mut bytes)
            .finish(&mut self.to_table()?)
            .map_err(|e| Error::content(path, e.to_string(), "check the samples"))?;
        write_atomically(path, &bytes)
    }

    /// Reads a CSV file with the columns of [`Samples::to_table`], in any order.
    ///
    /// # Errors
    /// Where a column is missing, or a value is no whole number from 0 to 255, or a
    /// label has no name in `classes`.
    pub fn read_csv(path: &Path, classes: Vec<String>) -> Result<Self> {
        let file =
            File::open(path).map_err(|e| Error::io(path, e, "check the file's name and rights"))?;
        let wrong = |problem: String| Error::content(path, problem, REMEDY);
        let mut table = CsvReadOptions::default()
            .with_infer_schema_length(Some(0))
            .into_reader_with_file_handle(file)
            .finish()
            .map_err(|e| wrong(format!("not a readable CSV table ({})", first_line(&e))))?;
        let count = table.height();
        let label_column = whole_numbers(path, &mut table, "label", classes.len())?;
        let mut images = Array3::<u8>::zeros((count, SIDE, SIDE));
        for pixel in 0..PIXELS {
            let values = whole_numbers(path, &mut table, &format!("pixel{pixel}"), 256)?;
            for (row, value) in values.into_iter().enumerate() {
                images[[row, pixel / SIDE, pixel % SIDE]] = value as u8;
            }
        }
        let digest = sha256(images.as_slice().unwrap_or_default());
        Ok(Self {
            images,
            features: Array2::zeros((count, 0)),
            labels: label_column,
            writers: Vec::new(),
            names: Vec::new(),
            classes,
            provenance: Provenance {
                name: "table".into(),
                source: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                sha256: digest,
                count,
                synthetic: false,
            },
        })
    }
}

const REMEDY: &str = "write the table again with `Samples::write_csv`";

/// Takes a text column out of the table; every value has to be below `end`.
fn whole_numbers(path: &Path, table: &mut DataFrame, name: &str, end: usize) -> Result<Vec<usize>> {
    let wrong = |problem: String| Error::content(path, problem, REMEDY);
    let column = table
        .drop_in_place(name)
        .map_err(|_| wrong(format!("no column {name}")))?;
    let text = column
        .str()
        .map_err(|e| wrong(format!("column {name}: {}", first_line(&e))))?;
    text.iter()
        .enumerate()
        .map(|(row, value)| {
            let number = value
                .and_then(|v| v.trim().parse().ok())
                .filter(|&n: &usize| n < end);
            number.ok_or_else(|| {
                let shown = value.unwrap_or("nothing");
                wrong(format!(
                    "row {}, column {name}: {shown:?} is no whole number below {end}",
                    row + 1
                ))
            })
        })
        .collect()
}

fn first_line(error: &PolarsError) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_string()
}
