//! Predictions of a trained classifier on new images.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, ArrayView1, Axis, s};
use polars::prelude::{Column, DataFrame};
use serde::Serialize;

use crate::data::Samples;
use crate::data::archive::ImageFile;
use crate::data::decode::decode_photograph;
use crate::dataframe::{dataframe, write_csv};
use crate::display::{Gallery, Html, Picture, Show, Table, Tile, bar, format_counted};
use crate::eval::{Evaluation, argmax};
use crate::files::write_atomically;
use crate::image::{Augment, FEATURES, ImageFolder, Others, Preprocess, Unreadable};
use crate::nn::Classifier;
use crate::progress::{Progress, say};
use crate::study::Experiment;
use crate::train::{Checkpoint, evaluate_averaged, logits};
use crate::{Error, Result, error::ensure};

/// Copies over which the prediction for an image without a sheet is averaged.
const COPIES: u64 = 16;

/// Longer side of an image on a contact sheet, in pixels.
const THUMBNAIL: u32 = 84;

/// A classifier's predictions for images.
#[derive(Debug)]
pub struct Predictions {
    /// One per image: those of each argument sorted by path.
    pub rows: Vec<Prediction>,
    /// Truth against prediction, over the images that were read and whose folder names a class.
    pub evaluation: Option<Evaluation>,
    /// What is wrong with each damaged image that was skipped, if skipping was asked for.
    pub skipped: Vec<Error>,
    /// Files that are not images, or not of a supported format.
    pub others: Vec<String>,
    /// What the network saw, in the order of `rows`.
    pub seen: Samples,
    /// Seconds spent on reading the files, on decoding and preprocessing the images, and
    /// in the network.
    pub seconds: [f64; 3],
}

/// A classifier's prediction for one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Path inside the folder or archive; where there are several, it begins with theirs.
    pub file: String,
    /// Name of the most probable class; none if the image could not be read.
    pub predicted: Option<String>,
    /// Its probability.
    pub confidence: Option<f32>,
    /// The most probable classes with their probabilities, as many as were asked for.
    pub top: Vec<(String, f32)>,
    /// Name of the class that the image's folder names: `Sample011` or `A`.
    pub label: Option<String>,
    /// Why the image could not be read.
    pub problem: Option<Unreadable>,
    /// How many frames or pages the file has; the first was read.
    pub frames: usize,
}

/// How images are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub context: Context,
    pub layout: Layout,
    /// Damaged images are skipped and listed, instead of stopping.
    pub skip_damaged: bool,
    /// How many of the most probable classes [`Prediction::top`] has.
    pub top: usize,
}

/// Whether size and position of the ink mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// They do if an image is as flat as a drawing on a tablet, and has the aspect ratio and the
    /// wide strokes of dataset 1's.
    #[default]
    Auto,
    /// Every image shows a whole sheet.
    Sheet,
    /// Every image is a crop; the network does without auxiliary features.
    Crop,
}

/// Which other images are the context of one, for a network that reads in context. It never sees their
/// labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// As `Folder`, for a network that reads in context; others have none.
    #[default]
    Auto,
    /// All images that are read, taken to be by one hand. If they are by many, little is lost.
    Folder,
    /// Those of the same writer, by file names like dataset 1's (`img001-042.png`).
    Writer,
    /// None: one image at a time.
    None,
}

impl Context {
    fn beside(self, samples: Samples) -> Result<Samples> {
        if self == Self::Writer {
            let problem = || "the file names do not say who wrote the images";
            let remedy = "name them as dataset 1 does (img001-042.png: writer 42), or ask for the \
                          context of the folder";
            ensure(samples.writers.len() >= samples.len(), problem, remedy)?;
            return samples.in_context(Others::All);
        }
        let others = if self == Self::None { Others::Few(0, 0) } else { Others::All };
        Samples { writers: vec![0; samples.len()], ..samples }.in_context(others)
    }
}

/// Reads every image in folders, archives and image files with the network of a checkpoint.
///
/// # Errors
/// Where the checkpoint is damaged or was not trained on preprocessed images, where
/// there is no image, or one is damaged; with `skip_damaged` such images are skipped and listed.
/// Where the context of the writer is asked for, and the network does not read in context.
pub fn predict<P: AsRef<Path>>(
    checkpoint: &Path,
    images: &[P],
    options: Options,
) -> Result<Predictions> {
    let checkpoint = Checkpoint::load(checkpoint)?;
    let model = checkpoint.network()?;
    read(&Reader::of(&checkpoint, model.as_ref())?, None, images, options)
}

