//! Encoded images to pixels.

mod frames;
mod others;
mod tiff;

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::metadata::Orientation;
use image::{
    DynamicImage, GenericImageView, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    RgbImage,
};

pub use self::frames::frames;
use self::frames::late_exif;
use self::others::not_read;
pub(crate) use self::others::{CONVERT, NOT_READ};
use self::tiff::Tiff;
use super::jpeg;
use crate::{Error, Result};

/// Most pixels of an image that is decoded at all: those of a camera of 25 megapixels.
const MAX_PIXELS: u64 = 6144 * 4096;
/// Most pixels of a side.
const MAX_SIDE: u32 = 32_768;
/// Most bytes of the pixels as they are stored.
const MAX_BYTES: u64 = 4 * MAX_PIXELS;
/// Most bytes of metadata beside the pixels, such as a colour profile.
const MAX_ASIDE_BYTES: u64 = 32 << 20;

/// Images with more pixels are decoded one at a time, so that the memory does not grow
/// with the number of cores.
const LARGE: usize = 2 << 20;
static ONE_LARGE: Mutex<()> = Mutex::new(());

/// A grey image, as it was drawn or photographed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grey {
    pub width: usize,
    pub height: usize,
    /// `(height, width)` row-major, 0 is black and 255 is white.
    pub pixels: Vec<u8>,
}

/// Formats that are read, as users know them.
pub const FORMATS: &str = "PNG, JPEG, WebP, BMP, TIFF or GIF";
/// How the names of image files that are read end.
pub(crate) const ENDINGS: [&str; 13] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "pjpeg", "webp", "bmp", "dib", "tif", "tiff",
    "gif",
];

/// Width and height that an image file declares. Nothing is decoded.
pub fn declared_size(path: &Path, bytes: &[u8]) -> Result<(usize, usize)> {
    let (width, height) = decoder(path, bytes)?.dimensions();
    if bytes.starts_with(b"\x89PNG") && !bytes.windows(4).rev().take(64).any(|w| w == b"IEND") {
        return Err(damaged(path, "the image is cut short"));
    }
    Ok((width as usize, height as usize))
}

/// Decodes an image file of any colour type. Transparent pixels become white, colours become
/// luma (Rec. 709), 16 bits become 8; of an animation or a file of pages, the first is taken
/// ([`frames()`] counts them). An image that was stored rotated (EXIF) is rotated back. `path` is
/// only for the error.
///
/// # Errors
/// Where the image is damaged or cut short, or has more than 25 million pixels (a progressive
/// JPEG: half as many).
pub fn decode_grey(path: &Path, bytes: &[u8]) -> Result<Grey> {
    decode(path, bytes, |image| match image.color().has_alpha() {
        true => {
            let size = image.dimensions();
            grey(size, over_white::<2>(&image.into_luma_alpha8()))
        }
        false => luma(&image),
    })
}

/// As [`decode_grey`], but colours stay: red, green, blue and luma, each an image.
pub fn decode_rgb(path: &Path, bytes: &[u8]) -> Result<[Grey; 4]> {
    decode(path, bytes, |image| {
        let size = image.dimensions();
        let rgb = match image.color().has_alpha() {
            true => over_white::<4>(&image.into_rgba8()),
            false => image.into_rgb8().into_raw(),
        };
        let plane = |value: fn(&[u8]) -> u8| grey(size, rgb.chunks_exact(3).map(value).collect());
        [plane(|p| p[0]), plane(|p| p[1]), plane(|p| p[2]), plane(luma_of)]
    })
}

/// As [`decode_grey`], but colours stay, and what is mostly transparent is ink without paper:
/// it is put on white or black, whichever it differs from more.
pub fn decode_photograph(path: &Path, bytes: &[u8]) -> Result<DynamicImage> {
    decode(path, bytes, |image| {
        if !image.color().has_alpha() {
            return image;
        }
        let mut image = image.into_rgba8();
        let (mut opaque, mut light) = (0, 0);
        for pixel in image.pixels() {
            let alpha = u64::from(pixel[3]);
            opaque += alpha;
            light += alpha * u64::from(luma_of(&pixel.0));
        }
        let is_mostly_clear = opaque * 2 < 255 * image.pixels().len() as u64;
        let inverts = is_mostly_clear && light > 160 * opaque;
        let invert = |image: &mut [u8]| image.iter_mut().for_each(|value| *value = 255 - *value);
        if inverts {
            image.pixels_mut().for_each(|pixel| invert(&mut pixel.0[..3]));
        }
        let mut rgb = over_white::<4>(&image);
        if inverts {
            invert(&mut rgb);
        }
        let (width, height) = image.dimensions();
        let image = RgbImage::from_raw(width, height, rgb);
        DynamicImage::ImageRgb8(image.unwrap_or_default())
    })
}

