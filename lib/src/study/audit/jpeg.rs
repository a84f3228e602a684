//! What JPEG did to the images: their originals are compressed anew at every quality.

use std::{io::Cursor, path::Path};

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
use ndarray::Array4;
use rayon::prelude::*;

use super::{Match, PIXELS, nearest::flat};
use crate::data::{SIDE, decode::decode_grey};

/// Images that are compressed anew.
const SAMPLE: usize = 100;

/// The JPEG quality at which originals come nearest to the images made of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compression {
    /// 1 to 100.
    pub quality: u8,
    /// Images that were compared.
    pub images: usize,
    /// Those whose pixels all are the same.
    pub identical: usize,
    /// Mean absolute difference of a pixel that is left, in grey levels.
    pub left: f64,
}

impl Compression {
    /// Compares `images` with their originals at every quality.
    pub(super) fn between(
        images: &[&[u8]],
        originals: &Array4<u8>,
        matches: &[Match],
    ) -> Option<Self> {
        let pixels = flat(originals);
        let originals: Vec<&[u8]> = pixels.chunks_exact(PIXELS).collect();
        let step = (images.len() / SAMPLE).max(1);
        let pairs: Vec<(&[u8], &[u8])> = (images.iter().zip(matches).step_by(step).take(SAMPLE))
            .map(|(image, found)| (*image, originals[found.index]))
            .collect();
        let tried: Vec<Self> =
            (1..=100_u8).into_par_iter().filter_map(|quality| Self::at(quality, &pairs)).collect();
        tried.into_iter().min_by(|a, b| a.left.total_cmp(&b.left))
    }

    fn at(quality: u8, pairs: &[(&[u8], &[u8])]) -> Option<Self> {
        let (mut identical, mut left) = (0, 0);
        for (image, original) in pairs {
            let compressed = through_jpeg(original, quality)?;
            let differences = image.iter().zip(&compressed);
            let distance: u32 = differences.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
            identical += usize::from(distance == 0);
            left += distance;
        }
        Some(Self {
            quality,
            images: pairs.len(),
            identical,
            left: f64::from(left) / (pairs.len() * PIXELS).max(1) as f64,
        })
    }
}

fn through_jpeg(image: &[u8], quality: u8) -> Option<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    let side = SIDE as u32;
    JpegEncoder::new_with_quality(&mut file, quality)
        .write_image(image, side, side, ExtendedColorType::L8)
        .ok()?;
    Some(decode_grey(Path::new("JPEG"), file.get_ref()).ok()?.pixels)
}
