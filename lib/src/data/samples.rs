//! [`Samples`]: labelled images, and where they came from.

use ndarray::{Array2, Array4, ArrayView3, Axis};
use serde::{Deserialize, Serialize};

use super::formats::archive::sha256;
use crate::{Result, error::ensure};

/// Which data a number was computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the data set, e.g. `handwritten`, `mnist-train` or a folder's name.
    pub name: String,
    /// Where it was found: a path relative to its root, a URL, or `generated`; and
    /// the number of damaged images that were skipped, if any.
    pub source: String,
    /// SHA-256 in hexadecimal: of the encoded images for drawings, dataset 3 and folders, of the
    /// unpacked file of images for MNIST, of the pixels for arrays.
    pub sha256: String,
    /// Number of images.
    pub count: usize,
    /// True for a stand-in: every number computed from it says so.
    pub synthetic: bool,
}

/// Labelled images of one size, grey (one channel) or RGB (three).
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// `(n, channels, height, width)`, 0 to 255. In grey images 0 is background and 255
    /// is full ink.
    pub images: Array4<u8>,
    /// `(n, features)`: auxiliary features, which a network takes beside the image (size
    /// and position of the ink in the original, which cropping removes). Zero columns
    /// where there are none.
    pub features: Array2<f32>,
    /// Index into `classes`, one per image.
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
    /// Your own images: `(n, channels, height, width)`, with their labels, which are
    /// indices into `classes`. `name` is shown wherever the data are.
    ///
    /// # Errors
    /// Where there are not as many labels as images, or a label has no class.
    pub fn new<C: Into<String>>(
        name: &str,
        images: Array4<u8>,
        labels: Vec<usize>,
        classes: impl IntoIterator<Item = C>,
    ) -> Result<Self> {
        let classes: Vec<String> = classes.into_iter().map(Into::into).collect();
        let count = images.dim().0;
        let problem = || format!("{} labels for {count} images", labels.len());
        ensure(labels.len() == count, problem, "pass one label per image")?;
        for &label in &labels {
            let problem = || format!("label {label}, but {} classes", classes.len());
            ensure(label < classes.len(), problem, "number the classes from 0")?;
        }
        let pixels: Vec<u8> = images.iter().copied().collect();
        let provenance = Provenance {
            name: name.into(),
            source: "generated".into(),
            sha256: sha256(&pixels),
            count,
            synthetic: false,
        };
        Ok(Self::bare(images, labels, classes, provenance))
    }

    /// Without features, writers and names.
    pub(super) fn bare(
        images: Array4<u8>,
        labels: Vec<usize>,
        classes: Vec<String>,
        provenance: Provenance,
    ) -> Self {
        Self {
            features: Array2::zeros((labels.len(), 0)),
            images,
            labels,
            writers: Vec::new(),
            names: Vec::new(),
            classes,
            provenance,
        }
    }

    /// SHA-256 of images, auxiliary features and labels, in this order: what a network is
    /// given, whatever its files were.
    pub fn sha256(&self) -> String {
        let features = self.features.iter().flat_map(|value| value.to_le_bytes());
        let labels = self.labels.iter();
        let labels = labels.flat_map(|&label| (label as u64).to_le_bytes());
        let all = self.images.iter().copied().chain(features).chain(labels);
        sha256(&all.collect::<Vec<u8>>())
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Channels, height and width of every image.
    pub fn image_shape(&self) -> [usize; 3] {
        let (_, channels, height, width) = self.images.dim();
        [channels, height, width]
    }

    /// One image, `(channels, height, width)`.
    ///
    /// # Panics
    /// Where `index` is not below [`Samples::len`].
    pub fn image(&self, index: usize) -> ArrayView3<'_, u8> {
        self.images.index_axis(Axis(0), index)
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

/// None where there are no values.
fn pick<T: Clone>(values: &[T], indices: &[usize]) -> Vec<T> {
    if values.is_empty() {
        return Vec::new();
    }
    indices.iter().map(|&i| values[i].clone()).collect()
}