/// What `convert` makes of the image.
fn decode<T>(path: &Path, bytes: &[u8], convert: impl FnOnce(DynamicImage) -> T) -> Result<T> {
    let mut decoder = decoder(path, bytes)?;
    // It would be decoded nevertheless, with grey for what is missing before its end marker.
    if jpeg::is_whole(bytes) == Some(false) {
        return Err(damaged(path, "the image is cut short"));
    }
    let (width, height) = decoder.dimensions();
    let _alone = (width as usize * height as usize > LARGE)
        .then(|| ONE_LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    // Where that cannot be read, the image is as it was stored.
    let orientation = late_exif(bytes).and_then(Orientation::from_exif_chunk);
    let orientation = orientation.or_else(|| decoder.orientation().ok());
    let image = DynamicImage::from_decoder(decoder).map_err(|e| undecodable(path, bytes, e))?;
    let mut image = match Tiff::new(bytes).and_then(|tiff| tiff.palette()) {
        Some(colours) => coloured(image, &colours),
        None => image,
    };
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(convert(image))
}

/// The image whose values are numbers of `colours`; of two, as the decoder gives one bit.
fn coloured(image: DynamicImage, colours: &[[u8; 3]]) -> DynamicImage {
    let (width, height) = image.dimensions();
    let last = colours.len() - 1;
    let numbers = image.into_luma8().into_raw().into_iter();
    let rgb = numbers.flat_map(|number| colours[usize::from(number) * last / 255]).collect();
    DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, rgb).unwrap_or_default())
}

/// Grey values of an image.
fn grey((width, height): (u32, u32), pixels: Vec<u8>) -> Grey {
    Grey { width: width as usize, height: height as usize, pixels }
}

/// As `to_luma8`, but colours go through whole numbers: five times as fast.
pub(crate) fn luma(image: &DynamicImage) -> Grey {
    let pixels = match image {
        DynamicImage::ImageRgb8(image) => image.as_raw().chunks_exact(3).map(luma_of).collect(),
        other => other.to_luma8().into_raw(),
    };
    grey(image.dimensions(), pixels)
}

/// Rec. 709 in 256ths; the weights' sum is 256, so that grey stays as it is.
fn luma_of(rgb: &[u8]) -> u8 {
    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
    ((54 * r + 183 * g + 19 * b + 128) >> 8) as u8
}

/// Pixels of `N` values, the last of which is how opaque they are, on white paper.
fn over_white<const N: usize>(pixels: &[u8]) -> Vec<u8> {
    let pixels = pixels.as_chunks::<N>().0.iter();
    let shown = pixels.flat_map(|pixel| {
        let alpha = u16::from(pixel[N - 1]);
        let over = move |&value: &u8| (u16::from(value) * alpha + 255 * (255 - alpha) + 127) / 255;
        pixel[..N - 1].iter().map(move |value| over(value) as u8)
    });
    shown.collect()
}

fn decoder<'a>(path: &Path, bytes: &'a [u8]) -> Result<impl ImageDecoder + 'a> {
    let format = format(path, bytes)?;
    let grey = Tiff::new(bytes).and_then(|tiff| tiff.as_grey());
    let read = grey.map_or(Cow::Borrowed(bytes), Cow::Owned);
    let mut reader = ImageReader::with_format(Cursor::new(read), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(match format {
        ImageFormat::Png | ImageFormat::Jpeg => MAX_ASIDE_BYTES,
        _ => MAX_BYTES,
    });
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|e| undecodable(path, bytes, e))?;
    let (width, height) = decoder.dimensions();
    // Of a progressive JPEG all coefficients are kept until its end.
    let progressive = format == ImageFormat::Jpeg && jpeg::is_progressive(bytes) == Some(true);
    let most = if progressive { MAX_PIXELS / 2 } else { MAX_PIXELS };
    let limit = if u64::from(width) * u64::from(height) > most {
        let kind = if progressive { ", for a progressive JPEG" } else { "" };
        format!("{:.1} million pixels{kind}", most as f64 / 1e6)
    } else if width.max(height) > MAX_SIDE {
        format!("{MAX_SIDE} pixels in width and height")
    } else if decoder.total_bytes() > MAX_BYTES {
        format!("{} MB of pixels", MAX_BYTES / 1_000_000)
    } else {
        return Ok(decoder);
    };
    let problem =
        format!("an image of {width} x {height} pixels is too large (the limit is {limit})");
    Err(Error::content(path, problem, "scale it down"))
}

/// Whether the bytes begin as those of some image file do, of a format that is read or not.
pub(crate) fn begins_like_an_image(bytes: &[u8]) -> bool {
    image::guess_format(bytes).is_ok() || not_read(bytes).is_some()
}

fn format(path: &Path, bytes: &[u8]) -> Result<ImageFormat> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    if let Some(kind) = not_read(bytes) {
        let problem = format!("it is {kind}, not a {FORMATS} image");
        return Err(Error::content(path, problem, CONVERT));
    }
    let other = format!("it is not a {FORMATS} image");
    match image::guess_format(bytes) {
        Ok(Jpeg) if jpeg::is_progressive(bytes).is_none() => {
            Err(damaged(path, "the image is cut short"))
        }
        Ok(format @ (Png | Jpeg | WebP | Bmp | Tiff | Gif)) => Ok(format),
        // Whole, but of a format that is not read, whatever its name says.
        Ok(_) => Err(Error::content(path, other, CONVERT)),
        Err(_) => Err(damaged(path, &other)),
    }
}

fn undecodable(path: &Path, bytes: &[u8], error: ImageError) -> Error {
    if matches!(error, ImageError::Unsupported(_)) {
        let kind = Tiff::new(bytes).and_then(|tiff| tiff.colours());
        let kind = kind.unwrap_or("an image of a kind");
        return Error::content(path, format!("it is {kind} that is not read ({error})"), CONVERT);
    }
    let problem = format!("the image cannot be decoded ({error})");
    // BMP files have a limit of their own.
    match matches!(error, ImageError::Limits(_)) || problem.contains("too large") {
        true => Error::content(path, problem, "scale it down"),
        false => damaged(path, &problem),
    }
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::content(path, problem, "restore the file from its source")
}
