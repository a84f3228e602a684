//! Photographs of 900 x 1200 pixels brought down to 28 x 28.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ndarray::{Array2, Array3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::resample::{Window, resample};
use super::{Ink, InkBox};
use crate::Result;
use crate::data::archive::ImageFile;
use crate::data::decode::decode_grey;
use crate::data::{Handwritten, SIDE, Samples};

/// Numbers handed along with each image: height, width, centre column and centre row
/// of the ink's box and the ink itself, each as a share of the photograph, and the
/// natural logarithm of the box's height over its width; all less a typical value and
/// in units of a typical deviation, so that none is too faint for a network to use.
pub const FEATURES: usize = 6;

/// A way from a photograph to 28 x 28 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preprocess {
    /// The whole photograph squeezed into the square, as the original did: characters
    /// become a quarter narrower.
    Squeeze,
    /// The whole photograph, with blank space added above and below to make it square.
    KeepAspect,
    /// The ink alone; where it was, and how large, is left to the features.
    CropToInk(CropToInk),
}

impl Default for Preprocess {
    fn default() -> Self {
        Self::CropToInk(CropToInk::default())
    }
}

/// The ink's box, scaled so that its longer side has `box_size` of the 28 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CropToInk {
    /// Longer side of the ink's box in the result, in pixels of 28. MNIST has 20.
    pub box_size: f32,
    /// What comes to the image's centre.
    pub centre: Centre,
    /// Brings the brightest pixel up to full ink: large characters are no fainter
    /// than small ones.
    pub stretch: bool,
}

/// What comes to the middle of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Centre {
    /// The middle of the ink's box.
    Box,
    /// The ink's centre of mass, as in MNIST, as far as the box still fits.
    Mass,
}

impl Default for CropToInk {
    fn default() -> Self {
        Self {
            box_size: 24.0,
            centre: Centre::Box,
            stretch: false,
        }
    }
}

impl CropToInk {
    /// As MNIST was made: 20 pixels, centred by mass.
    pub fn mnist() -> Self {
        Self {
            box_size: 20.0,
            centre: Centre::Mass,
            stretch: false,
        }
    }
}

impl Preprocess {
    /// For tables and file names, e.g. `crop-to-ink`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Squeeze => "squeeze",
            Self::KeepAspect => "keep-aspect",
            Self::CropToInk(_) => "crop-to-ink",
        }
    }

    /// The part of the photograph that becomes the image; `bounds` is the ink's box.
    fn window(&self, ink: &Ink, bounds: &InkBox) -> Window {
        let (width, height) = (ink.width as f32, ink.height as f32);
        match self {
            Self::Squeeze => Window {
                left: 0.0,
                top: 0.0,
                width,
                height,
            },
            Self::KeepAspect => square(width / 2.0, height / 2.0, width.max(height)),
            Self::CropToInk(crop) => crop.window(bounds),
        }
    }

    /// Whether the brightest pixel is brought up to full ink.
    fn stretches(&self) -> bool {
        matches!(self, Self::CropToInk(crop) if crop.stretch)
    }
}

impl CropToInk {
    fn window(&self, bounds: &InkBox) -> Window {
        let (width, height) = (bounds.width as f32, bounds.height as f32);
        let box_size = self.box_size.clamp(1.0, SIDE as f32);
        let side = width.max(height) * SIDE as f32 / box_size;
        let middle = (
            bounds.left as f32 + width / 2.0,
            bounds.top as f32 + height / 2.0,
        );
        let (x, y) = match self.centre {
            Centre::Box => middle,
            Centre::Mass => {
                let (slack_x, slack_y) = ((side - width) / 2.0, (side - height) / 2.0);
                (
                    bounds.mass.0.clamp(middle.0 - slack_x, middle.0 + slack_x),
                    bounds.mass.1.clamp(middle.1 - slack_y, middle.1 + slack_y),
                )
            }
        };
        square(x, y, side)
    }
}

/// One photograph as a network takes it: 784 pixels, and its features. A photograph
/// without ink gives zeros. Cropping first wipes out stray marks.
pub fn preprocess(ink: Ink, method: &Preprocess) -> ([u8; SIDE * SIDE], [f32; FEATURES]) {
    let ink = match method {
        Preprocess::CropToInk(_) => ink.without_specks(),
        _ => ink,
    };
    let Some(bounds) = ink.bounds() else {
        return ([0; SIDE * SIDE], [0.0; FEATURES]);
    };
    let values = resample(&ink, method.window(&ink, &bounds));
    let brightest = values.iter().copied().fold(0.0, f32::max);
    let gain = if method.stretches() && brightest > 0.0 {
        255.0 / brightest
    } else {
        1.0
    };
    let pixels = values.map(|value| (value * gain).round() as u8);
    (pixels, features(&ink, &bounds))
}