/// As [`predict`], with the networks of the study, made here or published: a sheet is read by
/// *ours* (in context, where `in_context`), an image without a sheet by the one for photographs.
///
/// # Errors
/// As [`predict`]; [`Error::Missing`] where a network is neither here nor published.
pub fn predict_by_study<P: AsRef<Path>>(
    in_context: bool,
    images: &[P],
    options: Options,
) -> Result<Predictions> {
    let ours = Experiment::part1_ours(0);
    let for_sheets = if in_context { ours.in_context() } else { ours };
    let sheets = for_sheets.load_checkpoint()?;
    let crops = Experiment::part1_photographs(0).load_checkpoint()?;
    let (of_sheets, of_crops) = (sheets.network()?, crops.network()?);
    let for_sheets = Reader::of(&sheets, of_sheets.as_ref())?;
    let for_crops = Reader::of(&crops, of_crops.as_ref())?;
    read(&for_sheets, Some(&for_crops), images, options)
}

/// A network, and what it was trained with.
struct Reader<'a> {
    model: &'a dyn Classifier,
    classes: &'a [String],
    method: &'a Preprocess,
    /// What predictions of images without a sheet are averaged over.
    augment: Augment,
}

impl<'a> Reader<'a> {
    fn of(checkpoint: &'a Checkpoint, model: &'a dyn Classifier) -> Result<Self> {
        let method = checkpoint.preprocess.as_ref().ok_or_else(|| {
            let problem = "it does not say how its images were preprocessed";
            let remedy =
                "take the checkpoint of a network that reads drawings or a folder of images";
            Error::content(&checkpoint.path, problem, remedy)
        })?;
        // For a network that learned to do without a sheet, averaging over distorted copies helps;
        // for others it does not.
        let trained = checkpoint.config.augment;
        let augment = match trained.without_features > 0.0 {
            true => Augment { features: 0.0, without_features: 0.0, ..trained },
            false => Augment::none(),
        };
        Ok(Self { model, classes: &checkpoint.classes, method, augment })
    }
}

/// As [`predict`], with a given network. `preprocess` and `classes` are those that it was
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
    let (names, wanted) = (classes.len(), model.num_classes());
    let problem = || format!("{names} names for the {wanted} classes of the network");
    ensure(names == wanted, problem, "pass the classes of the samples that it was trained on")?;
    let reader = Reader { model, classes, method: preprocess, augment: Augment::none() };
    read(&reader, None, &[images], Options::default())
}

