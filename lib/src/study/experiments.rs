//! The runs of the study: how each is done, and the list of all.

use serde::Serialize;

use crate::{
    Error, Result,
    files::is_quick,
    image::{Augment, CropToInk, Preprocess},
    study::experiment::{
        CARRIED_OVER, Data, Experiment, Features, Head, Init, Split, TRUNK, Trunk,
    },
    train::{
        Complementary, Config, EarlyStopping, FineCurve, Loss, Monitor, ReduceLrOnPlateau,
        Schedule, SelfTraining,
    },
};

/// Seeds that runs are repeated under, and results reported. They choose nothing.
pub const SEEDS: [u64; 5] = [0, 1, 2, 3, 4];
/// Seeds that choices are made on: fold 0 to 4 of a cross-validation.
pub const SELECTION: [u64; 5] = [100, 101, 102, 103, 104];

/// Share of the drawings that is trained on.
const TRAIN_SHARE: f64 = 0.9;
/// Share of MNIST's training images, and of dataset 3's, that is trained on where some are
/// held out: 55,000 of 60,000.
const MNIST_TRAIN_SHARE: f64 = 11.0 / 12.0;

/// Numbers of images in part 2's runs with little data.
pub const FEW: [usize; 3] = [100, 1_000, 10_000];
/// How many of the four convolutions are carried over, and which tensors those are.
pub const DEPTHS: [(usize, &[&str]); 4] = [
    (1, &["block1.conv1.", "block1.bn1."]),
    (2, &["block1."]),
    (3, &["block1.", "block2.conv1.", "block2.bn1."]),
    (4, &["block1.", "block2."]),
];
/// Peaks of the learning rate that part 2's clean protocol is tried with, on a seed that
/// reports nothing.
pub const RATES: [f32; 3] = [1e-3, 3e-3, 1e-2];

/// A ball pen on paper is as wide as a fifth of the tablet's, beside the character.
const PENS: [f32; 4] = [0.75, 0.5, 0.3, 0.2];

/// How epochs are divided between the forward loss and the network's own predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Division {
    pub forward: usize,
    pub own: Option<SelfTraining>,
}

const fn division(
    forward: usize,
    epochs: usize,
    rounds: usize,
    confidence: f32,
    copies: u64,
) -> Division {
    let own = SelfTraining { confidence, epochs, rounds, copies };
    Division { forward, own: if epochs > 0 { Some(own) } else { None } }
}

/// Nine epochs in blocks of three, the simplest division first: without own predictions; on
/// all of them; on confident ones; averaged over distorted copies; made anew.
pub const DIVISIONS: [Division; 7] = [
    division(9, 0, 0, 0.0, 0),
    division(6, 3, 1, 0.0, 0),
    division(3, 6, 1, 0.0, 0),
    division(6, 3, 1, 0.9, 0),
    division(3, 6, 1, 0.9, 0),
    division(6, 3, 1, 0.0, 4),
    division(3, 3, 2, 0.0, 0),
];
/// The division that notebook 7 goes on with.
pub const TAKEN: Division = DIVISIONS[1];
/// The same without the limit of nine epochs.
pub const UNLIMITED: Division = division(20, 10, 1, 0.0, 0);

impl Division {
    /// Epochs of all stages.
    pub fn epochs(&self) -> usize {
        self.forward + self.own.map_or(0, |own| own.epochs * own.rounds)
    }

    /// E.g. `self-training-6-3-above-0.9`.
    fn protocol(&self) -> String {
        let Some(own) = self.own else {
            return format!("forward-{}", self.forward);
        };
        let mut name = format!("self-training-{}", self.forward);
        for _ in 0..own.rounds {
            name += &format!("-{}", own.epochs);
        }
        if own.confidence > 0.0 {
            name += &format!("-above-{}", own.confidence);
        }
        if own.copies > 0 {
            name += &format!("-copies-{}", own.copies);
        }
        name
    }
}

