//! polars tables, and CSV files of them.

use std::path::Path;

use polars::prelude::{Column, CsvWriter, DataFrame, SerWriter};

use crate::files::write_atomically;
use crate::{Error, Result};

/// A table of columns of one length, each of a name of its own.
pub(crate) fn dataframe(columns: Vec<Column>) -> Result<DataFrame> {
    let rows = columns.first().map_or(0, Column::len);
    DataFrame::new(rows, columns).map_err(|e| {
        let remedy = "give every column its own name, and all of them the same length";
        Error::argument(format!("no table can be made ({e})"), remedy)
    })
}

/// Writes a table as a CSV file, whole or not at all.
pub(crate) fn write_csv(path: &Path, table: &mut DataFrame) -> Result<()> {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes)
        .finish(table)
        .map_err(|e| Error::content(path, e.to_string(), "check the values of the table"))?;
    write_atomically(path, &bytes)
}
