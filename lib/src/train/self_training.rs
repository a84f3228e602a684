//! Training a network on its own confident predictions.

use crate::{
    Result,
    data::Samples,
    eval::{argmax, log_softmax},
    nn::Classifier,
    train::{Config, History, Loss, ModelCheckpoint, SelfTraining, fit_resumable, logits},
};

/// As [`fit_resumable`] with complementary labels, then a second stage: images that the
/// network reads with confidence get its prediction as their label, the others are left
/// out, and training goes on with cross-entropy
/// (D.-H. Lee, "Pseudo-label", ICML workshop 2013; with a threshold and distorted images:
/// Sohn et al., "FixMatch", NeurIPS 2020).
///
/// Where no image is read with that confidence, there is no second stage.
/// The history holds the epochs of both stages, all validated alike.
pub fn fit_self_training(
    model: &mut dyn Classifier,
    train: &Samples,
    valid: &Samples,
    config: &Config,
    stages: [&ModelCheckpoint; 2],
) -> Result<History> {
    let first = Config {
        self_training: None,
        ..config.clone()
    };
    let mut history = fit_resumable(model, train, valid, &first, stages[0])?;
    let Some(SelfTraining { confidence, epochs }) = config.self_training else {
        return Ok(history);
    };
    let own = confident_predictions(model, train, confidence)?;
    crate::progress::say(format!(
        "self-training on {} of {} images that are read with a confidence above {confidence}",
        own.len(),
        train.len()
    ));
    if own.is_empty() {
        return Ok(history);
    }
    let second = Config {
        epochs,
        loss: Loss::CrossEntropy {
            label_smoothing: 0.0,
        },
        validation_loss: Some(config.loss),
        ..first
    };
    let more = fit_resumable(model, &own, valid, &second, stages[1])?;
    history.epochs.extend(more.epochs);
    Ok(history)
}

/// The samples whose most probable class has more than `confidence`, under that label.
///
/// # Errors
/// Where the network does not take these samples.
pub fn confident_predictions(
    model: &dyn Classifier,
    samples: &Samples,
    confidence: f32,
) -> Result<Samples> {
    let logits = logits(model, samples)?;
    let log_p = log_softmax(logits.view());
    let predictions: Vec<usize> = logits.rows().into_iter().map(argmax).collect();
    let sure = |i: &usize| log_p[(*i, predictions[*i])].exp() > f64::from(confidence);
    let kept: Vec<usize> = (0..samples.len()).filter(sure).collect();
    let mut own = samples.select(&kept);
    own.labels = kept.into_iter().map(|i| predictions[i]).collect();
    Ok(own)
}
