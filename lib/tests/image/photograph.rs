//! Photographs made from pages of the stand-in: the same character is found in each.

use std::io::Cursor;
use std::path::Path;

use glyphs::data::decode::{Grey, decode_grey, decode_photograph};
use glyphs::data::synthetic::{Writer, page};
use glyphs::image::preprocess::{Preprocessed, preprocess};
use glyphs::image::{Ink, Preprocess, Unreadable};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::metadata::Orientation;
use image::{
    DynamicImage, GrayImage, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage,
};

use crate::support::{contains, jpeg_of};

/// A page of 1200 x 900 with black ink.
fn sheet(label: usize) -> GrayImage {
    let ink = page(&Writer::new(9, 3), label).into_iter();
    let pixels = ink.map(|ink| if ink { 0 } else { 255 }).collect();
    GrayImage::from_raw(1200, 900, pixels).unwrap()
}

pub fn read(image: impl Into<DynamicImage>) -> Preprocessed {
    Preprocess::default().photograph(&image.into()).unwrap()
}

/// Cosine of the angle between two images.
pub fn likeness(a: &[u8], b: &[u8]) -> f64 {
    let dot = |a: &[u8], b: &[u8]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// 400 x 300 pixels, `paper` and `ink` mixed by how much ink there is, under `light`, with grain.
pub fn photograph(
    label: usize,
    paper: [f32; 3],
    ink: [f32; 3],
    light: fn(f32, f32) -> f32,
) -> RgbImage {
    let small = resize(&sheet(label), 400, 300, FilterType::Triangle);
    let mut state = 7_u32;
    RgbImage::from_fn(400, 300, |x, y| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        let grain = (state >> 24) as f32 / 32.0 - 4.0;
        let share = f32::from(small.get_pixel(x, y)[0]) / 255.0;
        let light = light(x as f32 / 400.0, y as f32 / 300.0);
        let value = |c: usize| (paper[c] * share + ink[c] * (1.0 - share)) * light + grain;
        Rgb([0, 1, 2].map(|c| value(c).clamp(0.0, 255.0) as u8))
    })
}

