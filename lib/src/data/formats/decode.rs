//! Encoded drawings to grey pixels.

use std::io::Cursor;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::{Error, Result};

/// Most pixels of an image that is decoded at all: what a camera makes.
const MAX_PIXELS: u64 = 6144 * 4096;
/// Most pixels of a side.
const MAX_SIDE: u32 = 32_768;
/// Most bytes of the pixels as they are stored.
const MAX_BYTES: u64 = 4 * MAX_PIXELS;
/// Most bytes of what stands beside the pixels, such as a colour profile.
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

/// Width and height that a PNG or JPEG file declares, and a check that it ends as
/// its format ends. Nothing is decoded.
pub fn declared_size(path: &Path, bytes: &[u8]) -> Result<(usize, usize)> {
    let (width, height) = decoder(path, bytes)?.dimensions();
    let whole = match format(path, bytes)? {
        ImageFormat::Png => bytes.windows(4).rev().take(64).any(|w| w == b"IEND"),
        _ => bytes.windows(2).rev().take(64).any(|w| w == [0xff, 0xd9]),
    };
    if !whole {
        return Err(damaged(path, "the image is cut short"));
    }
    Ok((width as usize, height as usize))
}

/// Decodes a PNG or JPEG file of any colour type. Transparent pixels become white,
/// colours become luma (Rec. 709), 16 bits become 8, of an animation the first
/// frame is taken. `path` is for the error only.
///
/// # Errors
/// Where the image is damaged, or has more than 25 million pixels (a progressive JPEG:
/// half as many).
pub fn decode_grey(path: &Path, bytes: &[u8]) -> Result<Grey> {
    decode(path, bytes, |image| match image.color().has_alpha() {
        true => over_white::<2>(&image.into_luma_alpha8()),
        false => luma(image),
    })
}

/// As [`decode_grey`], but colours stay: red, green, blue and luma, each an image.
pub fn decode_rgb(path: &Path, bytes: &[u8]) -> Result<[Grey; 4]> {
    let rgb = decode(path, bytes, |image| match image.color().has_alpha() {
        true => over_white::<4>(&image.into_rgba8()),
        false => image.into_rgb8().into_raw(),
    })?;
    let plane = |value: fn(&[u8]) -> u8| Grey {
        pixels: rgb.pixels.chunks_exact(3).map(value).collect(),
        ..rgb
    };
    Ok([
        plane(|p| p[0]),
        plane(|p| p[1]),
        plane(|p| p[2]),
        plane(luma_of),
    ])
}

/// The image with the pixels that `convert` makes of it.
fn decode(path: &Path, bytes: &[u8], convert: fn(DynamicImage) -> Vec<u8>) -> Result<Grey> {
    let decoder = decoder(path, bytes)?;
    let (width, height) = decoder.dimensions();
    let _alone = (width as usize * height as usize > LARGE)
        .then(|| ONE_LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    let image = DynamicImage::from_decoder(decoder)
        .map_err(|e| damaged(path, &format!("the image cannot be decoded ({e})")))?;
    Ok(Grey {
        width: width as usize,
        height: height as usize,
        pixels: convert(image),
    })
}

/// As `into_luma8`, but colours go through whole numbers: five times as fast.
fn luma(image: DynamicImage) -> Vec<u8> {
    match image {
        DynamicImage::ImageRgb8(image) => image.as_raw().chunks_exact(3).map(luma_of).collect(),
        other => other.into_luma8().into_raw(),
    }
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
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ASIDE_BYTES);
    reader.limits(limits);
    let decoder = reader
        .into_decoder()
        .map_err(|e| damaged(path, &format!("the image cannot be decoded ({e})")))?;
    let (width, height) = decoder.dimensions();
    // Of a progressive JPEG all coefficients are kept until its end. Its marker stands
    // nowhere in the coefficients themselves.
    let progressive = format == ImageFormat::Jpeg && bytes.windows(2).any(|w| w == [0xff, 0xc2]);
    let most = if progressive {
        MAX_PIXELS / 2
    } else {
        MAX_PIXELS
    };
    if u64::from(width) * u64::from(height) > most
        || width.max(height) > MAX_SIDE
        || decoder.total_bytes() > MAX_BYTES
    {
        let problem = format!("an image of {width} x {height} pixels is too large");
        return Err(Error::content(path, problem, "scale it down"));
    }
    Ok(decoder)
}

fn format(path: &Path, bytes: &[u8]) -> Result<ImageFormat> {
    match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        _ => Err(damaged(path, "neither a PNG nor a JPEG image")),
    }
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::content(path, problem, "restore the file from its source")
}
