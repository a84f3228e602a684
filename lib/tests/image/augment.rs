//! Distortions of images and of their auxiliary features.

use glyphs::image::Augment;
use ndarray::{Array3, ArrayView3, Axis};

/// 784 values as an image.
fn view(image: &[f32]) -> ArrayView3<'_, f32> {
    ArrayView3::from_shape((1, 28, 28), image).unwrap()
}

#[test]
fn augmentation_depends_on_its_numbers_alone() {
    let mut image = [0.0f32; 784];
    for y in 8..20 {
        image[y * 28 + 10..][..8].fill(1.0);
    }
    let apply = |augment: &Augment, seed, epoch, index| {
        let mut out = [0.0; 784];
        augment.apply(view(&image), &mut out, seed, epoch, index);
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
    let shift = Augment { translation: 2.0, ..none };
    for index in 0..50 {
        assert!((ink(&apply(&shift, 1, 1, index)) - ink(&image)).abs() < 1e-2);
    }
    for part in [
        Augment { rotation: 10.0, ..none },
        Augment { scale: 0.1, ..none },
        Augment { shear: 0.1, ..none },
        Augment { elastic: 20.0, ..none },
    ] {
        assert_ne!(apply(&part, 1, 1, 1), image, "{part:?}");
    }
}

#[test]
fn numbers_beside_an_image_change_a_little_and_never_twice_alike() {
    let shaken = |epoch, index| {
        let mut features = [1.0f32, -2.0, 0.0];
        let augment = Augment { features: 0.1, ..Augment::none() };
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

#[test]
fn features_are_dropped_for_the_share_of_images_that_is_asked_for() {
    let augment = Augment { without_features: 0.25, ..Augment::none() };
    assert!(!augment.is_none());
    let is_dropped = |epoch, index| {
        let mut features = [1.0f32, -2.0, 0.5];
        augment.apply_to_features(&mut features, 1, epoch, index);
        assert!(features == [0.0; 3] || features == [1.0, -2.0, 0.5], "all or none");
        features == [0.0; 3]
    };
    let dropped = (0..2000).filter(|&index| is_dropped(0, index)).count();
    // Four standard deviations.
    assert!(dropped.abs_diff(500) < 78, "{dropped}");
    assert!((0..2000).any(|index| is_dropped(0, index) != is_dropped(1, index)));
}

/// The elastic displacement's size: with sigma 4 and alpha 34 (the values of the paper)
/// its standard deviation is alpha / sqrt(3) / (2 sqrt(pi) sigma) = 1.38 pixels
/// away from the edges; seen as the shift of a ramp's values.
#[test]
fn elastic_displacement_is_as_strong_as_the_paper_says() {
    let ramp: Vec<f32> = (0..784).map(|i| (i % 28) as f32 / 27.0).collect();
    let elastic = Augment { elastic: 34.0, smoothness: 4.0, ..Augment::none() };
    let mut squares = 0.0;
    let mut out = vec![0.0; 784];
    for index in 0..400 {
        elastic.apply(view(&ramp), &mut out, 5, 0, index);
        let shift = (out[14 * 28 + 14] - ramp[14 * 28 + 14]) * 27.0;
        squares += f64::from(shift * shift);
    }
    let deviation = (squares / 400.0).sqrt();
    assert!((deviation - 1.38).abs() < 0.15, "{deviation}");
}

/// Channels move alike: what is true of one is true of all.
#[test]
fn images_of_any_shape_move_whole() {
    for (height, width) in [(32, 32), (56, 56), (1, 1), (3, 50), (40, 17)] {
        let one = Array3::from_shape_fn((1, height, width), |(_, y, x)| {
            ((y * 7 + x * 3) % 11) as f32 / 10.0
        });
        let three = Array3::from_shape_fn((3, height, width), |(c, y, x)| {
            one[[0, y, x]] * (c + 1) as f32 / 3.0
        });
        let augment = Augment::default();
        let (mut alone, mut together) = (vec![0.0; one.len()], vec![0.0; three.len()]);
        augment.apply(one.view(), &mut alone, 1, 2, 3);
        augment.apply(three.view(), &mut together, 1, 2, 3);
        for (channel, values) in together.chunks_exact(height * width).enumerate() {
            for (value, single) in values.iter().zip(&alone) {
                assert!((value - single * (channel + 1) as f32 / 3.0).abs() < 1e-5);
            }
        }
        // A view of another layout is the same image.
        let turned = three.clone().reversed_axes();
        let mut again = vec![0.0; three.len()];
        augment.apply(turned.t(), &mut again, 1, 2, 3);
        assert_eq!(again, together);
        let mut copy = vec![0.0; three.len()];
        Augment::none().apply(three.view(), &mut copy, 1, 2, 3);
        assert!(copy.iter().eq(three.iter()));
    }
    let empty = Array3::zeros((0, 0, 0));
    Augment::default().apply(empty.view(), &mut [], 1, 2, 3);
}

/// A pure shift is a shift on an image that is not square, too.
#[test]
fn height_and_width_are_not_mixed_up() {
    let image = Array3::from_shape_fn((1, 20, 60), |(_, y, x)| {
        f32::from(u8::from((8..12).contains(&y) && (28..32).contains(&x)))
    });
    let shift = Augment { translation: 3.0, ..Augment::none() };
    for index in 0..50 {
        let mut out = vec![0.0; 1200];
        shift.apply(image.view(), &mut out, 4, 0, index);
        let out = Array3::from_shape_vec((1, 20, 60), out).unwrap();
        let plane = out.index_axis(Axis(0), 0);
        let centre = |axis: usize| {
            let sums = plane.sum_axis(Axis(1 - axis));
            let moment: f32 = sums.iter().zip(0u16..).map(|(s, i)| s * f32::from(i)).sum();
            moment / plane.sum()
        };
        assert!((plane.sum() - 16.0).abs() < 1e-3);
        assert!((centre(0) - 9.5).abs() < 3.01 && (centre(1) - 29.5).abs() < 3.01);
    }
}
