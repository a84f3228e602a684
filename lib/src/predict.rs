//! New photographs through a trained classifier.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{Array2, Array3, ArrayView1};
use polars::prelude::{Column, CsvWriter, DataFrame, SerWriter};

use crate::data::archive::{ImageFile, read_images, read_images_skipping, sha256_of_files};
use crate::data::{Provenance, SIDE, Samples, handwritten::label_of_folder};
use crate::eval::Evaluation;
use crate::files::write_atomically;
use crate::image::{FEATURES, preprocess::preprocess_files};
use crate::train::{Checkpoint, logits};
use crate::{Error, Result};

/// What a classifier reads in a folder or archive of images.
#[derive(Debug)]
pub struct Predictions {
    /// One an image, in the order of their paths.
    pub rows: Vec<Prediction>,
    /// Truth against prediction, over the images whose folder names a class.
    pub evaluation: Option<Evaluation>,
    /// Damaged images that were passed over, where that was asked for.
    pub skipped: Vec<Error>,
    /// Seconds spent on reading the files, on decoding and preprocessing the images, and
    /// in the network.
    pub seconds: [f64; 3],
}

/// What a classifier reads in one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Path inside the folder or archive.
    pub file: String,
    /// Name of the most probable class, and its probability.
    pub predicted: String,
    pub confidence: f32,
    /// Name of the class that the image's folder stands for: `Sample011` or `A`.
    pub label: Option<String>,
}

/// Reads every PNG and JPEG image in the folder or archive `images`, of any size, with
/// the network of a checkpoint.
///
/// # Errors
/// Where the checkpoint is damaged or was not trained on photographs, there is no image,
/// or one is damaged. With `skip_damaged` such images are passed over and listed.
pub fn predict(checkpoint: &Path, images: &Path, skip_damaged: bool) -> Result<Predictions> {
    let checkpoint_path = checkpoint;
    let checkpoint = Checkpoint::load(checkpoint_path)?;
    let model = checkpoint.network()?;
    let Some(method) = checkpoint.preprocess else {
        let problem = "it does not say how photographs become images";
        let remedy = "take a checkpoint that was trained on photographs";
        return Err(Error::content(checkpoint_path, problem, remedy));
    };
    let start = Instant::now();
    let (files, mut skipped) = match skip_damaged {
        true => read_images_skipping(images)?,
        false => (read_images(images)?, Vec::new()),
    };
    let reading = start.elapsed();
    let mut kept = Vec::new();
    for (file, done) in files.iter().zip(preprocess_files(images, &files, &method)) {
        match done {
            Ok(image) => kept.push((file, image)),
            Err(error) if skip_damaged => skipped.push(error),
            Err(error) => return Err(error),
        }
    }
    let preprocessing = start.elapsed() - reading;
    if kept.is_empty() {
        let problem = "there is no PNG or JPEG image that can be read";
        return Err(Error::content(
            images,
            problem,
            "name a folder or archive of images",
        ));
    }
    let (kept, pictures): (Vec<&ImageFile>, Vec<_>) = kept.into_iter().unzip();
    let mut samples = samples(images, &kept, &pictures, &checkpoint.classes);
    samples.provenance.note_skipped(skipped.len());
    let network = Instant::now();
    let scores = logits(model.as_ref(), &samples)?;
    let seconds = [reading, preprocessing, network.elapsed()].map(|time| time.as_secs_f64());
    let labels: Vec<Option<usize>> = kept
        .iter()
        .map(|file| label(file.folder(), &checkpoint.classes))
        .collect();
    let rows = (kept.iter().zip(&labels).zip(scores.outer_iter()))
        .map(|((file, label), row)| {
            let (class, confidence) = most_probable(row);
            Prediction {
                file: file.path.clone(),
                predicted: checkpoint.classes[class].clone(),
                confidence,
                label: label.map(|label| checkpoint.classes[label].clone()),
            }
        })
        .collect();
    Ok(Predictions {
        rows,
        evaluation: evaluation(&samples, &scores, &labels)?,
        skipped,
        seconds,
    })
}

impl Predictions {
    /// A CSV file `file,predicted,confidence`, and `label` where folders give labels;
    /// written whole or not at all.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let text = |of: fn(&Prediction) -> &str| self.rows.iter().map(of).collect::<Vec<_>>();
        let confidence: Vec<f32> = self.rows.iter().map(|row| row.confidence).collect();
        let mut columns = vec![
            Column::new("file".into(), text(|row| &row.file)),
            Column::new("predicted".into(), text(|row| &row.predicted)),
            Column::new("confidence".into(), confidence),
        ];
        if self.rows.iter().any(|row| row.label.is_some()) {
            let labels = text(|row| row.label.as_deref().unwrap_or_default());
            columns.push(Column::new("label".into(), labels));
        }
        let mut bytes = Vec::new();
        DataFrame::new(self.rows.len(), columns)
            .and_then(|mut table| CsvWriter::new(&mut bytes).finish(&mut table))
            .map_err(|e| Error::content(path, e.to_string(), "report this"))?;
        write_atomically(path, &bytes)
    }
}

/// The class that a folder's name stands for.
fn label(folder: &str, classes: &[String]) -> Option<usize> {
    let named = classes.iter().position(|class| class == folder);
    named.or_else(|| label_of_folder(folder).filter(|&label| label < classes.len()))
}

fn samples(
    images: &Path,
    files: &[&ImageFile],
    pictures: &[([u8; SIDE * SIDE], [f32; FEATURES])],
    classes: &[String],
) -> Samples {
    let count = files.len();
    let contents = files
        .iter()
        .map(|file| (file.path.as_str(), file.bytes.as_slice()));
    Samples {
        images: Array3::from_shape_fn((count, SIDE, SIDE), |(i, y, x)| pictures[i].0[y * SIDE + x]),
        features: Array2::from_shape_fn((count, FEATURES), |(i, j)| pictures[i].1[j]),
        labels: vec![0; count],
        writers: Vec::new(),
        names: files.iter().map(|file| file.path.clone()).collect(),
        classes: classes.to_vec(),
        provenance: Provenance {
            name: "images".into(),
            source: PathBuf::from(images.file_name().unwrap_or(images.as_os_str()))
                .to_string_lossy()
                .into_owned(),
            sha256: sha256_of_files(contents),
            count,
            synthetic: false,
        },
    }
}

fn evaluation(
    samples: &Samples,
    scores: &Array2<f32>,
    labels: &[Option<usize>],
) -> Result<Option<Evaluation>> {
    let known: Vec<usize> = (0..labels.len()).filter(|&i| labels[i].is_some()).collect();
    if known.is_empty() {
        return Ok(None);
    }
    let mut samples = samples.select(&known);
    samples.labels = labels.iter().flatten().copied().collect();
    let scores = scores.select(ndarray::Axis(0), &known);
    Evaluation::new(scores, &samples).map(Some)
}

/// The largest logit's index, and its softmax.
fn most_probable(logits: ArrayView1<f32>) -> (usize, f32) {
    let best = (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best });
    let total: f32 = logits
        .iter()
        .map(|logit| (logit - logits[best]).exp())
        .sum();
    (best, 1.0 / total)
}
