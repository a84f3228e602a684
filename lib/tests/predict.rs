//! `predict` on folders and archives of new images.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use glyphs::data::handwritten::class_names;
use glyphs::data::synthetic::{Writer, page};
use glyphs::data::{Provenance, Samples};
use glyphs::image::Preprocess;
use glyphs::nn::char_cnn;
use glyphs::predict::predict;
use glyphs::train::{Checkpoint, Config, History};
use image::{DynamicImage, GrayImage, ImageFormat};
use ndarray::{Array2, Array4};

/// A checkpoint of an untrained network.
fn checkpoint(path: &Path, preprocess: Option<Preprocess>) {
    let samples = Samples {
        images: Array4::zeros((1, 1, 28, 28)),
        features: Array2::zeros((1, 6)),
        labels: vec![0],
        writers: vec![],
        names: vec![],
        classes: class_names(),
        provenance: Provenance {
            name: "test".into(),
            source: "generated".into(),
            sha256: String::new(),
            count: 1,
            synthetic: true,
        },
    };
    let model = char_cnn(500, 62, 6, 3);
    let mut made = Checkpoint::of(&model, Config::default(), History::default(), &samples);
    if let Some(preprocess) = preprocess {
        made = made.with_preprocess(preprocess);
    }
    made.save(path).unwrap();
}

fn picture(label: usize, width: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = page(&Writer::new(9, 9), label)
        .into_iter()
        .map(|ink| if ink { 0 } else { 255 })
        .collect();
    let image = DynamicImage::ImageLuma8(GrayImage::from_raw(1200, 900, pixels).unwrap());
    let mut bytes = Cursor::new(Vec::new());
    image
        .thumbnail(width, width)
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn images_of_any_size_are_read_and_labels_taken_from_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let network = root.join("network.safetensors");
    checkpoint(&network, Some(Preprocess::default()));
    let images = root.join("images");
    for (name, bytes) in [
        ("Sample011/one.png", picture(10, 1200, ImageFormat::Png)),
        ("a/two, three.jpg", picture(36, 300, ImageFormat::Jpeg)),
        ("7/four.png", picture(7, 64, ImageFormat::Png)),
        ("holiday/five.png", picture(7, 28, ImageFormat::Png)),
        ("holiday/least.png", picture(7, 1, ImageFormat::Png)),
    ] {
        let path = images.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let predictions = predict(&network, &images, false).unwrap();
    let labels: Vec<Option<&str>> = predictions
        .rows
        .iter()
        .map(|row| row.label.as_deref())
        .collect();
    assert_eq!(labels, [Some("7"), Some("A"), Some("a"), None, None]);
    assert_eq!(predictions.evaluation.as_ref().unwrap().len(), 3);
    assert!(
        predictions
            .rows
            .iter()
            .all(|row| (1.0 / 62.0..=1.0).contains(&row.confidence))
    );

    let out = root.join("new/predictions.csv");
    predictions.write_csv(&out).unwrap();
    let text = fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "file,predicted,confidence,label");
    assert_eq!(lines.len(), 6);
    assert!(
        lines[3].starts_with("\"a/two, three.jpg\","),
        "{}",
        lines[3]
    );

    // A damaged image stops the run, or is skipped and counted.
    fs::write(
        images.join("7/six.png"),
        &picture(7, 64, ImageFormat::Png)[..60],
    )
    .unwrap();
    let words = predict(&network, &images, false).unwrap_err().to_string();
    assert!(
        words.contains("six.png") && words.contains("restore"),
        "{words}"
    );
    let predictions = predict(&network, &images, true).unwrap();
    assert_eq!((predictions.rows.len(), predictions.skipped.len()), (5, 1));
}

#[test]
fn what_cannot_be_predicted_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let network = root.join("network.safetensors");
    checkpoint(&network, None);
    let fails = |images: &Path, parts: &[&str]| {
        let words = predict(&network, images, false).unwrap_err().to_string();
        assert!(parts.iter().all(|part| words.contains(part)), "{words}");
    };
    fails(root, &["network.safetensors", "photographs"]);
    checkpoint(&network, Some(Preprocess::squeeze()));
    fails(&root.join("nothing"), &["nothing"]);
    fs::create_dir(root.join("empty")).unwrap();
    fails(
        &root.join("empty"),
        &["empty", "no PNG or JPEG", "name a folder"],
    );
    let whole = fs::read(&network).unwrap();
    fs::write(&network, &whole[..whole.len() / 2]).unwrap();
    fails(root, &["network.safetensors"]);
}
