//! Dataset 1: drawings of handwritten characters, 62 classes, 40 images each.
//!
//! A part of Chars74K "EnglishHnd" (T. E. de Campos, B. R. Babu and M. Varma,
//! "Character recognition in natural images", VISAPP 2009), which has 55 writers:
//! of each class the task's archive holds the images of 40 of them.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::locate::Found;
use crate::data::formats::archive::{ImageFile, read_images, sha256_of_files};
use crate::data::formats::decode::{Grey, declared_size, decode_grey};
use crate::data::samples::Provenance;
use crate::data::split::{counts, spread_per_class};
use crate::{Error, Result};

/// Number of character classes: 0-9, A-Z, a-z in that order.
pub const CLASSES: usize = 62;
/// Images of each class.
pub const PER_CLASS: usize = 40;
/// Width of every drawing, in pixels.
pub const DRAWING_WIDTH: usize = 1200;
/// Height of every drawing, in pixels.
pub const DRAWING_HEIGHT: usize = 900;

const REMEDY: &str = "unpack the archive again, or fetch it with `glyphs data fetch handwritten`";

/// One drawing, still encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// File name, e.g. `img001-042.png`.
    pub name: String,
    /// Index of the class, 0 to 61.
    pub label: usize,
    /// Number of the writer, 1 to 55.
    pub writer: u16,
    pub bytes: Vec<u8>,
}

/// The drawings of dataset 1, sorted by class and writer, kept as PNG or JPEG:
/// decoded they would take 8 GB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handwritten {
    pub drawings: Vec<Drawing>,
    /// Class names in label order: `0` to `9`, `A` to `Z`, `a` to `z`.
    pub classes: Vec<String>,
    /// `sha256` is [`sha256_of_files`] over the drawings in order.
    pub provenance: Provenance,
    /// Archive or folder that the drawings came from, for errors.
    root: PathBuf,
}

impl Handwritten {
    /// The 62 x 40 drawings from an archive or folder.
    ///
    /// If it has all 55 writers of Chars74K, the task's 40 of each class are taken.
    ///
    /// # Errors
    /// Where a class is missing or does not have 40 images, or an image is damaged or has
    /// another size than 1200 x 900.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_found(&Found::at(path))
    }

    pub(crate) fn open_found(found: &Found) -> Result<Self> {
        Self::read(found)?.checked()
    }

    /// Drawings to test on: of Chars74K's archive with all 55 writers, those that the task left
    /// out; of another archive or folder, all that are not the task's.
    ///
    /// # Errors
    /// Where there is none, or a drawing is damaged or has another size or name.
    pub fn open_test(path: &Path) -> Result<Self> {
        let mut all = Self::read(&Found::at(path))?;
        all.drawings.retain(|drawing| !is_in_task(drawing.label, drawing.writer));
        if all.is_empty() {
            let problem = "all its drawings are the task's training set";
            return Err(Error::content(path, problem, "name the test set, or Chars74K's archive"));
        }
        Ok(all.with_fresh_provenance())
    }

    pub fn len(&self) -> usize {
        self.drawings.len()
    }

    pub fn is_empty(&self) -> bool {
        self.drawings.is_empty()
    }

    /// Index of the class of each drawing.
    pub fn labels(&self) -> Vec<usize> {
        self.drawings.iter().map(|drawing| drawing.label).collect()
    }

    /// Number of drawings of each class.
    pub fn counts(&self) -> Vec<usize> {
        counts(&self.labels(), self.classes.len())
    }

    /// `n` drawings of each class (all where there are fewer), evenly spread over
    /// its writers: a small part for a quick run.
    pub fn take_per_class(self, n: usize) -> Self {
        let kept = spread_per_class(&self.labels(), n);
        self.select(&kept).with_fresh_provenance()
    }

    /// The drawings at `indices`, under the provenance of the whole.
    ///
    /// # Panics
    /// Where an index is not below [`Handwritten::len`].
    pub fn select(&self, indices: &[usize]) -> Self {
        let drawings = indices.iter().map(|&i| self.drawings[i].clone());
        Self {
            drawings: drawings.collect(),
            classes: self.classes.clone(),
            provenance: self.provenance.clone(),
            root: self.root.clone(),
        }
    }

    /// The pixels of one drawing.
    ///
    /// # Panics
    /// Where `index` is not below [`Handwritten::len`].
    pub fn decode(&self, index: usize) -> Result<Grey> {
        let drawing = &self.drawings[index];
        decode_grey(&self.path_of(drawing), &drawing.bytes)
    }

    /// The drawings of an archive or folder, whatever their number; sizes checked.
    fn read(found: &Found) -> Result<Self> {
        let mut drawings = read_images(&found.path)?
            .into_par_iter()
            .map(|file| drawing(&found.path, file))
            .collect::<Result<Vec<_>>>()?;
        drawings.sort_by_key(|drawing| (drawing.label, drawing.writer));
        if let Some(pair) =
            drawings.windows(2).find(|p| (p[0].label, p[0].writer) == (p[1].label, p[1].writer))
        {
            let problem =
                format!("{} and {} are the same character and writer", pair[0].name, pair[1].name);
            return Err(Error::content(&found.path, problem, "remove one of them"));
        }
        let handwritten = Self {
            drawings,
            classes: class_names(),
            provenance: found.provenance("handwritten", String::new(), 0),
            root: found.path.clone(),
        };
        Ok(handwritten.with_fresh_provenance())
    }

    /// Every drawing of the task is there.
    fn checked(mut self) -> Result<Self> {
        if self.counts().iter().any(|&count| count > PER_CLASS) {
            self.drawings.retain(|drawing| is_in_task(drawing.label, drawing.writer));
            self = self.with_fresh_provenance();
        }
        for (label, count) in self.counts().into_iter().enumerate() {
            if count != PER_CLASS {
                let folder = self.root.join(format!("Sample{:03}", label + 1));
                let problem =
                    format!("class {} has {count} of {PER_CLASS} images", self.classes[label]);
                return Err(Error::content(folder, problem, REMEDY));
            }
        }
        Ok(self)
    }

    fn with_fresh_provenance(mut self) -> Self {
        self.provenance.count = self.drawings.len();
        self.provenance.sha256 =
            sha256_of_files(self.drawings.iter().map(|p| (p.name.as_str(), p.bytes.as_slice())));
        self
    }

    pub(crate) fn path_of(&self, drawing: &Drawing) -> PathBuf {
        self.root.join(format!("Sample{:03}", drawing.label + 1)).join(&drawing.name)
    }
}

