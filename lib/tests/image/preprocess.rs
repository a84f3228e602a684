//! Resampling and preprocessing.

use glyphs::data::Samples;
use glyphs::data::decode::Grey;
use glyphs::image::preprocess::{self, Preprocessed};
use glyphs::image::resample::{Window, resample};
use glyphs::image::{Centre, CropToInk, FEATURES, Ink, Preprocess};
use glyphs::ndarray::{Array4, s};
use image::DynamicImage;
use image::ExtendedColorType::{Rgb8, Rgba8};

use crate::support::png_of;

fn preprocess(ink: Ink, method: &Preprocess) -> Preprocessed {
    preprocess::preprocess(ink, method).unwrap()
}

/// A page with a black rectangle: columns `x`, rows `y`.
fn page(width: usize, height: usize, x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> Ink {
    let mut pixels = vec![255; width * height];
    for row in y {
        pixels[row * width..][x.clone()].fill(0);
    }
    Ink::of(Grey { width, height, pixels })
}

/// Area resampling, by the definition: every pixel cut into tiny squares.
///
/// ```python
/// import numpy as np
/// a = (np.arange(5 * 7) * 37 % 256).reshape(5, 7).astype(float)   # 5 rows, 7 columns
/// big = np.kron(a, np.ones((28, 28)))                             # 140 x 196
/// print(big.reshape(28, 5, 28, 7).mean((1, 3))[[0, 13, 27], [0, 14, 27]])
/// ```
#[test]
fn resampling_is_exact() {
    let pixels: Vec<u8> = (0..35).map(|i| (i * 37 % 256) as u8).collect();
    let ink = Ink { width: 7, height: 5, pixels: pixels.clone() };
    let window = Window { left: 0.0, top: 0.0, width: 7.0, height: 5.0 };
    let out = resample(&ink, window, 28);
    let mean = |row: usize, column: usize| {
        let mut sum = 0.0;
        for y in 0..5 {
            for x in 0..7 {
                let (y, x) = ((row * 5 + y) / 28, (column * 7 + x) / 28);
                sum += f64::from(pixels[y * 7 + x]);
            }
        }
        sum / 35.0
    };
    for row in 0..28 {
        for column in 0..28 {
            let (got, want) = (f64::from(out[row * 28 + column]), mean(row, column));
            assert!((got - want).abs() < 1e-3, "{row} {column}: {got} {want}");
        }
    }
    // The mean is kept, and what is outside the image is blank.
    let all: f32 = out.iter().sum::<f32>() / 784.0;
    let before = pixels.iter().map(|&v| f32::from(v)).sum::<f32>() / 35.0;
    assert!((all - before).abs() < 1e-2);
    let wide = resample(&ink, Window { left: -7.0, top: -5.0, width: 21.0, height: 15.0 }, 28);
    assert!((wide.iter().sum::<f32>() / 784.0 - before / 9.0).abs() < 1e-2);
    assert_eq!(wide[0], 0.0);
}

#[test]
fn the_methods_put_the_ink_where_they_say() {
    // 120 columns x 240 rows of ink on a page of 1200 x 900.
    let ink = page(1200, 900, 300..420, 500..740);
    let Preprocessed { pixels, features, .. } = preprocess(ink.clone(), &Preprocess::squeeze());
    let extent = |pixels: &[u8], limit: u8| {
        let rows =
            (0..28).filter(|&y| (0..28).any(|x| pixels[y * 28 + x] > limit)).collect::<Vec<_>>();
        let columns =
            (0..28).filter(|&x| (0..28).any(|y| pixels[y * 28 + x] > limit)).collect::<Vec<_>>();
        (rows[0], rows.len(), columns[0], columns.len())
    };
    assert_eq!(extent(&pixels, 0), (15, 9, 7, 3));
    // Measured by hand, less the typical value, over the typical deviation.
    let want = [
        (240.0 / 900.0 - 0.49) / 0.12,
        (0.1 - 0.28) / 0.084,
        (0.3 - 0.49) / 0.061,
        (620.0 / 900.0 - 0.525) / 0.053,
        (28_800.0 / 1_080_000.0 - 0.058) / 0.02,
        (2f32.ln() - 0.29) / 0.34,
    ];
    for (got, want) in features.iter().zip(want) {
        assert!((got - want).abs() < 1e-4, "{features:?}");
    }

    let done = preprocess(ink.clone(), &Preprocess::keep_aspect());
    assert_eq!(extent(&done.pixels, 0), (15, 6, 7, 3));
    assert_eq!(done.features, features);

    let crop = CropToInk { box_size: 20.0, centre: Centre::Box, stretch: false };
    let pixels = preprocess(ink.clone(), &crop.into()).pixels;
    assert_eq!(extent(&pixels, 250), (4, 20, 9, 10));
    let whole = CropToInk { box_size: 28.0, ..crop };
    let pixels = preprocess(ink, &whole.into()).pixels;
    assert_eq!(extent(&pixels, 250), (0, 28, 7, 14));
    // Two lines of unequal length: the centre of mass is not the box's.
    let mut l_shape = page(1200, 900, 300..340, 300..700);
    for row in 660..700 {
        l_shape.pixels[row * 1200 + 300..][..400].fill(255);
    }
    let pixels = preprocess(l_shape, &CropToInk::mnist().into()).pixels;
    let mass = |axis: fn(usize) -> usize| {
        let total: f64 = pixels.iter().map(|&v| f64::from(v)).sum();
        (0..784).map(|i| (axis(i) as f64 + 0.5) * f64::from(pixels[i])).sum::<f64>() / total
    };
    // As near to the middle as the box allows: 4 pixels of slack, of which 4 are used.
    assert_eq!(extent(&pixels, 100).1, 20);
    assert!(mass(|i| i % 28) > 12.0 && mass(|i| i / 28) < 16.0);
    assert!(mass(|i| i % 28) < 14.5 && mass(|i| i / 28) > 13.5);
}

#[test]
fn thin_lines_can_be_brought_up_to_full_ink() {
    let ink = page(1200, 900, 600..610, 100..800);
    let brightest = |crop: CropToInk| {
        let done = preprocess(ink.clone(), &crop.into());
        done.pixels.into_iter().max()
    };
    let crop = CropToInk::default();
    assert!(brightest(crop) < Some(120));
    assert_eq!(brightest(CropToInk { stretch: true, ..crop }), Some(255));
}

#[test]
fn light_ink_on_dark_paper_and_empty_pages() {
    let dark = page(60, 40, 20..30, 10..30);
    let inverse = Grey { width: 60, height: 40, pixels: dark.pixels.clone() };
    assert_eq!(Ink::of(inverse), dark);
    let empty = page(60, 40, 0..0, 0..0);
    let done = preprocess(empty, &Preprocess::default());
    assert_eq!((done.pixels, done.features), (vec![0; 784], [0.0; 6]));
    let tiny = page(1, 1, 0..0, 0..0);
    assert_eq!(preprocess(tiny, &Preprocess::squeeze()).pixels, [0; 784]);
    let line = page(3, 1, 1..2, 0..1);
    let done = preprocess(line, &Preprocess::default());
    assert!(done.pixels.contains(&255));
    // Faint ink does not make a whole image disappear.
    let faint = Ink { width: 4, height: 4, pixels: vec![90; 16] };
    let done = preprocess(faint, &Preprocess::keep_aspect());
    assert_eq!((done.pixels, done.features), (vec![90; 784], [0.0; 6]));
}

#[test]
fn stray_dots_are_wiped_out_and_those_of_i_stay() {
    let dotted = |x: usize| {
        let mut ink = page(1200, 900, 500..560, 300..700);
        for row in 150..210 {
            ink.pixels[row * 1200 + x..][..60].fill(255);
        }
        ink
    };
    assert_eq!(dotted(800).without_specks(), page(1200, 900, 500..560, 300..700));
    assert_eq!(dotted(520).without_specks(), dotted(520));
    // What is left alone fills the image; with the dot it would be half as wide.
    assert_eq!(
        preprocess(page(1200, 900, 500..560, 300..700), &Preprocess::default()),
        preprocess(dotted(800), &Preprocess::default())
    );
}

/// A page with a black rectangle fills the same part of a square of any side.
#[test]
fn the_result_may_have_any_side() {
    let ink = page(1200, 900, 300..420, 500..740);
    for side in [1, 7, 32, 40, 56] {
        for way in [Preprocess::squeeze(), Preprocess::keep_aspect(), Preprocess::default()] {
            let done = preprocess(ink.clone(), &way.side(side));
            assert_eq!(done.pixels.len(), side * side);
            assert_eq!(done.features, preprocess(ink.clone(), &way).features);
            let mean = |pixels: &[u8]| {
                pixels.iter().map(|&v| f64::from(v)).sum::<f64>() / pixels.len() as f64
            };
            let usual = preprocess(ink.clone(), &way).pixels;
            assert!((mean(&done.pixels) - mean(&usual)).abs() < 2.0, "{side} {way:?}");
        }
    }
    // Twice the side: every pixel of 28 is the mean of four.
    let twice = preprocess(ink.clone(), &Preprocess::default().side(56)).pixels;
    for (i, &value) in preprocess(ink, &Preprocess::default()).pixels.iter().enumerate() {
        let at = |y: usize, x: usize| f64::from(twice[(i / 28 * 2 + y) * 56 + i % 28 * 2 + x]);
        let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
        assert!((mean - f64::from(value)).abs() <= 1.0, "{i}: {mean} {value}");
    }
}

/// Red, green and blue squares on a page, through a PNG file.
#[test]
fn colours_stay_where_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let read = |bytes: &[u8], way: Preprocess| {
        for class in ["a", "b"] {
            crate::support::write(&folder.path().join(class).join("1.png"), bytes);
        }
        Samples::from_folder(folder.path(), &way).unwrap()
    };
    let page = |paper: [u8; 3]| -> Vec<u8> {
        let mut pixels = paper.repeat(8 * 4);
        // Two by two pixels of each colour, side by side.
        for (k, colour) in [[200, 0, 10], [0, 150, 20], [30, 40, 250]].into_iter().enumerate() {
            for (y, x) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
                let at = (y * 8 + 1 + 2 * k + x) * 3;
                pixels[at..at + 3].copy_from_slice(&colour);
            }
        }
        pixels
    };
    for paper in [[255, 250, 245], [5, 0, 10]] {
        let bytes = png_of(8, 4, Rgb8, &page(paper));
        let samples = read(&bytes, Preprocess::keep_aspect().side(8).rgb());
        assert_eq!(samples.image_shape(), [3, 8, 8]);
        let colour = |y: usize, x: usize| [0, 1, 2].map(|c| samples.image(0)[[c, y, x]]);
        assert_eq!([colour(3, 1), colour(4, 2)], [[200, 0, 10]; 2]);
        assert_eq!([colour(3, 3), colour(4, 6)], [[0, 150, 20], [30, 40, 250]]);
        assert_eq!(colour(2, 0), paper);
        // What is added to make it square is as light as paper can be, or as dark.
        assert_eq!(colour(0, 0), [if paper[0] > 128 { 255 } else { 0 }; 3]);
        let grey = read(&bytes, Preprocess::keep_aspect().side(8));
        assert_eq!(grey.image_shape(), [1, 8, 8]);
        assert_eq!(grey.features, samples.features);
    }
    // Transparent pixels are white paper.
    let clear = png_of(2, 1, Rgba8, &[9, 9, 9, 0, 10, 20, 30, 255]);
    let samples = read(&clear, Preprocess::squeeze().side(2).rgb());
    let first = samples.image(0).iter().copied().collect::<Vec<u8>>();
    assert_eq!(first, [255, 10, 255, 10, 255, 20, 255, 20, 255, 30, 255, 30]);
}

