//! Parsers on arbitrary and on slightly damaged input: an error or a value, never a
//! panic, and what is written comes back as it was.

use std::io::Cursor;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use glyphs::Result;
use glyphs::data::archive::{ImageFile, unpack_images};
use glyphs::data::decode::{declared_size, decode_grey};
use glyphs::data::fetch::Catalogue;
use glyphs::data::idx::Idx;
use glyphs::image::preprocess::preprocess;
use glyphs::image::{Ink, Preprocess};
use image::ExtendedColorType::L8;
use proptest::prelude::*;

use crate::support::{jpeg_of, png_of, samples, zip_of};

/// Overwrites bytes at places given as shares of the length, then cuts.
fn damaged(mut bytes: Vec<u8>, edits: &[(f64, u8)], keep: f64) -> Vec<u8> {
    let length = bytes.len();
    for (place, value) in edits {
        bytes[(place * length as f64) as usize % length] = *value;
    }
    bytes.truncate((keep * length as f64) as usize);
    bytes
}

fn edits() -> impl Strategy<Value = (Vec<(f64, u8)>, f64)> {
    let keep = prop_oneof![3 => Just(1.0), 1 => 0.0..1.0];
    (prop::collection::vec((0.0..1.0, any::<u8>()), 0..8), keep)
}

fn tar_archive(names: &[String]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in names {
        let mut header = tar::Header::new_gnu();
        header.set_size(name.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, name.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn unpack(bytes: &[u8]) -> Result<Vec<ImageFile>> {
    unpack_images(Path::new("a.zip"), Cursor::new(bytes))
}

proptest! {
    #[test]
    fn idx_of_anything(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(idx) = Idx::parse(Path::new("x"), &bytes) {
            prop_assert_eq!(idx.shape.iter().product::<usize>(), idx.values.len());
        }
    }

    #[test]
    fn idx_comes_back(shape in prop::collection::vec(0usize..6, 1..4)) {
        let count: usize = shape.iter().product();
        let mut bytes = vec![0, 0, 8, shape.len() as u8];
        shape.iter().for_each(|&size| bytes.extend((size as u32).to_be_bytes()));
        bytes.extend((0..count).map(|i| i as u8));
        let idx = Idx::parse(Path::new("x"), &bytes).unwrap();
        prop_assert_eq!(&idx.shape, &shape);
        prop_assert!(idx.values.iter().enumerate().all(|(i, &v)| v == i as u8));
        bytes.push(0);
        prop_assert!(Idx::parse(Path::new("x"), &bytes).is_err());
    }

    #[test]
    fn damaged_images(
        (width, height) in (1u32..40, 1u32..40),
        (edits, keep) in edits(),
        is_png in any::<bool>(),
    ) {
        let pixels: Vec<u8> = (0..width * height).map(|i| (i * 7) as u8).collect();
        let whole = if is_png { png_of(width, height, L8, &pixels) } else { jpeg_of(width, height, L8, &pixels) };
        let path = Path::new("x.png");
        prop_assert_eq!(declared_size(path, &whole).unwrap(), (width as usize, height as usize));
        if is_png {
            prop_assert_eq!(decode_grey(path, &whole).unwrap().pixels, pixels);
        }
        let bytes = damaged(whole, &edits, keep);
        let _ = declared_size(path, &bytes);
        if let Ok(grey) = decode_grey(path, &bytes) {
            prop_assert_eq!(grey.pixels.len(), grey.width * grey.height);
            let done = preprocess(Ink::of(grey), &Preprocess::default()).unwrap();
            prop_assert!(done.features.iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn archives_come_back(names in prop::collection::btree_set("[a-z]{1,5}/[a-z]{1,8}\\.png", 0..12)) {
        let names: Vec<String> = names.into_iter().collect();
        for bytes in [zip_of(&names.iter().map(|name| (name, name)).collect::<Vec<_>>()), tar_archive(&names)] {
            let files = unpack(&bytes).unwrap();
            let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
            prop_assert_eq!(&paths, &names);
            prop_assert!(files.iter().all(|file| file.path.as_bytes() == file.bytes));
        }
    }

    #[test]
    fn damaged_archives((edits, keep) in edits(), is_zip in any::<bool>()) {
        let names = ["Sample001/img001-001.png", "Sample001/img001-002.jpg", "notes.txt"].map(String::from);
        let whole = if is_zip { zip_of(&names.iter().map(|name| (name, name)).collect::<Vec<_>>()) } else { tar_archive(&names) };
        // Whatever is still read is named inside the archive.
        if let Ok(files) = unpack(&damaged(whole, &edits, keep)) {
            prop_assert!(files.iter().all(|file| !file.path.contains("..") && !file.path.starts_with('/')));
        }
    }

    #[test]
    fn archives_of_anything(bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0usize..3) {
        let magic: [&[u8]; 3] = [b"", b"PK\x03\x04", &[0x1f, 0x8b, 8, 0]];
        let _ = unpack(&[magic[head], &bytes].concat());
    }

    #[test]
    fn a_catalogue_of_anything(text in "[a-z\\[\\]=\". \n]{0,80}") {
        prop_assert!(Catalogue::parse(&text).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn splits_have_every_sample_once(n in 1usize..200, classes in 1usize..12, fraction in 0.0f64..1.0, seed: u64) {
        let all = samples(n, classes, 7);
        let mut parts = vec![all.split(fraction, seed)];
        parts.extend(all.split_by_writer(fraction, seed));
        for (first, second) in parts {
            let mut names: Vec<&String> = first.names.iter().chain(&second.names).collect();
            prop_assert_eq!(names.len(), n);
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), n);
        }
    }
}
