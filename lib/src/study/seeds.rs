//! One run repeated under several seeds.

use crate::{
    Result,
    data::Provenance,
    display::{Html, note},
    eval::statistics::{Estimate, mean},
    study::result::{RunKey, RunResult},
    train::Config,
};

/// Seeds that every run of the study is repeated under. Choices are made on seed 0.
pub const SEEDS: [u64; 5] = [0, 1, 2, 3, 4];

/// The records of one run, at most one a seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seeds {
    pub runs: Vec<RunResult>,
    /// Why a seed's record is not among them, one sentence each.
    pub left_out: Vec<String>,
}

/// What a notebook shows in place of runs that nobody has made on its data.
pub(super) fn never_made() -> Html {
    note("These runs were never made on this data: `make full` makes them.")
}

impl Seeds {
    /// `live`, which was just computed, and the records of the other seeds: those made
    /// here by `make full`, else the published ones. A record of other data or of another
    /// configuration, or of a start from other data, is left out, with a word about it.
    pub fn beside(live: &RunResult) -> Result<Self> {
        let mut seeds = Self {
            runs: vec![live.clone()],
            left_out: Vec::new(),
        };
        for seed in SEEDS.into_iter().filter(|&seed| seed != live.seed) {
            seeds.add(&live.key().with_seed(seed), &live.config, &live.dataset)?;
        }
        Ok(seeds)
    }

    /// The records of a run that the notebook itself does not repeat.
    pub fn recorded(key: &RunKey, config: &Config, dataset: &Provenance) -> Result<Self> {
        Self::recorded_under(&SEEDS, key, config, dataset)
    }

    /// As [`Seeds::recorded`], of these seeds alone.
    pub fn recorded_under(
        these: &[u64],
        key: &RunKey,
        config: &Config,
        dataset: &Provenance,
    ) -> Result<Self> {
        let mut seeds = Self::default();
        for &seed in these {
            seeds.add(&key.with_seed(seed), config, dataset)?;
        }
        Ok(seeds)
    }

    fn add(&mut self, key: &RunKey, config: &Config, dataset: &Provenance) -> Result<()> {
        let config = Config {
            seed: key.seed,
            ..config.clone()
        };
        match key.load()? {
            None => self
                .left_out
                .push(format!("{key} was never run; `make full` runs it")),
            Some(run) => match run.differs_from(&config, dataset, key.pretraining()?.as_ref()) {
                Some(difference) => self.left_out.push(format!("{key} {difference}")),
                None => self.runs.push(run),
            },
        }
        Ok(())
    }

    /// One number of every run.
    pub fn values(&self, value: impl Fn(&RunResult) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(value).collect()
    }

    /// Validation accuracy after the last epoch: mean and 95 % interval over the seeds.
    pub fn val_accuracy(&self) -> Result<Estimate> {
        mean(&self.values(|run| Some(run.last()?.val_accuracy)))
    }
}