#[test]
fn a_side_that_no_image_has_is_refused() {
    let bytes = png_of(2, 1, Rgb8, &[0; 6]);
    let folder = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        crate::support::write(&folder.path().join(class).join("1.png"), &bytes);
    }
    for side in [0, 1025, usize::MAX] {
        let made = Samples::from_folder(folder.path(), &Preprocess::squeeze().side(side));
        let words = made.unwrap_err().to_string();
        crate::support::contains(&words, &["pixels", "choose a side from 1 to 1024"]);
    }
}

#[test]
fn ink_has_no_colours() {
    let rgb = Preprocess::default().rgb();
    let image = DynamicImage::new_luma8(40, 30);
    let ink = page(40, 30, 10..20, 10..20);
    for made in [preprocess::preprocess(ink, &rgb), rgb.photograph(&image)] {
        crate::support::contains(&made.unwrap_err().to_string(), &["no colours", "without `rgb`"]);
    }
}

#[test]
fn finished_images_can_be_cropped_anew() {
    let mut images = Array4::zeros((2, 1, 28, 28));
    images.slice_mut(s![1, 0, 4..24, 9..19]).fill(200);
    let labels = vec![0, 1];
    let samples = Samples::new("bars", images, labels, ["none", "bar"]).unwrap();
    let cropped = samples.preprocess(&Preprocess::default()).unwrap();
    assert_eq!((cropped.labels, cropped.classes), (samples.labels, samples.classes));
    // A box of 24 rows and 12 columns, in the middle.
    let ink = cropped.images.map(|&value| value > 128);
    let inside = s![1, 0, 2..26, 8..20];
    assert!(ink.slice(inside).iter().all(|&is_ink| is_ink));
    assert_eq!(ink.iter().filter(|&&is_ink| is_ink).count(), 24 * 12);
    assert_eq!(cropped.features.dim(), (2, FEATURES));
    let colours = Samples::new("colours", Array4::zeros((1, 3, 28, 28)), vec![0], ["a"]).unwrap();
    let error = colours.preprocess(&Preprocess::default()).unwrap_err().to_string();
    assert!(error.contains("images of 3 channels"), "{error}");
}
