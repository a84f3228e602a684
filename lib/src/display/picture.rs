//! Images inside a page: encoded, in base64, with a text alternative.

use ::image::{DynamicImage, codecs::jpeg};
use base64::{Engine, prelude::BASE64_STANDARD};
use ndarray::{Array3, ArrayView3, s};

use super::html::{Html, escape};
use crate::image::{CompressionType, encode_png};

/// Grey of the line between two images of a strip.
const SEPARATOR: u8 = 96;

/// An encoded image and the size at which it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// `data:` URI; empty where encoding failed.
    uri: String,
    /// In CSS pixels.
    width: usize,
    height: usize,
    pixelated: bool,
}

impl Picture {
    /// An image `(channels, height, width)`, each pixel shown `zoom` x `zoom`: in colour
    /// where there are three channels, else the first as grey.
    pub fn new(image: ArrayView3<u8>, zoom: usize) -> Self {
        let (_, height, width) = image.dim();
        Self {
            uri: data_uri("image/png", encode_png(image, CompressionType::Best)),
            width: width * zoom,
            height: height * zoom,
            pixelated: true,
        }
    }

    /// Images of as many channels side by side, a pixel apart.
    pub fn strip<'a>(images: impl IntoIterator<Item = ArrayView3<'a, u8>>, zoom: usize) -> Self {
        let images: Vec<ArrayView3<u8>> = images.into_iter().collect();
        let most = |axis: usize| images.iter().map(|image| image.shape()[axis]).max();
        let width: usize = images.iter().map(|image| image.shape()[2] + 1).sum();
        let shape = (most(0).unwrap_or(1), most(1).unwrap_or(1), width.saturating_sub(1).max(1));
        let mut sheet = Array3::from_elem(shape, SEPARATOR);
        let mut left = 0;
        for image in images {
            let (channels, rows, columns) = image.dim();
            sheet.slice_mut(s![..channels, ..rows, left..left + columns]).assign(&image);
            left += columns + 1;
        }
        Self::new(sheet.view(), zoom)
    }

    /// How often a pixel of an image of `height` pixels is shown in each direction, so that
    /// 28 pixels become `zoom` times as many and larger images take about as much room.
    pub(super) fn zoom(height: usize, zoom: usize) -> usize {
        (28 * zoom / height.max(1)).max(1)
    }

    /// An image, made smaller where its longer side is above `longest` pixels.
    pub fn scaled(image: &DynamicImage, longest: u32) -> Self {
        let small = match image.width().max(image.height()) > longest {
            true => image.thumbnail(longest, longest),
            false => image.clone(),
        };
        let mut file = Vec::new();
        let encoder = jpeg::JpegEncoder::new_with_quality(&mut file, 80);
        let done = small.to_rgb8().write_with_encoder(encoder);
        Self {
            uri: data_uri("image/jpeg", done.map(|()| file)),
            width: small.width() as usize,
            height: small.height() as usize,
            pixelated: false,
        }
    }

    /// At which it is shown, in CSS pixels.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// A block of its own, e.g. for a table's cell; `alt` says what is to be seen.
    pub fn block(&self, alt: &str) -> Html {
        Html::new(self.html(alt), alt)
    }

    /// The `<img>` element; `alt` says what is to be seen.
    pub(super) fn html(&self, alt: &str) -> String {
        let pixelated = if self.pixelated { " g-pixelated" } else { "" };
        format!(
            "<img class=\"g-picture{pixelated}\" src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">",
            self.uri,
            self.width,
            self.height,
            escape(alt)
        )
    }
}

/// Encoding into memory fails for an image without pixels only; its words stay.
fn data_uri(mime: &str, file: ::image::ImageResult<Vec<u8>>) -> String {
    match file {
        Ok(file) => format!("data:{mime};base64,{}", BASE64_STANDARD.encode(file)),
        Err(_) => String::new(),
    }
}
