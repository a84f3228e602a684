//! The IDX format, which MNIST's files have.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

pub(super) const REMEDY: &str = "fetch MNIST again with `glyphs data fetch mnist`";

/// The path of an IDX file in `folder`, plain or gzip, whichever name is used.
pub(super) fn idx_file(folder: &Path, part: &str, what: &str, rank: usize) -> Option<PathBuf> {
    [
        format!("{part}-{what}-idx{rank}-ubyte"),
        format!("{part}-{what}-idx{rank}-ubyte.gz"),
        format!("{part}-{what}.idx{rank}-ubyte"),
        format!("{part}-{what}.idx{rank}-ubyte.gz"),
    ]
    .into_iter()
    .map(|name| folder.join(name))
    .find(|path| path.is_file())
}

/// An array of bytes as the IDX format stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub values: Vec<u8>,
}

impl Idx {
    /// Parses an unpacked IDX file of bytes (type 0x08). `path` is for the error only.
    ///
    /// # Errors
    /// Where the magic number is another, or the length is not what the shape says.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let wrong = |problem: String| Error::content(path, problem, REMEDY);
        let &[0, 0, kind, rank, ..] = bytes else {
            return Err(wrong("no IDX magic number".into()));
        };
        if kind != 0x08 {
            return Err(wrong(format!(
                "IDX type {kind:#04x} instead of bytes (0x08)"
            )));
        }
        let header = 4 + 4 * rank as usize;
        let Some(sizes) = bytes.get(4..header) else {
            return Err(wrong("cut short within the IDX header".into()));
        };
        let shape: Vec<usize> = sizes
            .chunks_exact(4)
            .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
            .collect();
        let values = &bytes[header..];
        let declared = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if declared != Some(values.len()) {
            return Err(wrong(format!(
                "shape {shape:?} but {} bytes of values",
                values.len()
            )));
        }
        Ok(Self {
            shape,
            values: values.to_vec(),
        })
    }
}
