//! A trained classifier on new photographs.

use std::{path::Path, sync::Mutex};

use ndarray::{Array2, Array3};
use polars::prelude::{Column, CsvWriter, DataFrame, SerWriter};
use rayon::prelude::*;

use crate::{
    Error, Result,
    data::{
        Provenance, SIDE, Samples,
        archive::{ImageFile, read_images, sha256_of_files},
        decode::decode_grey,
    },
    eval::Evaluation,
    files::write_atomically,
    image::{FEATURES, Ink, Preprocess, preprocess::preprocess},
    nn::{Classifier, char_cnn},
    train::{Checkpoint, logits},
};

/// A network with what it needs to read photographs.
pub struct Predictor {
    model: Box<dyn Classifier>,
    classes: Vec<String>,
    preprocess: Preprocess,
}

/// What a classifier read in a set of images.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// Path of each image within its folder or archive.
    pub files: Vec<String>,
    pub predicted: Vec<String>,
    /// Probability of the prediction, 0 to 1.
    pub confidence: Vec<f64>,
    /// Class that the image's folder is named after, if every folder names one.
    pub labels: Option<Vec<String>>,
    /// Against the labels, where there are labels.
    pub evaluation: Option<Evaluation>,
    /// Images that could not be read, each with the reason; see [`Predictor::predict`].
    pub skipped: Vec<String>,
}

impl Predictor {
    /// From a checkpoint of a network that was trained on photographs.
    pub fn load(checkpoint: impl AsRef<Path>) -> Result<Self> {
        let path = checkpoint.as_ref();
        let checkpoint = Checkpoint::load(path)?;
        let unfit = |problem: &str| {
            Error::content(
                path,
                problem,
                "name a checkpoint of part 1, e.g. the published one",
            )
        };
        let preprocess =
            (checkpoint.preprocess).ok_or_else(|| unfit("it was not trained on photographs"))?;
        let size = |name: &str, axis: usize| {
            checkpoint
                .shape(name)
                .and_then(|shape| shape.get(axis).copied())
        };
        let (Some(hidden), Some(classes)) = (size("hidden.weight", 0), size("output.weight", 0))
        else {
            return Err(unfit("it has no dense layers"));
        };
        let features = size("features.weight", 1).unwrap_or(0);
        let mut model = char_cnn(hidden, classes, features, 0)?;
        checkpoint.restore(model.as_mut())?;
        if checkpoint.classes.len() != classes {
            return Err(unfit("it does not name its classes"));
        }
        Ok(Self {
            model,
            classes: checkpoint.classes,
            preprocess,
        })
    }

    /// Reads every PNG and JPEG image, of any size, below a folder or in an archive.
    ///
    /// # Errors
    /// Where an image is damaged, unless `skip_damaged`: then it is counted and named in
    /// [`Predictions::skipped`].
    pub fn predict(&self, images: &Path, skip_damaged: bool) -> Result<Predictions> {
        let files = read_images(images)?;
        let skipped = Mutex::new(Vec::new());
        let read = |file: &ImageFile| {
            let place = images.join(&file.path);
            match decode_grey(&place, &file.bytes) {
                Ok(grey) => Ok(Some(preprocess(Ink::of(grey), &self.preprocess))),
                Err(error) if skip_damaged => {
                    if let Ok(mut skipped) = skipped.lock() {
                        skipped.push(error.to_string());
                    }
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        let read = files.par_iter().map(read).collect::<Result<Vec<_>>>()?;
        let made: Vec<_> = (files.iter().zip(read))
            .filter_map(|(file, image)| Some((file, image?)))
            .collect();
        if made.is_empty() {
            return Err(Error::content(
                images,
                "it holds no PNG or JPEG image",
                "name a folder or an archive of photographs",
            ));
        }

        let mut pixels = Array3::zeros((made.len(), SIDE, SIDE));
        let mut features = Array2::zeros((made.len(), FEATURES));
        for (((_, (image, numbers)), mut pixels), mut features) in made
            .iter()
            .zip(pixels.outer_iter_mut())
            .zip(features.outer_iter_mut())
        {
            pixels
                .iter_mut()
                .zip(image)
                .for_each(|(to, &from)| *to = from);
            features
                .iter_mut()
                .zip(numbers)
                .for_each(|(to, &from)| *to = from);
        }
        let labels: Option<Vec<usize>> = made
            .iter()
            .map(|(file, _)| self.label(file.folder()))
            .collect();
        let contents = made
            .iter()
            .map(|(file, _)| (file.path.as_str(), &file.bytes[..]));
        let samples = Samples {
            images: pixels,
            features,
            labels: labels.clone().unwrap_or_else(|| vec![0; made.len()]),
            writers: Vec::new(),
            names: Vec::new(),
            classes: self.classes.clone(),
            provenance: Provenance {
                name: "new images".into(),
                source: images.display().to_string(),
                sha256: sha256_of_files(contents),
                count: made.len(),
                synthetic: false,
            },
        };
        let evaluation = Evaluation::new(logits(self.model.as_ref(), &samples)?, &samples)?;
        let name = |&index: &usize| self.classes[index].clone();
        let mut skipped = skipped.into_inner().unwrap_or_default();
        skipped.sort();
        Ok(Predictions {
            files: made.iter().map(|(file, _)| file.path.clone()).collect(),
            predicted: evaluation.predictions().iter().map(name).collect(),
            confidence: evaluation.confidence(),
            labels: labels
                .as_ref()
                .map(|labels| labels.iter().map(name).collect()),
            evaluation: labels.is_some().then_some(evaluation),
            skipped,
        })
    }

    /// The class that a folder is named after: `Sample001` and so on, or the class itself.
    fn label(&self, folder: &str) -> Option<usize> {
        let by_number = folder
            .strip_prefix("Sample")
            .and_then(|number| number.parse().ok());
        let by_number = by_number.and_then(|number: usize| number.checked_sub(1));
        by_number
            .filter(|&index| index < self.classes.len())
            .or_else(|| self.classes.iter().position(|class| class == folder))
    }
}

impl Predictions {
    /// Columns `file`, `predicted`, `confidence`, and `label` where there are labels.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let mut columns = vec![
            Column::new("file".into(), &self.files),
            Column::new("predicted".into(), &self.predicted),
            Column::new("confidence".into(), &self.confidence),
        ];
        if let Some(labels) = &self.labels {
            columns.push(Column::new("label".into(), labels));
        }
        let mut bytes = Vec::new();
        DataFrame::new(self.files.len(), columns)
            .and_then(|mut table| CsvWriter::new(&mut bytes).finish(&mut table))
            .map_err(|error| Error::content(path, error.to_string(), "report this"))?;
        write_atomically(path, &bytes)
    }
}