/// `for_crops` reads what is no sheet; where there is none, `reader` does.
fn read<P: AsRef<Path>>(
    reader: &Reader,
    for_crops: Option<&Reader>,
    images: &[P],
    options: Options,
) -> Result<Predictions> {
    let classes = reader.classes;
    let reads_in_context = reader.model.num_features() == 2 * FEATURES;
    ensure(
        reads_in_context || options.context != Context::Writer,
        || "the network does not read in context",
        "leave the context out, or take a network that does",
    )?;
    if !reads_in_context && options.context == Context::Folder {
        say("the network does not read in context: each image is read alone");
    }
    let start = Instant::now();
    let folder = ImageFolder::read_all(images, options.skip_damaged)?;
    let reading = start.elapsed();
    let mut read = folder.preprocess(reader.method, classes.to_vec())?;
    let is_sheet = |&i: &usize| match options.layout {
        Layout::Auto => read.is_sheet[i],
        Layout::Sheet => true,
        Layout::Crop => false,
    };
    let (sheets, crops): (Vec<usize>, Vec<usize>) = (0..read.samples.len()).partition(is_sheet);
    if reads_in_context {
        let of_one = |&i: &usize| read.unreadable[i].is_none();
        let sheets: Vec<usize> = sheets.into_iter().filter(of_one).collect();
        let beside = options.context.beside(read.samples.select(&sheets))?.features;
        read.samples.features = Array2::zeros((read.samples.len(), beside.ncols()));
        for (&i, features) in sheets.iter().zip(beside.outer_iter()) {
            read.samples.features.row_mut(i).assign(&features);
        }
    }
    // Drawings have features of a mean of 0; networks without any are handed none.
    for &i in &crops {
        read.samples.features.row_mut(i).fill(0.0);
    }
    let preprocessing = start.elapsed() - reading;
    let network = Instant::now();
    let mut scores = logits(reader.model, &read.samples)?;
    let by = for_crops.unwrap_or(reader);
    if !crops.is_empty() && (for_crops.is_some() || !by.augment.is_none()) {
        let mut samples = read.samples.select(&crops);
        let features = by.model.num_features().min(samples.features.ncols());
        samples.features = samples.features.slice(s![.., ..features]).to_owned();
        let progress = Progress::start();
        for (crop, &i) in crops.iter().enumerate() {
            // One by one: each is distorted as it would be alone, whatever lies beside it.
            let sample = samples.select(&[crop]);
            let averaged = evaluate_averaged(by.model, &sample, &by.augment, COPIES, 0)?;
            let log = |share: f32| share.max(f32::MIN_POSITIVE).ln();
            scores.row_mut(i).assign(&averaged.probabilities.row(0).mapv(log));
            progress.count("reading photographs", crop + 1, crops.len());
        }
    }
    let seconds = [reading, preprocessing, network.elapsed()].map(|time| time.as_secs_f64());
    let row = |i: usize| {
        let problem = read.unreadable[i];
        let mut top = match problem {
            Some(_) => Vec::new(),
            None => most_probable(scores.row(i), options.top.max(1)),
        };
        let name = |class: usize| classes[class].clone();
        let best = top.first().copied();
        top.truncate(options.top);
        Prediction {
            file: read.samples.names[i].clone(),
            predicted: best.map(|(class, _)| name(class)),
            confidence: best.map(|(_, probability)| probability),
            top: top.into_iter().map(|(class, probability)| (name(class), probability)).collect(),
            label: read.labels[i].map(name),
            problem,
            frames: read.frames[i],
        }
    };
    let is_judged = |&i: &usize| read.labels[i].is_some() && read.unreadable[i].is_none();
    let judged: Vec<usize> = (0..read.labels.len()).filter(is_judged).collect();
    let evaluate =
        || Evaluation::new(scores.select(Axis(0), &judged), &read.samples.select(&judged));
    let evaluation = (!judged.is_empty()).then(evaluate).transpose()?;
    Ok(Predictions {
        rows: (0..read.labels.len()).map(row).collect(),
        evaluation,
        skipped: read.skipped,
        others: read.others,
        seen: read.samples,
        seconds,
    })
}

impl Predictions {
    /// One row per image: `file`, `predicted`, `confidence`; `label` if folders give labels;
    /// `problem` says why an image was not read, or not all of its file; `top` if it was asked for,
    /// as `4:0.81 9:0.12`.
    pub fn dataframe(&self) -> Result<DataFrame> {
        let text = |name: &str, of: fn(&Prediction) -> Option<&str>| {
            let values: Vec<Option<&str>> = self.rows.iter().map(of).collect();
            Column::new(name.into(), values)
        };
        let confidence: Vec<Option<f32>> = self.rows.iter().map(|row| row.confidence).collect();
        let mut columns = vec![
            text("file", |row| Some(&row.file)),
            text("predicted", |row| row.predicted.as_deref()),
            Column::new("confidence".into(), confidence),
        ];
        if self.rows.iter().any(|row| row.label.is_some()) {
            columns.push(text("label", |row| row.label.as_deref()));
        }
        let notes: Vec<Option<String>> = self.rows.iter().map(Prediction::note).collect();
        let notes: Vec<Option<&str>> = notes.iter().map(Option::as_deref).collect();
        columns.push(Column::new("problem".into(), notes));
        if self.rows.iter().any(|row| !row.top.is_empty()) {
            let top: Vec<String> = self.rows.iter().map(Prediction::top_words).collect();
            columns.push(Column::new("top".into(), top));
        }
        dataframe(columns)
    }

    /// [`Predictions::dataframe`] as a CSV file, written whole or not at all.
    pub fn write_csv(&self, path: &Path) -> Result<()> {
        write_csv(path, &mut self.dataframe()?)
    }

    /// The rows as JSON.
    pub fn write_json(&self, path: &Path) -> Result<()> {
        crate::files::write_json(path, &self.rows)
    }

