//! The stand-ins: whole, repeatable, and like the real data.

use std::path::Path;

use glyphs::data::decode::Grey;
use glyphs::data::handwritten::class_names;
use glyphs::data::synthetic::{
    AUDIT, SEED, Writer, digit, drawing, page, write_handwritten, write_mislabelled,
};
use glyphs::data::{Handwritten, Mislabelled, SIDE, Samples};
use glyphs::image::Ink;
use image::{GrayImage, Luma};
use ndarray::Array4;

fn ink(writer: &Writer, label: usize) -> Ink {
    let pixels = page(writer, label).into_iter().map(|ink| if ink { 255 } else { 0 }).collect();
    Ink { width: 1200, height: 900, pixels }
}

#[test]
fn the_archive_has_names_numbers_and_sizes_of_the_real_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trainPart1.zip");
    write_handwritten(&path, SEED).unwrap();
    let drawings = Handwritten::open(&path).unwrap();
    assert_eq!(drawings.counts(), [40; 62]);
    assert_eq!(drawings.drawings[0].name, "img001-001.png");
    // The same seed, drawn again, gives the same bytes; another one does not.
    for index in [0, 1234, 2479] {
        let stored = &drawings.drawings[index];
        let drawn = |seed| drawing(&Writer::new(seed, stored.writer.into()), stored.label).unwrap();
        assert!(drawn(SEED) == stored.bytes);
        assert!(drawn(SEED + 1) != stored.bytes);
    }
    contact_sheet(&drawings);
}

/// The real drawings' figures, in pixels of 1200 x 900, measured on all 2,480 in
/// Python: `m = np.asarray(Image.open(p))[..., 1] < 128`, height and width from the rows
/// and columns where `m.any()`, share `m.mean()`, middles of the box; 5th, 50th and 95th
/// percentile.
#[test]
fn sizes_and_places_are_those_of_real_drawings() {
    let mut measured: [Vec<f64>; 5] = Default::default();
    for number in (1..=55).step_by(3) {
        let writer = Writer::new(SEED, number);
        for label in 0..62 {
            let bounds = ink(&writer, label).bounds().unwrap();
            let (width, height) = (bounds.width as f64, bounds.height as f64);
            let row = [
                height,
                width,
                f64::from(bounds.share),
                bounds.left as f64 + width / 2.0,
                bounds.top as f64 + height / 2.0,
            ];
            measured.iter_mut().zip(row).for_each(|(all, value)| all.push(value));
        }
    }
    let real = [
        ("height", [260.0, 444.0, 620.0], 0.12),
        ("width", [188.0, 332.0, 508.0], 0.15),
        ("share", [0.029, 0.056, 0.095], 0.20),
        ("middle column", [480.0, 582.0, 692.0], 0.06),
        ("middle row", [396.0, 470.0, 554.0], 0.06),
    ];
    for (values, (name, real, tolerance)) in measured.iter_mut().zip(real) {
        values.sort_by(f64::total_cmp);
        for (percent, real) in [5, 50, 95].into_iter().zip(real) {
            let ours = values[values.len() * percent / 100];
            println!("{name}, {percent} %: {ours:.3}, real {real}");
            assert!(
                (ours / real - 1.0).abs() < tolerance,
                "{name}, {percent} %: {ours} against {real}"
            );
        }
    }
}

#[test]
fn digits_are_framed_as_those_of_mnist() {
    for label in 0..10 {
        let image = digit(&Writer::new(SEED, 1000), label, 1);
        let total: f64 = image.iter().map(|&v| f64::from(v)).sum();
        assert!(total > 20.0 * 255.0 && total < 300.0 * 255.0, "{label}: {total}");
        let centre = |axis: fn(usize) -> usize| {
            (0..784).map(|i| (axis(i) as f64 + 0.5) * f64::from(image[i])).sum::<f64>() / total
        };
        let (x, y) = (centre(|i| i % 28), centre(|i| i / 28));
        assert!((x - 14.0).abs() < 0.5 && (y - 14.0).abs() < 0.5, "{label}: {x} {y}");
        assert_ne!(image, digit(&Writer::new(SEED, 1000), label, 2));
        assert_ne!(image, digit(&Writer::new(SEED, 1001), label, 1));
    }
}