#[test]
fn the_character_is_found_on_any_paper() {
    let even: fn(f32, f32) -> f32 = |_, _| 1.0;
    type Light = (&'static str, [f32; 3], [f32; 3], fn(f32, f32) -> f32);
    let kinds: [Light; 9] = [
        ("grey paper", [110.0; 3], [40.0; 3], even),
        ("pencil", [245.0; 3], [200.0; 3], even),
        ("blue on blue", [140.0, 180.0, 220.0], [60.0, 90.0, 170.0], even),
        ("red of the same luma", [150.0, 150.0, 150.0], [230.0, 125.0, 150.0], even),
        ("chalk", [50.0, 60.0, 50.0], [200.0, 200.0, 190.0], even),
        ("light that falls off", [250.0; 3], [80.0; 3], |x, y| 0.9 - 0.3 * (x + y)),
        ("a shadow's edge", [240.0; 3], [60.0; 3], |x, _| if x < 0.4 { 1.0 } else { 0.7 }),
        ("corners nearly black", [240.0; 3], [50.0; 3], |x, y| {
            (1.0 - 1.8 * ((x - 0.5).powi(2) + (y - 0.5).powi(2))).max(0.05)
        }),
        ("a lamp", [230.0; 3], [70.0; 3], |x, y| {
            1.0 - 0.8 * ((x - 0.3).powi(2) + (y - 0.2).powi(2))
        }),
    ];
    for (kind, paper, ink, light) in kinds {
        for label in [4, 7, 10, 14, 29, 46] {
            let wanted = read(sheet(label));
            let found = read(photograph(label, paper, ink, light));
            assert_eq!(found.unreadable, None, "{kind} {label}");
            assert!(!found.is_sheet && wanted.is_sheet);
            let likeness = likeness(&wanted.pixels, &found.pixels);
            assert!(likeness > 0.9, "{kind}, label {label}: {likeness}");
        }
    }
}

#[test]
fn grain_that_hides_a_stroke_is_averaged_out() {
    for label in [4, 7, 10] {
        let found = read(photograph(label, [40.0; 3], [25.0; 3], |_, _| 1.0));
        assert_eq!(found.unreadable, None, "{label}");
        let likeness = likeness(&found.pixels, &read(sheet(label)).pixels);
        assert!(likeness > 0.8, "{label}: {likeness}");
    }
}

#[test]
fn a_character_written_across_lines_is_found() {
    type Ruling = (&'static str, f32, fn(u32, u32) -> bool);
    let kinds: [Ruling; 4] = [
        ("ruled", 0.6, |_, y| y % 40 < 2),
        ("ruled, dark", 0.4, |_, y| y % 50 < 3),
        ("ruled, askew", 0.5, |x, y| (y + x / 25) % 40 < 2),
        ("ruled, with a margin", 0.5, |x, y| (30..32).contains(&x) || y % 45 < 2),
    ];
    for label in [4, 7, 10, 14, 29] {
        let wanted = read(sheet(label));
        for (kind, level, is_line) in kinds {
            let mut image = photograph(label, [240.0; 3], [40.0; 3], |_, _| 1.0);
            for (_, _, pixel) in image.enumerate_pixels_mut().filter(|(x, y, _)| is_line(*x, *y)) {
                let line = (240.0 * level) as u8;
                pixel.0 = pixel.0.map(|value| value.min(line));
            }
            let found = read(image);
            assert_eq!(found.unreadable, None, "{kind}, {label}");
            let likeness = likeness(&found.pixels, &wanted.pixels);
            assert!(likeness > 0.85, "{kind}, {label}: {likeness}");
        }
    }
}

#[test]
fn a_character_on_squared_paper_is_found() {
    for label in [7, 10, 29] {
        let mut squared = photograph(label, [240.0; 3], [50.0; 3], |_, _| 1.0);
        for (x, y, pixel) in squared.enumerate_pixels_mut() {
            if x % 40 == 15 || y % 40 == 15 {
                pixel.0 = pixel.0.map(|value| value.min(160));
            }
        }
        let found = read(squared);
        assert_eq!(found.unreadable, None, "{label}");
        let likeness = likeness(&found.pixels, &read(sheet(label)).pixels);
        assert!(likeness > 0.9, "label {label}: {likeness}");
    }
}

#[test]
fn borders_dirt_and_transparency_are_no_ink() {
    let wanted = read(sheet(7));
    let near = |image: DynamicImage, kind: &str| {
        let found = read(image);
        let likeness = likeness(&wanted.pixels, &found.pixels);
        assert!(found.unreadable.is_none() && likeness > 0.9, "{kind}: {likeness}");
    };
    let plain = photograph(7, [240.0; 3], [30.0; 3], |_, _| 1.0);
    let with = |is_dark: fn(u32, u32) -> bool| {
        let mut image = plain.clone();
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if is_dark(x, y) {
                *pixel = Rgb([5; 3]);
            }
        }
        image.into()
    };
    near(with(|x, y| x < 14 || y < 14 || x >= 386 || y >= 286), "a scanner's frame");
    let is_thin = |x: u32, y: u32| {
        let depth = x.min(y).min(399 - x).min(299 - y);
        (6..8).contains(&depth)
    };
    near(with(is_thin), "a thin frame");
    let is_box = |x: u32, y: u32| {
        let depth = x.min(y).min(399 - x).min(299 - y);
        (24..27).contains(&depth)
    };
    near(with(is_box), "a printed box");
    near(with(|_, y| y > 280), "the paper's edge");
    near(with(|x, y| x > 370 && (40..43).contains(&y) && x < 373), "dirt");
    near(with(|x, y| (180..190).contains(&x) && y < 25), "a neighbour's stroke");
    for ink in [0, 255] {
        let mut clear = RgbaImage::new(1200, 900);
        for (to, from) in clear.pixels_mut().zip(sheet(7).pixels()) {
            *to = Rgba([ink, ink, ink, 255 - from[0]]);
        }
        let mut file = Cursor::new(Vec::new());
        clear.write_to(&mut file, ImageFormat::Png).unwrap();
        near(decode_photograph(Path::new("x"), file.get_ref()).unwrap(), "ink alone");
    }
}

#[test]
fn a_sheet_on_a_table_is_found_whatever_the_table() {
    let table = |x: u32, y: u32| (x * 7 + y * 13) % 31;
    for (kind, level, spread) in [("black", 10, 0), ("brown", 60, 1), ("grained", 90, 2)] {
        for strip in [40, 70, 100] {
            let on_table = |sheet: &RgbImage| {
                let size = (sheet.width() + 2 * strip, sheet.height() + 2 * strip);
                RgbImage::from_fn(size.0, size.1, |x, y| {
                    let at = (x.wrapping_sub(strip), y.wrapping_sub(strip));
                    let level = (level + spread * table(x, y)) as u8;
                    sheet.get_pixel_checked(at.0, at.1).copied().unwrap_or(Rgb([level; 3]))
                })
            };
            for label in [4, 7, 29] {
                let sheet = photograph(label, [235.0; 3], [50.0; 3], |_, _| 1.0);
                let found = read(on_table(&sheet));
                let likeness = likeness(&found.pixels, &read(sheet).pixels);
                assert!(likeness > 0.9, "{kind}, {strip}, {label}: {likeness}");
            }
            let blank = photograph(7, [235.0; 3], [235.0; 3], |_, _| 1.0);
            assert_eq!(read(on_table(&blank)).unreadable, Some(Unreadable::NoInk), "{kind}");
        }
    }
}

/// White desks, a little darker than the paper, with the shadow of its edge.
#[test]
fn a_sheet_on_a_white_desk_is_found() {
    const STRIP: u32 = 60;
    for darker in [6.0, 12.0, 20.0] {
        for label in [4, 7, 14, 29] {
            let sheet = photograph(label, [240.0; 3], [50.0; 3], |_, _| 1.0);
            let desk = photograph(label, [240.0 - darker; 3], [240.0 - darker; 3], |_, _| 1.0);
            let mut image = resize(&desk, 400 + 2 * STRIP, 300 + 2 * STRIP, FilterType::Nearest);
            for (x, y, pixel) in image.enumerate_pixels_mut() {
                let outside = |at: u32, size: u32| {
                    STRIP.saturating_sub(at).max((at + 1).saturating_sub(STRIP + size))
                };
                let apart = outside(x, 400).max(outside(y, 300));
                *pixel = match apart {
                    0 => *sheet.get_pixel(x - STRIP, y - STRIP),
                    _ => {
                        let shade = 1.0 - 0.3 * (-(apart as f32) / 6.0).exp();
                        Rgb(pixel.0.map(|value| (f32::from(value) * shade) as u8))
                    }
                };
            }
            let found = read(image);
            let likeness = likeness(&found.pixels, &read(sheet).pixels);
            assert!(likeness > 0.9, "{darker} darker, {label}: {likeness}");
        }
    }
}

/// One fold, and two that cross, within the character.
#[test]
fn folds_in_the_paper_are_no_ink() {
    type Fold = (&'static str, fn(f32, f32) -> f32);
    const FOLDS: [Fold; 3] = [
        ("across", |x, y| fold(y - 0.5 - 0.05 * x)),
        ("along, one side in the shade", |x, _| fold(x - 0.45) * if x < 0.45 { 1.0 } else { 0.93 }),
        ("two that cross", |x, y| fold(y - 0.5) * fold(x - 0.5 - 0.03 * y)),
    ];
    fn fold(apart: f32) -> f32 {
        1.0 - 0.2 * (-(apart / 0.006).powi(2)).exp()
    }
    for (kind, light) in FOLDS {
        for label in [4, 7, 10, 14, 29] {
            let found = read(photograph(label, [235.0; 3], [45.0; 3], light));
            assert_eq!(found.unreadable, None, "{kind}, {label}");
            let likeness = likeness(&found.pixels, &read(sheet(label)).pixels);
            assert!(likeness > 0.85, "{kind}, {label}: {likeness}");
        }
    }
    let blank = photograph(7, [235.0; 3], [235.0; 3], FOLDS[0].1);
    assert_eq!(read(blank).unreadable, Some(Unreadable::NoInk));
}

/// Strokes that do not touch are one character where each lies near another; two stems alone, as
/// far apart as those of this N, are two.
#[test]
fn strokes_that_nearly_touch_are_one_character() {
    let drawn = |is_ink: fn(u32, u32) -> bool| {
        let image = GrayImage::from_fn(400, 300, |x, y| Luma([255 * u8::from(!is_ink(x, y))]));
        read(image).unreadable
    };
    fn is_stem(x: u32, y: u32) -> bool {
        (50..250).contains(&y) && ((100..110).contains(&x) || (240..250).contains(&x))
    }
    fn is_diagonal(x: u32, y: u32) -> bool {
        (60..240).contains(&y) && (120 + (y - 60) * 110 / 180).abs_diff(x) < 5
    }
    assert_eq!(drawn(|x, y| is_stem(x, y) || is_diagonal(x, y)), None);
    assert_eq!(drawn(is_stem), Some(Unreadable::SeveralCharacters));
}

#[test]
fn what_cannot_be_read_is_said() {
    let problem = |image: DynamicImage| read(image).unreadable;
    for level in [0, 120, 255] {
        let even = GrayImage::from_pixel(300, 200, Luma([level]));
        assert_eq!(problem(even.into()), Some(Unreadable::NoInk), "{level}");
    }
    let blank = |is_dark: fn(u32, u32) -> bool| {
        let mut image = photograph(7, [230.0; 3], [230.0; 3], |_, _| 1.0);
        let dark = image.enumerate_pixels_mut().filter(|(x, y, _)| is_dark(*x, *y));
        dark.for_each(|(_, _, pixel)| *pixel = Rgb([20; 3]));
        problem(image.into())
    };
    for (is_dark, kind) in [
        ((|x, y| x < 10 || y < 10 || x >= 390 || y >= 290) as fn(u32, u32) -> bool, "frame"),
        (|x, _| x < 12, "edge"),
        (|x, y| x + y < 90, "corner"),
        (|x, y| (200..206).contains(&x) && (100..106).contains(&y), "speck"),
        (|x, y| x == 200 && y == 100, "pixel"),
        (|x, y| x % 40 < 2 || y % 40 < 2, "squared paper"),
        (|x, y| (x + y / 30) % 37 < 2 || (y + x / 30) % 37 < 2, "squared paper, askew"),
        (|x, y| (y + x / 25) % 30 < 2, "ruled paper"),
        (|x, y| x + y < 110 || x < 12, "corner with an edge"),
    ] {
        assert_eq!(blank(is_dark), Some(Unreadable::NoInk), "{kind}");
    }
    let speck =
        GrayImage::from_fn(1200, 900, |x, y| Luma([255 * u8::from(x / 8 != 70 || y / 8 != 50)]));
    assert_eq!(problem(speck.into()), Some(Unreadable::NoInk));
    let pale =
        GrayImage::from_fn(1200, 900, |x, y| Luma([255 - 13 * u8::from(sheet_has_ink(x, y))]));
    assert_eq!(problem(pale.into()), None);
    let grain = photograph(7, [200.0; 3], [200.0; 3], |x, _| 1.0 - 0.3 * x);
    assert_eq!(problem(grain.into()), Some(Unreadable::NoInk));
    let faint =
        GrayImage::from_fn(1200, 900, |x, y| Luma([if sheet_has_ink(x, y) { 195 } else { 200 }]));
    assert_eq!(problem(faint.into()), Some(Unreadable::TooFaint));
    let mut two = GrayImage::from_pixel(2000, 900, Luma([255]));
    for (label, left) in [(10, 0), (11, 800)] {
        for (x, y, pixel) in sheet(label).enumerate_pixels().filter(|(_, _, pixel)| pixel[0] == 0) {
            two.put_pixel(x + left, y, *pixel);
        }
    }
    assert_eq!(problem(two.into()), Some(Unreadable::SeveralCharacters));
}

fn sheet_has_ink(x: u32, y: u32) -> bool {
    (400..464).contains(&x) && (200..700).contains(&y)
}

/// What is as flat as dataset 1 becomes what it always became.
#[test]
fn flat_images_are_preprocessed_as_ever() {
    for label in 0..62 {
        for inverts in [false, true] {
            let mut image = sheet(label);
            if inverts {
                image::imageops::invert(&mut image);
            }
            let grey = Grey { width: 1200, height: 900, pixels: image.as_raw().clone() };
            let ever = preprocess(Ink::of(grey), &Preprocess::default()).unwrap();
            let now = read(image);
            assert_eq!((&now.pixels, now.features), (&ever.pixels, ever.features), "{label}");
            assert!(now.is_sheet && now.unreadable.is_none(), "{label}");
        }
    }
}

#[test]
fn a_scanners_dots_are_no_ink() {
    for label in [4, 14, 18, 45] {
        let mut image = sheet(label);
        for dot in 0..12u32 {
            let (x, y) = (97 * dot + 30, 61 * (dot % 5) + 300 * (dot % 3) + 20);
            for (dx, dy) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                image.put_pixel(x + dx, y + dy, Luma([0]));
            }
        }
        let likeness = likeness(&read(sheet(label)).pixels, &read(image).pixels);
        assert!(likeness > 0.99, "{label}: {likeness}");
    }
}

#[test]
fn a_thin_pen_is_not_that_of_dataset_1() {
    for (pen, is_sheet) in [(6, false), (16, false), (24, true), (53, true), (88, true)] {
        let stroke = |x, y| (400..400 + pen).contains(&x) && (200..700).contains(&y);
        let image =
            GrayImage::from_fn(1200, 900, |x, y| Luma([if stroke(x, y) { 0 } else { 255 }]));
        assert_eq!(read(image).is_sheet, is_sheet, "{pen}");
    }
}

#[test]
fn images_stored_turned_are_turned_back() {
    let upright = DynamicImage::from(resize(&sheet(14), 160, 120, FilterType::Triangle));
    // What undoes each orientation, 1 to 8.
    let stored: [fn(&DynamicImage) -> DynamicImage; 8] = [
        |image| image.clone(),
        |image| image.fliph(),
        |image| image.rotate180(),
        |image| image.flipv(),
        |image| image.rotate270().flipv(),
        |image| image.rotate270(),
        |image| image.rotate90().flipv(),
        |image| image.rotate90(),
    ];
    for (number, turn) in (1_u8..).zip(stored) {
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([number, 0, 0, 0, 0, 0, 0, 0]);
        assert!(Orientation::from_exif_chunk(&exif).is_some());
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
        encoder.set_exif_metadata(exif).unwrap();
        turn(&upright).write_with_encoder(encoder).unwrap();
        let read = decode_grey(Path::new("x.jpg"), &file).unwrap();
        assert_eq!((read.width, read.height), (160, 120), "{number}");
        let off =
            read.pixels.iter().zip(upright.as_bytes()).map(|(&a, &b)| u64::from(a.abs_diff(b)));
        assert!(off.sum::<u64>() < 3 * 160 * 120, "{number}");
    }
}

#[test]
fn formats_are_read_or_named_and_cut_ones_refused() {
    let image = DynamicImage::from(resize(&sheet(15), 240, 180, FilterType::Triangle)).to_rgb8();
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    for format in [Bmp, Gif, Jpeg, Png, Tiff, WebP] {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        let file = file.into_inner();
        let read = decode_grey(Path::new("x"), &file).unwrap();
        assert_eq!((read.width, read.height), (240, 180), "{format:?}");
        for length in [file.len() / 3, file.len() / 2, file.len() * 9 / 10] {
            let words = decode_grey(Path::new("x"), &file[..length]).unwrap_err().to_string();
            contains(&words, &["x: ", "restore the file"]);
            assert!(format != Jpeg || words.contains("cut short"), "{words}");
        }
    }
    let progressive = include_bytes!("../../../fuzz/seeds/image/progressive.jpg");
    decode_grey(Path::new("x"), progressive).unwrap();
    for length in [progressive.len() / 2, progressive.len() - 2] {
        let cut = decode_grey(Path::new("x"), &progressive[..length]);
        contains(&cut.unwrap_err().to_string(), &["cut short"]);
    }
    let words = decode_grey(Path::new("x"), b"\0\0\0\x18ftypheic....").unwrap_err().to_string();
    contains(&words, &["HEIC", "JPEG"]);
    let words = decode_grey(Path::new("x"), b"\0\0\0\x18ftypisom....").unwrap_err().to_string();
    assert!(words.contains("not a PNG") && !words.contains("HEIC"), "{words}");
    // A BMP file around a JPEG is whole, but of a kind that is not read.
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, Bmp).unwrap();
    let mut file = file.into_inner();
    file[30] = 4;
    let words = decode_grey(Path::new("x"), &file).unwrap_err().to_string();
    assert!(words.contains("save it as PNG") && !words.contains("restore"), "{words}");
    // Whole files of formats that are not read, under whatever name.
    for other in
        [&b"%PDF-1.7 ..."[..], b"<svg xmlns=...", b"P5 1 1 255 .", b"\0\0\x01\0\x01\0......"]
    {
        let words = decode_grey(Path::new("x.png"), other).unwrap_err().to_string();
        assert!(words.contains("save it as PNG") && !words.contains("restore"), "{words}");
    }
    // What a camera puts behind the image does no harm; without its end marker it is cut short.
    let mut whole = jpeg_of(40, 30, image::ExtendedColorType::L8, &[90; 1200]);
    let cut = decode_grey(Path::new("x"), &whole[..whole.len() - 2]);
    contains(&cut.unwrap_err().to_string(), &["cut short"]);
    whole.extend([7; 1000]);
    decode_grey(Path::new("x"), &whole).unwrap();
}

