//! What several tests make: images, archives, samples; and what they ask of an error.
#![allow(dead_code)]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use glyphs::data::{Provenance, Samples};
use glyphs::image::{ImageFolder, Preprocess};
use glyphs::{Error, Result};
use image::{ExtendedColorType, ImageEncoder};
use ndarray::Array4;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The error's words hold each of `parts`.
#[track_caller]
pub fn fails_with<T>(result: Result<T>, parts: &[&str]) {
    let error = match result {
        Ok(_) => panic!("no error where {parts:?} was expected"),
        Err(error) => error,
    };
    assert!(!matches!(error, Error::Argument { .. }), "{error}");
    contains(&error.to_string(), parts);
}

#[track_caller]
pub fn contains(words: &str, parts: &[&str]) {
    for part in parts {
        assert!(words.contains(part), "{part:?} is not in: {words}");
    }
}

/// As `Samples::from_folder`, without the damaged images.
pub fn skipping(path: &Path, way: &Preprocess) -> Result<(Samples, Vec<Error>)> {
    let folder = ImageFolder::read_all(&[path], true)?;
    let classes = folder.classes()?;
    let images = folder.preprocess(way, classes)?;
    Ok((images.samples, images.skipped))
}

pub fn provenance(count: usize) -> Provenance {
    Provenance {
        name: "test".into(),
        source: "generated".into(),
        sha256: String::new(),
        count,
        synthetic: true,
    }
}

/// `n` grey images of 28 x 28, the classes `0`, `1`, … in turn, by `writers` writers.
pub fn samples(n: usize, classes: usize, writers: u16) -> Samples {
    let pixel = |(i, _, y, x)| (i * 31 + y * 7 + x) as u8;
    let images = Array4::from_shape_fn((n, 1, 28, 28), pixel);
    let labels = (0..n).map(|i| i % classes).collect();
    let names = (0..classes).map(|class| class.to_string());
    let mut samples = Samples::new("test", images, labels, names).unwrap();
    samples.writers = (0..n).map(|i| (i / classes) as u16 % writers + 1).collect();
    samples.names = (0..n).map(|i| format!("{i}")).collect();
    samples
}

pub fn png_of(width: u32, height: u32, colour: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, colour)
        .unwrap();
    bytes.into_inner()
}

/// Every pixel 200.
pub fn png(width: u32, height: u32, colour: ExtendedColorType) -> Vec<u8> {
    let channels = u32::from(colour.bits_per_pixel()) / 8;
    let pixels = vec![200; (width * height * channels) as usize];
    png_of(width, height, colour, &pixels)
}

pub fn jpeg_of(width: u32, height: u32, colour: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new(&mut bytes)
        .write_image(pixels, width, height, colour)
        .unwrap();
    bytes.into_inner()
}

pub fn zip_of<N: AsRef<str>, B: AsRef<[u8]>>(entries: &[(N, B)]) -> Vec<u8> {
    packed(entries, SimpleFileOptions::default())
}

pub fn packed<N: AsRef<str>, B: AsRef<[u8]>>(
    entries: &[(N, B)],
    options: SimpleFileOptions,
) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name.as_ref(), options).unwrap();
        zip.write_all(bytes.as_ref()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub fn tgz_of<N: AsRef<str>, B: AsRef<[u8]>>(entries: &[(N, B)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        let bytes = bytes.as_ref();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name.as_ref(), bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A folder with one file in it.
pub fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path, bytes);
    (folder, path)
}

/// Writes a file with the folders above it.
pub fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
