//! How a record differs from its run as it would be made here.

use crate::{
    Result,
    data::Provenance,
    study::{
        experiment::{Data, Experiment, Init},
        result::RunResult,
        setup::Split,
    },
};

/// Instructions that give the same bits, which `lib/nn/tests/agreement/bits.rs` tests.
const FUSED: [&str; 2] = ["avx512", "avx2"];

/// Something that makes a record, and is not what it would be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    Data,
    Pretraining,
    Config,
    Setup,
    Samples,
    StartWeights,
    Instructions,
}

impl Difference {
    /// What follows the name of a record.
    pub fn words(self) -> &'static str {
        match self {
            Self::Data => "was computed from other data",
            Self::Pretraining => "started from a network that had learned other data",
            Self::Config => "was computed with another configuration",
            Self::Setup => "had other preprocessing, features, split or frozen layers",
            Self::Samples => "saw other images than the same data give here",
            Self::StartWeights => "started from other weights than its pretraining's record names",
            Self::Instructions => "was computed with instructions that round differently",
        }
    }

    /// Whether the record is that of another experiment. Another rounding makes none: its figures
    /// agree with those made here within the tolerance of `make verify`.
    pub fn makes_another_run(self) -> bool {
        self != Self::Instructions
    }
}

/// What is known here of a run that a record is compared with. What is not known is no difference.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// What it learns from.
    pub dataset: &'a Provenance,
    /// What networks are pretrained on.
    pub pretraining: Option<&'a Provenance>,
    /// The record of the network that it starts from.
    pub start: Option<&'a RunResult>,
    /// For a published record: the same experiment, made here.
    pub made: Option<&'a MadeHere>,
    /// Name of the instructions that the kernels use.
    pub instructions: &'a str,
}

/// A run that was made here, beside its published record. Together they show whether the same data
/// still become the same images.
#[derive(Clone, Debug)]
pub struct MadeHere {
    pub run: RunResult,
    pub published: Option<RunResult>,
}

impl MadeHere {
    pub(super) fn of(run: RunResult) -> Result<Self> {
        let published = RunResult::load_published(&run.name())?;
        Ok(Self { run, published })
    }

    /// The first of `runs` that was made here, if any was.
    pub(super) fn first(runs: impl IntoIterator<Item = Experiment>) -> Result<Option<Self>> {
        for run in runs {
            if let Some(made) = RunResult::load_made_here(&run.name())? {
                return Self::of(made).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether it shows that `record`, of `run`, saw other images than that would see here: by its
    /// own images where they must be the same, else by those of its published record.
    fn contradicts(&self, record: &RunResult, run: &Experiment) -> bool {
        let seed_matters =
            run.split != Split::TestSet || matches!(run.data, Data::Relabelled { .. });
        let alike = self.run.seed == record.seed || !seed_matters;
        let twin = if alike { Some(record) } else { self.published.as_ref() };
        twin.is_some_and(|twin| {
            let same_input =
                self.run.dataset.sha256 == twin.dataset.sha256 && self.run.setup == twin.setup;
            same_input && self.run.samples != twin.samples
        })
    }
}

impl RunResult {
    /// How this record differs from `run` as it would be made here; empty where it does not, as far
    /// as both are known. The machine is not compared, only how it rounds: what else depends on it
    /// are times, see [`RunResult::timed_like`].
    pub fn differs_from(&self, run: &Experiment, here: &Here) -> Vec<Difference> {
        let started_from = self.pretraining.as_ref().map(|data| &data.sha256);
        let differs = [
            (Difference::Data, self.dataset.sha256 != here.dataset.sha256),
            (Difference::Pretraining, started_from != here.pretraining.map(|data| &data.sha256)),
            (Difference::Config, self.config != run.config),
            (Difference::Setup, self.setup != run.setup()),
            (Difference::Samples, here.made.is_some_and(|made| made.contradicts(self, run))),
            (
                Difference::StartWeights,
                here.start.is_some_and(|start| self.started_elsewhere(start)),
            ),
            (Difference::Instructions, !self.rounds_like(here.instructions)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
    }

    /// Whether these instructions give the bits of those that it was computed with.
    pub(super) fn rounds_like(&self, instructions: &str) -> bool {
        let own = self.environment.instructions.as_str();
        own == instructions || [own, instructions].iter().all(|name| FUSED.contains(name))
    }

    /// Whether it started from other weights than those of `start`, where it says which, and the
    /// rounding of both is the same.
    fn started_elsewhere(&self, start: &Self) -> bool {
        let rounds_alike = self.rounds_like(&start.environment.instructions);
        let own = self.start_weights_sha256.as_ref();
        rounds_alike && own.is_some_and(|own| *own != start.checkpoint.weights_sha256)
    }

    /// Whether it does not say which weights it started from: records made before 2026-11-29 do not,
    /// so that nobody can tell whether these differ.
    pub fn has_unknown_start(&self) -> bool {
        self.init == Init::Pretrained.name() && self.start_weights_sha256.is_none()
    }
}
