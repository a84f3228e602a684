//! Images of one's own, in a folder or archive whose folders are classes.

use std::fs;
use std::path::Path;

use glyphs::data::Samples;
use glyphs::image::Preprocess;
use image::ExtendedColorType::{L8, Rgb8};

use crate::support::{contains, fails_with, file, png_of, skipping, tgz_of, write, zip_of};

/// Bright bars on a dark page: at the left, in the middle, at the right.
fn bar(class: usize, i: usize) -> Vec<u8> {
    let (width, height) = (20 + i as u32 % 3, 20 + i as u32 % 5);
    let pixel = |at: u32| match (at % width) as usize / 7 == class {
        true => 200 + (i % 7) as u8,
        false => 10,
    };
    let pixels: Vec<u8> = (0..width * height).map(pixel).collect();
    png_of(width, height, L8, &pixels)
}

/// Classes of names that a plain order would mix up, `each` images of every one.
fn entries(each: usize) -> Vec<(String, Vec<u8>)> {
    let names = ["class 2", "class 10", "class 1"];
    let pairs = (0..3).flat_map(|class| (0..each).map(move |i| (class, i)));
    pairs.map(|(class, i)| (format!("bars/{}/{i}.png", names[class]), bar(class, i))).collect()
}

fn unpack(root: &Path, entries: &[(String, Vec<u8>)]) {
    for (name, bytes) in entries {
        write(&root.join(name), bytes);
    }
}

#[test]
fn folders_and_archives_give_the_same_samples() {
    let entries = entries(4);
    let folder = tempfile::tempdir().unwrap();
    unpack(folder.path(), &entries);
    let way = Preprocess::keep_aspect().side(32);
    let plain = Samples::from_folder(folder.path().join("bars"), &way).unwrap();
    assert_eq!(plain.classes, ["class 1", "class 2", "class 10"]);
    assert_eq!(plain.class_counts(), [4, 4, 4]);
    assert_eq!((plain.image_shape(), plain.features.dim()), ([1, 32, 32], (12, 6)));
    assert_eq!(plain.names[5], "class 10/1.png");
    assert_eq!(plain.labels[5], 2);
    let provenance = &plain.provenance;
    assert_eq!((provenance.name.as_str(), provenance.count), ("bars", 12));
    assert_eq!((provenance.source.as_str(), provenance.synthetic), ("bars", false));

    let archives = [("bars.zip", zip_of(&entries)), ("bars.tar.gz", tgz_of(&entries))];
    let packed = archives.map(|(name, bytes)| {
        let (_folder, path) = file(name, &bytes);
        let samples = Samples::from_folder(path, &way).unwrap();
        assert_eq!(samples.provenance.name, name);
        assert_eq!(samples.images, plain.images);
        assert_eq!((&samples.labels, &samples.classes), (&plain.labels, &plain.classes));
        samples.provenance.sha256
    });
    assert_eq!(packed[0], packed[1]);
    // Other bytes, other sha256.
    write(&folder.path().join("bars/class 1/0.png"), &bar(1, 1));
    let other = Samples::from_folder(folder.path().join("bars"), &way).unwrap();
    assert_ne!(other.provenance.sha256, plain.provenance.sha256);
}

#[test]
fn classes_come_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["b", "10", "9", "a10", "a9", "09", "a", "B", "é", "a9b"];
    for name in names {
        write(&folder.path().join(name).join("x.png"), &bar(0, 0));
    }
    let samples = Samples::from_folder(folder.path(), &Preprocess::default()).unwrap();
    assert_eq!(samples.classes, ["09", "9", "10", "B", "a", "a9", "a9b", "a10", "b", "é"]);
    assert_eq!(samples.names[0], "09/x.png");
    assert!(
        samples
            .names
            .iter()
            .zip(&samples.labels)
            .all(|(name, &label)| name.split('/').next() == Some(&samples.classes[label]))
    );
}

