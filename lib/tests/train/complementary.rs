//! Losses for complementary labels: their formulas, and gradients by finite differences.

use glyphs::{
    eval::log_softmax,
    nn::Objective,
    train::{Complementary, Loss, complementary::estimated_accuracy},
};
use ndarray::{Array2, array};

fn logits() -> Array2<f32> {
    array![
        [0.5, -1.0, 2.0, 0.1],
        [1.5, 0.3, -0.7, 0.0],
        [-2.0, 0.4, 0.9, 1.1],
        [0.2, 0.2, 3.0, -1.0],
        [0.7, -0.4, 0.0, 2.2]
    ]
}
const LABELS: [usize; 5] = [1, 2, 0, 3, 3];

/// Central differences of the loss in each logit. Gradient ascent's step is not the
/// gradient of its loss, so it is compared with what its algorithm says instead.
#[test]
fn gradients_agree_with_finite_differences() {
    let losses = Complementary::ALL
        .into_iter()
        .filter(|&loss| loss != Complementary::GradientAscent)
        .map(Loss::Complementary)
        .chain([Loss::CrossEntropy { label_smoothing: 0.1 }]);
    for loss in losses {
        let logits = logits();
        let mut gradient = Array2::zeros(logits.raw_dim());
        loss.of(&LABELS).loss(logits.view(), gradient.view_mut());
        let mut unused = gradient.clone();
        for index in ndarray::indices(logits.raw_dim()) {
            let h = 1e-2;
            let mut at = |shift: f32| {
                let mut moved = logits.clone();
                moved[index] += shift;
                f64::from(loss.of(&LABELS).loss(moved.view(), unused.view_mut()))
            };
            let slope = (at(h) - at(-h)) / f64::from(2.0 * h);
            assert!(
                (slope - f64::from(gradient[index])).abs() < 2e-4,
                "{loss:?} at {index:?}: {slope} against {}",
                gradient[index]
            );
        }
    }
}

#[test]
fn a_label_of_no_class_is_refused() {
    let smoothed = Loss::CrossEntropy { label_smoothing: 0.1 };
    for loss in Complementary::ALL.map(Loss::Complementary).into_iter().chain([smoothed]) {
        assert!(loss.of(&LABELS).check(5, 4).is_ok(), "{loss:?}");
        assert!(loss.of(&LABELS).check(5, 3).is_err(), "{loss:?}");
        assert!(loss.of(&LABELS).check(4, 4).is_err(), "{loss:?}");
    }
}

/// The risk of each class, with labels balanced: `R_k` of the formulas below.
fn class_risks(logits: &Array2<f32>) -> Vec<f64> {
    let log_p = log_softmax(logits.view());
    let risk = |k: usize| {
        let terms = LABELS.iter().enumerate().map(|(i, &label)| {
            let count = LABELS.iter().filter(|&&other| other == label).count();
            let given = if label == k { 3.0 } else { 0.0 };
            (given - 1.0) * log_p[(i, k)] / (4.0 * count as f64)
        });
        terms.sum()
    };
    (0..4).map(risk).collect()
}

#[test]
fn gradient_ascent_climbs_the_negative_parts_only() {
    let here = class_risks(&logits());
    assert!(here.iter().any(|&r| r < 0.0) && here.iter().any(|&r| r > 0.0));
    let negative = |logits: &Array2<f32>| -> f64 {
        let parts = class_risks(logits).into_iter().zip(&here);
        parts.filter(|(_, here)| **here < 0.0).map(|(risk, _)| risk).sum()
    };
    let mut gradient = Array2::zeros(logits().raw_dim());
    let loss = Loss::Complementary(Complementary::GradientAscent);
    loss.of(&LABELS).loss(logits().view(), gradient.view_mut());
    for index in ndarray::indices(gradient.raw_dim()) {
        let h = 1e-2;
        let at = |shift: f32| {
            let mut moved = logits();
            moved[index] += shift;
            negative(&moved)
        };
        let slope = (at(h) - at(-h)) / f64::from(2.0 * h);
        let step = f64::from(gradient[index]);
        assert!((step + slope).abs() < 2e-4, "{index:?}: {step} against {slope}");
    }
}

/// Ten images of which no network knows anything: an uneven batch is not a negative risk.
#[test]
fn an_uneven_batch_alone_is_not_corrected() {
    let labels = [0, 0, 0, 0, 0, 1, 1, 2, 2, 3];
    let risk = Complementary::NonNegative.risk(&Array2::zeros((10, 4)), &labels);
    // (1 - 3/4) ln 4 for each of four classes.
    assert!((risk - 4.0_f64.ln()).abs() < 1e-6, "{risk}");
}

/// numpy: z = logits, y = labels, K = 4, p = softmax(z, axis=1), l = -log(p), r = arange(5)
/// forward  mean(-log((1 - p[r, y]) / 3));  unbiased  mean(l.sum(1) - 3 * l[r, y])
/// w = 1 / (4 * bincount(y)[y]);  R_k = sum(w * l[:, k]) - 3 * sum(w * (y == k) * l[:, k])
/// non-negative  sum(max(R, 0))
/// pairwise  mean([3 * sum(1 / (1 + exp(z[i, k] - z[i, y[i]])) for k != y[i])]) - 6 + 3
/// exponential  mean(3 * exp(-(1 - p[r, y])))
#[test]
fn values_agree_with_the_formulas() {
    for (loss, expected) in GOLDEN {
        let value = loss.risk(&logits(), &LABELS);
        assert!((value - expected).abs() < 1e-5, "{loss:?}: {value} against {expected}");
    }
}
const GOLDEN: [(Complementary, f64); 5] = [
    (Complementary::Forward, 1.374_525),
    (Complementary::Unbiased, -0.704_753_5),
    (Complementary::NonNegative, 0.157_413_5),
    (Complementary::PairwiseComparison, -0.307_109_3),
    (Complementary::Exponential, 1.363_090_5),
];

#[test]
fn accuracy_is_estimated_without_true_labels() {
    assert_eq!(estimated_accuracy(0, 100, 10), 1.0);
    assert!((estimated_accuracy(10, 90, 10) - 0.0).abs() < 1e-12);
}
