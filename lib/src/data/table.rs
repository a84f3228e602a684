//! Samples as polars tables, and as CSV.

use std::path::Path;

use polars::prelude::{Column, DataFrame};

use super::samples::Samples;
use crate::dataframe::{dataframe, write_csv};
use crate::{Error, Result};

impl Samples {
    /// One row an image: `label` (index), `class`, `writer` and `name` where the data set
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

    /// One row an image: its `label`, then `pixel0`, `pixel1`, …: the values of the first
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

    fn label_column(&self) -> Column {
        let labels: Vec<u32> = self.labels.iter().map(|&label| label as u32).collect();
        Column::new("label".into(), labels)
    }
}