#[test]
fn the_folders_of_dataset_1_are_characters() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["Sample012", "Sample062", "sample001", "Sample063"] {
        write(&folder.path().join(name).join("x.png"), &bar(0, 0));
    }
    let samples = Samples::from_folder(folder.path(), &Preprocess::default()).unwrap();
    let mut classes = samples.classes.clone();
    classes.sort();
    assert_eq!(classes, ["0", "B", "Sample063", "z"]);
    let at = samples.names.iter().position(|name| name == "Sample012/x.png").unwrap();
    assert_eq!(samples.classes[samples.labels[at]], "B");
}

#[test]
fn junk_is_skipped_and_what_is_in_doubt_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("bars");
    unpack(folder.path(), &entries(2));
    for junk in [
        "notes.txt",
        "class 1/Thumbs.db",
        "class 1/.hidden.png",
        ".cache/old.png",
        "__MACOSX/class 1/0.png",
        "class 2/more/readme.md",
    ] {
        write(&root.join(junk), b"junk");
    }
    let way = Preprocess::default();
    assert_eq!(Samples::from_folder(&root, &way).unwrap().len(), 6);

    let nested = root.join("class 2/old/0.png");
    write(&nested, &bar(0, 0));
    fails_with(
        Samples::from_folder(&root, &way),
        &["class 2/old/0.png", "beside class 1", "name that one"],
    );
    fs::remove_dir_all(root.join("class 2/old")).unwrap();
    write(&root.join("cover.png"), &bar(0, 0));
    fails_with(
        Samples::from_folder(&root, &way),
        &["cover.png", "no folder that names its class", "put the images"],
    );
    fs::remove_file(root.join("cover.png")).unwrap();

    write(&root.join("class 1/7.png"), b"not an image");
    fails_with(Samples::from_folder(&root, &way), &["class 1/7.png", "not a PNG, JPEG", "restore"]);
    let (samples, skipped) = skipping(&root, &way).unwrap();
    assert_eq!((samples.len(), skipped.len()), (6, 1));
    contains(&samples.provenance.source, &["bars (1 damaged image skipped)"]);
}

#[test]
fn folders_without_classes_are_refused() {
    let way = Preprocess::default();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let from = |name: &str| Samples::from_folder(root.join(name), &way);
    fails_with(from("missing"), &["missing", "check the file's name"]);
    fs::create_dir_all(root.join("empty/class 1")).unwrap();
    fails_with(from("empty"), &["empty", "no PNG, JPEG", "name a folder"]);
    write(&root.join("one/cats/1.png"), &bar(0, 0));
    write(&root.join("one/cats/2.png"), &bar(0, 1));
    fails_with(from("one"), &["one", "one class, cats", "their own folder"]);
    fails_with(from("one/cats"), &["cats/1.png", "no folder that names its class"]);
    // The set lies in two parts: which one is meant?
    write(&root.join("two/train/cats/1.png"), &bar(0, 0));
    write(&root.join("two/test/cats/1.png"), &bar(0, 0));
    fails_with(from("two"), &["train/cats/1.png", "beside test/cats", "name that one"]);
    write(&root.join("notes.zip"), b"no archive at all");
    fails_with(from("notes.zip"), &["notes.zip", "not a readable zip"]);
    write(&root.join("bad/a/1.png"), b"x");
    write(&root.join("bad/b/1.png"), b"x");
    fails_with(skipping(&root.join("bad"), &way), &["bad", "1.png", "not a PNG, JPEG"]);
}

/// Pixels of 32 x 32 and in colour come through unchanged.
#[test]
fn images_of_the_right_size_stay_as_they_are() {
    let pixels: Vec<u8> = (0..32 * 32 * 3_usize).map(|i| (i * 7 % 251) as u8).collect();
    let folder = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        let path = folder.path().join(class).join("1.png");
        write(&path, &png_of(32, 32, Rgb8, &pixels));
    }
    let way = Preprocess::squeeze().side(32).rgb();
    let samples = Samples::from_folder(folder.path(), &way).unwrap();
    let image = samples.image(1).permuted_axes([1, 2, 0]);
    assert!(image.iter().eq(&pixels));
}
