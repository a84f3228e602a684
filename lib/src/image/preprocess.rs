//! Drawings and photographs, scaled down to the small square that a network sees.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::image::DynamicImage;
use ndarray::{Array2, Array4};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ink::{Ink, InkBox, has_light_paper};
use super::photograph::{Unreadable, ink_of_photograph, is_flat};
use super::resample::{Window, resample};
use crate::data::decode::{decode_grey, decode_photograph, decode_rgb, luma};
use crate::data::{Handwritten, SIDE, Samples};
use crate::progress::Progress;
use crate::{Result, error::ensure};

/// Number of auxiliary features: height, width, centre column and centre row of the ink's
/// box and the ink itself, each as a share of the drawing, and the natural logarithm of
/// the box's height over its width; all less a typical value and in units of a typical
/// deviation, so that none is too faint for a network to use. Zeros where there is no ink.
pub const FEATURES: usize = 6;

/// The largest side that images are brought to.
const MAX_SIDE: usize = 1024;

/// How an image becomes a small square, grey or in colour.
///
/// ```
/// use glyphs::image::{CropToInk, Preprocess};
/// let as_mnist = Preprocess::from(CropToInk::mnist());
/// let photographs = Preprocess::keep_aspect().side(32).rgb();
/// assert_eq!((as_mnist.side, photographs.side, photographs.channels()), (28, 32, 3));
/// ```
///
/// Grey images show ink bright on dark: where the paper (the image's border) is light, they
/// are inverted. Colours stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Preprocess {
    pub method: Method,
    /// Height and width of the result, in pixels; 28 unless set.
    pub side: usize,
    /// Whether red, green and blue are kept, or become grey.
    pub rgb: bool,
}

/// Which part of an image becomes the square.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The whole image squeezed into the square, as the 2021 report did: characters become
    /// a quarter narrower.
    Squeeze,
    /// The whole image, with blank space added above and below to make it square.
    KeepAspect,
    /// The ink alone; the features say where it was, and how large.
    CropToInk(CropToInk),
}

/// As in checkpoints and records: only the method, for the usual grey 28 x 28.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Usual(Method),
    Other { method: Method, side: usize, rgb: bool },
}

impl From<Written> for Preprocess {
    fn from(written: Written) -> Self {
        match written {
            Written::Usual(method) => method.into(),
            Written::Other { method, side, rgb } => Self { method, side, rgb },
        }
    }
}

impl From<Preprocess> for Written {
    fn from(Preprocess { method, side, rgb }: Preprocess) -> Self {
        match (side, rgb) {
            (SIDE, false) => Self::Usual(method),
            _ => Self::Other { method, side, rgb },
        }
    }
}

impl Default for Preprocess {
    fn default() -> Self {
        CropToInk::default().into()
    }
}

impl From<Method> for Preprocess {
    fn from(method: Method) -> Self {
        Self { method, side: SIDE, rgb: false }
    }
}

impl From<CropToInk> for Preprocess {
    fn from(crop: CropToInk) -> Self {
        Method::CropToInk(crop).into()
    }
}

/// The ink's box, scaled so that its longer side has `box_size` of 28 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CropToInk {
    /// Longer side of the ink's box in 28ths of the result's side. MNIST has 20.
    pub box_size: f32,
    /// What is placed at the image's centre.
    pub centre: Centre,
    /// Brings the brightest pixel up to full ink: large characters are no fainter
    /// than small ones.
    pub stretch: bool,
}

/// What is placed at the centre of the image.
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
        Self { box_size: 24.0, centre: Centre::Box, stretch: false }
    }
}

impl CropToInk {
    /// As MNIST was made: 20 pixels, centred by mass.
    pub fn mnist() -> Self {
        Self { box_size: 20.0, centre: Centre::Mass, stretch: false }
    }
}

impl Preprocess {
    /// [`Method::Squeeze`] to a grey 28 x 28.
    pub fn squeeze() -> Self {
        Method::Squeeze.into()
    }

    /// [`Method::KeepAspect`] to a grey 28 x 28.
    pub fn keep_aspect() -> Self {
        Method::KeepAspect.into()
    }

    /// The same to `side` x `side` pixels.
    pub fn side(self, side: usize) -> Self {
        Self { side, ..self }
    }

    /// The same with red, green and blue kept.
    pub fn rgb(self) -> Self {
        Self { rgb: true, ..self }
    }

    /// 1, or 3 for colours.
    pub fn channels(&self) -> usize {
        if self.rgb { 3 } else { 1 }
    }

