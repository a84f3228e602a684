//! What photographs show beside a character: tables, holes, hairs, pens, boxes, shadows, folds.

use glyphs::image::Unreadable;
use glyphs::image::preprocess::Preprocessed;
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

use crate::photograph::{likeness, photograph, read};

/// In light that falls off a little.
fn written(label: usize) -> RgbImage {
    photograph(label, [235.0, 232.0, 226.0], [45.0, 45.0, 60.0], |x, y| 1.0 - 0.1 * (x + y))
}

fn blank() -> RgbImage {
    photograph(7, [235.0, 232.0, 226.0], [235.0, 232.0, 226.0], |x, y| 1.0 - 0.1 * (x + y))
}

/// A 7, an N and a d.
const LABELS: [usize; 3] = [7, 23, 39];

/// Each pixel's light times `share`.
fn times(mut image: RgbImage, share: impl Fn(f32, f32) -> f32) -> RgbImage {
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        pixel.0 = pixel.0.map(|value| (f32::from(value) * share(x as f32, y as f32)) as u8);
    }
    image
}

/// Each pixel of a thing has its colour.
fn with(mut image: RgbImage, colour: [u8; 3], is_thing: impl Fn(f32, f32) -> bool) -> RgbImage {
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        if is_thing(x as f32, y as f32) {
            *pixel = Rgb(colour);
        }
    }
    image
}

/// On a table that shows on some sides: left, top, right, below. Its edges are a little askew.
fn on_table(paper: &RgbImage, sides: [u32; 4], table: [u8; 3]) -> RgbImage {
    let [left, top, right, below] = sides.map(|shows| 70 * shows);
    let (width, height) = paper.dimensions();
    let mut image = RgbImage::from_pixel(width + left + right, height + top + below, Rgb(table));
    overlay(&mut image, paper, left.into(), top.into());
    let (width, height) = (image.width() as f32, image.height() as f32);
    with(image, table, |x, y| {
        left > 0 && x < 70.0 + y / 25.0
            || top > 0 && y < 70.0 + (width - x) / 25.0
            || right > 0 && x > width - 70.0 - (height - y) / 25.0
            || below > 0 && y > height - 70.0 - x / 25.0
    })
}

fn is_found(kind: &str, label: usize, found: &Preprocessed) {
    let likeness = likeness(&found.pixels, &read(written(label)).pixels);
    assert!(found.unreadable.is_none() && likeness > 0.85, "{kind}, {label}: {likeness}");
}

#[test]
fn a_sheet_is_found_where_a_table_shows_on_some_sides() {
    let kinds = [("wood", [120, 80, 50]), ("black", [25, 25, 28]), ("blue", [90, 120, 150])];
    for (kind, table) in kinds {
        for sides in [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 0], [1; 4]]
        {
            for label in LABELS {
                is_found(kind, label, &read(on_table(&written(label), sides, table)));
            }
        }
        let edge = read(on_table(&blank(), [1, 0, 0, 0], table));
        assert_eq!(edge.unreadable, Some(Unreadable::NoInk), "{kind}");
    }
}

#[test]
fn a_coloured_note_on_white_paper_is_a_sheet() {
    for (kind, colour) in [("yellow", [250.0, 232.0, 110.0]), ("pink", [250.0, 170.0, 190.0])] {
        for label in LABELS {
            let note = photograph(label, colour, [45.0, 45.0, 60.0], |_, _| 1.0);
            is_found(kind, label, &read(on_table(&note, [1; 4], [240, 240, 236])));
        }
    }
}

#[test]
fn holes_hairs_and_pens_are_no_ink() {
    let far = |x: f32, y: f32, [a, b]: [f32; 2]| (x - a).hypot(y - b);
    let holes = |x, y| far(x, y, [28.0, 80.0]) < 13.0 || far(x, y, [28.0, 220.0]) < 13.0;
    let hair = |x: f32, y: f32| (y - 20.0 - (x - 150.0).powi(2) / 2000.0).abs() < 0.8 && x < 300.0;
    // It reaches in from the lower border.
    let pen = |x: f32, y: f32| (x - 352.0 - (y - 150.0) / 8.0).abs() < 27.0 && y > 60.0;
    for label in LABELS {
        is_found("holes", label, &read(with(written(label), [40, 42, 45], holes)));
        is_found("hair", label, &read(with(written(label), [60, 45, 35], hair)));
        is_found("pen", label, &read(with(written(label), [30, 60, 150], pen)));
    }
    let blank = read(with(blank(), [40, 42, 45], holes));
    assert_eq!(blank.unreadable, Some(Unreadable::NoInk));
}

#[test]
fn a_row_of_boxes_is_no_ink() {
    for label in LABELS {
        let boxes = |x: f32, y: f32| {
            let is_line = [20.0_f32, 280.0].iter().any(|at| (y - at).abs() < 1.0);
            let is_between = [40.0_f32, 360.0].iter().any(|at| (x - at).abs() < 1.0);
            is_line || is_between && (20.0..280.0).contains(&y)
        };
        is_found("boxes", label, &read(with(written(label), [40, 40, 60], boxes)));
    }
}

#[test]
fn a_tiny_character_is_seen_from_closer_by() {
    for label in LABELS {
        // About 3 % of 2400 pixels.
        let even = |ink| photograph(label, [235.0; 3], [ink; 3], |_, _| 1.0);
        let mut image = resize(&even(235.0), 2400, 1800, FilterType::Triangle);
        let small = resize(&even(45.0), 190, 142, FilterType::Triangle);
        overlay(&mut image, &small, 1300, 700);
        is_found("tiny", label, &read(image));
    }
}

#[test]
fn shadows_are_no_ink() {
    // An arm with a finger, that reaches in from the right border.
    let hand = |x: f32, y: f32| {
        let arm = (y - 290.0).abs().max(360.0 - x) - 50.0;
        let finger = (y - 255.0).abs().max(320.0 - x) - 14.0;
        1.0 - 0.45 / (1.0 + (arm.min(finger) / 2.0).exp())
    };
    for label in LABELS {
        is_found("a hand", label, &read(times(written(label), hand)));
    }
    let half = |x: f32, y: f32| if x + y / 3.0 < 190.0 { 0.55 } else { 1.0 };
    let glare = |x: f32, y: f32| {
        0.7 + 0.5 * (-((x - 250.0) / 90.0).powi(2) - ((y - 130.0) / 60.0).powi(2)).exp()
    };
    let fold = |x: f32, y: f32| if (x - 190.0 - y / 30.0).abs() < 1.0 { 0.7 } else { 1.0 };
    type Light<'a> = (&'a str, &'a dyn Fn(f32, f32) -> f32);
    let lights: [Light; 4] =
        [("a hand", &hand), ("a hard shadow", &half), ("glare", &glare), ("a fold", &fold)];
    for (kind, light) in lights {
        let found = read(times(blank(), light));
        assert_eq!(found.unreadable, Some(Unreadable::NoInk), "{kind}");
    }
}
