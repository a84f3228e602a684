//! [`Experiment`]: one run of the study as a value.

use std::{borrow::Cow, collections::HashMap, path::PathBuf};

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Handwritten, Mnist, Provenance, Samples},
    files::{made_and_published, outputs},
    image::{Others, Preprocess},
    nn::{Builder, Classifier, DynNetwork, EXPERIMENTAL, ORIGINAL, char_cnn, shape::Dims},
    study::{
        result::{RunResult, record_path, run_name},
        setup::{Features, Setup, Split, Trunk},
    },
    train::{Checkpoint, Config, ModelCheckpoint},
};

/// The convolutions with their batch normalisation.
pub const TRUNK: [&str; 2] = ["block1", "block2"];
/// Tensors that pretraining hands on begin with these names; the output layer is made anew.
pub const CARRIED_OVER: [&str; 3] = ["block1.", "block2.", "hidden."];

/// Protocol of the pretraining that most pretrained starts come from.
pub const PRETRAINING: &str = "pretraining";

/// The two dense heads that the 2021 report compares.
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
}

/// A network as the 2021 report's may have been.
fn network_of_2021(seed: u64, has_norm: bool) -> DynNetwork {
    let mut layers = Builder::new(Dims::Image { channels: 1, height: 28, width: 28 });
    for (block, channels) in [("block1", 32), ("block2", 64)] {
        layers.named(block, |block| {
            block.vgg_block(channels, has_norm);
            block.named("dropout", |block| block.dropout(0.25));
        });
    }
    layers.flatten();
    layers.linear(ORIGINAL, 0);
    layers.relu();
    layers.dropout(0.5);
    layers.linear(62, 0);
    DynNetwork::new(layers, seed).expect("these layers fit")
}

/// What a network starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    Random,
    /// Trunk and dense layer of a network trained on the digits of dataset 1.
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

/// What a run learns from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Data {
    /// The drawings of dataset 1, all 62 characters, brought down like this.
    Characters(Preprocess),
    /// Their ten digits.
    Digits(Preprocess),
    /// The training part of MNIST.
    Mnist,
    /// Dataset 3 under the labels that it gives.
    Mislabelled,
    /// MNIST's training part under wrong labels made here: what dataset 3 would be with another
    /// share of right ones, or with wrong ones that are not even.
    Relabelled { right: f64, uneven: bool },
}

/// `samples` with new labels: the old one with the chance `right`, else one of the others, each
/// as likely, or, where `uneven`, the next digit twice as likely as the last.
fn relabelled(samples: &Samples, right: f64, uneven: bool, seed: u64) -> Samples {
    let classes = samples.classes.len();
    let mut rng = Pcg64::seed_from_u64(!seed);
    let mut relabelled = samples.clone();
    for label in &mut relabelled.labels {
        if rng.random::<f64>() < right {
            continue;
        }
        // Steps from the right label: 1 to 9. Uneven, their chances fall in a line from 2 to 1.
        let step = loop {
            let step = rng.random_range(1..classes);
            let chance = 1.0 - 0.5 * (step - 1) as f64 / (classes - 2).max(1) as f64;
            if !uneven || rng.random::<f64>() < chance {
                break step;
            }
        };
        *label = (*label + step) % classes;
    }
    relabelled
}

impl Data {
    pub fn classes(self) -> usize {
        match self {
            Self::Characters(_) => 62,
            _ => 10,
        }
    }

    /// How drawings become images, where a run learns from drawings.
    pub fn preprocess(self) -> Option<Preprocess> {
        match self {
            Self::Characters(method) | Self::Digits(method) => Some(method),
            Self::Mnist | Self::Mislabelled | Self::Relabelled { .. } => None,
        }
    }
}

/// One run of the study. Change a field, or start from a function that names one:
/// `Experiment { init: Init::Pretrained, ..Experiment::mnist(Head::Original, Init::Random, 0) }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Part of the study: 1, 2 or 3.
    pub part: u8,
    /// Name of the way it is done, e.g. `report` or `ours`.
    pub protocol: String,
    pub data: Data,
    pub features: Features,
    /// Pens that each training drawing is also drawn with, as shares of its own pen.
    pub pens: &'static [f32],
    /// Digits of MNIST, of each class, that are trained on as well: cropped as drawings are, and
    /// without size and position.
    pub mnist_digits: usize,
    pub split: Split,
    pub trunk: Trunk,
    pub head: Head,
    pub init: Init,
    /// Protocol of the run that a pretrained start comes from, e.g. `pretraining`.
    pub pretraining: &'static str,
    /// What a pretrained start takes over: tensors whose names begin so, e.g. [`CARRIED_OVER`].
    pub carried_over: &'static [&'static str],
    /// Layers that stay as they are, e.g. [`TRUNK`]; their running statistics are first brought
    /// to those of the training images.
    pub frozen: &'static [&'static str],
    /// With the seed of the run.
    pub config: Config,
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

