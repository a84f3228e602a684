//! How many pictures an image file has, of which the first is decoded, and what a PNG file says
//! behind its own.

use std::iter;

use image::ImageFormat;

use super::tiff::Tiff;

/// The frames or pages of an image file, without decoding them; 1 of a file that is damaged.
pub fn frames(bytes: &[u8]) -> usize {
    let count = match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => png_frames(bytes),
        Ok(ImageFormat::Gif) => gif_frames(bytes),
        Ok(ImageFormat::WebP) => webp_frames(bytes),
        Ok(ImageFormat::Tiff) => Tiff::new(bytes).map_or(1, |tiff| tiff.pages()),
        _ => 1,
    };
    count.max(1)
}

/// The EXIF data of a PNG file that come behind its pixels, where its decoder does not look.
pub(super) fn late_exif(bytes: &[u8]) -> Option<&[u8]> {
    if !bytes.starts_with(b"\x89PNG") {
        return None;
    }
    let mut behind = png_chunks(bytes).skip_while(|(kind, _)| *kind != b"IDAT");
    behind.find(|(kind, _)| *kind == b"eXIf").map(|(_, exif)| exif)
}

fn png_frames(bytes: &[u8]) -> usize {
    png_chunks(bytes).fold(0, |frames, (kind, _)| match kind {
        b"fcTL" => frames + 1,
        // An image that no frame begins with is no part of the animation.
        b"IDAT" if frames == 0 => 1,
        _ => frames,
    })
}

/// The kind of each chunk of a PNG file, and what it holds.
fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk()?;
        let (kind, behind) = behind.split_first_chunk()?;
        let (data, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        // A checksum follows.
        rest = behind.get(4..).unwrap_or_default();
        Some((kind, data))
    })
}

fn gif_frames(bytes: &[u8]) -> usize {
    // A table of colours, where the flags tell of one.
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << (1 + (flags & 7)) };
    let mut frames = 0;
    let mut at = bytes.get(10).map_or(bytes.len(), |&flags| 13 + table(flags));
    loop {
        // An extension's kind; an image's place, flags, colours and the length of its codes.
        at += match bytes.get(at..) {
            Some([0x21, _, ..]) => 2,
            Some([0x2c, _, _, _, _, _, _, _, _, flags, ..]) => {
                frames += 1;
                11 + table(*flags)
            }
            _ => return frames,
        };
        // Their blocks, the last of which is empty.
        while let Some(&length) = bytes.get(at) {
            at += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
    }
}

fn webp_frames(bytes: &[u8]) -> usize {
    let mut rest = bytes.get(12..).unwrap_or_default();
    let mut frames = 0;
    while let Some(([kind @ .., a, b, c, d], behind)) = rest.split_first_chunk::<8>() {
        frames += usize::from(kind == b"ANMF");
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        rest = behind.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    frames
}
