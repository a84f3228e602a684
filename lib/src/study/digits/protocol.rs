//! How a run of parts 2 and 3 goes.

use crate::{
    data::Samples,
    image::Augment,
    train::{Complementary, Config, Loss, Schedule, SelfTraining},
};

/// Share of the training images that is trained on where some are held out: 55,000 of
/// 60,000.
const TRAIN_SHARE: f64 = 11.0 / 12.0;
/// Images that an epoch goes through where only few are different.
const FEW_EPOCH: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// As the report did it: 3 epochs of 600 batches of 100 at a fixed rate; the test set
    /// validates after each epoch.
    Report,
    /// Every choice made on 5,000 training images that are held out; one cycle of the
    /// learning rate; the test set used once.
    Clean,
    /// As the report's, on this many images: 3 times 100 batches of 100.
    Few(usize),
    /// One epoch in which only the dense layers learn.
    FrozenTrunk,
    /// One cycle of 3 epochs under a loss for labels that say what an image is not.
    Complementary(Complementary),
    /// Nine epochs under the forward loss and on the network's own predictions.
    Stages(Stages),
}

/// How nine epochs, the time that notebook 7 has, are divided by threes: first so many under
/// the forward loss, then the rest on the network's own predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    /// No second stage.
    Nine,
    /// 6, then 3 on predictions of more than 0.9.
    SixThree,
    /// 6, then 3 on all predictions.
    SixThreeAll,
    /// 3, then 6 on predictions of more than 0.9.
    ThreeSix,
    /// 3, then 6 on all predictions.
    ThreeSixAll,
}

impl Stages {
    pub const ALL: [Self; 5] = [
        Self::Nine,
        Self::SixThree,
        Self::SixThreeAll,
        Self::ThreeSix,
        Self::ThreeSixAll,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Nine => "forward-9",
            Self::SixThree => "self-training",
            Self::SixThreeAll => "self-training-all",
            Self::ThreeSix => "self-training-3-6",
            Self::ThreeSixAll => "self-training-3-6-all",
        }
    }

    /// Epochs under the forward loss, and what follows them.
    pub fn division(self) -> (usize, Option<SelfTraining>) {
        let own = |epochs, confidence| Some(SelfTraining { confidence, epochs });
        match self {
            Self::Nine => (9, None),
            Self::SixThree => (6, own(3, 0.9)),
            Self::SixThreeAll => (6, own(3, 0.0)),
            Self::ThreeSix => (3, own(6, 0.9)),
            Self::ThreeSixAll => (3, own(6, 0.0)),
        }
    }
}

impl Protocol {
    /// Numbers of images in the runs with little data.
    pub const FEW: [usize; 3] = [100, 1_000, 10_000];

    /// Name in result files, e.g. `report` or `few-100`.
    pub fn name(self) -> String {
        match self {
            Self::Report => "report".into(),
            Self::Clean => "clean".into(),
            Self::Few(n) => format!("few-{n}"),
            Self::FrozenTrunk => "frozen-trunk".into(),
            Self::Complementary(loss) => loss.name().replace('_', "-"),
            Self::Stages(stages) => stages.name().into(),
        }
    }

    /// The protocols of `part`.
    pub fn all(part: u8) -> Vec<Self> {
        match part {
            2 => [Self::Report, Self::Clean, Self::FrozenTrunk]
                .into_iter()
                .chain(Self::FEW.map(Self::Few))
                .collect(),
            3 => [Self::Report]
                .into_iter()
                .chain(Complementary::ALL.map(Self::Complementary))
                .chain(Stages::ALL.map(Self::Stages))
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn config(self, seed: u64) -> Config {
        let report = Config {
            seed,
            ..Config::mnist()
        };
        let config = match self {
            Self::Report => report,
            Self::Clean => Config {
                learning_rate: 3e-3,
                schedule: Schedule::OneCycle { warm_up: 0.3 },
                ..report
            },
            Self::Few(_) => Config {
                curve: None,
                ..report
            },
            Self::FrozenTrunk => Config {
                epochs: 1,
                ..report
            },
            Self::Stages(stages) => {
                let (epochs, self_training) = stages.division();
                Config {
                    epochs,
                    self_training,
                    ..Self::Complementary(Complementary::Forward).config(seed)
                }
            }
            Self::Complementary(loss) => Config {
                loss: Loss::Complementary(loss),
                learning_rate: 2e-3,
                schedule: Schedule::OneCycle { warm_up: 0.2 },
                augment: Augment::default(),
                curve: None,
                ..report
            },
        };
        config.shortened_in_quick_run()
    }

    /// What is trained on, and what validates after each epoch.
    pub(super) fn split(self, train: &Samples, test: &Samples, seed: u64) -> (Samples, Samples) {
        if self == Self::Report {
            return (train.clone(), test.clone());
        }
        let (train, valid) = train.split(TRAIN_SHARE, seed);
        match self {
            Self::Few(n) => (train.take(n).repeat(FEW_EPOCH / n), valid),
            _ => (train, valid),
        }
    }
}