/// The data sets that a run can be given; what it does not need may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    pub drawings: Option<&'a Handwritten>,
    pub mnist: Option<&'a Mnist>,
    pub mislabelled: Option<&'a Samples>,
}

impl<'a> From<&'a Handwritten> for Sources<'a> {
    fn from(drawings: &'a Handwritten) -> Self {
        Self { drawings: Some(drawings), ..Self::default() }
    }
}

impl<'a> From<&'a Mnist> for Sources<'a> {
    fn from(mnist: &'a Mnist) -> Self {
        Self { mnist: Some(mnist), ..Self::default() }
    }
}

impl<'a> From<(&'a Handwritten, &'a Mnist)> for Sources<'a> {
    fn from((drawings, mnist): (&'a Handwritten, &'a Mnist)) -> Self {
        Self { drawings: Some(drawings), ..mnist.into() }
    }
}

/// Dataset 3, and MNIST for its test set.
impl<'a> From<(&'a Samples, &'a Mnist)> for Sources<'a> {
    fn from((mislabelled, mnist): (&'a Samples, &'a Mnist)) -> Self {
        Self { mislabelled: Some(mislabelled), ..mnist.into() }
    }
}

impl Experiment {
    pub fn seed(&self) -> u64 {
        self.config.seed
    }

    pub fn with_seed(&self, seed: u64) -> Self {
        let mut experiment = self.clone();
        experiment.config.seed = seed;
        experiment
    }

    /// Name of the run and of its record, e.g. `part2-original-pretrained-report-seed0`.
    pub fn name(&self) -> String {
        let (head, init) = (self.head.name(), self.init.name());
        run_name(self.part, head, init, &self.protocol, self.seed())
    }

    /// Whether the MNIST test set judges it, at the end of training.
    pub fn is_tested_on_mnist(&self) -> bool {
        !matches!(self.data, Data::Characters(_) | Data::Digits(_))
    }

    /// What makes it, beside the data, the network and the configuration.
    pub fn setup(&self) -> Setup {
        Setup {
            preprocess: self.data.preprocess(),
            features: self.features,
            pens: self.pens.to_vec(),
            mnist_digits: self.mnist_digits,
            split: self.split,
            trunk: self.trunk,
            carried_over: match self.init {
                Init::Random => Vec::new(),
                Init::Pretrained => owned(self.carried_over),
            },
            pretraining: (self.pretraining != PRETRAINING).then(|| self.pretraining.into()),
            frozen: owned(self.frozen),
        }
    }

