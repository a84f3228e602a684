//! Images as PNG files.

use std::{fs, path::Path};

pub(crate) use ::image::codecs::png::CompressionType;
use ::image::{
    ExtendedColorType, ImageEncoder, ImageResult,
    codecs::png::{FilterType, PngEncoder},
};
use ndarray::ArrayView3;

use crate::{Error, Result};

/// Writes an image `(channels, height, width)` as a PNG file: in colour where there are three
/// channels, else the first as grey. Folders are made as needed.
///
/// ```no_run
/// use glyphs::{image::save_png, ndarray::Array3};
/// # fn f() -> glyphs::Result<()> {
/// let disc = Array3::from_shape_fn((1, 64, 64), |(_, y, x)| {
///     if (x as f32 - 32.0).hypot(y as f32 - 32.0) < 20.0 { 0 } else { 255 }
/// });
/// save_png("shapes/disc/1.png", disc.view())?;
/// # Ok(()) }
/// ```
pub fn save_png(path: impl AsRef<Path>, image: ArrayView3<u8>) -> Result<()> {
    let path = path.as_ref();
    let bytes = encode_png(image, CompressionType::Fast).map_err(|error| {
        let remedy = "pass an image with at least one pixel";
        Error::content(path, error.to_string(), remedy)
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Error::io(path, error, "make room, or allow writing to the folder"))
}

/// As in [`save_png`].
pub(crate) fn encode_png(image: ArrayView3<u8>, effort: CompressionType) -> ImageResult<Vec<u8>> {
    let (channels, height, width) = image.dim();
    let (bytes, colour): (Vec<u8>, _) = match channels {
        3 => (image.permuted_axes([1, 2, 0]).iter().copied().collect(), ExtendedColorType::Rgb8),
        _ => (image.outer_iter().take(1).flatten().copied().collect(), ExtendedColorType::L8),
    };
    let mut file = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut file, effort, FilterType::Adaptive);
    encoder.write_image(&bytes, width as u32, height as u32, colour)?;
    Ok(file)
}
