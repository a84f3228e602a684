//! `predict` on folders and archives of new images.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use glyphs::data::handwritten::class_names;
use glyphs::data::synthetic::{Writer, page};
use glyphs::data::{Provenance, Samples};
use glyphs::display::Show;
use glyphs::image::{Augment, Preprocess, Unreadable, save_png};
use glyphs::nn::char_cnn;
use glyphs::predict::{Context, Layout, Options, classify, predict};
use glyphs::train::{Checkpoint, Config, History};
use image::{DynamicImage, GrayImage, ImageFormat};
use ndarray::{Array2, Array3, Array4};

const SKIPPING: Options =
    Options { context: Context::Auto, layout: Layout::Auto, skip_damaged: true, top: 0 };

/// A checkpoint of an untrained network.
fn checkpoint(path: &Path, preprocess: Option<Preprocess>) {
    checkpoint_with(path, preprocess, 6);
}

fn checkpoint_with(path: &Path, preprocess: Option<Preprocess>, features: usize) {
    let samples = Samples {
        images: Array4::zeros((1, 1, 28, 28)),
        features: Array2::zeros((1, features)),
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
    let model = char_cnn(500, 62, features, 3);
    let mut made = Checkpoint::of(&model, Config::default(), History::default(), &samples);
    if let Some(preprocess) = preprocess {
        made = made.with_preprocess(preprocess);
    }
    made.save(path).unwrap();
}

fn picture(label: usize, width: u32, format: ImageFormat) -> Vec<u8> {
    let pixels =
        page(&Writer::new(9, 9), label).into_iter().map(|ink| if ink { 0 } else { 255 }).collect();
    let image = DynamicImage::ImageLuma8(GrayImage::from_raw(1200, 900, pixels).unwrap());
    let mut bytes = Cursor::new(Vec::new());
    image.thumbnail(width, width).write_to(&mut bytes, format).unwrap();
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
    let predictions = predict(&network, &[&images], Options::default()).unwrap();
    let labels: Vec<Option<&str>> =
        predictions.rows.iter().map(|row| row.label.as_deref()).collect();
    assert_eq!(labels, [Some("7"), Some("A"), Some("a"), None, None]);
    assert_eq!(predictions.evaluation.as_ref().unwrap().len(), 3);
    assert!(
        predictions
            .rows
            .iter()
            .filter_map(|row| row.confidence)
            .all(|confidence| (1.0 / 62.0..=1.0).contains(&confidence))
    );

    let out = root.join("new/predictions.csv");
    predictions.write_csv(&out).unwrap();
    let text = fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "file,predicted,confidence,label,problem");
    assert_eq!(lines.len(), 6);
    assert!(lines[3].starts_with("\"a/two, three.jpg\","), "{}", lines[3]);

    // A class's folder by itself.
    let one = predict(&network, &[images.join("7")], Options::default()).unwrap();
    assert_eq!((&*one.rows[0].file, one.rows[0].label.as_deref()), ("four.png", Some("7")));

    // A damaged image stops the run, or is skipped and counted.
    fs::write(images.join("7/six.png"), &picture(7, 64, ImageFormat::Png)[..60]).unwrap();
    let words = predict(&network, &[&images], Options::default()).unwrap_err().to_string();
    assert!(words.contains("six.png") && words.contains("restore"), "{words}");
    let predictions = predict(&network, &[&images], SKIPPING).unwrap();
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
    assert!(
        read.evaluation.is_none() && classes.contains(read.rows[1].predicted.as_ref().unwrap())
    );
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
        let words = predict(&network, &[images], Options::default()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| words.contains(part)), "{words}");
    };
    fails(root, &["network.safetensors", "preprocessed"]);
    checkpoint(&network, Some(Preprocess::squeeze()));
    fails(&root.join("nothing"), &["nothing"]);
    fs::create_dir(root.join("empty")).unwrap();
    fails(&root.join("empty"), &["empty", "there is no PNG, JPEG", "name a folder"]);
    fs::write(root.join("empty/IMG_1.HEIC"), "x").unwrap();
    fails(&root.join("empty"), &["1 other file, IMG_1.HEIC; save .heic files as PNG or JPEG"]);
    fs::create_dir(root.join("unnamed")).unwrap();
    fs::write(root.join("unnamed/7"), picture(7, 64, ImageFormat::Png)).unwrap();
    fails(&root.join("unnamed"), &["it has 1 other file, 7;", "rename it to end in .png"]);
    let whole = fs::read(&network).unwrap();
    fs::write(&network, &whole[..whole.len() / 2]).unwrap();
    fails(root, &["network.safetensors"]);
}