    /// For tables and file names, e.g. `crop-to-ink`.
    pub fn name(&self) -> &'static str {
        match self.method {
            Method::Squeeze => "squeeze",
            Method::KeepAspect => "keep-aspect",
            Method::CropToInk(_) => "crop-to-ink",
        }
    }

    /// The part of the drawing that becomes the image; `bounds` is the ink's box.
    /// None if that is empty.
    fn window(&self, ink: &Ink, bounds: Option<&InkBox>) -> Option<Window> {
        let (width, height) = (ink.width as f32, ink.height as f32);
        match self.method {
            Method::Squeeze => Some(Window { left: 0.0, top: 0.0, width, height }),
            Method::KeepAspect => Some(square(width / 2.0, height / 2.0, width.max(height))),
            Method::CropToInk(crop) => bounds.map(|bounds| crop.window(bounds)),
        }
    }

    /// Decodes a drawing. `path` is for errors only.
    fn drawing(&self, path: &Path, bytes: &[u8]) -> Result<Preprocessed> {
        if !self.rgb {
            return preprocess(Ink::of(decode_grey(path, bytes)?), self);
        }
        let [red, green, blue, luma] = decode_rgb(path, bytes)?;
        let is_light = has_light_paper(&luma);
        let colours = [red, green, blue].map(|plane| Ink::of_paper(plane, is_light));
        let mut done = self.apply(Ink::of_paper(luma, is_light), Some(&colours));
        if is_light {
            done.pixels.iter_mut().for_each(|value| *value = 255 - *value);
        }
        Ok(done)
    }

    /// Decodes an image file that may be a photograph: if only the ink is taken, it is found on
    /// whatever paper it is on.
    pub(super) fn image(&self, path: &Path, bytes: &[u8]) -> Result<Preprocessed> {
        match self.rgb || !matches!(self.method, Method::CropToInk(_)) {
            true => self.drawing(path, bytes),
            false => self.photograph(&decode_photograph(path, bytes)?),
        }
    }

    /// As of an image file of which only the ink is taken, of a decoded image without transparency.
    ///
    /// # Errors
    /// Where colours are to be kept.
    pub fn photograph(&self, image: &DynamicImage) -> Result<Preprocessed> {
        let luma = luma(image);
        let is_flat = is_flat(&luma);
        let ink = match is_flat {
            true => Ok(Ink::of(luma).without_dots()),
            false => ink_of_photograph(image),
        };
        let ink = ink.map(Ink::without_specks);
        let unreadable = match &ink {
            Err(unreadable) => Some(*unreadable),
            Ok(ink) if ink.is_speck() => Some(Unreadable::NoInk),
            Ok(ink) => (ink.has_several_characters()).then_some(Unreadable::SeveralCharacters),
        };
        let ink = ink.unwrap_or_else(|_| Ink { width: 1, height: 1, pixels: vec![0] });
        let has_shape = (3 * ink.width).abs_diff(4 * ink.height) * 25 <= 4 * ink.height;
        Ok(Preprocessed {
            is_sheet: is_flat && has_shape && ink.has_wide_strokes(),
            unreadable,
            ..preprocess(ink, self)?
        })
    }

    /// `ink` says which part is taken and gives the features; `colours`, or the ink itself,
    /// give the pixels.
    fn apply(&self, ink: Ink, colours: Option<&[Ink]>) -> Preprocessed {
        let ink = match self.method {
            Method::CropToInk(_) => ink.without_specks(),
            _ => ink,
        };
        let bounds = ink.bounds();
        let planes = colours.unwrap_or(std::slice::from_ref(&ink));
        let values: Vec<f32> = match self.window(&ink, bounds.as_ref()) {
            Some(window) => planes.iter().flat_map(|p| resample(p, window, self.side)).collect(),
            None => vec![0.0; self.channels() * self.side * self.side],
        };
        let brightest = values.iter().copied().fold(0.0, f32::max);
        let stretches = matches!(self.method, Method::CropToInk(crop) if crop.stretch);
        let gain = if stretches && brightest > 0.0 { 255.0 / brightest } else { 1.0 };
        let pixels = values.iter().map(|value| (value * gain).round() as u8);
        Preprocessed {
            pixels: pixels.collect(),
            features: bounds.map_or([0.0; FEATURES], |bounds| features(&ink, &bounds)),
            is_sheet: false,
            unreadable: None,
        }
    }
}

