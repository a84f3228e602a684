//! Part 1: 62 characters from photographs.

mod show;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    data::{Handwritten, Samples},
    eval::Evaluation,
    files::project_root,
    image::{FEATURES, Preprocess},
    nn::{Classifier, ORIGINAL, char_cnn},
    study::{
        LOOKALIKES, Seeds,
        result::{Artefact, RunKey, RunResult},
    },
    train::{Checkpoint, Config, History, evaluate, evaluate_averaged, fit_resumable},
};

pub use show::{
    compare_averaging, compare_candidates, compare_preprocessing, compare_seeds, findings,
    preprocessing_finding,
};

/// Part of the photographs that is trained on; the rest validates.
pub const TRAIN_SHARE: f64 = 0.9;

/// Copies of an image that a prediction is averaged over, where that is tried.
pub const COPIES: u64 = 16;
/// The metric of it in result files.
const AVERAGED: &str = "averaged_accuracy";

/// Who is in the validation part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// A random tenth of the photographs: its writers are in the training part too.
    Random,
    /// A tenth of the writers, none of whom is in the training part.
    ByWriter,
}

/// One way from photographs to a classifier.
#[derive(Clone, Debug, PartialEq)]
pub struct Part1 {
    /// Name in result files, e.g. `report`.
    pub protocol: String,
    pub preprocess: Preprocess,
    /// Whether the dense layer also sees size and position of the ink in the photograph.
    pub features: bool,
    pub split: Split,
    pub config: Config,
}

impl Part1 {
    /// As the report did it: squeezed into a square, no augmentation, 30 epochs.
    pub fn report(seed: u64) -> Self {
        Self::compared("report", Preprocess::squeeze(), false, seed)
    }

    /// As the report did it but for what an image is brought down to.
    fn compared(protocol: &str, preprocess: Preprocess, features: bool, seed: u64) -> Self {
        Self {
            protocol: protocol.into(),
            preprocess,
            features,
            split: Split::Random,
            config: Config {
                seed,
                ..Config::part1_report()
            }
            .shortened_in_quick_run(),
        }
    }

    pub fn keep_aspect(seed: u64) -> Self {
        Self::compared("keep-aspect", Preprocess::keep_aspect(), false, seed)
    }

    pub fn crop(seed: u64) -> Self {
        Self::compared("crop", Preprocess::default(), false, seed)
    }

    pub fn crop_features(seed: u64) -> Self {
        Self::compared("crop-features", Preprocess::default(), true, seed)
    }

    /// As this project does it.
    pub fn ours(seed: u64) -> Self {
        Self {
            config: Config {
                seed,
                ..Config::part1()
            }
            .shortened_in_quick_run(),
            ..Self::compared("ours", Preprocess::default(), true, seed)
        }
    }