/// A network that reads in context: other images change what it says, their labels do not.
#[test]
fn context_is_of_the_folder_of_the_writer_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let network = root.join("network.safetensors");
    checkpoint_with(&network, Some(Preprocess::default()), 12);
    type Read = std::collections::BTreeMap<String, f32>;
    let read = |images: &str, context| -> glyphs::Result<Read> {
        let options = Options { context, layout: Layout::Sheet, ..Options::default() };
        let read = predict(&network, &[root.join(images)], options)?;
        let confidences = read.rows.iter().map(|row| (row.file.clone(), row.confidence.unwrap()));
        Ok(confidences.collect())
    };
    let write = |name: &str, label: usize, width: u32| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, picture(label, width, ImageFormat::Png)).unwrap();
    };
    for (labels, first, second) in [("right", "a", "7"), ("wrong", "z", "B")] {
        write(&format!("{labels}/{first}/img001-001.png"), 36, 300);
        write(&format!("{labels}/{second}/img002-001.png"), 7, 300);
        write(&format!("{labels}/{second}/img003-002.png"), 24, 300);
    }
    let values = |images, context| -> Vec<f32> {
        let mut values: Vec<f32> = read(images, context).unwrap().into_values().collect();
        values.sort_by(f32::total_cmp);
        values
    };
    let by_folder = values("right", Context::Folder);
    assert_eq!(values("wrong", Context::Folder), by_folder);
    let by_writer = values("right", Context::Writer);
    assert_eq!(values("wrong", Context::Writer), by_writer);
    let alone = values("right", Context::None);
    assert!(by_folder != by_writer && by_writer != alone && alone != by_folder);

    write("unnamed/one.png", 3, 300);
    let words = read("unnamed", Context::Writer).unwrap_err().to_string();
    assert!(words.contains("img001-042.png"), "{words}");
    // A network that reads one image at a time.
    checkpoint_with(&network, Some(Preprocess::default()), 6);
    let words = read("right", Context::Writer).unwrap_err().to_string();
    assert!(words.contains("does not read in context"), "{words}");
    for context in [Context::Auto, Context::Folder] {
        assert_eq!(values("right", context), values("right", Context::None));
    }
}

#[test]
fn crops_are_no_context() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let network = root.join("network.safetensors");
    checkpoint_with(&network, Some(Preprocess::default()), 12);
    let images = root.join("images");
    fs::create_dir(&images).unwrap();
    for (name, label) in [("a.png", 36), ("b.png", 7)] {
        fs::write(images.join(name), picture(label, 300, ImageFormat::Png)).unwrap();
    }
    let sheets = predict(&network, &[&images], Options::default()).unwrap().rows;
    let mut crop = GrayImage::from_pixel(80, 120, image::Luma([255]));
    (30..90).for_each(|y| crop.put_pixel(40, y, image::Luma([0])));
    crop.save(images.join("crop.png")).unwrap();
    GrayImage::from_pixel(300, 225, image::Luma([255])).save(images.join("empty.png")).unwrap();
    let rows = predict(&network, &[&images], Options::default()).unwrap().rows;
    assert_eq!((rows.len(), &rows[..2]), (4, &sheets[..]));
    assert!(rows[2].predicted.is_some() && rows[3].predicted.is_none());
}

/// In UTF-8 and in Latin 1.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_shown_alike_keep_their_pictures() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let (network, images) = (folder.path().join("network"), folder.path().join("images"));
    checkpoint(&network, Some(Preprocess::default()));
    fs::create_dir(&images).unwrap();
    for (name, label) in [("caf\u{e9}.png".as_bytes(), 36), (b"caf\xe9.png", 7)] {
        let name = std::ffi::OsStr::from_bytes(name);
        fs::write(images.join(name), picture(label, 300, ImageFormat::Png)).unwrap();
    }
    let read = predict(&network, &[&images], Options::default()).unwrap();
    assert_eq!(read.rows[0].file, read.rows[1].file);
    let sheet = folder.path().join("sheet.html");
    read.write_sheet(&[&images], &sheet).unwrap();
    let sheet = fs::read_to_string(sheet).unwrap();
    let pictures = sheet.split("src=\"").skip(1).map(|rest| rest.split('"').next());
    assert_eq!(pictures.collect::<std::collections::HashSet<_>>().len(), 4);
}