#[test]
fn jpegs_with_an_end_marker_behind_a_cut_are_refused() {
    let read = |file: &[u8]| decode_grey(Path::new("x"), file);
    let refused = |file: &[u8]| {
        let words = read(file).expect_err("a cut image was read").to_string();
        contains(&words, &["x: ", "cut short", "restore the file"]);
    };
    const END: [u8; 2] = [0xff, 0xd9];
    let grey = resize(&sheet(15), 237, 181, FilterType::Triangle);
    let colour = DynamicImage::from(grey.clone()).to_rgb8();
    for image in [DynamicImage::from(grey), colour.into()] {
        let mut file = Vec::new();
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut file, 75)).unwrap();
        assert_eq!(read(&file).unwrap().width, 237);
        // What fills the last bytes, before the marker and behind it.
        let (data, _) = file.split_at(file.len() - 2);
        for padding in [&[0xff; 5][..], &[0; 9]] {
            read(&[data, padding, &END].concat()).unwrap();
        }
        let scan = file.windows(2).position(|marker| marker == [0xff, 0xda]).unwrap();
        let start = scan + 2 + usize::from(file[scan + 3]);
        let length = data.len() - start;
        for kept in [length / 2, length / 3, length - 2, 0] {
            refused(&[&file[..start + kept], &END].concat());
        }
        for fill in [0, 0xff] {
            refused(&[&file[..start], &vec![fill; length], &END].concat());
        }
    }
}

