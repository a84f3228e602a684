//! MNIST (Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning
//! applied to document recognition", 1998) from its IDX files.

use std::path::Path;

use ndarray::Array4;

use super::locate::Found;
use crate::data::formats::archive::sha256;
use crate::data::formats::idx::{
    Files, Idx, REMEDY, Which, idx_file, missing, read_idx_archive, read_unpacked,
};
use crate::data::samples::Samples;
use crate::{Error, Result};

/// Height and width of MNIST's images, in pixels.
pub const SIDE: usize = 28;

/// SHA-256 of the unpacked files as published: images and labels of each part.
const PUBLISHED: [[&str; 2]; 2] = [
    [
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ],
    [
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
];

/// Handwritten digits: 60,000 for training and 10,000 for the test.
#[derive(Clone, Debug, PartialEq)]
pub struct Mnist {
    pub train: Samples,
    pub test: Samples,
}

impl Mnist {
    /// MNIST, or digits in its format, from a folder or an archive (zip, tar, tar.gz) with the four
    /// IDX files, plain or gzip; the images may have any size.
    pub fn open(path: &Path) -> Result<Self> {
        Self::read(&Found::at(path))
    }

    pub(crate) fn read(found: &Found) -> Result<Self> {
        let (train, test) = match found.path.is_file() {
            true => read_idx_archive(&found.path)?.into(),
            false => (in_folder(&found.path, "train")?, in_folder(&found.path, "t10k")?),
        };
        Ok(Self {
            train: part(found, "mnist-train", train, PUBLISHED[0])?,
            test: part(found, "mnist-test", test, PUBLISHED[1])?,
        })
    }
}

fn in_folder(folder: &Path, part: &'static str) -> Result<Files> {
    let file = |wanted: Which| {
        let path = idx_file(folder, wanted);
        let path = path.ok_or_else(|| missing(folder, wanted, REMEDY.into()))?;
        read_unpacked(&path).map(|bytes| (path, bytes))
    };
    Ok([file([part, "images"])?, file([part, "labels"])?])
}

fn part(found: &Found, name: &str, files: Files, published: [&str; 2]) -> Result<Samples> {
    let [(image_path, image_bytes), (label_path, label_bytes)] = files;
    let digest = sha256(&image_bytes);
    if digest == published[0] && sha256(&label_bytes) != published[1] {
        let problem = "not the labels that were published with these images";
        return Err(Error::content(label_path, problem, REMEDY));
    }
    let images = Idx::parse(&image_path, &image_bytes)?;
    drop(image_bytes);
    let labels = Idx::parse(&label_path, &label_bytes)?;
    let &[count, height, width] = images.shape.as_slice() else {
        let problem = format!("shape {:?} instead of (n, height, width)", images.shape);
        return Err(Error::content(image_path, problem, REMEDY));
    };
    if labels.shape != [count] {
        let problem = format!("labels of shape {:?} for {count} images", labels.shape);
        return Err(Error::content(label_path, problem, REMEDY));
    }
    if let Some(label) = labels.values.iter().find(|&&label| label > 9) {
        return Err(Error::content(label_path, format!("label {label}"), REMEDY));
    }
    let images = Array4::from_shape_vec((count, 1, height, width), images.values)
        .map_err(|e| Error::content(&image_path, e.to_string(), REMEDY))?;
    let labels = labels.values.iter().map(|&label| label.into()).collect();
    Ok(Samples::bare(images, labels, digits(), found.provenance(name, digest, count)))
}

/// The class names `0` to `9`.
pub(crate) fn digits() -> Vec<String> {
    (0..10).map(|digit| digit.to_string()).collect()
}