/// `0` to `9`, `A` to `Z`, `a` to `z`.
pub fn class_names() -> Vec<String> {
    ('0'..='9').chain('A'..='Z').chain('a'..='z').map(String::from).collect()
}

/// One drawing.
fn drawing(root: &Path, file: ImageFile) -> Result<Drawing> {
    let place = root.join(&file.path);
    let Some((label, writer)) = scheme(&file) else {
        let problem = "not named as the data set's images are (Sample001/img001-001.png)";
        let remedy = "leave only the data set's own files there";
        return Err(Error::content(place, problem, remedy));
    };
    let (width, height) = declared_size(&place, &file.bytes)?;
    if (width, height) != (DRAWING_WIDTH, DRAWING_HEIGHT) {
        let problem = format!("{width} x {height} pixels instead of 1200 x 900");
        return Err(Error::content(&place, problem, REMEDY));
    }
    Ok(Drawing { name: file.name().to_string(), label, writer, bytes: file.bytes })
}

/// Label and writer from `Sample001/img001-042.png`, in whatever case.
fn scheme(file: &ImageFile) -> Option<(usize, u16)> {
    let class = label_of_folder(file.folder())?;
    let (number, writer) = numbers(file.name())?;
    (number == class as u16 + 1).then_some((class, writer))
}

/// The writer that a file's name gives: 42 for `img001-042.png`.
pub fn writer_of_file(name: &str) -> Option<u16> {
    Some(numbers(name)?.1)
}

/// 1 and 42 from `img001-042.png`.
fn numbers(name: &str) -> Option<(u16, u16)> {
    let name = name.to_ascii_lowercase();
    let (stem, _) = name.rsplit_once('.')?;
    let (number, writer) = stem.strip_prefix("img")?.split_once('-')?;
    let writer = digits(writer)?;
    (1..=55).contains(&writer).then_some((digits(number)?, writer))
}

/// The label that a folder's name gives, `Sample001` to `Sample062`.
pub fn label_of_folder(folder: &str) -> Option<usize> {
    let folder = folder.to_ascii_lowercase();
    let number = usize::from(digits(folder.strip_prefix("sample")?)?);
    (1..=CLASSES).contains(&number).then(|| number - 1)
}

fn digits(text: &str) -> Option<u16> {
    let decimal = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    decimal.then(|| text.parse().ok()).flatten()
}

/// Whether the task's archive holds the class `label` by `writer`, 1 to 55: `left_out.txt` names, for
/// each class, the other 15, the test set.
pub(crate) fn is_in_task(label: usize, writer: u16) -> bool {
    let left_out = include_str!("left_out.txt").lines().nth(label).unwrap_or_default();
    !left_out.split(' ').any(|number| number.parse() == Ok(writer))
}
