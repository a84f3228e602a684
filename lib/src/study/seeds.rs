//! One run repeated under several seeds.

use crate::{
    Error, Result,
    data::Provenance,
    eval::statistics::{Interval, mean_interval},
    files::is_quick,
    study::result::{RunResult, published_results, results, stem},
    train::Config,
};

/// Seeds that every run of the study is repeated under. Choices are made on seed 0.
pub const SEEDS: [u64; 5] = [0, 1, 2, 3, 4];

/// The records of one run, one a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeds {
    pub runs: Vec<RunResult>,
}

impl Seeds {
    /// `live`, which was just computed, and the records of all other seeds: those that
    /// were made here (`make full`), else the published ones. A quick run has no others.
    ///
    /// # Errors
    /// [`Error::Missing`] where a seed was never run, [`Error::Content`] where a record
    /// was computed from other data or with another configuration.
    pub fn beside(live: &RunResult) -> Result<Self> {
        let others = SEEDS.into_iter().filter(|&seed| seed != live.seed);
        let mut runs = vec![live.clone()];
        if !is_quick() {
            for seed in others {
                runs.push(find(live, seed)?);
            }
        }
        Ok(Self { runs })
    }

    /// Records of a run that the notebook itself does not repeat.
    pub fn recorded(part: u8, network: &str, init: &str, protocol: &str) -> Result<Self> {
        let load = |seed| {
            let name = stem(part, network, init, protocol, seed) + ".json";
            let folders = [results(), published_results()];
            let path = folders.iter().map(|f| f.join(&name)).find(|p| p.exists());
            path.map(|path| RunResult::load(&path)).transpose()
        };
        let runs: Vec<Option<RunResult>> = SEEDS.into_iter().map(load).collect::<Result<_>>()?;
        Ok(Self {
            runs: runs.into_iter().flatten().collect(),
        })
    }

    /// One number of every run.
    pub fn values(&self, value: impl Fn(&RunResult) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(value).collect()
    }

    /// Validation accuracy after the last epoch: mean and 95 % interval over the seeds.
    pub fn val_accuracy(&self) -> Interval {
        mean_interval(&self.values(|run| Some(run.last()?.val_accuracy)))
    }
}

fn find(live: &RunResult, seed: u64) -> Result<RunResult> {
    let name = stem(live.part, &live.network, &live.init, &live.protocol, seed) + ".json";
    let config = Config {
        seed,
        ..live.config.clone()
    };
    for folder in [results(), published_results()] {
        let path = folder.join(&name);
        if path.exists() {
            return RunResult::load(&path)?.expect(&path, &live.dataset, &config);
        }
    }
    Err(missing(&name))
}

fn missing(name: &str) -> Error {
    Error::Missing {
        dataset: name.into(),
        problem: "this run is recorded neither in outputs/results nor in outputs/reference".into(),
        remedy: "run `make full`".into(),
    }
}

/// Which data a set of runs was trained on, each once.
pub fn datasets(runs: &[RunResult]) -> Vec<Provenance> {
    let mut found: Vec<Provenance> = Vec::new();
    for run in runs {
        if !found.contains(&run.dataset) {
            found.push(run.dataset.clone());
        }
    }
    found
}
