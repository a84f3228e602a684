//! Parts 2 and 3: digits, under right and wrong labels.

use super::{CLAIM_SEEDS, recipe};
use crate::{
    image::{Augment, Preprocess},
    study::{
        experiment::{Data, Experiment, Head, Init, PRETRAINING, TRUNK},
        setup::Split,
    },
    train::{
        Complementary, Config, EarlyStopping, FineCurve, FixMatch, Loss, Schedule, SelfTraining,
    },
};

/// Share of MNIST's training images, and of dataset 3's, that is trained on where some are
/// held out: 55,000 of 60,000.
const MNIST_TRAIN_SHARE: f64 = 11.0 / 12.0;

/// Numbers of images in part 2's runs with little data.
pub const FEW: [usize; 3] = [100, 1_000, 10_000];
/// Protocol of a pretraining of 120 epochs.
const LONGER: &str = "pretraining-120-epochs";
/// Protocol of a start from the pretraining of the next seed.
const NEXT_SEED: &str = "pretraining-next-seed";
/// How many of the four convolutions are carried over, and which tensors those are.
pub const DEPTHS: [(usize, &[&str]); 4] = [
    (1, &["block1.conv1.", "block1.bn1."]),
    (2, &["block1."]),
    (3, &["block1.", "block2.conv1.", "block2.bn1."]),
    (4, &["block1.", "block2."]),
];
/// Peaks of the learning rate that part 2's clean protocol is tried with, on a seed that
/// reports nothing.
pub const RATES: [f32; 4] = [1e-3, 3e-3, 1e-2, 3e-2];

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
pub const TAKEN: Division = DIVISIONS[0];
/// The same without the limit of nine epochs.
pub const UNLIMITED: Division = TAKEN.in_thirty_epochs();

impl Division {
    /// Stages in the same proportion, thirty epochs in place of nine.
    const fn in_thirty_epochs(self) -> Self {
        let own = match self.own {
            Some(own) => Some(SelfTraining { epochs: own.epochs * 10 / 3, ..own }),
            None => None,
        };
        Self { forward: self.forward * 10 / 3, own }
    }

    /// Epochs of all stages.
    pub fn epochs(&self) -> usize {
        self.forward + self.own.map_or(0, |own| own.epochs * own.rounds)
    }

    /// E.g. `self-training-6-3-above-0.9`.
    fn protocol(&self) -> String {
        let Some(own) = self.own else {
            return format!("forward-{}", self.forward);
        };
        let stages = format!("-{}", own.epochs).repeat(own.rounds);
        let mut name = format!("self-training-{}{stages}", self.forward);
        if own.confidence > 0.0 {
            name += &format!("-above-{}", own.confidence);
        }
        if own.copies > 0 {
            name += &format!("-copies-{}", own.copies);
        }
        name
    }
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
    /// The network that a pretrained start takes over: trained on the ten digits of dataset 1.
    pub fn pretraining(head: Head, seed: u64) -> Self {
        Self {
            part: 2,
            protocol: PRETRAINING.into(),
            data: Data::Digits(Preprocess::default()),
            head,
            config: recipe(seed, 64),
            ..Self::part1_plain(seed)
        }
        .shortened_in_quick_run()
    }

    /// Pretraining with the baseline of part 1: 30 epochs, no distortions.
    pub fn pretraining_plain(head: Head, seed: u64) -> Self {
        let config = Self::part1_plain(seed).config;
        let protocol = "pretraining-plain".into();
        Self { protocol, config, ..Self::pretraining(head, seed) }
    }

    /// This pretraining, twice as long.
    pub fn pretraining_for_longer(head: Head, seed: u64) -> Self {
        let mut run = Self::pretraining(head, seed);
        run.protocol = LONGER.into();
        run.config.epochs *= 2;
        run.shortened_in_quick_run()
    }

