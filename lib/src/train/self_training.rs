//! Training a network on its own predictions.

use crate::{
    Error, Result,
    data::Samples,
    eval::argmax,
    nn::Classifier,
    numbers::format_count,
    progress::say,
    train::{
        Config, History, Loss, ModelCheckpoint, SelfTraining, evaluate, evaluate_averaged,
        fit::{Run, check_plain, validation_loss},
    },
};

/// As [`fit_resumable`](super::fit_resumable) with complementary labels, then further stages:
/// the network's predictions become labels, and training goes on with cross-entropy
/// (D.-H. Lee, "Pseudo-label", ICML workshop 2013; with a threshold and distorted images:
/// Sohn et al., "FixMatch", NeurIPS 2020).
///
/// If no image is read with enough confidence for a stage, it is the last. `stages` has a
/// checkpoint for the first and for each further stage ([`SelfTraining::rounds`]). The history
/// holds the epochs of all stages, all validated alike. The caller sees to it that no other process
/// makes the same run.
///
/// # Errors
/// As [`fit`](super::fit()); where there are more or fewer checkpoints than stages.
pub fn fit_self_training(
    model: &mut dyn Classifier,
    train: &Samples,
    valid: &Samples,
    config: &Config,
    stages: &[ModelCheckpoint],
) -> Result<History> {
    let first = Config { self_training: None, ..config.clone() };
    check_plain(&first)?;
    let Some((checkpoint, further)) = stages.split_first() else {
        let problem = "no checkpoint for the first stage";
        return Err(Error::argument(problem, "pass one for each stage"));
    };
    if let Some(own) = config.self_training
        && own.rounds != further.len()
    {
        let problem = format!("{} checkpoints for {} rounds", further.len(), own.rounds);
        return Err(Error::argument(
            problem,
            "pass one for the first stage and one for each round",
        ));
    }
    let mut stage = Run::new(model, train, valid, &first)?.go(Some(checkpoint))?;
    let mut history = stage.history.clone();
    let Some(own) = config.self_training else {
        return Ok(history);
    };
    let second = Config {
        epochs: own.epochs,
        loss: Loss::CrossEntropy { label_smoothing: 0.0 },
        validation_loss: Some(validation_loss(config)),
        ..first
    };
    for checkpoint in further {
        let read = own_labels(model, train, config, &own)?;
        let (read_len, len) = (format_count(read.len()), format_count(train.len()));
        say(match own.confidence > 0.0 {
            true => format!(
                "self-training on {read_len} of {len} images, read with a confidence above {}",
                own.confidence
            ),
            false => format!("self-training on all {len} images"),
        });
        if read.is_empty() {
            break;
        }
        stage = Run::new(model, &read, valid, &second)?.after(stage).go(Some(checkpoint))?;
        history.epochs.extend_from_slice(&stage.history.epochs);
        history.curve.extend_from_slice(&stage.history.curve);
    }
    Ok(history)
}

/// The samples whose most probable class has more than `own.confidence`, under that label. The
/// class that a complementary label names is never chosen.
pub fn own_labels(
    model: &dyn Classifier,
    samples: &Samples,
    config: &Config,
    own: &SelfTraining,
) -> Result<Samples> {
    let read = match own.copies {
        0 => evaluate(model, samples)?,
        copies => evaluate_averaged(model, samples, &config.augment, copies, !config.seed)?,
    };
    let mut probabilities = read.probabilities;
    if matches!(config.loss, Loss::Complementary(_)) {
        for (mut row, &label) in probabilities.outer_iter_mut().zip(&samples.labels) {
            row[label] = 0.0;
        }
    }
    let classes: Vec<usize> = probabilities.outer_iter().map(argmax).collect();
    let sure = |&i: &usize| probabilities[[i, classes[i]]] > own.confidence;
    let kept: Vec<usize> = (0..samples.len()).filter(sure).collect();
    let mut labelled = samples.select(&kept);
    labelled.labels = kept.into_iter().map(|i| classes[i]).collect();
    Ok(labelled)
}