/// A JPEG of 88 x 56 pixels, all grey: each block is two bits, both 0. Of every component
/// `sampling`, of every scan its components and data.
fn flat_jpeg(sampling: &[u8], interval: u8, scans: &[(&[u8], &[u8])]) -> Vec<u8> {
    let count = sampling.len() as u8;
    let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    file.extend([1; 64]);
    file.extend([0xff, 0xc0, 0, 8 + 3 * count, 8, 0, 56, 0, 88, count]);
    (1..).zip(sampling).for_each(|(id, &sampling)| file.extend([id, sampling, 0]));
    for class in [0, 0x10] {
        file.extend([0xff, 0xc4, 0, 20, class, 1]);
        file.extend([0; 16]);
    }
    file.extend([0xff, 0xdd, 0, 4, 0, interval]);
    for (components, data) in scans {
        let count = components.len() as u8;
        file.extend([0xff, 0xda, 0, 6 + 2 * count, count]);
        components.iter().for_each(|&id| file.extend([id, 0]));
        file.extend([0, 63, 0]);
        file.extend(*data);
    }
    file.extend([0xff, 0xd9]);
    file
}

#[test]
fn jpegs_with_a_hole_are_refused() {
    let read = |file: &[u8]| decode_grey(Path::new("x"), file);
    let refused = |file: &[u8]| {
        let words = read(file).expect_err("an image with a hole was read").to_string();
        contains(&words, &["cut short"]);
    };
    // 77 blocks of grey: 154 bits.
    let data: Vec<u8> = [&[0_u8; 19][..], &[0x3f]].concat();
    assert_eq!(read(&flat_jpeg(&[0x11], 0, &[(&[1], &data)])).unwrap().pixels, [128; 88 * 56]);
    // Alone, a component has as many blocks as it needs, whatever its sampling.
    read(&flat_jpeg(&[0x22], 0, &[(&[1], &data)])).unwrap();
    refused(&flat_jpeg(&[0x11], 0, &[(&[1], &data[1..])]));
    // 1 is not the code of anything.
    refused(&flat_jpeg(&[0x11], 0, &[(&[1], &[&[0x20_u8][..], &data].concat())]));

    // Colours at half the size: 6 x 4 units of six blocks, two in every restart interval.
    let intervals: Vec<[u8; 5]> = (0..12).map(|i| [0, 0, 0, 0xff, 0xd0 + i % 8]).collect();
    let file = |kept: &[&[[u8; 5]]]| {
        let data = kept.concat().concat();
        flat_jpeg(&[0x22, 0x11, 0x11], 2, &[(&[1, 2, 3], &data[..data.len() - 2])])
    };
    assert_eq!(read(&file(&[&intervals])).unwrap().width, 88);
    refused(&file(&[&intervals[..3], &intervals[5..]]));
    // Eight of them, so that the numbers fit.
    refused(&file(&[&intervals[..2], &intervals[10..]]));
    refused(&file(&[&intervals[..11]]));

    // A scan for each component.
    let scans: [(&[u8], &[u8]); 3] = [(&[1], &data), (&[2], &data), (&[3], &data)];
    read(&flat_jpeg(&[0x11; 3], 0, &scans)).unwrap();
    refused(&flat_jpeg(&[0x11; 3], 0, &scans[..2]));
    let cut: [(&[u8], &[u8]); 3] = [scans[0], (&[2], &data[..12]), scans[2]];
    refused(&flat_jpeg(&[0x11; 3], 0, &cut));
}
