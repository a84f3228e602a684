//! The data sets: where they are found, how they are read and checked.

pub mod archive;
pub mod csv;
pub mod decode;
pub mod fetch;
pub mod handwritten;
pub mod idx;
pub mod locate;
pub mod mislabelled;
pub mod mnist;
mod split;
pub mod synthetic;
pub mod table;

pub use fetch::find;
pub use handwritten::Handwritten;
pub use locate::Dataset;
pub use mislabelled::Mislabelled;
pub use mnist::Mnist;

use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};

/// Height and width of every image that a network sees, in pixels.
pub const SIDE: usize = 28;

/// Which data a number was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the data set, e.g. `handwritten` or `mnist-train`.
    pub name: String,
    /// Where it was found: a path relative to its root, a URL, or `generated`; and
    /// where damaged images were passed over, how many.
    pub source: String,
    /// SHA-256 of the decoded content, in hexadecimal.
    pub sha256: String,
    /// Number of images.
    pub count: usize,
    /// True for a stand-in: every number computed from it says so.
    pub synthetic: bool,
}

impl Provenance {
    /// Says, wherever the data are shown, that damaged images were passed over.
    pub(crate) fn note_skipped(&mut self, count: usize) {
        if count > 0 {
            let images = if count == 1 { "image" } else { "images" };
            self.source += &format!(" ({count} damaged {images} passed over)");
        }
    }
}

/// Labelled grey images of 28 x 28 pixels, ink bright on dark.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// `(n, 28, 28)`, 0 is background and 255 is full ink.
    pub images: Array3<u8>,
    /// `(n, features)`: numbers that a network takes beside the image (size and
    /// position of the ink in the original, which cropping removes). Zero columns where there are none.
    pub features: Array2<f32>,
    /// Index into `classes`, one an image.
    pub labels: Vec<usize>,
    /// Who wrote each image; empty where the data set does not say.
    pub writers: Vec<u16>,
    /// File name of each image; empty where the data set has none.
    pub names: Vec<String>,
    /// Class names in label order, e.g. `["0", …, "z"]`.
    pub classes: Vec<String>,
    pub provenance: Provenance,
}

impl Samples {
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The samples at `indices`, in that order.
    ///
    /// # Panics
    /// Where an index is not below [`Samples::len`].
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            images: self.images.select(Axis(0), indices),
            features: self.features.select(Axis(0), indices),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
            writers: pick(&self.writers, indices),
            names: pick(&self.names, indices),
            classes: self.classes.clone(),
            provenance: self.provenance.clone(),
        }
    }
}

fn pick<T: Clone>(values: &[T], indices: &[usize]) -> Vec<T> {
    if values.is_empty() {
        return Vec::new();
    }
    indices.iter().map(|&i| values[i].clone()).collect()
}