    /// A page that shows each of `images`, what the network saw and what it
    /// answered. It needs no other file.
    pub fn write_sheet<P: AsRef<Path>>(&self, images: &[P], path: &Path) -> Result<()> {
        let folder = ImageFolder::read_all(images, true)?;
        // Names that are shown alike (one in Latin 1, one in UTF-8): their images in turn.
        let mut files: HashMap<&str, Vec<&ImageFile>> = HashMap::new();
        for file in folder.files().iter().rev() {
            files.entry(file.path.as_str()).or_default().push(file);
        }
        let tile = |(i, row): (usize, &Prediction)| {
            let seen = self.seen.image(i);
            let seen = Picture::new(seen, (THUMBNAIL as usize / seen.dim().1).max(1));
            let file = Path::new(&row.file);
            let image = files
                .get_mut(row.file.as_str())
                .and_then(Vec::pop)
                .and_then(|image| decode_photograph(file, &image.bytes).ok());
            let said = match (&row.predicted, row.problem) {
                (Some(class), _) => {
                    format!("{class} {:.0} %", 100.0 * row.confidence.unwrap_or(0.0))
                }
                (None, problem) => problem.map_or("", Unreadable::words).into(),
            };
            let detail = match row.top.is_empty() {
                true => row.file.clone(),
                false => format!("{} · {}", row.file, row.top_words()),
            };
            match image {
                Some(image) => {
                    Tile::new(Picture::scaled(&image, THUMBNAIL), said, detail).then(seen)
                }
                None => Tile::new(seen, said, detail),
            }
        };
        let count = format_counted(self.rows.len(), "image");
        let title = format!("{count}, what the network saw, and its answer");
        let gallery = Gallery::new(title, self.rows.iter().enumerate().map(tile));
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>Contact sheet</title>\n{}\n</html>\n",
            gallery.show().html()
        );
        write_atomically(path, page.as_bytes())
    }

    /// How many images were classified as their folders say, and how
    /// many there are, including those that could not be read.
    pub fn correct(&self) -> (usize, usize) {
        let labelled = self.rows.iter().filter(|row| row.label.is_some());
        let correct = labelled.clone().filter(|row| row.label == row.predicted);
        (correct.count(), labelled.count())
    }

    /// How many images each problem has.
    pub fn problems(&self) -> impl Iterator<Item = (Unreadable, usize)> {
        let count = |problem| self.rows.iter().filter(|row| row.problem == Some(problem)).count();
        Unreadable::ALL.into_iter().map(move |problem| (problem, count(problem)))
    }

    /// How many files have several frames or pages, of which only the first was read.
    pub fn only_in_part(&self) -> usize {
        self.rows.iter().filter(|row| row.frames > 1).count()
    }
}

/// One row per image.
impl Show for Predictions {
    fn show(&self) -> Html {
        let columns = ["image", "read as", "confidence"];
        let rows = self.rows.iter().map(|row| {
            [
                row.file.as_str().into(),
                match (&row.predicted, row.problem) {
                    (Some(class), _) => class.as_str().into(),
                    (None, problem) => problem.map_or("", Unreadable::words).into(),
                },
                row.confidence.map_or("".into(), |share| bar(f64::from(share))),
            ]
        });
        let caption = format!("{} classified", format_counted(self.rows.len(), "image"));
        Table::new(caption, columns).rows(rows).show()
    }
}

impl Prediction {
    /// Why the image was not read, and whether its file holds more.
    pub fn note(&self) -> Option<String> {
        let problem = self.problem.map(|problem| problem.words().to_owned());
        let rest = (self.frames > 1)
            .then(|| format!("only the first of {} frames or pages was read", self.frames));
        problem.into_iter().chain(rest).reduce(|problem, rest| format!("{problem}; {rest}"))
    }

    /// E.g. `4:0.81 9:0.12`.
    pub fn top_words(&self) -> String {
        let words = self.top.iter().map(|(class, p)| format!("{class}:{p:.2}"));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The `n` largest logits' indices, and their probabilities.
fn most_probable(logits: ArrayView1<f32>, n: usize) -> Vec<(usize, f32)> {
    let best = argmax(logits);
    let shares = logits.mapv(|logit| (logit - logits[best]).exp());
    let total = shares.sum();
    let mut classes: Vec<usize> = (0..logits.len()).collect();
    classes.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
    let first = classes.into_iter().take(n);
    first.map(|class| (class, shares[class] / total)).collect()
}
