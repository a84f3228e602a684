//! New images through a trained classifier.

use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, ArrayView1, Axis};
use polars::prelude::{Column, DataFrame};

use crate::data::Samples;
use crate::dataframe::{dataframe, write_csv};
use crate::eval::{Evaluation, argmax};
use crate::image::{FEATURES, ImageFolder, Others, Preprocess};
use crate::nn::Classifier;
use crate::train::{Checkpoint, logits};
use crate::{Error, Result};

/// What a classifier reads in a folder or archive of images.
#[derive(Debug)]
pub struct Predictions {
    /// One an image, in the order of their paths.
    pub rows: Vec<Prediction>,
    /// Truth against prediction, over the images whose folder names a class.
    pub evaluation: Option<Evaluation>,
    /// What is wrong with each damaged image that was skipped, where that was asked for.
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

/// Which other images a network that reads in context sets beside one. It never sees their
/// labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// All that are read: they are of one hand. Where they are of many, little is lost.
    #[default]
    Folder,
    /// Those of the same writer, by file names like dataset 1's (`img001-042.png`).
    Writer,
    /// None: one image at a time.
    None,
}

impl Context {
    fn beside(self, samples: Samples) -> Result<Samples> {
        let others = match self {
            Self::None => Others::Few(0, 0),
            Self::Folder | Self::Writer => Others::All,
        };
        let writers = match self {
            Self::Writer if samples.writers.is_empty() => {
                let problem = "the file names do not say who wrote the images";
                let remedy = "name them as dataset 1 does (img001-042.png: writer 42), or ask \
                              for the context of the folder";
                return Err(Error::argument(problem, remedy));
            }
            Self::Writer => samples.writers.clone(),
            Self::Folder | Self::None => vec![0; samples.len()],
        };
        Samples { writers, ..samples }.in_context(others)
    }
}

/// Reads every PNG and JPEG image in the folder or archive `images`, of any size, with
/// the network of a checkpoint.
///
/// # Errors
/// Where the checkpoint is damaged or was not trained on images that were brought down, where
/// there is no image, or one is damaged. With `skip_damaged` such images are skipped and listed.
pub fn predict(
    checkpoint: &Path,
    images: &Path,
    context: Context,
    skip_damaged: bool,
) -> Result<Predictions> {
    let checkpoint_path = checkpoint;
    let checkpoint = Checkpoint::load(checkpoint_path)?;
    let model = checkpoint.network()?;
    let Some(method) = checkpoint.preprocess else {
        let problem = "it does not say how its images were brought down to size";
        let remedy = "take the checkpoint of a network that reads drawings or a folder of images";
        return Err(Error::content(checkpoint_path, problem, remedy));
    };
    let folder = match skip_damaged {
        true => ImageFolder::read_skipping,
        false => ImageFolder::read,
    };
    read(
        model.as_ref(),
        &checkpoint.classes,
        &method,
        context,
        || folder(images),
    )
}

/// As [`predict`], with a network at hand. `preprocess` and `classes` are those that it was
/// trained with ([`Samples::classes`]).
///
/// # Errors
/// Where there is no image, or one is damaged; where the network takes other images or has
/// another number of classes.
pub fn classify(
    model: &dyn Classifier,
    images: impl AsRef<Path>,
    preprocess: &Preprocess,
    classes: &[String],
) -> Result<Predictions> {
    if classes.len() != model.num_classes() {
        let problem = format!(
            "{} names for the {} classes of the network",
            classes.len(),
            model.num_classes()
        );
        let remedy = "pass the classes of the samples that it was trained on";
        return Err(Error::argument(problem, remedy));
    }
    read(model, classes, preprocess, Context::default(), || {
        ImageFolder::read(images.as_ref())
    })
}

fn read(
    model: &dyn Classifier,
    classes: &[String],
    method: &Preprocess,
    context: Context,
    folder: impl FnOnce() -> Result<ImageFolder>,
) -> Result<Predictions> {
    let start = Instant::now();
    let folder = folder()?;
    let reading = start.elapsed();
    let mut read = folder.preprocess(method, classes.to_vec())?;
    if model.num_features() == 2 * FEATURES {
        read.samples = context.beside(read.samples)?;
    }
    let preprocessing = start.elapsed() - reading;
    let network = Instant::now();
    let scores = logits(model, &read.samples)?;
    let seconds = [reading, preprocessing, network.elapsed()].map(|time| time.as_secs_f64());
    let rows = (read
        .samples
        .names
        .iter()
        .zip(&read.labels)
        .zip(scores.outer_iter()))
    .map(|((file, label), row)| {
        let (class, confidence) = most_probable(row);
        Prediction {
            file: file.clone(),
            predicted: classes[class].clone(),
            confidence,
            label: label.map(|label| classes[label].clone()),
        }
    })
    .collect();
    Ok(Predictions {
        rows,
        evaluation: evaluation(&read.samples, &scores, &read.labels)?,
        skipped: read.skipped,
        seconds,
    })
}

impl Predictions {
    /// One row an image: `file`, `predicted`, `confidence`, and `label` where folders give
    /// labels.
    pub fn dataframe(&self) -> Result<DataFrame> {
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
        dataframe(columns)
    }

    /// [`Predictions::dataframe`] as a CSV file, written whole or not at all.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        write_csv(path, &mut self.dataframe()?)
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
    let scores = scores.select(Axis(0), &known);
    Evaluation::new(scores, &samples.select(&known)).map(Some)
}

/// The largest logit's index, and its probability.
fn most_probable(logits: ArrayView1<f32>) -> (usize, f32) {
    let best = argmax(logits);
    let total: f32 = logits
        .iter()
        .map(|logit| (logit - logits[best]).exp())
        .sum();
    (best, 1.0 / total)
}