impl CropToInk {
    fn window(&self, bounds: &InkBox) -> Window {
        let (width, height) = (bounds.width as f32, bounds.height as f32);
        let box_size = self.box_size.clamp(1.0, SIDE as f32);
        let side = width.max(height) * SIDE as f32 / box_size;
        let middle = (bounds.left as f32 + width / 2.0, bounds.top as f32 + height / 2.0);
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

/// One image as a network takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessed {
    /// `(channels, side, side)`, row by row.
    pub pixels: Vec<u8>,
    pub features: [f32; FEATURES],
    /// Whether it is a drawing on a sheet like dataset 1's, flat, of its shape and by a pen that is
    /// nearly as wide, so that size and position of the ink mean something.
    pub is_sheet: bool,
    /// Why there is no character to read, or more than one.
    pub unreadable: Option<Unreadable>,
}

/// One grey image as a network takes it. Cropping first wipes out stray marks, and gives
/// zeros where there is no ink.
///
/// # Errors
/// Where `method` keeps colours: ink has none.
pub fn preprocess(ink: Ink, method: &Preprocess) -> Result<Preprocessed> {
    let problem = || "ink has no colours to keep";
    ensure(!method.rgb, problem, "choose a `Preprocess` without `rgb`")?;
    Ok(method.apply(ink, None))
}

/// Each of `items` preprocessed by `decoded`, on all cores with a line of
/// progress every few seconds; an error where a file is damaged.
pub(super) fn preprocess_all<'a, T: Sync>(
    items: &'a [T],
    method: &Preprocess,
    decoded: impl Fn(&'a T) -> Result<Preprocessed> + Sync,
) -> Result<Vec<Result<Preprocessed>>> {
    let problem = || format!("images of {0} x {0} pixels", method.side);
    let remedy = format!("choose a side from 1 to {MAX_SIDE} for `Preprocess`");
    ensure((1..=MAX_SIDE).contains(&method.side), problem, &remedy)?;
    let (progress, count) = (Progress::start(), AtomicUsize::new(0));
    let images = items.par_iter().map(|item| {
        let image = decoded(item);
        let done = count.fetch_add(1, Ordering::Relaxed) + 1;
        progress.count("preprocessing", done, format_args!("{} images", items.len()));
        image
    });
    Ok(images.collect())
}

/// `(n, channels, side, side)` and `(n, features)`.
pub(super) fn stacked(images: &[Preprocessed], method: &Preprocess) -> (Array4<u8>, Array2<f32>) {
    let shape = (images.len(), method.channels(), method.side, method.side);
    let side = method.side;
    let pixels = Array4::from_shape_fn(shape, |(n, channel, row, column)| {
        images[n].pixels[(channel * side + row) * side + column]
    });
    let features = (images.len(), FEATURES);
    let features = Array2::from_shape_fn(features, |(n, feature)| images[n].features[feature]);
    (pixels, features)
}

impl Handwritten {
    /// Every drawing preprocessed, on all cores, with a line of progress every few seconds.
    ///
    /// # Errors
    /// Where a drawing is damaged; the error names it.
    pub fn preprocess(&self, method: &Preprocess) -> Result<Samples> {
        self.preprocess_in_pen(method, 1.0)
    }

    /// As [`Handwritten::preprocess`], drawn with a thinner pen: `pen` times as wide as it was.
    ///
    /// # Errors
    /// As [`Handwritten::preprocess`]; where a thinner pen is to keep colours.
    pub fn preprocess_in_pen(&self, method: &Preprocess, pen: f32) -> Result<Samples> {
        let done = preprocess_all(&self.drawings, method, |drawing| {
            let (path, bytes) = (self.path_of(drawing), &drawing.bytes);
            match pen < 1.0 {
                true => preprocess(Ink::of(decode_grey(&path, bytes)?).thinned(pen), method),
                false => method.drawing(&path, bytes),
            }
        })?;
        let done = done.into_iter().collect::<Result<Vec<_>>>()?;
        let (images, features) = stacked(&done, method);
        Ok(Samples {
            images,
            features,
            labels: self.labels(),
            writers: self.drawings.iter().map(|drawing| drawing.writer).collect(),
            names: self.drawings.iter().map(|drawing| drawing.name.clone()).collect(),
            classes: self.classes.clone(),
            provenance: self.provenance.clone(),
        })
    }
}

impl Samples {
    /// The same grey images brought down by `method`, with size and position of their ink.
    ///
    /// # Errors
    /// Where they, or those that `method` makes, have colours.
    pub fn preprocess(&self, method: &Preprocess) -> Result<Self> {
        let [channels, height, width] = self.image_shape();
        let problem = || format!("images of {channels} channels");
        ensure(channels == 1, problem, "take grey images")?;
        let images: Vec<_> = self.images.outer_iter().collect();
        let done = preprocess_all(&images, method, |image| {
            let pixels = image.iter().copied().collect();
            preprocess(Ink { width, height, pixels }, method)
        })?;
        let done = done.into_iter().collect::<Result<Vec<_>>>()?;
        let (images, features) = stacked(&done, method);
        Ok(Self { images, features, ..self.clone() })
    }
}

fn square(x: f32, y: f32, side: f32) -> Window {
    Window { left: x - side / 2.0, top: y - side / 2.0, width: side, height: side }
}

/// Mean and standard deviation of each feature, rounded, over the drawings of
/// dataset 1. Constants, so that a drawing has the same features in any company.
const TYPICAL: [(f32, f32); FEATURES] =
    [(0.49, 0.12), (0.28, 0.084), (0.49, 0.061), (0.525, 0.053), (0.058, 0.02), (0.29, 0.34)];

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
