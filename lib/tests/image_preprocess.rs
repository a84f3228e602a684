//! Resampling, preprocessing and augmentation.

use glyphs::data::decode::Grey;
use glyphs::image::preprocess::preprocess;
use glyphs::image::resample::{Window, resample};
use glyphs::image::{Augment, Centre, CropToInk, Ink, InkStatistics, Preprocess};

/// A page with a black rectangle: columns `x`, rows `y`.
fn page(width: usize, height: usize, x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> Ink {
    let mut pixels = vec![255; width * height];
    for row in y {
        pixels[row * width..][x.clone()].fill(0);
    }
    Ink::of(Grey {
        width,
        height,
        pixels,
    })
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
    let ink = Ink {
        width: 7,
        height: 5,
        pixels: pixels.clone(),
    };
    let window = Window {
        left: 0.0,
        top: 0.0,
        width: 7.0,
        height: 5.0,
    };
    let out = resample(&ink, window);
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
    // The mean is kept, and what is outside of the image is blank.
    let all: f32 = out.iter().sum::<f32>() / 784.0;
    let before = pixels.iter().map(|&v| f32::from(v)).sum::<f32>() / 35.0;
    assert!((all - before).abs() < 1e-2);
    let wide = resample(
        &ink,
        Window {
            left: -7.0,
            top: -5.0,
            width: 21.0,
            height: 15.0,
        },
    );
    assert!((wide.iter().sum::<f32>() / 784.0 - before / 9.0).abs() < 1e-2);
    assert_eq!(wide[0], 0.0);
}

#[test]
fn the_methods_put_the_ink_where_they_say() {
    // 120 columns x 240 rows of ink on a page of 1200 x 900.
    let ink = page(1200, 900, 300..420, 500..740);
    let (pixels, features) = preprocess(ink.clone(), &Preprocess::Squeeze);
    let extent = |pixels: &[u8], limit: u8| {
        let rows = (0..28)
            .filter(|&y| (0..28).any(|x| pixels[y * 28 + x] > limit))
            .collect::<Vec<_>>();
        let columns = (0..28)
            .filter(|&x| (0..28).any(|y| pixels[y * 28 + x] > limit))
            .collect::<Vec<_>>();
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

    let (pixels, same) = preprocess(ink.clone(), &Preprocess::KeepAspect);
    assert_eq!(extent(&pixels, 0), (15, 6, 7, 3));
    assert_eq!(same, features);

    let crop = CropToInk {
        box_size: 20.0,
        centre: Centre::Box,
        stretch: false,
    };
    let (pixels, _) = preprocess(ink.clone(), &Preprocess::CropToInk(crop));
    assert_eq!(extent(&pixels, 250), (4, 20, 9, 10));
    let (pixels, _) = preprocess(
        ink,
        &Preprocess::CropToInk(CropToInk {
            box_size: 28.0,
            ..crop
        }),
    );
    assert_eq!(extent(&pixels, 250), (0, 28, 7, 14));
    // Two lines of unequal length: the centre of mass is not the box's.
    let mut l_shape = page(1200, 900, 300..340, 300..700);
    for row in 660..700 {
        l_shape.pixels[row * 1200 + 300..][..400].fill(255);
    }
    let (pixels, _) = preprocess(l_shape, &Preprocess::CropToInk(CropToInk::mnist()));
    let mass = |axis: fn(usize) -> usize| {
        let total: f64 = pixels.iter().map(|&v| f64::from(v)).sum();
        (0..784)
            .map(|i| (axis(i) as f64 + 0.5) * f64::from(pixels[i]))
            .sum::<f64>()
            / total
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
        let (pixels, _) = preprocess(ink.clone(), &Preprocess::CropToInk(crop));
        pixels.into_iter().max()
    };
    let crop = CropToInk::default();
    assert!(brightest(crop) < Some(120));
    assert_eq!(
        brightest(CropToInk {
            stretch: true,
            ..crop
        }),
        Some(255)
    );
}

#[test]
fn light_ink_on_dark_paper_and_empty_pages() {
    let dark = page(60, 40, 20..30, 10..30);
    let inverse = Grey {
        width: 60,
        height: 40,
        pixels: dark.pixels.clone(),
    };
    assert_eq!(Ink::of(inverse), dark);
    let empty = page(60, 40, 0..0, 0..0);
    assert_eq!(
        preprocess(empty, &Preprocess::default()),
        ([0; 784], [0.0; 6])
    );
    let tiny = page(1, 1, 0..0, 0..0);
    assert_eq!(preprocess(tiny, &Preprocess::Squeeze).0, [0; 784]);
    let line = page(3, 1, 1..2, 0..1);
    assert!(preprocess(line, &Preprocess::default()).0.contains(&255));
}

#[test]
fn augmentation_depends_on_its_numbers_alone() {
    let mut image = [0.0f32; 784];
    for y in 8..20 {
        image[y * 28 + 10..][..8].fill(1.0);
    }
    let apply = |augment: &Augment, seed, epoch, index| {
        let mut out = [0.0; 784];
        augment.apply(&image, &mut out, seed, epoch, index);
        out
    };
    let mild = Augment::default();
    assert_eq!(apply(&Augment::none(), 1, 2, 3), image);
    assert_eq!(apply(&mild, 1, 2, 3), apply(&mild, 1, 2, 3));
    for (seed, epoch, index) in [(2, 2, 3), (1, 3, 3), (1, 2, 4)] {
        assert_ne!(apply(&mild, 1, 2, 3), apply(&mild, seed, epoch, index));
    }
    let ink = |image: &[f32]| image.iter().sum::<f32>();
    for index in 0..500 {
        let out = apply(&mild, 1, 1, index);
        assert!(out.iter().all(|v| (0.0..=1.0).contains(v)));
        assert!((ink(&out) / ink(&image) - 1.0).abs() < 1.0, "{}", ink(&out));
        assert_ne!(out, image);
    }
    // Each part on its own moves something; a pure translation keeps the ink.
    let none = Augment::none();
    let shift = Augment {
        translation: 2.0,
        ..none
    };
    for index in 0..50 {
        assert!((ink(&apply(&shift, 1, 1, index)) - ink(&image)).abs() < 1e-2);
    }
    for part in [
        Augment {
            rotation: 10.0,
            ..none
        },
        Augment { scale: 0.1, ..none },
        Augment { shear: 0.1, ..none },
        Augment {
            elastic: 20.0,
            ..none
        },
    ] {
        assert_ne!(apply(&part, 1, 1, 1), image, "{part:?}");
    }
}

#[test]
fn numbers_beside_an_image_change_a_little_and_never_twice_alike() {
    let shaken = |epoch, index| {
        let mut features = [1.0f32, -2.0, 0.0];
        let augment = Augment {
            features: 0.1,
            ..Augment::none()
        };
        augment.apply_to_features(&mut features, 1, epoch, index);
        features
    };
    assert_eq!(shaken(2, 3), shaken(2, 3));
    assert_ne!(shaken(2, 3), shaken(2, 4));
    assert_ne!(shaken(2, 3), shaken(3, 3));
    let mut sum = 0.0;
    for index in 0..1000 {
        let changes = [0, 1, 2].map(|i| shaken(0, index)[i] - [1.0, -2.0, 0.0][i]);
        assert!(changes.iter().all(|change| change.abs() <= 0.1001));
        sum += changes.iter().map(|change| change * change).sum::<f32>();
    }
    // Even draws from -0.1 to 0.1 have a variance of 0.01 / 3.
    assert!((sum / 3000.0 - 0.01 / 3.0).abs() < 3e-4, "{sum}");
    let mut features = [1.0f32];
    Augment::default().apply_to_features(&mut features, 1, 2, 3);
    assert_eq!(features, [1.0]);
}

/// The elastic displacement's size: with sigma 4 and alpha 34 (the values of the paper)
/// its standard deviation is alpha / sqrt(3) / (2 sqrt(pi) sigma) = 1.38 pixels
/// away from the edges; seen as the shift of a ramp's values.
#[test]
fn elastic_displacement_is_as_strong_as_the_paper_says() {
    let ramp: Vec<f32> = (0..784).map(|i| (i % 28) as f32 / 27.0).collect();
    let elastic = Augment {
        elastic: 34.0,
        smoothness: 4.0,
        ..Augment::none()
    };
    let mut squares = 0.0;
    let mut out = vec![0.0; 784];
    for index in 0..400 {
        elastic.apply(&ramp, &mut out, 5, 0, index);
        let shift = (out[14 * 28 + 14] - ramp[14 * 28 + 14]) * 27.0;
        squares += f64::from(shift * shift);
    }
    let deviation = (squares / 400.0).sqrt();
    assert!((deviation - 1.38).abs() < 0.15, "{deviation}");
}

#[test]
fn ink_statistics_measure_strokes() {
    use glyphs::data::{Provenance, Samples};
    use ndarray::{Array2, Array3};
    // A bar of 3 columns and 20 rows, and nothing.
    let mut images = Array3::zeros((2, 28, 28));
    images.slice_mut(ndarray::s![0, 4..24, 10..13]).fill(255);
    let samples = Samples {
        images,
        features: Array2::zeros((2, 0)),
        labels: vec![0, 1],
        writers: vec![],
        names: vec![],
        classes: vec!["bar".into(), "none".into(), "absent".into()],
        provenance: Provenance {
            name: "test".into(),
            source: "generated".into(),
            sha256: String::new(),
            count: 2,
            synthetic: true,
        },
    };
    let rows = InkStatistics::by_class(&samples);
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (rows[0].height, rows[0].width, rows[0].count),
        (20.0, 3.0, 1)
    );
    assert!((rows[0].ink_share - 60.0 / 784.0).abs() < 1e-12);
    assert!(
        (rows[0].stroke_width - 3.0).abs() < 0.4,
        "{}",
        rows[0].stroke_width
    );
    assert_eq!(
        (rows[1].ink_share, rows[1].stroke_width, rows[2].count),
        (0.0, 0.0, 0)
    );
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
    assert_eq!(
        dotted(800).without_specks(),
        page(1200, 900, 500..560, 300..700)
    );
    assert_eq!(dotted(520).without_specks(), dotted(520));
    // What is left alone fills the image; with the dot it would be half as wide.
    let (pixels, features) = preprocess(dotted(800), &Preprocess::default());
    assert_eq!(
        preprocess(page(1200, 900, 500..560, 300..700), &Preprocess::default()),
        (pixels, features)
    );
}