    /// What ours is chosen from on seed 0: a recipe of parts that are known from elsewhere, and
    /// the same with one thing changed. One of them is ours.
    pub fn candidates(seed: u64) -> Vec<(&'static str, Self)> {
        let changed = |name: &'static str, protocol: &str, change: &dyn Fn(&mut Config)| {
            let mut run = Self::ours(seed);
            run.protocol = protocol.into();
            run.config.batch_size = 64;
            change(&mut run.config);
            run.config = run.config.shortened_in_quick_run();
            (name, run)
        };
        vec![
            changed("the recipe", "recipe", &|_| {}),
            ("batches of 32", Self::ours(seed)),
            changed("batches of 128", "recipe-batch-128", &|config| {
                config.batch_size = 128;
            }),
            changed("weaker distortions", "recipe-weaker", &|config| {
                config.augment = config.augment.times(0.6);
            }),
            changed("stronger distortions", "recipe-stronger", &|config| {
                config.augment = config.augment.times(1.5);
            }),
            changed("size and position shaken", "recipe-shaken", &|config| {
                config.augment.features = 0.1;
            }),
            changed("120 epochs", "recipe-120-epochs", &|config| {
                config.epochs = 120;
            }),
        ]
    }

    /// The same with validation on writers that were never seen.
    pub fn by_writer(&self) -> Self {
        Self {
            protocol: format!("{}-by-writer", self.protocol),
            split: Split::ByWriter,
            ..self.clone()
        }
    }

    /// Every protocol of part 1, by name.
    pub fn named(protocol: &str, seed: u64) -> Option<Self> {
        Self::all(seed)
            .into_iter()
            .find(|run| run.protocol == protocol)
    }

    pub fn all(seed: u64) -> Vec<Self> {
        let candidates = Self::candidates(seed).into_iter();
        let mut all = vec![
            Self::report(seed),
            Self::keep_aspect(seed),
            Self::crop(seed),
            Self::crop_features(seed),
            Self::ours(seed).by_writer(),
            Self::report(seed).by_writer(),
        ];
        all.extend(candidates.map(|(_, run)| run));
        all
    }

    /// Training and validation part of `samples`, by this run's seed.
    pub fn split(&self, samples: &Samples) -> Result<(Samples, Samples)> {
        match self.split {
            Split::Random => Ok(samples.split(TRAIN_SHARE, self.config.seed)),
            Split::ByWriter => samples.split_by_writer(TRAIN_SHARE, self.config.seed),
        }
    }

    /// An untrained network for this run.
    pub fn network(&self) -> Box<dyn Classifier> {
        let features = if self.features { FEATURES } else { 0 };
        Box::new(char_cnn(ORIGINAL, 62, features, self.config.seed))
    }

    /// The records of this run under all seeds.
    pub fn recorded(&self, photos: &Handwritten) -> Result<Seeds> {
        Seeds::recorded(&self.key(), &self.config, &photos.provenance)
    }

    pub fn key(&self) -> RunKey {
        RunKey::new(1, "original", "random", &self.protocol, self.config.seed)
    }

    /// Trains, evaluates on the validation part, and keeps checkpoint and record.
    pub fn run(&self, photos: &Handwritten) -> Result<Trained> {
        let (train, valid) = self.split(&photos.preprocess(&self.preprocess)?)?;
        let mut model = self.network();
        let states = self.key().states();
        let history = fit_resumable(model.as_mut(), &train, &valid, &self.config, &states)?;
        let evaluation = evaluate(model.as_ref(), &valid)?;

        let merged = evaluation.merged(&LOOKALIKES)?;
        let path = self.key().checkpoint();
        Checkpoint::of(model.as_ref(), self.config.clone(), history.clone(), &train)
            .with_preprocess(self.preprocess)
            .weights_only()
            .save(&path)?;
        let mut result = RunResult::new(
            &self.key(),
            &self.config,
            &photos.provenance,
            &history,
            &path,
        )?;
        result.best_checkpoint = Some(Artefact::of(&states.finish()?)?);
        result.metrics = [
            ("top_3_accuracy", evaluation.top_k_accuracy(3)),
            ("merged_accuracy", merged.accuracy),
            ("ece", evaluation.calibration(15)?.ece),
        ]
        .map(|(name, value)| (name.into(), value))
        .into();
        let augment = &self.config.augment;
        if !augment.is_none() {
            let seed = self.config.seed;
            let averaged = evaluate_averaged(model.as_ref(), &valid, augment, COPIES, seed)?;
            (result.metrics).insert(AVERAGED.into(), averaged.accuracy());
        }
        result.save()?;
        Ok(Trained {
            model,
            history,
            train,
            valid,
            evaluation,
            result,
        })
    }
}

/// A finished run with everything that a notebook looks at.
pub struct Trained {
    pub model: Box<dyn Classifier>,
    pub history: History,
    pub train: Samples,
    pub valid: Samples,
    /// Of the validation part.
    pub evaluation: Evaluation,
    pub result: RunResult,
}

/// Where notebook 1 writes the images as a table.
pub fn table_path() -> PathBuf {
    project_root().join("data/processed/dataset1-28x28.csv")
}
