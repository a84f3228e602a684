//! What a network says about samples, in evaluation mode.

use ndarray::{Array2, s};

use crate::{
    Result,
    data::Samples,
    error::ensure,
    eval::Evaluation,
    image::Augment,
    nn::Classifier,
    train::batches::{Buffer, check_shape},
};

/// Images that pass through a network at once.
const BATCH: usize = 500;

/// Class probabilities of `model` for every sample, beside the labels.
///
/// # Errors
/// As [`logits`]; where there are no samples, they have other classes than the network, or a logit
/// is not finite.
pub fn evaluate(model: &dyn Classifier, samples: &Samples) -> Result<Evaluation> {
    Evaluation::new(logits(model, samples)?, samples)
}

/// As [`evaluate`], with the probabilities averaged over `copies` of each image, each
/// distorted differently (A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet classification
/// with deep convolutional neural networks", NeurIPS 2012, averaged over ten patches).
///
/// # Errors
/// As [`evaluate`], and where `copies` is 0.
pub fn evaluate_averaged(
    model: &dyn Classifier,
    samples: &Samples,
    augment: &Augment,
    copies: u64,
    seed: u64,
) -> Result<Evaluation> {
    ensure(copies > 0, || "an average over no copies", "ask for at least one")?;
    let mut sum = Array2::zeros((samples.len(), model.num_classes()));
    for copy in 0..copies {
        let logits = distorted_logits(model, samples, augment, (seed, copy))?;
        sum += &Evaluation::new(logits, samples)?.probabilities;
    }
    // The softmax of logarithms is the probabilities themselves.
    let log = |p: f32| (p / copies as f32).max(f32::MIN_POSITIVE).ln();
    Evaluation::new(sum.mapv(log), samples)
}

/// Logits of `model` for every sample, `(n, classes)`, in evaluation mode.
///
/// # Errors
/// Where the network takes images of another shape, or another number of features.
pub fn logits(model: &dyn Classifier, samples: &Samples) -> Result<Array2<f32>> {
    distorted_logits(model, samples, &Augment::none(), (0, 0))
}

fn distorted_logits(
    model: &dyn Classifier,
    samples: &Samples,
    augment: &Augment,
    draw: (u64, u64),
) -> Result<Array2<f32>> {
    check_shape(model, samples)?;
    let mut all = Array2::zeros((samples.len(), model.num_classes()));
    let mut buffer = Buffer::of(model);
    for start in (0..samples.len()).step_by(BATCH) {
        let end = samples.len().min(start + BATCH);
        let indices: Vec<usize> = (start..end).collect();
        buffer.fill(samples, &indices, augment, draw);
        all.slice_mut(s![start..end, ..]).assign(&model.logits(buffer.batch())?);
    }
    Ok(all)
}

/// Outputs of every stage of `model` for every sample, each `(n, units)`, in evaluation mode; see
/// [`Classifier::activations`]. They take about 400 kB per image: ask for a few hundred.
///
/// # Errors
/// As [`logits`], and where there are no samples.
pub fn activations(
    model: &dyn Classifier,
    samples: &Samples,
) -> Result<Vec<(String, Array2<f32>)>> {
    check_shape(model, samples)?;
    let mut buffer = Buffer::of(model);
    let indices: Vec<usize> = (0..samples.len()).collect();
    buffer.fill(samples, &indices, &Augment::none(), (0, 0));
    Ok(model.activations(buffer.batch())?)
}
