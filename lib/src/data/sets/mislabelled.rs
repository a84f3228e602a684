//! Dataset 3: 60,000 MNIST training images as JPEG, in folders named after a digit
//! that is hardly ever the one on the image.

use std::path::Path;

use ndarray::Array4;
use rayon::prelude::*;

use super::locate::Found;
use super::mnist::{self, SIDE};
use crate::data::formats::archive::{ImageFile, read_images, sha256_of_files};
use crate::data::formats::decode::{declared_size, decode_grey};
use crate::data::samples::Samples;
use crate::{Error, Result};

/// Pixels of an image.
const PIXELS: usize = SIDE * SIDE;

const REMEDY: &str = "unpack the archive again, or fetch it with `glyphs data fetch mislabelled`";

/// The images of dataset 3 under the labels that it gives.
pub struct Mislabelled;

impl Mislabelled {
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
        let label = |file| label(found, file);
        let labels = files.iter().map(label).collect::<Result<Vec<_>>>()?;
        let count = files.len();
        let mut pixels = vec![0; count * PIXELS];
        (pixels.par_chunks_exact_mut(PIXELS).zip(&files))
            .try_for_each(|(pixels, file)| decode(found, file, pixels))?;
        if let Some(digit) = (0..10).find(|digit| !labels.contains(digit)) {
            let problem = format!("no image is labelled {digit}");
            return Err(Error::content(&found.path, problem, REMEDY));
        }
        let images = Array4::from_shape_vec((count, 1, SIDE, SIDE), pixels)
            .map_err(|e| Error::content(&found.path, e.to_string(), REMEDY))?;
        let key = |file: &ImageFile| format!("{}/{}", file.folder(), file.name());
        let keys: Vec<String> = files.iter().map(key).collect();
        let contents = keys.iter().zip(&files);
        let contents = contents.map(|(key, file)| (key.as_str(), file.bytes.as_slice()));
        let provenance = found.provenance("mislabelled", sha256_of_files(contents), count);
        let names = files.iter().map(|file| file.name().to_string()).collect();
        Ok(Samples { names, ..Samples::bare(images, labels, mnist::digits(), provenance) })
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

fn decode(found: &Found, file: &ImageFile, pixels: &mut [u8]) -> Result<()> {
    let path = found.path.join(&file.path);
    // Before anything larger is decoded.
    let (width, height) = declared_size(&path, &file.bytes)?;
    if (width, height) != (SIDE, SIDE) {
        let problem = format!("{width} x {height} pixels instead of 28 x 28");
        return Err(Error::content(path, problem, REMEDY));
    }
    pixels.copy_from_slice(&decode_grey(&path, &file.bytes)?.pixels);
    Ok(())
}