/// Every image file brought down to 28 x 28, whatever its size, on all cores; an error
/// where it is damaged. `root` is the folder or archive that holds the files.
pub fn preprocess_files(
    root: &Path,
    files: &[ImageFile],
    method: &Preprocess,
) -> Vec<Result<([u8; SIDE * SIDE], [f32; FEATURES])>> {
    let progress = Progress::new(files.len());
    files
        .par_iter()
        .map(|file| {
            let ink = Ink::of(decode_grey(&root.join(&file.path), &file.bytes)?);
            progress.step();
            Ok(preprocess(ink, method))
        })
        .collect()
}

impl Handwritten {
    /// Every photograph brought down to 28 x 28, on all cores, with a line of
    /// progress every few seconds.
    ///
    /// # Errors
    /// Where a photograph is damaged; the error names it.
    pub fn preprocess(&self, method: &Preprocess) -> Result<Samples> {
        let progress = Progress::new(self.len());
        let rows = (0..self.len())
            .into_par_iter()
            .map(|index| {
                let ink = Ink::of(self.decode(index)?);
                progress.step();
                Ok(preprocess(ink, method))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut images = Array3::zeros((self.len(), SIDE, SIDE));
        let mut features = Array2::zeros((self.len(), FEATURES));
        for ((mut image, mut row), (pixels, numbers)) in (images.outer_iter_mut())
            .zip(features.outer_iter_mut())
            .zip(&rows)
        {
            image
                .iter_mut()
                .zip(pixels)
                .for_each(|(to, &from)| *to = from);
            row.iter_mut()
                .zip(numbers)
                .for_each(|(to, &from)| *to = from);
        }
        Ok(Samples {
            images,
            features,
            labels: self.photos.iter().map(|photo| photo.label).collect(),
            writers: self.photos.iter().map(|photo| photo.writer).collect(),
            names: self.photos.iter().map(|photo| photo.name.clone()).collect(),
            classes: self.classes.clone(),
            provenance: self.provenance.clone(),
        })
    }
}

fn square(x: f32, y: f32, side: f32) -> Window {
    Window {
        left: x - side / 2.0,
        top: y - side / 2.0,
        width: side,
        height: side,
    }
}

/// Mean and standard deviation of each feature, rounded, over the photographs of
/// dataset 1. Constants, so that a photograph has the same features in any company.
const TYPICAL: [(f32, f32); FEATURES] = [
    (0.49, 0.12),
    (0.28, 0.084),
    (0.49, 0.061),
    (0.525, 0.053),
    (0.058, 0.02),
    (0.29, 0.34),
];

fn features(ink: &Ink, bounds: &InkBox) -> [f32; FEATURES] {
    let (width, height) = (ink.width as f32, ink.height as f32);
    let (box_width, box_height) = (bounds.width as f32, bounds.height as f32);
    let mut features = [
        box_height / height,
        box_width / width,
        (bounds.left as f32 + box_width / 2.0) / width,
        (bounds.top as f32 + box_height / 2.0) / height,
        bounds.share,
        (box_height / box_width).ln(),
    ];
    for (feature, (mean, deviation)) in features.iter_mut().zip(TYPICAL) {
        *feature = (*feature - mean) / deviation;
    }
    features
}

/// Whole lines on standard output, since a notebook cannot redraw one; none for work
/// that is done within two seconds.
struct Progress {
    total: usize,
    done: AtomicUsize,
    lines: AtomicUsize,
    start: Instant,
}

impl Progress {
    const SECONDS: f64 = 2.0;

    fn new(total: usize) -> Self {
        Self {
            total,
            done: AtomicUsize::new(0),
            lines: AtomicUsize::new(0),
            start: Instant::now(),
        }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let seconds = self.start.elapsed().as_secs_f64();
        let due = (seconds / Self::SECONDS) as usize;
        let lines = self.lines.load(Ordering::Relaxed);
        let is_first = due > lines
            && self
                .lines
                .compare_exchange(lines, due, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_first && done < self.total {
            let rate = done as f64 / seconds;
            println!(
                "preprocessing: {done} of {} photographs, {rate:.0} a second",
                self.total
            );
        }
    }
}
