//! `predict` on folders and archives of new images.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use glyphs::data::handwritten::class_names;
use glyphs::data::synthetic::{Writer, page};
use glyphs::data::{Provenance, Samples};
use glyphs::display::Show;
use glyphs::image::{Preprocess, save_png};
use glyphs::nn::char_cnn;
use glyphs::predict::{classify, predict};
use glyphs::train::{Checkpoint, Config, History};
use image::{DynamicImage, GrayImage, ImageFormat};
use ndarray::{Array2, Array3, Array4};

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
fn a_network_at_hand_reads_images_that_were_saved() {
    let folder = tempfile::tempdir().unwrap();
    let grey = Array3::from_shape_fn((1, 40, 30), |(_, y, x)| (5 * y + x) as u8);
    let colour = Array3::from_shape_fn((3, 20, 20), |(c, y, x)| (80 * c + 3 * y + x) as u8);
    for (name, image) in [("grey.png", &grey), ("deeper/colour.png", &colour)] {
        save_png(folder.path().join(name), image.view()).unwrap();
    }
    let read = image::open(folder.path().join("deeper/colour.png")).unwrap();
    assert_eq!(read.to_rgb8().get_pixel(7, 4).0, [19, 99, 179]);

    let classes: Vec<String> = ["a", "b", "c"].map(String::from).into();
    let model = char_cnn(20, 3, 0, 1);
    let names =
        |classes: &[String]| classify(&model, folder.path(), &Preprocess::squeeze(), classes);
    let read = names(&classes).unwrap();
    let files: Vec<&str> = read.rows.iter().map(|row| row.file.as_str()).collect();
    assert_eq!(files, ["deeper/colour.png", "grey.png"]);
    assert!(read.evaluation.is_none() && classes.contains(&read.rows[1].predicted));
    assert!(read.show().text().starts_with("2 images classified"));
    let words = names(&classes[..2]).unwrap_err().to_string();
    assert!(words.contains("2 names for the 3 classes"), "{words}");
    let empty = Array3::zeros((1, 0, 5));
    let words = save_png(folder.path().join("x.png"), empty.view()).unwrap_err();
    assert!(words.to_string().contains("x.png"), "{words}");
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
    fails(root, &["network.safetensors", "brought down"]);
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
