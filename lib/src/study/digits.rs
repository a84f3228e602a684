//! Parts 2 and 3: ten digits, four networks, one record for each run.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Handwritten, Samples},
    eval::{Evaluation, similarity::relative_distance},
    files::{is_quick, outputs, project_root},
    image::Preprocess,
    nn::{CharCnn, Classifier},
    study::result::{Artefact, Environment, RunKey, RunResult},
    train::{
        Checkpoint, Config, FineCurve, History, Loss, ModelCheckpoint, Schedule, evaluate,
        fit_resumable,
    },
};

/// The two dense heads that the report compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// 1000 units, dropout 0.5.
    Original,
    /// 500 units, dropout 0.7.
    Experimental,
}

impl Head {
    pub const ALL: [Self; 2] = [Self::Original, Self::Experimental];

    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Experimental => "experimental",
        }
    }

    /// An untrained network for ten digits.
    pub fn network(self, seed: u64) -> Box<dyn Classifier> {
        match self {
            Self::Original => Box::new(CharCnn::<1000, 10>::new(seed)),
            Self::Experimental => Box::new(CharCnn::<500, 10>::new(seed)),
        }
    }
}

/// What a network starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    Random,
    /// Trunk and dense layer of a network trained on the photographed digits.
    Pretrained,
}

impl Init {
    pub const ALL: [Self; 2] = [Self::Random, Self::Pretrained];

    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Pretrained => "pretrained",
        }
    }
}

/// Tensors that pretraining hands on begin with these names; the output layer is made anew.
const CARRIED_OVER: [&str; 3] = ["block1.", "block2.", "hidden."];

/// One run of part 2 or 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DigitRun {
    pub part: u8,
    pub head: Head,
    pub init: Init,
    /// Name in result files, e.g. `report`.
    pub protocol: String,
    pub config: Config,
}

/// A finished run with everything that a notebook looks at.
pub struct TrainedDigits {
    pub model: Box<dyn Classifier>,
    pub history: History,
    /// On the MNIST test set.
    pub evaluation: Evaluation,
    pub result: RunResult,
}

/// Trains `head` on the ten digits of dataset 1 and keeps the network for parts 2 and 3.
pub fn pretrain(head: Head, seed: u64, photos: &Handwritten) -> Result<(History, PathBuf)> {
    let digits = photos.preprocess(&Preprocess::default())?.digits();
    let (train, valid) = digits.split(0.9, seed);
    let config = quick(Config {
        seed,
        ..Config::part1()
    });
    let mut model = head.network(seed);
    let path = pretrained_path(head, seed);
    let states = ModelCheckpoint::new(path.with_extension(""));
    let history = fit_resumable(model.as_mut(), &train, &valid, &config, &states)?;
    Checkpoint::of(model.as_ref(), config, history.clone(), &train)
        .weights_only()
        .save(&path)?;
    states.remove()?;
    Ok((history, path))
}

fn pretrained_name(head: Head, seed: u64) -> String {
    format!("checkpoints/digits-{}-seed{seed}.safetensors", head.name())
}

fn pretrained_path(head: Head, seed: u64) -> PathBuf {
    outputs().join(pretrained_name(head, seed))
}

/// The pretrained network of this head and seed: one made here, else the published one.
pub fn pretrained(head: Head, seed: u64) -> Result<Checkpoint> {
    let own = pretrained_path(head, seed);
    if own.exists() {
        return Checkpoint::load(own);
    }
    let published = project_root()
        .join("outputs/reference")
        .join(pretrained_name(head, seed));
    match published.exists() {
        true => Checkpoint::load(published),
        false => Err(Error::Missing {
            dataset: pretrained_name(head, seed),
            problem: "this network has not been pretrained".into(),
            remedy: "run notebook 03, or `glyphs train pretrain`".into(),
        }),
    }
}