    /// The pretraining of this protocol.
    pub(in crate::study) fn start_of(protocol: &str, head: Head, seed: u64) -> Self {
        match protocol {
            LONGER => Self::pretraining_for_longer(head, seed),
            NEXT_SEED => Self::pretraining(head, (seed + 1) % CLAIM_SEEDS.len() as u64),
            _ => Self::pretraining(head, seed),
        }
    }

    /// From a network that was pretrained for twice as long.
    pub fn from_longer_pretraining(self) -> Self {
        self.starting_from(LONGER)
    }

    /// From the network that another seed pretrained, the next one. Its features did not form beside
    /// the initial weights of this run's output layer; those of the same seed's pretraining did.
    pub fn from_next_pretraining(self) -> Self {
        self.starting_from(NEXT_SEED)
    }

    fn starting_from(self, pretraining: &'static str) -> Self {
        let protocol = format!("{}-{pretraining}", self.protocol);
        Self { protocol, init: Init::Pretrained, pretraining, ..self }
    }

    /// Part 2 as we read the 2021 report: 3 epochs of 600 batches of 100, Adam at 1e-3; the
    /// test set validates after each epoch.
    pub fn mnist(head: Head, init: Init, seed: u64) -> Self {
        let curve = FineCurve { every: 20, images: 2000 };
        let config =
            Config { epochs: 3, batch_size: 100, curve: Some(curve), seed, ..Config::default() };
        Self {
            part: 2,
            protocol: "report".into(),
            data: Data::Mnist,
            split: Split::TestSet,
            head,
            init,
            config,
            ..Self::part1_plain(seed)
        }
        .shortened_in_quick_run()
    }

    /// Part 3 as we read the 2021 report: the same on dataset 3.
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

    /// The same with another head and start; under the clean protocol at the rate of that network.
    pub fn of_network(&self, head: Head, init: Init) -> Self {
        let run = Self { head, init, ..self.clone() };
        if run.protocol == "clean" { run.clean() } else { run }
    }

    /// The same with the cycle's peak at `rate`.
    pub fn clean_at(mut self, rate: f32) -> Self {
        self.config.learning_rate = rate;
        self.config.schedule = Schedule::OneCycle { warm_up: 0.3 };
        self.held_out(&format!("clean-rate-{rate}"))
    }

    /// [`Experiment::few`] with distorted images, and 10 epochs under one cycle.
    pub fn few_distorted(mut self, n: usize) -> Self {
        self.config = Config { epochs: 10, ..recipe(self.seed(), 100) };
        let protocol = format!("few-{n}-distorted");
        Self { protocol, ..self.few(n) }.shortened_in_quick_run()
    }

    /// [`Experiment::few_distorted`] with the other training images, their labels wiped out; smaller
    /// batches, a lower rate, labels that are not smoothed.
    pub fn few_with_unlabelled(self, n: usize) -> Self {
        let mut run = self.few_distorted(n);
        run.config = Config {
            epochs: 6,
            batch_size: 64,
            learning_rate: 1e-3,
            loss: Config::default().loss,
            unlabelled: Some(FixMatch { images: 192, confidence: 0.95 }),
            ..run.config
        };
        run.protocol = format!("few-{n}-unlabelled");
        run.shortened_in_quick_run()
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

    /// MNIST with the distortions and the cycle of [`Experiment::complementary`], in as many
    /// epochs: the difference is the price of not knowing the labels, and thirty epochs show what
    /// this network can do.
    pub fn true_labels(epochs: usize, seed: u64) -> Self {
        let start = Self::mnist(Head::Original, Init::Random, seed);
        let mut run = start.complementary(Complementary::Forward);
        run.config.loss = Config::default().loss;
        run.config.epochs = epochs;
        run.protocol = format!("true-labels-{epochs}");
        run.shortened_in_quick_run()
    }

    /// Three epochs of the forward loss on MNIST under labels made here, of which the share
    /// `right` is right.
    pub fn relabelled(right: f64, uneven: bool, seed: u64) -> Self {
        let start = Self::mislabelled(Head::Original, Init::Random, seed);
        let mut run = start.complementary(Complementary::Forward);
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
}
