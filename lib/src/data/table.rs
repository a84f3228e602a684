//! Samples as a table: `label, pixel0, …, pixel783`, written as CSV through polars.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array2, Array3};
use polars::prelude::*;

use super::archive::sha256;
use super::csv::{REMEDY, Table};
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
        let Table { pixels, labels } = Table::parse(path, BufReader::new(file), classes.len())?;
        let count = labels.len();
        let digest = sha256(&pixels);
        let images = Array3::from_shape_vec((count, SIDE, SIDE), pixels)
            .map_err(|e| Error::content(path, e.to_string(), REMEDY))?;
        Ok(Self {
            images,
            features: Array2::zeros((count, 0)),
            labels,
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
