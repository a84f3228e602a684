//! What the finished networks of part 1 read in the drawings that they never saw: what the
//! pages for readers (the explorer, the drawing board) are made from.

use std::collections::HashMap;

use ::image::{DynamicImage, GrayImage, imageops::FilterType};
use base64::{Engine, prelude::BASE64_STANDARD};
use ndarray::Array3;
use serde::Serialize;

use super::{Experiment, LOOKALIKES, SEEDS, load_drawings};
use crate::{
    Error, Result,
    data::{Handwritten, Provenance},
    error::ensure,
    files::{outputs, write_atomically},
    image::{CompressionType, encode_png},
    train::evaluate,
};

/// Width of the drawings as they are shown, in pixels.
const WIDTH: u32 = 300;

/// Every drawing, with what each network read in those that it was validated on.
#[derive(Debug, Serialize)]
pub struct Readings {
    pub dataset: Provenance,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// Classes that look alike, in groups.
    pub lookalikes: Vec<&'static str>,
    pub networks: Vec<FinishedNetwork>,
    pub drawings: Vec<DrawingReadings>,
}

/// A network whose checkpoint is here.
#[derive(Debug, Serialize)]
pub struct FinishedNetwork {
    /// Name of the run that trained it.
    pub run: String,
    pub seed: u64,
    pub weights_sha256: String,
    /// On its validation part.
    pub accuracy: f64,
}

/// One drawing.
#[derive(Debug, Serialize)]
pub struct DrawingReadings {
    /// File name, e.g. `img001-042.png`.
    pub name: String,
    pub label: usize,
    pub writer: u16,
    /// What a network sees: 28 x 28 bytes in base64, row by row.
    pub pixels: String,
    pub features: Vec<f32>,
    /// The whole drawing as a small PNG file in base64; empty where every network learned
    /// from it.
    pub picture: String,
    /// By the networks that never saw it: index of the network, probability of each class.
    pub readings: Vec<(usize, Vec<f32>)>,
}

impl Readings {
    /// Reads each validation part with the network that it was held out from.
    ///
    /// # Errors
    /// Where the drawings or a checkpoint are damaged, or no network has been trained.
    pub fn make() -> Result<Self> {
        let drawings = load_drawings()?;
        let ours = Experiment::part1_ours(0);
        let (samples, _) = ours.samples((&drawings).into())?;
        let mut all: Vec<DrawingReadings> = (0..samples.len())
            .map(|i| DrawingReadings {
                name: samples.names[i].clone(),
                label: samples.labels[i],
                writer: samples.writers[i],
                pixels: BASE64_STANDARD
                    .encode(samples.image(i).iter().copied().collect::<Vec<_>>()),
                features: samples.features.row(i).to_vec(),
                picture: String::new(),
                readings: Vec::new(),
            })
            .collect();
        let places: HashMap<&str, usize> =
            (samples.names.iter().map(String::as_str)).zip(0..).collect();
        let mut networks = Vec::new();
        let of_these = |data: &Provenance| data.sha256 == samples.provenance.sha256;
        for (run, checkpoint) in ours.finished(&SEEDS, of_these)? {
            let (_, held_out) = run.split(&samples, None)?;
            let evaluation = evaluate(checkpoint.network()?.as_ref(), &held_out)?;
            for (name, row) in held_out.names.iter().zip(evaluation.probabilities.outer_iter()) {
                let place = places[name.as_str()];
                all[place].readings.push((networks.len(), row.to_vec()));
                if all[place].picture.is_empty() {
                    all[place].picture = picture(&drawings, place)?;
                }
            }
            networks.push(FinishedNetwork {
                run: run.name(),
                seed: run.seed(),
                weights_sha256: checkpoint.weights_sha256(),
                accuracy: evaluation.accuracy(),
            });
        }
        let problem = "no finished network of part 1 has learned from these drawings";
        ensure(!networks.is_empty(), || problem, "run `make report`, or `glyphs train`")?;
        Ok(Self {
            dataset: samples.provenance.clone(),
            classes: samples.classes.clone(),
            lookalikes: LOOKALIKES.map(|group| group.classes).to_vec(),
            networks,
            drawings: all,
        })
    }

    /// Writes `readings.json` into the folder of outputs, and returns its path.
    pub fn save(&self) -> Result<std::path::PathBuf> {
        let path = outputs().join("readings.json");
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::content(&path, error.to_string(), "report it"))?;
        write_atomically(&path, &text)?;
        Ok(path)
    }
}

fn picture(drawings: &Handwritten, index: usize) -> Result<String> {
    let grey = drawings.decode(index)?;
    let problem =
        || Error::argument(format!("drawing {index} has no pixels"), "fetch the data again");
    let image = GrayImage::from_raw(grey.width as u32, grey.height as u32, grey.pixels)
        .ok_or_else(problem)?;
    let height = WIDTH * image.height() / image.width().max(1);
    let small = DynamicImage::from(image).resize_exact(WIDTH, height.max(1), FilterType::Triangle);
    let small = small.into_luma8();
    let shape = (1, small.height() as usize, small.width() as usize);
    let pixels = Array3::from_shape_vec(shape, small.into_raw()).map_err(|_| problem())?;
    let file = encode_png(pixels.view(), CompressionType::Best).map_err(|_| problem())?;
    Ok(BASE64_STANDARD.encode(file))
}