#[test]
fn several_arguments_are_read_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let network = root.join("network.safetensors");
    checkpoint(&network, Some(Preprocess::default()));
    let white = GrayImage::from_pixel(60, 60, image::Luma([255]));
    let mut blank = Cursor::new(Vec::new());
    white.write_to(&mut blank, ImageFormat::Bmp).unwrap();
    for (name, bytes) in [
        ("a/7/one.png", picture(7, 300, ImageFormat::Png)),
        ("a/notes.txt", b"words".to_vec()),
        ("b/K/two.webp", picture(20, 300, ImageFormat::WebP)),
        ("b/empty/blank.bmp", blank.into_inner()),
    ] {
        fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        fs::write(root.join(name), bytes).unwrap();
    }
    let images = [root.join("a"), root.join("b/K/two.webp"), root.join("b/empty/blank.bmp")];
    let options = Options { top: 3, ..Options::default() };
    let read = predict(&network, &images, options).unwrap();
    let labels: Vec<Option<&str>> = read.rows.iter().map(|row| row.label.as_deref()).collect();
    assert_eq!(labels, [Some("7"), Some("K"), None]);
    // A folder that is named with a slash at its end.
    let slash = [root.join("a/7/"), root.join("b/")];
    let named = predict(&network, &slash, Options::default()).unwrap();
    assert_eq!(named.rows[0].label.as_deref(), Some("7"));
    assert!(!named.rows.iter().any(|row| row.file.contains("//")));
    assert!(read.rows[0].top.len() == 3 && read.rows[0].top[0].1 >= read.rows[0].top[2].1);
    assert_eq!(read.rows[2].predicted, None);
    assert_eq!(read.rows[2].problem, Some(Unreadable::NoInk));
    assert_eq!(read.problems().map(|(_, count)| count).collect::<Vec<_>>(), [1, 0, 0]);
    assert!(read.others.len() == 1 && read.others[0].ends_with("a/notes.txt"));

    let (csv, json, sheet) = (root.join("p.csv"), root.join("p.json"), root.join("p.html"));
    read.write_csv(&csv).unwrap();
    let csv = fs::read_to_string(csv).unwrap();
    assert!(csv.starts_with("file,predicted,confidence,label,problem,top\n"), "{csv}");
    assert!(csv.contains("blank.bmp,,,,no ink,"), "{csv}");
    read.write_json(&json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(json[2]["problem"], "no_ink");
    read.write_sheet(&images, &sheet).unwrap();
    let sheet = fs::read_to_string(sheet).unwrap();
    assert_eq!(sheet.matches("<img").count(), 6);
    assert!(
        sheet.contains("color-scheme") && sheet.contains("no ink") && !sheet.contains("src=\"http")
    );
}

/// A network that learned to do without sheets averages over distorted copies: the same for an
/// image in any company.
#[test]
fn an_image_is_read_alike_alone_and_beside_others() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("network.safetensors");
    checkpoint(&network, Some(Preprocess::default()));
    let mut made = Checkpoint::load(&network).unwrap();
    made.config.augment = Augment { without_features: 0.5, ..Augment::default() };
    made.save(&network).unwrap();
    let photograph = |name: &str, label| {
        let path = folder.path().join(name);
        fs::write(&path, picture(label, 300, ImageFormat::Jpeg)).unwrap();
        path
    };
    let images = ["a.jpg", "b.jpg", "c.jpg"].map(|name| photograph(name, 7));
    let crops = Options { layout: Layout::Crop, ..Options::default() };
    let together = predict(&network, &images, crops).unwrap();
    let alone = predict(&network, &images[2..], crops).unwrap();
    let confidence: Vec<Option<f32>> =
        together.rows.iter().chain(&alone.rows).map(|row| row.confidence).collect();
    assert!(confidence[0].is_some() && confidence.iter().all(|of| *of == confidence[0]));
}
