//! Dataset 3: 60,000 MNIST training images as JPEG, in folders named after a digit
//! that is hardly ever the one on the image.

use std::path::Path;

use ndarray::{Array2, Array3};
use rayon::prelude::*;

use super::archive::{ImageFile, read_images, sha256_of_files};
use super::decode::decode_grey;
use super::locate::{Dataset, Found};
use super::{Provenance, SIDE, Samples, find, mnist};
use crate::{Error, Result};

const REMEDY: &str = "unpack the archive anew, or fetch it with `glyphs data fetch mislabelled`";

/// The images of dataset 3 under the labels that it gives.
pub struct Mislabelled;

impl Mislabelled {
    /// Dataset 3 from the first place that has it; see [`find`].
    pub fn load() -> Result<Samples> {
        Self::read(&find(Dataset::Mislabelled)?)
    }

    /// Dataset 3 from an archive or a folder: `0/image_000001.jpg` and so on, with
    /// or without an outer folder. Sorted by file name, which is MNIST's order. The
    /// label is the folder's name; `provenance.sha256` is [`sha256_of_files`] over
    /// `folder/name` in that order.
    ///
    /// # Errors
    /// Where a digit has no images, or an image is damaged or not 28 x 28.
    pub fn open(path: &Path) -> Result<Samples> {
        Self::read(&Found::at(path))
    }

    pub(crate) fn read(found: &Found) -> Result<Samples> {
        let mut files = read_images(&found.path)?;
        files.sort_by(|a, b| (a.name(), a.folder()).cmp(&(b.name(), b.folder())));
        let labels = files
            .iter()
            .map(|file| label(found, file))
            .collect::<Result<Vec<_>>>()?;
        if let Some(digit) = (0..10).find(|digit| !labels.contains(digit)) {
            let problem = format!("no image is labelled {digit}");
            return Err(Error::content(&found.path, problem, REMEDY));
        }
        let count = files.len();
        let mut pixels = vec![0; count * SIDE * SIDE];
        pixels
            .par_chunks_exact_mut(SIDE * SIDE)
            .zip(&files)
            .try_for_each(|(pixels, file)| {
                pixels.copy_from_slice(&decode(found, file)?);
                Ok(())
            })?;
        let images = Array3::from_shape_vec((count, SIDE, SIDE), pixels)
            .map_err(|e| Error::content(&found.path, e.to_string(), REMEDY))?;
        let keys: Vec<String> = files
            .iter()
            .map(|f| format!("{}/{}", f.folder(), f.name()))
            .collect();
        let digest = sha256_of_files(
            keys.iter()
                .zip(&files)
                .map(|(key, file)| (key.as_str(), file.bytes.as_slice())),
        );
        Ok(Samples {
            images,
            features: Array2::zeros((count, 0)),
            labels,
            writers: Vec::new(),
            names: files.iter().map(|file| file.name().to_string()).collect(),
            classes: mnist::digits(),
            provenance: Provenance {
                name: "mislabelled".into(),
                source: found.source.clone(),
                sha256: digest,
                count,
                synthetic: found.synthetic,
            },
        })
    }
}

fn label(found: &Found, file: &ImageFile) -> Result<usize> {
    match file.folder().as_bytes() {
        [digit @ b'0'..=b'9'] => Ok(usize::from(digit - b'0')),
        _ => {
            let problem = "not in a folder that is named after a digit (0 to 9)";
            let remedy = "leave only the data set's own files there";
            Err(Error::content(found.path.join(&file.path), problem, remedy))
        }
    }
}

fn decode(found: &Found, file: &ImageFile) -> Result<Vec<u8>> {
    let path = found.path.join(&file.path);
    let grey = decode_grey(&path, &file.bytes)?;
    if (grey.width, grey.height) != (SIDE, SIDE) {
        let problem = format!("{} x {} pixels instead of 28 x 28", grey.width, grey.height);
        return Err(Error::content(path, problem, REMEDY));
    }
    Ok(grey.pixels)
}
