//! Images inside a page: encoded, in base64, with words for who cannot see them.

use ::image::{DynamicImage, ExtendedColorType, ImageEncoder, codecs::jpeg, codecs::png};
use base64::{Engine, prelude::BASE64_STANDARD};
use ndarray::{Array2, ArrayView2, s};

use super::html::{Html, escape};

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
    /// A grey image `(height, width)`, each pixel shown `zoom` x `zoom`.
    pub fn grey(pixels: ArrayView2<u8>, zoom: usize) -> Self {
        let (height, width) = pixels.dim();
        let bytes: Vec<u8> = pixels.iter().copied().collect();
        let mut file = Vec::new();
        let encoder = png::PngEncoder::new_with_quality(
            &mut file,
            png::CompressionType::Best,
            png::FilterType::Adaptive,
        );
        let done = encoder.write_image(&bytes, width as u32, height as u32, ExtendedColorType::L8);
        Self {
            uri: data_uri("image/png", done.map(|()| file)),
            width: width * zoom,
            height: height * zoom,
            pixelated: true,
        }
    }

    /// Grey images of one size side by side, a pixel apart.
    pub fn strip<'a>(images: impl IntoIterator<Item = ArrayView2<'a, u8>>, zoom: usize) -> Self {
        let images: Vec<ArrayView2<u8>> = images.into_iter().collect();
        let height = images.iter().map(|image| image.nrows()).max().unwrap_or(1);
        let width: usize = images.iter().map(|image| image.ncols() + 1).sum();
        let mut sheet = Array2::from_elem((height, width.saturating_sub(1).max(1)), SEPARATOR);
        let mut left = 0;
        for image in images {
            let (rows, columns) = image.dim();
            sheet
                .slice_mut(s![..rows, left..left + columns])
                .assign(&image);
            left += columns + 1;
        }
        Self::grey(sheet.view(), zoom)
    }

    /// A photograph, made smaller where its longer side is above `longest` pixels.
    pub fn photo(photo: &DynamicImage, longest: u32) -> Self {
        let small = match photo.width().max(photo.height()) > longest {
            true => photo.thumbnail(longest, longest),
            false => photo.clone(),
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
