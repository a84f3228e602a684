//! The networks that parts 2 and 3 start from: trained on the photographed digits.

use std::path::PathBuf;

use crate::{
    Error, Result,
    data::{Handwritten, Samples},
    eval::Evaluation,
    files::{outputs, project_root},
    image::Preprocess,
    nn::Classifier,
    study::{
        digits::Head,
        result::{Artefact, RunKey, RunResult},
    },
    train::{Checkpoint, Config, History, ModelCheckpoint, evaluate, fit_resumable},
};

/// Tensors that pretraining hands on begin with these names; the output layer is made anew.
pub const CARRIED_OVER: [&str; 3] = ["block1.", "block2.", "hidden."];

/// A network trained on the ten digits of dataset 1.
pub struct Pretrained {
    pub model: Box<dyn Classifier>,
    pub history: History,
    /// The photographs that were held out.
    pub valid: Samples,
    pub evaluation: Evaluation,
    /// The same network on the MNIST test set, of which it has seen nothing.
    pub on_mnist: Evaluation,
    pub result: RunResult,
}

/// Trains `head` on the ten digits of dataset 1, keeps the network for parts 2 and 3, and
/// judges it by the MNIST test set as it is.
pub fn pretrain(
    head: Head,
    seed: u64,
    photos: &Handwritten,
    mnist_test: &Samples,
) -> Result<Pretrained> {
    let digits = photos.preprocess(&Preprocess::default())?.digits();
    let (train, valid) = digits.split(0.9, seed);
    let config = Config {
        seed,
        batch_size: 64,
        ..Config::part1()
    }
    .shortened_in_quick_run();
    let mut model: Box<dyn Classifier> = Box::new(head.network(seed));
    let path = path(head, seed);
    let states = ModelCheckpoint::new(path.with_extension(""));
    let history = fit_resumable(model.as_mut(), &train, &valid, &config, &states)?;
    Checkpoint::of(model.as_ref(), config.clone(), history.clone(), &train)
        .with_preprocess(Preprocess::default())
        .weights_only()
        .save(&path)?;

    let evaluation = evaluate(model.as_ref(), &valid)?;
    let on_mnist = evaluate(model.as_ref(), mnist_test)?;
    let key = RunKey::new(2, head.name(), "random", "pretraining", seed);
    let mut result = RunResult::new(&key, &config, &train.provenance, &history, &path)?;
    result.best_checkpoint = Some(Artefact::of(&states.finish()?)?);
    result.metrics = [
        ("ece", evaluation.calibration(15)?.ece),
        ("mnist_accuracy", on_mnist.accuracy()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into();
    result.save()?;
    Ok(Pretrained {
        model,
        history,
        valid,
        evaluation,
        on_mnist,
        result,
    })
}

fn name(head: Head, seed: u64) -> String {
    format!("checkpoints/digits-{}-seed{seed}.safetensors", head.name())
}

fn path(head: Head, seed: u64) -> PathBuf {
    outputs().join(name(head, seed))
}

/// The pretrained network of this head and seed: one made here, else the published one.
pub fn pretrained(head: Head, seed: u64) -> Result<Checkpoint> {
    let own = path(head, seed);
    if own.exists() {
        return Checkpoint::load(own);
    }
    let published = project_root()
        .join("outputs/reference")
        .join(name(head, seed));
    match published.exists() {
        true => Checkpoint::load(published),
        false => Err(Error::Missing {
            dataset: name(head, seed),
            problem: "this network has not been pretrained".into(),
            remedy: "run notebook 03, or `glyphs train pretrain`".into(),
        }),
    }
}