#[test]
fn wrong_labels_come_in_the_shares_that_were_counted() {
    assert_eq!(AUDIT.iter().flatten().sum::<usize>(), 60_000);
    assert!((0..10).all(|digit| AUDIT[digit][digit] == 6));
    let count = 10_000;
    let images = Array4::from_shape_fn((count, 1, SIDE, SIDE), |(i, _, y, x)| {
        (i % 10 * 20 + (y + x) % 9) as u8
    });
    let labels = (0..count).map(|i| i % 10).collect();
    let train = Samples::new("test", images, labels, class_names().drain(..10)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mnistTask3.zip");
    write_mislabelled(&path, &train, SEED).unwrap();
    let wrong = Mislabelled::open(&path).unwrap();
    assert_eq!(wrong.names[9], "image_000009.jpg");
    let mut counts = [[0usize; 10]; 10];
    for (digit, folder) in train.labels.iter().zip(&wrong.labels) {
        counts[*digit][*folder] += 1;
    }
    for digit in 0..10 {
        let total: usize = AUDIT[digit].iter().sum();
        for folder in 0..10 {
            let expected = AUDIT[digit][folder] as f64 * 1000.0 / total as f64;
            assert!((counts[digit][folder] as f64 - expected).abs() <= 1.0, "{digit} in {folder}");
        }
    }
    let off = |i: usize| {
        let (a, b) =
            (train.images.outer_iter().nth(i).unwrap(), wrong.images.outer_iter().nth(i).unwrap());
        a.iter().zip(&b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 784.0
    };
    assert!((0..count).step_by(97).all(|i| off(i) < 6.0));
}

/// Rows of the same class, real (where `GLYPHS_DATA` names it) above the stand-in, for
/// eyes: `contact-sheet.png` in cargo's folder for test artefacts.
fn contact_sheet(stand_in: &Handwritten) {
    let real =
        std::env::var_os("GLYPHS_DATA").map(|folder| Path::new(&folder).join("trainPart1.zip"));
    let real = real.and_then(|path| Handwritten::open(&path).ok());
    let sets: Vec<&Handwritten> = real.iter().chain([stand_in]).collect();
    let (columns, width, height) = (20, 60, 45);
    let rows = 62 * sets.len() as u32;
    let mut sheet = GrayImage::from_pixel(columns * width, rows * height, Luma([255]));
    for label in 0..62 {
        for (row, set) in sets.iter().enumerate() {
            for column in 0..columns {
                let grey = set.decode(label * 40 + column as usize).unwrap();
                let row = (label * sets.len() + row) as u32;
                for y in 0..height {
                    for x in 0..width {
                        let mean = mean(&grey, x as usize * 20, y as usize * 20);
                        sheet.put_pixel(column * width + x, row * height + y, Luma([mean]));
                    }
                }
            }
        }
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contact-sheet.png");
    sheet.save(&path).unwrap();
    println!("see {}", path.display());
}

/// Mean of 20 x 20 pixels.
fn mean(grey: &Grey, left: usize, top: usize) -> u8 {
    let rows = (top..top + 20).map(|y| &grey.pixels[y * grey.width + left..][..20]);
    (rows.flatten().map(|&v| u32::from(v)).sum::<u32>() / 400) as u8
}

/// Published results were computed from these very images.
#[test]
fn every_character_is_drawn_as_ever() {
    let writer = Writer::new(SEED, 1);
    let pages = (0..62).flat_map(|label| page(&writer, label).into_iter().map(u8::from));
    let digits = (0..10).flat_map(|label| digit(&Writer::new(SEED, 1_003), label, 2));
    let pixels: Vec<u8> = pages.chain(digits).collect();
    assert_eq!(
        glyphs::data::archive::sha256(&pixels),
        "57c750c34c1d7d7d756109e4ff87949f3653209bd6a7d221f53d3e0d155b22cb"
    );
}
