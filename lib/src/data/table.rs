//! Samples as polars tables, and as CSV.

use std::{fs::File, path::Path, sync::Arc};

use ndarray::Array4;
use polars::prelude::{
    Column, CsvReadOptions, DataFrame, DataType, PolarsResult, SerReader, polars_ensure, polars_err,
};

use super::samples::Samples;
use crate::dataframe::{dataframe, write_csv};
use crate::{Error, Result};

impl Samples {
    /// One row per image: `label` (index), `class`, `writer` and `name` where the data set
    /// has them, and `feature0`, `feature1`, …. The pixels are in [`Samples::to_table`].
    pub fn dataframe(&self) -> Result<DataFrame> {
        let class = |&label: &usize| self.classes.get(label).map_or("", String::as_str);
        let classes: Vec<&str> = self.labels.iter().map(class).collect();
        let mut columns = vec![self.label_column(), Column::new("class".into(), classes)];
        if !self.writers.is_empty() {
            let writers: Vec<u32> = self.writers.iter().map(|&writer| writer.into()).collect();
            columns.push(Column::new("writer".into(), writers));
        }
        if !self.names.is_empty() {
            columns.push(Column::new("name".into(), &self.names));
        }
        for (i, values) in self.features.columns().into_iter().enumerate() {
            columns.push(Column::new(format!("feature{i}").into(), values.to_vec()));
        }
        dataframe(columns)
    }

    /// One row per image: its `label`, then `pixel0`, `pixel1`, …: the values of the first
    /// channel row by row, 0 to 255, then those of the others.
    pub fn to_table(&self) -> Result<DataFrame> {
        let pixels: usize = self.image_shape().iter().product();
        let flat = self.images.to_shape((self.len(), pixels));
        let flat = flat.map_err(|e| Error::argument(e.to_string(), "report this"))?;
        let pixels = flat.columns().into_iter().enumerate().map(|(i, values)| {
            Column::new(format!("pixel{i}").into(), values.mapv(u32::from).to_vec())
        });
        dataframe([self.label_column()].into_iter().chain(pixels).collect())
    }

    /// Writes [`Samples::to_table`] as a CSV file, whole or not at all.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        write_csv(path, &mut self.to_table()?)
    }

    /// Images from a CSV file as [`Samples::write_csv`] writes it, and as Kaggle distributes its
    /// digits: a header, then one row per image, its label before its pixels. `shape` is their
    /// channels, height and width; labels are indices into `classes`.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not such a table.
    ///
    /// ```no_run
    /// # use glyphs::{OrStop, data::Samples};
    /// let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    /// let train = Samples::read_csv("train.csv", [1, 28, 28], digits).or_stop();
    /// ```
    pub fn read_csv<C: Into<String>>(
        path: impl AsRef<Path>,
        shape: [usize; 3],
        classes: impl IntoIterator<Item = C>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let [channels, height, width] = shape;
        let pixels = channels * height * width;
        let refused = |problem: String| {
            let remedy =
                format!("give it a header, then a label and {pixels} pixels (0 to 255) per row");
            Error::content(path, problem, remedy)
        };
        let file = File::open(path)
            .map_err(|e| Error::io(path, e, "check the file's name and permissions"))?;
        let (labels, flat) = rows(file, 1 + pixels).map_err(|e| refused(e.to_string()))?;
        let images = Array4::from_shape_vec((labels.len(), channels, height, width), flat)
            .map_err(|e| refused(e.to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut samples = Self::new(&name, images, labels, classes)?;
        samples.provenance.source = path.display().to_string();
        Ok(samples)
    }

    fn label_column(&self) -> Column {
        let labels: Vec<u32> = self.labels.iter().map(|&label| label as u32).collect();
        Column::new("label".into(), labels)
    }
}

/// The labels of a CSV file of so many columns, and its pixels row by row.
fn rows(file: File, columns: usize) -> PolarsResult<(Vec<usize>, Vec<u8>)> {
    let table = CsvReadOptions::default()
        .with_dtype_overwrite(Some(Arc::new(vec![DataType::UInt32; columns])))
        .into_reader_with_file_handle(file)
        .finish()?;
    polars_ensure!(table.width() == columns, ShapeMismatch: "{} columns", table.width());
    let is_number =
        table.get_column_names().first().is_some_and(|name| name.parse::<f64>().is_ok());
    polars_ensure!(!is_number, ComputeError: "its first row is an image, not a header");
    let mut pixels = vec![0; table.height() * (columns - 1)];
    let mut labels = Vec::new();
    for (i, column) in table.columns().iter().enumerate() {
        for (row, value) in column.u32()?.iter().enumerate() {
            let wrong = || polars_err!(ComputeError: "{value:?} in column {i}, row {row}");
            match i {
                0 => labels.push(value.ok_or_else(wrong)? as usize),
                _ => {
                    let pixel = value.and_then(|value| u8::try_from(value).ok());
                    pixels[row * (columns - 1) + i - 1] = pixel.ok_or_else(wrong)?;
                }
            }
        }
    }
    Ok((labels, pixels))
}