impl DigitRun {
    /// As the report did it: 3 epochs of 600 batches of 100.
    pub fn report(part: u8, head: Head, init: Init, seed: u64) -> Self {
        Self {
            part,
            head,
            init,
            protocol: "report".into(),
            config: quick(Config {
                seed,
                ..Config::mnist()
            }),
        }
    }

    /// Part 3 with a loss for labels that say what an image is not.
    pub fn complementary(head: Head, init: Init, loss: Loss, epochs: usize, seed: u64) -> Self {
        Self {
            part: 3,
            head,
            init,
            protocol: loss.name().replace('_', "-"),
            config: quick(Config {
                seed,
                loss,
                epochs,
                learning_rate: 2e-3,
                schedule: Schedule::OneCycle { warm_up: 0.2 },
                augment: crate::image::Augment::default(),
                curve: None,
                ..Config::mnist()
            }),
        }
    }

    pub fn key(&self) -> RunKey {
        let (head, init) = (self.head.name(), self.init.name());
        RunKey::new(self.part, head, init, &self.protocol, self.config.seed)
    }

    /// The network before its first step.
    pub fn network(&self) -> Result<Box<dyn Classifier>> {
        let mut model = self.head.network(self.config.seed);
        if self.init == Init::Pretrained {
            pretrained(self.head, self.config.seed)?
                .restore_named(model.as_mut(), &CARRIED_OVER)?;
        }
        Ok(model)
    }

    /// Trains on `train`, validates on `valid` after each epoch, judges by `test` at the
    /// end, and keeps checkpoint and record. In the report's protocol `valid` is the test
    /// set itself.
    pub fn run(&self, train: &Samples, valid: &Samples, test: &Samples) -> Result<TrainedDigits> {
        let mut model = self.network()?;
        let before: Vec<(String, Vec<f32>)> = (model.tensors().into_iter())
            .map(|t| (t.name, t.values.to_vec()))
            .collect();
        let at_start = evaluate(model.as_ref(), test)?;

        let states = self.key().states();
        let history = fit_resumable(model.as_mut(), train, valid, &self.config, &states)?;
        let evaluation = evaluate(model.as_ref(), test)?;

        let path = self.key().checkpoint();
        Checkpoint::of(model.as_ref(), self.config.clone(), history.clone(), train)
            .weights_only()
            .save(&path)?;
        let mut metrics = BTreeMap::from([
            ("accuracy_before_training".into(), at_start.accuracy()),
            ("test_loss".into(), evaluation.loss()),
            ("ece".into(), evaluation.calibration(15)?.ece),
        ]);
        for score in evaluation.per_class().0 {
            metrics.insert(format!("recall_{}", score.class), score.recall);
        }
        for ((name, before), after) in before.iter().zip(model.tensors()) {
            if name.ends_with("weight") && before.iter().any(|&w| w != 0.0) {
                let moved = relative_distance(before, after.values)?;
                metrics.insert(format!("moved_{name}"), moved);
            }
        }
        let result = RunResult {
            part: self.part,
            network: self.head.name().into(),
            init: self.init.name().into(),
            dataset: train.provenance.clone(),
            protocol: self.protocol.clone(),
            seed: self.config.seed,
            config: self.config.clone(),
            loss: self.config.loss.name().into(),
            epochs: history.epochs.clone(),
            curve: history.curve.clone(),
            test_accuracy: Some(evaluation.accuracy()),
            metrics,
            checkpoint: Artefact::of(&path)?,
            environment: Environment::here(),
        };
        result.save()?;
        states.remove()?;
        Ok(TrainedDigits {
            model,
            history,
            evaluation,
            result,
        })
    }
}

/// In a quick run, enough to see that everything works.
fn quick(config: Config) -> Config {
    if !is_quick() {
        return config;
    }
    let curve = config.curve.map(|_| FineCurve {
        every: 2,
        images: 100,
    });
    Config {
        epochs: 2,
        curve,
        ..config
    }
}