    /// What it learns from, and the MNIST test set, where one is given.
    ///
    /// # Errors
    /// [`Error::Argument`] where a data set that it needs is not among the sources.
    pub fn samples<'a>(
        &self,
        sources: Sources<'a>,
    ) -> Result<(Cow<'a, Samples>, Option<&'a Samples>)> {
        let drawings = || sources.drawings.ok_or_else(|| self.missing("the drawings"));
        let mnist = || self.mnist_of(sources);
        let samples = match self.data {
            Data::Characters(method) => {
                Cow::Owned(self.beside_others(drawings()?.preprocess(&method)?)?)
            }
            Data::Digits(method) => {
                // Whose test set shows what was learned.
                mnist()?;
                Cow::Owned(drawings()?.preprocess(&method)?.digits())
            }
            Data::Mnist => Cow::Borrowed(&mnist()?.train),
            Data::Relabelled { right, uneven } => {
                Cow::Owned(relabelled(&mnist()?.train, right, uneven, self.seed()))
            }
            Data::Mislabelled => {
                Cow::Borrowed(sources.mislabelled.ok_or_else(|| self.missing("dataset 3"))?)
            }
        };
        if self.is_tested_on_mnist() {
            mnist()?;
        }
        Ok((samples, sources.mnist.map(|mnist| &mnist.test)))
    }

    fn beside_others(&self, samples: Samples) -> Result<Samples> {
        match self.features {
            Features::InkInContext => samples.in_context(Others::All),
            Features::None | Features::Ink => Ok(samples),
        }
    }

    /// Training and validation part of `samples`, which [`Experiment::samples`] made of the same
    /// sources, as the run sees them: with other pens and with digits of MNIST.
    ///
    /// # Errors
    /// As [`Experiment::split`], and where a data set that it needs is not among the sources.
    pub fn parts(&self, samples: &Samples, sources: Sources) -> Result<(Samples, Samples)> {
        let (train, valid) = self.split(samples, sources.mnist.map(|mnist| &mnist.test))?;
        let train = self.in_all_pens(train, sources)?;
        Ok((self.with_mnist_digits(train, sources)?, valid))
    }

    /// The training part with each drawing in the other pens too.
    fn in_all_pens(&self, train: Samples, sources: Sources) -> Result<Samples> {
        let (Some(drawings), Some(method)) = (sources.drawings, self.data.preprocess()) else {
            return Ok(train);
        };
        let mut all = train.clone();
        for &pen in self.pens {
            let other = drawings.preprocess_in_pen(&method, pen)?;
            let places: HashMap<&str, usize> =
                (other.names.iter().map(String::as_str)).zip(0..).collect();
            let same: Vec<usize> = (train.names.iter())
                .filter_map(|name| places.get(name.as_str()).copied())
                .collect();
            all.extend(&other.select(&same))?;
        }
        Ok(all)
    }

    /// The training part with [`Experiment::mnist_digits`].
    fn with_mnist_digits(&self, mut train: Samples, sources: Sources) -> Result<Samples> {
        if self.mnist_digits == 0 {
            return Ok(train);
        }
        let mut digits = self.mnist_of(sources)?.train.take_per_class(self.mnist_digits);
        if let Some(method) = self.data.preprocess() {
            digits = digits.preprocess(&method)?;
        }
        digits.features = Array2::zeros((digits.len(), train.features.ncols()));
        train.extend(&digits)?;
        Ok(train)
    }

    fn mnist_of<'a>(&self, sources: Sources<'a>) -> Result<&'a Mnist> {
        sources.mnist.ok_or_else(|| self.missing("MNIST"))
    }

    fn missing(&self, what: &str) -> Error {
        let problem = format!("{} learns from {what}, which is missing", self.name());
        Error::argument(problem, "hand it to `run`")
    }

    /// Training and validation part of `samples`, by this run's seed.
    ///
    /// # Errors
    /// Where writers or the test set are needed and missing.
    pub fn split(&self, samples: &Samples, test: Option<&Samples>) -> Result<(Samples, Samples)> {
        let seed = self.seed();
        Ok(match self.split {
            Split::Random(share) => samples.split(share, seed),
            Split::ByWriter(share) => samples.split_by_writer(share, seed)?,
            Split::Fold(folds) => samples.fold(folds, seed),
            Split::TestSet => {
                let test = test.ok_or_else(|| {
                    let problem = format!("{} validates on the MNIST test set", self.name());
                    Error::argument(problem, "hand MNIST to `run`")
                })?;
                (samples.clone(), test.clone())
            }
            Split::Few(share, n) => {
                let (train, valid) = samples.split(share, seed);
                (train.take(n).repeat((Split::FEW_EPOCH / n.max(1)).max(1)), valid)
            }
        })
    }

    /// The network before its first step. Random and pretrained starts of one seed share
    /// the output layer.
    ///
    /// # Errors
    /// Where nothing was pretrained.
    pub fn network(&self) -> Result<Box<dyn Classifier>> {
        Ok(Box::new(self.start()?.0))
    }

    /// The same, with the checkpoint that it comes from.
    pub(super) fn start(&self) -> Result<(DynNetwork, Option<Checkpoint>)> {
        let hidden = match self.head {
            Head::Original => ORIGINAL,
            Head::Experimental => EXPERIMENTAL,
        };
        let (classes, features) = (self.data.classes(), self.features.count());
        let mut model = match self.trunk {
            Trunk::Study => char_cnn(hidden, classes, features, self.seed()),
            Trunk::Dropout => network_of_2021(self.seed(), true),
            Trunk::DropoutWithoutNorm => network_of_2021(self.seed(), false),
        };
        let mut learned = None;
        if let Some(first) = self.needs() {
            let checkpoint = first.load_checkpoint()?;
            first.check_recorded(&checkpoint)?;
            model.transfer_from(checkpoint.network()?.as_ref(), self.carried_over)?;
            learned = Some(checkpoint);
        }
        Ok((model, learned))
    }

    /// Refuses a network made here that is not the one its record names: that of another run has a
    /// right checksum too. A published one may be rounded to 8 bits.
    fn check_recorded(&self, checkpoint: &Checkpoint) -> Result<()> {
        if checkpoint.path != self.checkpoint() || !record_path(&self.name()).exists() {
            return Ok(());
        }
        let recorded = self.load_record()?.map(|record| record.checkpoint.weights_sha256);
        if recorded.is_none_or(|recorded| recorded == checkpoint.weights_sha256()) {
            return Ok(());
        }
        let problem = "its weights are not those that the record of the run names";
        let remedy = format!("make it again: `glyphs train {}`", self.name());
        Err(Error::content(&checkpoint.path, problem, remedy))
    }

    /// The run whose network this one starts from.
    pub fn needs(&self) -> Option<Self> {
        (self.init == Init::Pretrained)
            .then(|| Self::start_of(self.pretraining, self.head, self.seed()))
    }

    /// Names of its checkpoints. A pretrained network is known by its own name.
    fn stem(&self) -> String {
        match self.data {
            Data::Digits(_) if self.protocol == PRETRAINING => {
                let (head, seed) = (self.head.name(), self.seed());
                format!("checkpoints/digits-{head}-seed{seed}")
            }
            _ => format!("checkpoints/{}", self.name()),
        }
    }

    /// Where this run keeps its network.
    pub fn checkpoint(&self) -> PathBuf {
        outputs().join(self.stem() + ".safetensors")
    }

    /// Where this run keeps its state while it goes on, stage by stage.
    pub(super) fn states_of_stages(&self) -> Vec<ModelCheckpoint> {
        let rounds = self.config.self_training.map_or(0, |own| own.rounds);
        let earlier = (1..=rounds).map(|stage| format!("{}-stage{stage}", self.stem()));
        let stems = earlier.chain([self.stem()]);
        let states = stems.map(|stem| ModelCheckpoint::new(outputs().join(stem)));
        states.map(|states| states.replacing(record_path(&self.name()))).collect()
    }

    /// The trained network: one made here, else the published one, and one that learned from a
    /// stand-in only where there is no other.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is none at all; where a file is damaged.
    pub fn load_checkpoint(&self) -> Result<Checkpoint> {
        let found = self.checkpoints()?.into_iter();
        let found = found.min_by_key(|checkpoint| checkpoint.data.synthetic);
        found.ok_or_else(|| Error::Missing {
            what: self.stem() + ".safetensors",
            problem: "this network has not been trained".into(),
            remedy: format!("run `glyphs train {}`", self.name()),
        })
    }

    /// The networks of this run under `seeds` that are here, made with this configuration and from
    /// data that are wanted.
    pub(super) fn finished(
        &self,
        seeds: &[u64],
        are_wanted: impl Fn(&Provenance) -> bool,
    ) -> Result<Vec<(Self, Checkpoint)>> {
        let mut finished = Vec::new();
        for run in seeds.iter().map(|&seed| self.with_seed(seed)) {
            let mut found = run.checkpoints()?.into_iter();
            let is_its_own = |of: &Checkpoint| run.has_trained(of) && are_wanted(&of.data);
            finished.extend(found.find(is_its_own).map(|checkpoint| (run, checkpoint)));
        }
        Ok(finished)
    }

    /// Whether a network was trained with this configuration.
    pub(super) fn has_trained(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.config == self.config
    }

    fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        self.checkpoint_paths().map(Checkpoint::load).collect()
    }

    /// Its network made here, then the published one, as far as they are there.
    pub(super) fn checkpoint_paths(&self) -> impl DoubleEndedIterator<Item = PathBuf> + use<> {
        made_and_published(&(self.stem() + ".safetensors"))
    }

    /// The record of this run: one made here, else the published one.
    pub fn load_record(&self) -> Result<Option<RunResult>> {
        RunResult::load(&self.name())
    }
}
