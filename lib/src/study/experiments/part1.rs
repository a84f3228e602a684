//! Part 1: the characters of dataset 1.

use super::{SELECTION, recipe};
use crate::{
    image::{Augment, CropToInk, Preprocess},
    study::{
        experiment::{CARRIED_OVER, Data, Experiment, Head, Init, PRETRAINING},
        setup::{Features, Split, Trunk},
    },
    train::{Config, Monitor, OptimizerKind, ReduceLrOnPlateau, Schedule},
};

/// Share of the drawings that is trained on.
const TRAIN_SHARE: f64 = 0.9;
/// A ball pen on paper is as wide as a fifth of the tablet's, beside the character.
const PENS: [f32; 4] = [0.75, 0.5, 0.3, 0.2];
/// As many digits of MNIST, of each class, as there are drawn ones in all pens.
const MNIST_DIGITS: usize = 200;

impl Experiment {
    /// The baseline: squeezed into a square, no distortions, 30 epochs.
    pub fn part1_plain(seed: u64) -> Self {
        let config = Config {
            epochs: 30,
            reduce_lr: Some(ReduceLrOnPlateau::default()),
            seed,
            ..Config::default()
        };
        Self {
            part: 1,
            protocol: "plain".into(),
            data: Data::Characters(Preprocess::squeeze()),
            features: Features::None,
            pens: &[],
            mnist_digits: 0,
            split: Split::Random(TRAIN_SHARE),
            trunk: Trunk::Study,
            head: Head::Original,
            init: Init::Random,
            pretraining: PRETRAINING,
            carried_over: &CARRIED_OVER,
            frozen: &[],
            config,
        }
        .shortened_in_quick_run()
    }

    /// What the 2021 report's training of part 1 may have been: it states neither optimiser
    /// nor batch normalisation, dropout in the trunk, patience or distortions. Each reading is
    /// the baseline with what its name says.
    pub fn part1_readings(seed: u64) -> Vec<(&'static str, Self)> {
        /// As Keras's `ImageDataGenerator` is usually called: rotated by 10 degrees, shifted and
        /// scaled by 10 %.
        const GENERATOR: Augment =
            Augment { rotation: 10.0, scale: 0.1, translation: 2.8, ..Augment::none() };
        use Trunk::{Dropout, DropoutWithoutNorm as WithoutNorm, Study};
        const BY_ACCURACY: &str = "reading-no-norm-accuracy";
        const BY_SGD: &str = "reading-half-sgd";
        let readings = [
            ("baseline", "plain", Study, 0.0),
            ("dropout in the trunk", "reading-dropout", Dropout, 0.0),
            ("half the distortions", "reading-half", Study, 0.5),
            ("dropout in the trunk, half the distortions", "reading-dropout-half", Dropout, 0.5),
            ("dropout in the trunk, distortions", "reading-dropout-full", Dropout, 1.0),
            (
                "dropout in the trunk, distortions, without batch normalisation",
                "reading-no-norm-full",
                WithoutNorm,
                1.0,
            ),
            (
                "half the distortions, without batch normalisation",
                "reading-no-norm-half",
                WithoutNorm,
                0.5,
            ),
            (
                "half the distortions, without batch normalisation, rate halved after two epochs without a gain",
                BY_ACCURACY,
                WithoutNorm,
                0.5,
            ),
            (
                "half the distortions, SGD with a momentum of 0.9 in place of Adam",
                BY_SGD,
                Study,
                0.5,
            ),
        ];
        let run = |(name, protocol, trunk, strength): (&'static str, &str, Trunk, f32)| {
            let mut run = Self::part1_plain(seed);
            run.protocol = protocol.into();
            run.trunk = trunk;
            run.config.augment = GENERATOR.times(strength);
            if protocol == BY_ACCURACY {
                let monitor = Monitor::ValAccuracy;
                let plateau = ReduceLrOnPlateau { monitor, patience: 2, ..Default::default() };
                run.config.reduce_lr = Some(plateau);
            } else if protocol == BY_SGD {
                run.config.optimizer = OptimizerKind::Sgd { momentum: 0.9, nesterov: false };
            }
            (name, run)
        };
        readings.map(run).into()
    }

    /// As this project does it: cropped to the ink, with its size and position, distorted
    /// images, smoothed labels, one cycle of the learning rate.
    pub fn part1_ours(seed: u64) -> Self {
        Self {
            protocol: "ours".into(),
            data: Data::Characters(Preprocess::default()),
            features: Features::Ink,
            config: recipe(seed, 32),
            ..Self::part1_plain(seed)
        }
        .shortened_in_quick_run()
    }