/// Part 1.
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
            split: Split::Random(TRAIN_SHARE),
            trunk: Trunk::Study,
            head: Head::Original,
            init: Init::Random,
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
        /// As Keras's `ImageDataGenerator` is usually called: turned by 10 degrees, shifted and
        /// scaled by 10 %.
        const GENERATOR: Augment =
            Augment { rotation: 10.0, scale: 0.1, translation: 2.8, ..Augment::none() };
        use Trunk::*;
        let read = |name, protocol: &str, trunk, strength| {
            let mut run = Self::part1_plain(seed);
            run.protocol = protocol.into();
            run.trunk = trunk;
            run.config.augment = GENERATOR.times(strength);
            (name, run)
        };
        let mut readings = vec![
            read("baseline", "plain", Study, 0.0),
            read("dropout in the trunk", "reading-dropout", Dropout, 0.0),
            read("half the distortions", "reading-half", Study, 0.5),
            read(
                "dropout in the trunk, half the distortions",
                "reading-dropout-half",
                Dropout,
                0.5,
            ),
            read("dropout in the trunk, distortions", "reading-dropout-full", Dropout, 1.0),
            read(
                "the same without batch normalisation",
                "reading-no-norm-full",
                DropoutWithoutNorm,
                1.0,
            ),
            read(
                "half the distortions, without batch normalisation",
                "reading-no-norm-half",
                DropoutWithoutNorm,
                0.5,
            ),
        ];
        let name = "the same, halved after two epochs without a gain in accuracy";
        let mut by_accuracy = read(name, "reading-no-norm-accuracy", DropoutWithoutNorm, 0.5);
        by_accuracy.1.config.reduce_lr = Some(ReduceLrOnPlateau {
            monitor: Monitor::ValAccuracy,
            patience: 2,
            ..ReduceLrOnPlateau::default()
        });
        readings.push(by_accuracy);
        readings
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
    /// crop does not have; a tablet's pen is made as thin as others are; distortions are stronger.
    pub fn part1_photographs(seed: u64) -> Self {
        let mut run = Self::part1_ours(seed);
        run.protocol = "photographs".into();
        run.pens = &PENS;
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

    /// What ours was chosen from, by five-fold cross-validation over all drawings, under
    /// [`SELECTION`]: ours, what was tried instead, and ours without each of its parts.
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
            ("beside the writer's other drawings", "-in-context", |run| {
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

/// Parts 2 and 3.
impl Experiment {
    /// The network that a pretrained start takes over: trained on the ten digits of dataset 1.
    pub fn pretraining(head: Head, seed: u64) -> Self {
        Self {
            part: 2,
            protocol: "pretraining".into(),
            data: Data::Digits(Preprocess::default()),
            head,
            config: recipe(seed, 64),
            ..Self::part1_plain(seed)
        }
        .shortened_in_quick_run()
    }

    /// Part 2 as the 2021 report did it: 3 epochs of 600 batches of 100, Adam at 1e-3; the
    /// test set validates after each epoch.
    pub fn mnist(head: Head, init: Init, seed: u64) -> Self {
        let curve = FineCurve { every: 20, images: 2000 };
        let config =
            Config { epochs: 3, batch_size: 100, curve: Some(curve), seed, ..Config::default() };
        Self {
            part: 2,
            protocol: "report".into(),
            data: Data::Mnist,
            features: Features::None,
            pens: &[],
            split: Split::TestSet,
            trunk: Trunk::Study,
            head,
            init,
            carried_over: &CARRIED_OVER,
            frozen: &[],
            config,
        }
        .shortened_in_quick_run()
    }

    /// Part 3 as the 2021 report did it: the same on dataset 3.
    pub fn mislabelled(head: Head, init: Init, seed: u64) -> Self {
        Self { part: 3, data: Data::Mislabelled, ..Self::mnist(head, init, seed) }
    }

    /// 5,000 training images are held out; one cycle of the learning rate, whose peak is the best
    /// of [`RATES`] on them for this start.
    pub fn clean(self) -> Self {
        let rate = match (self.head, self.init) {
            (Head::Experimental, Init::Random) => 3e-3,
            _ => 1e-2,
        };
        Self { protocol: "clean".into(), ..self.clean_at(rate) }
    }

    /// The same with the cycle's peak at `rate`.
    pub fn clean_at(mut self, rate: f32) -> Self {
        self.config.learning_rate = rate;
        self.config.schedule = Schedule::OneCycle { warm_up: 0.3 };
        self.held_out(&format!("clean-rate-{rate}"))
    }

    /// Thirty epochs of distorted images, one cycle: what this network can do.
    pub fn thirty_epochs(mut self) -> Self {
        self.config = Config { epochs: 30, ..recipe(self.seed(), 100) };
        self.held_out("thirty-epochs").shortened_in_quick_run()
    }

    /// [`Experiment::few`] with distorted images, and 10 epochs under one cycle.
    pub fn few_distorted(mut self, n: usize) -> Self {
        self.config = Config { epochs: 10, ..recipe(self.seed(), 100) };
        let protocol = format!("few-{n}-distorted");
        Self { protocol, ..self.few(n) }.shortened_in_quick_run()
    }

    /// A pretrained start that takes over some convolutions alone; see [`DEPTHS`].
    pub fn carrying_over(self, (depth, tensors): (usize, &'static [&'static str])) -> Self {
        Self {
            protocol: format!("{}-carried-{depth}", self.protocol),
            carried_over: tensors,
            init: Init::Pretrained,
            ..self
        }
    }

    /// This many training images: 3 epochs of 100 batches of 100.
    pub fn few(mut self, n: usize) -> Self {
        self.config.curve = None;
        Self { split: Split::Few(MNIST_TRAIN_SHARE, n), ..self.held_out(&format!("few-{n}")) }
    }

    /// Only the dense layers learn, until validation loss has not fallen for three epochs.
    pub fn frozen_trunk(mut self) -> Self {
        self.config.epochs = 30;
        self.config.early_stopping = Some(EarlyStopping { patience: 3 });
        self.config.curve = None;
        self.frozen = &TRUNK;
        self.held_out("frozen-trunk").shortened_in_quick_run()
    }

    /// One cycle of 3 epochs under a loss for labels that say what an image is not.
    pub fn complementary(mut self, loss: Complementary) -> Self {
        self.config = Config {
            loss: Loss::Complementary(loss),
            learning_rate: 2e-3,
            schedule: Schedule::OneCycle { warm_up: 0.2 },
            augment: Augment::default(),
            curve: None,
            ..self.config
        };
        self.held_out(&loss.name().replace('_', "-"))
    }

    /// Epochs under the forward loss, then on the network's own predictions.
    pub fn divided(self, division: Division) -> Self {
        let mut run = self.complementary(Complementary::Forward);
        run.protocol = division.protocol();
        run.config.epochs = division.forward;
        run.config.self_training = division.own;
        run.shortened_in_quick_run()
    }

    /// Part 3's network and training under the true labels, in as many epochs: the price of not
    /// knowing them is the difference.
    pub fn true_labels(self, epochs: usize) -> Self {
        let mut run = self.complementary(Complementary::Forward);
        run.data = Data::Mnist;
        run.config.loss = Config::default().loss;
        run.config.epochs = epochs;
        run.protocol = format!("true-labels-{epochs}");
        run.shortened_in_quick_run()
    }

    /// The same as [`Experiment::mislabelled`] on MNIST under labels made here, of which the
    /// share `right` is right.
    pub fn relabelled(right: f64, uneven: bool, seed: u64) -> Self {
        let mut run = Self::mislabelled(Head::Original, Init::Random, seed).divided(TAKEN);
        run.data = Data::Relabelled { right, uneven };
        run.protocol = format!("{}-right-{right}", run.protocol);
        if uneven {
            run.protocol += "-uneven";
        }
        run
    }

    fn held_out(self, protocol: &str) -> Self {
        Self { protocol: protocol.into(), split: Split::Random(MNIST_TRAIN_SHARE), ..self }
    }

    /// In a quick run two epochs, enough to see that everything works; else unchanged.
    fn shortened_in_quick_run(mut self) -> Self {
        if is_quick() {
            let config = &mut self.config;
            config.epochs = 2;
            if let Some(curve) = &mut config.curve {
                *curve = FineCurve { every: 2, images: 100 };
            }
            if let Some(own) = &mut config.self_training {
                own.epochs = 1;
            }
        }
        self
    }
}

/// Distorted images, smoothed labels, one cycle of 60 epochs.
fn recipe(seed: u64, batch_size: usize) -> Config {
    Config {
        epochs: 60,
        batch_size,
        schedule: Schedule::OneCycle { warm_up: 0.3 },
        learning_rate: 3e-3,
        loss: Loss::CrossEntropy { label_smoothing: 0.1 },
        augment: Augment::default(),
        seed,
        ..Config::default()
    }
}

const CHARACTERS: &str = "02-cnn-dataset1";
const PRETRAINING: &str = "03-pretrain-digits";
const MNIST: &str = "04-mnist";
const DATASET3: &str = "06-cnn-dataset3";
const COMPLEMENTARY: &str = "07-complementary-labels";
const PREPROCESSING: &str = "01-preprocess-dataset1";
const SUMMARY: &str = "08-summary";

/// A run, and its place in the study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedRun {
    /// Name of its record.
    pub name: String,
    /// Name of the run whose network it starts from.
    pub needs: Option<String>,
    /// The notebook that makes it each time; `glyphs train` makes the others.
    pub made_by: Option<&'static str>,
    /// The notebooks that read its record.
    pub read_by: Vec<&'static str>,
    #[serde(skip)]
    pub experiment: Experiment,
}

/// Every run of the study, each once: the one list that workflow and command line read.
pub fn experiments() -> Vec<ListedRun> {
    let mut runs = Vec::new();
    // Seed 0 is made by `notebook`, where there is one.
    type Notebook = &'static str;
    let mut add =
        |run: Experiment, seeds: &[u64], notebook: Option<Notebook>, readers: &[Notebook]| {
            runs.extend(seeds.iter().map(|&seed| {
                let experiment = run.with_seed(seed);
                ListedRun {
                    name: experiment.name(),
                    needs: experiment.needs().map(|first| first.name()),
                    made_by: notebook.filter(|_| seed == 0),
                    read_by: readers.to_vec(),
                    experiment,
                }
            }));
        };
    let ours = Experiment::part1_ours(0);
    let readers = [CHARACTERS, SUMMARY];
    for (_, run) in Experiment::part1_readings(0) {
        let plain = run.protocol == "plain";
        let readers = if plain { &[PREPROCESSING, CHARACTERS, SUMMARY][..] } else { &readers };
        add(run, &SEEDS, None, readers);
    }
    for (_, run) in &Experiment::part1_preprocessing(0)[1..] {
        add(run.clone(), &SEEDS, None, &[PREPROCESSING]);
    }
    add(ours.clone(), &SEEDS, Some(CHARACTERS), &readers);
    add(ours.in_context(), &SEEDS, Some(CHARACTERS), &readers);
    add(Experiment::part1_photographs(0), &SEEDS, None, &[]);
    for run in [Experiment::part1_plain(0), ours.clone(), ours.in_context()] {
        add(run.by_writer(), &SEEDS, None, &readers);
    }
    for (_, run) in Experiment::part1_candidates() {
        add(run, &SELECTION, None, &[CHARACTERS]);
    }
    for head in Head::ALL {
        let readers = [PRETRAINING, MNIST, DATASET3, COMPLEMENTARY, SUMMARY];
        let run = Experiment::pretraining(head, 0);
        add(run.clone(), &SEEDS, Some(PRETRAINING), &readers);
        add(run, &SELECTION[..1], None, &[MNIST]);
    }
    for (head, init) in networks() {
        let run = || Experiment::mnist(head, init, 0);
        add(run(), &SEEDS, Some(MNIST), &[MNIST, SUMMARY]);
        add(run().clean(), &SEEDS, None, &[MNIST, SUMMARY]);
        for rate in RATES {
            add(run().clean_at(rate), &SELECTION[..1], None, &[MNIST]);
        }
        add(run().frozen_trunk(), &SEEDS, None, &[MNIST]);
        for n in FEW {
            add(run().few(n), &SEEDS, None, &[MNIST]);
        }
        let run = Experiment::mislabelled(head, init, 0);
        add(run, &SEEDS, Some(DATASET3), &[DATASET3, SUMMARY]);
    }
    let original = |init| Experiment::mnist(Head::Original, init, 0);
    for init in Init::ALL {
        for n in [100, 1_000] {
            add(original(init).few_distorted(n), &SEEDS, None, &[MNIST]);
        }
    }
    for depth in DEPTHS {
        let run = original(Init::Pretrained).few(1_000).carrying_over(depth);
        add(run, &SEEDS, None, &[MNIST]);
    }
    add(original(Init::Random).thirty_epochs(), &SEEDS, None, &[MNIST, SUMMARY]);
    let run = |init| Experiment::mislabelled(Head::Original, init, 0);
    for loss in Complementary::ALL {
        add(run(Init::Random).complementary(loss), &[0], None, &[COMPLEMENTARY]);
    }
    let readers = [COMPLEMENTARY, SUMMARY];
    for division in DIVISIONS {
        let made_by = (division == TAKEN).then_some(COMPLEMENTARY);
        add(run(Init::Random).divided(division), &SEEDS, made_by, &readers);
    }
    add(run(Init::Pretrained).divided(TAKEN), &SEEDS, Some(COMPLEMENTARY), &readers);
    add(run(Init::Random).divided(UNLIMITED), &SEEDS, None, &readers);
    for division in [TAKEN, UNLIMITED] {
        let known = run(Init::Random).true_labels(division.epochs());
        add(known, &SEEDS, None, &readers);
    }
    for (right, uneven) in RELABELLED {
        add(Experiment::relabelled(right, uneven, 0), &SEEDS[..3], None, &readers[..1]);
    }
    runs
}

/// Shares of right labels that part 3 is tried with, and whether the wrong ones are uneven.
pub const RELABELLED: [(f64, bool); 6] =
    [(0.0, false), (0.01, false), (0.03, false), (0.06, false), (0.1, false), (0.0, true)];

/// The four networks of parts 2 and 3: original, experimental; random, pretrained.
pub fn networks() -> impl Iterator<Item = (Head, Init)> {
    let heads = Head::ALL.into_iter();
    heads.flat_map(|head| Init::ALL.map(|init| (head, init)))
}

impl Experiment {
    /// The run with this name, under any seed.
    ///
    /// # Errors
    /// [`Error::Argument`] where the study has none.
    pub fn named(name: &str) -> Result<Self> {
        let seed = name.rsplit_once("-seed").and_then(|(_, seed)| seed.parse().ok());
        let found = seed.and_then(|seed| {
            let mut runs = experiments().into_iter();
            runs.find_map(|run| {
                let run = run.experiment.with_seed(seed);
                (run.name() == name).then_some(run)
            })
        });
        found.ok_or_else(|| {
            let problem = format!("the study has no run {name}");
            Error::argument(problem, "take a name from `glyphs train --list`")
        })
    }
}