    /// For photographs as well: half of the images come without size and position, which a
    /// crop does not have; a tablet's pen is made as thin as others are; distortions are stronger;
    /// digits of MNIST, written on paper, are learned from too.
    pub fn part1_photographs(seed: u64) -> Self {
        let mut run = Self::part1_ours(seed);
        run.protocol = "photographs".into();
        run.pens = &PENS;
        run.mnist_digits = MNIST_DIGITS;
        run.config.epochs = 20;
        run.config.augment = Augment { without_features: 0.5, ..run.config.augment.times(1.5) };
        run.shortened_in_quick_run()
    }

    /// The same run, reading each drawing beside the writer's others.
    pub fn in_context(&self) -> Self {
        Self {
            protocol: format!("{}-in-context", self.protocol),
            features: Features::InkInContext,
            ..self.clone()
        }
    }

    /// [`Experiment::part1_plain`] with each way of bringing a drawing down; the last also
    /// hands size and position of the ink to the dense layer.
    pub fn part1_preprocessing(seed: u64) -> [(&'static str, Self); 4] {
        let with = |protocol: &str, method, features| Self {
            protocol: protocol.into(),
            data: Data::Characters(method),
            features,
            ..Self::part1_plain(seed)
        };
        let crop = Preprocess::default();
        [
            ("squeeze", Self::part1_plain(seed)),
            ("keep aspect", with("keep-aspect", Preprocess::keep_aspect(), Features::None)),
            ("crop to ink", with("crop", crop, Features::None)),
            ("crop to ink, with size and position", with("crop-features", crop, Features::Ink)),
        ]
    }

    /// The same run, validated on writers that were never seen.
    pub fn by_writer(&self) -> Self {
        Self {
            protocol: format!("{}-by-writer", self.protocol),
            split: Split::ByWriter(TRAIN_SHARE),
            ..self.clone()
        }
    }

    /// What ours is checked against, by five-fold cross-validation over all drawings, under
    /// [`SELECTION`]: ours, other choices, and ours without each of its parts. Ours had been chosen
    /// on seeds 0 and 1 before.
    pub fn part1_candidates() -> Vec<(&'static str, Self)> {
        type Change = (&'static str, &'static str, fn(&mut Experiment));
        let changes: [Change; 14] = [
            ("ours", "", |_| ()),
            ("batches of 64", "-batch-64", |run| run.config.batch_size = 64),
            ("weaker distortions", "-weaker", |run| {
                run.config.augment = run.config.augment.times(0.6)
            }),
            ("stronger distortions", "-stronger", |run| {
                run.config.augment = run.config.augment.times(1.5)
            }),
            ("size and position shaken", "-shaken", |run| run.config.augment.features = 0.1),
            ("120 epochs", "-120-epochs", |run| run.config.epochs = 120),
            ("a box of 20 pixels", "-box-20", |run| {
                let crop = CropToInk { box_size: 20.0, ..CropToInk::default() };
                run.data = Data::Characters(crop.into());
            }),
            ("without smoothed labels", "-without-smoothing", |run| {
                run.config.loss = Config::default().loss
            }),
            ("without the cycle", "-without-cycle", |run| {
                run.config.schedule = Schedule::Constant;
                run.config.learning_rate = 1e-3;
                run.config.reduce_lr = Some(ReduceLrOnPlateau::default());
            }),
            ("without elastic distortion", "-without-elastic", |run| {
                run.config.augment.elastic = 0.0
            }),
            ("without distortions", "-without-distortions", |run| {
                run.config.augment = Augment::none()
            }),
            ("without size and position", "-without-features", |run| run.features = Features::None),
            ("without cropping", "-without-cropping", |run| {
                run.data = Data::Characters(Preprocess::keep_aspect())
            }),
            ("in context: beside the writer's other drawings", "-in-context", |run| {
                run.features = Features::InkInContext
            }),
        ];
        let change = |(name, suffix, change): Change| {
            let mut run = Self::part1_ours(SELECTION[0]);
            run.protocol = format!("cv-ours{suffix}");
            run.split = Split::Fold(SELECTION.len());
            change(&mut run);
            (name, run.shortened_in_quick_run())
        };
        changes.map(change).into()
    }
}
