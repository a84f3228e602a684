//! The record of one run: one JSON file, read by every page, so that a number stands in
//! one place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use polars::prelude::{Column, DataFrame};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    Error, Result,
    data::{Provenance, archive::sha256},
    files::{outputs, project_root, write_atomically},
    train::{Config, CurvePoint, Epoch},
};

/// What a run trained, from what, on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Part of the study: 1, 2 or 3.
    pub part: u8,
    /// `original` or `experimental`.
    pub network: String,
    /// `random` or `pretrained`.
    pub init: String,
    /// Training data.
    pub dataset: Provenance,
    /// What the network that it started from was trained on; absent for a random start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<Provenance>,
    /// Preprocessing, split and evaluation, e.g. `report` or `ours`.
    pub protocol: String,
    pub seed: u64,
    pub config: Config,
    /// Name of `config.loss`.
    pub loss: String,
    pub epochs: Vec<Epoch>,
    pub curve: Vec<CurvePoint>,
    /// On a test set that nothing was chosen by; absent where there is none.
    pub test_accuracy: Option<f64>,
    /// Further measures, by name. What is not a number (the similarity of features that do
    /// not vary, say) has no place in JSON, and is absent.
    #[serde(deserialize_with = "numbers")]
    pub metrics: BTreeMap<String, f64>,
    /// The network after the last epoch, which every measure above is of.
    pub checkpoint: Artefact,
    /// The network after the epoch of lowest validation loss.
    #[serde(default)]
    pub best_checkpoint: Option<Artefact>,
    pub environment: Environment,
}

/// A measure that was not a number was written as null.
fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let written: BTreeMap<String, Option<f64>> = BTreeMap::deserialize(from)?;
    let known = written.into_iter();
    Ok(known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect())
}

/// A file that a run made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Relative to the folder of outputs.
    pub path: String,
    pub sha256: String,
}

impl Artefact {
    pub fn of(path: &Path) -> Result<Self> {
        let bytes = fs::read(path)
            .map_err(|error| Error::io(path, error, "run the training that writes it"))?;
        let outputs = outputs();
        let relative = path.strip_prefix(&outputs).unwrap_or(path);
        Ok(Self {
            path: relative.to_string_lossy().into_owned(),
            sha256: sha256(&bytes),
        })
    }
}

/// Where a run happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub rustc: String,
    pub cpu: String,
    pub threads: usize,
    pub commit: String,
}

impl Environment {
    pub fn here() -> Self {
        let commit = first_line(Command::new("git").current_dir(project_root()).args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=12",
        ]));
        Self {
            rustc: first_line(Command::new("rustc").arg("--version")),
            cpu: cpu(),
            threads: rayon::current_num_threads(),
            commit,
        }
    }
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().ok().filter(|o| o.status.success());
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string());
    text.unwrap_or_else(|| "unknown".into())
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    model
        .and_then(|line| line.split_once(": "))
        .map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.into())
}

impl RunResult {
    /// Name of the run, and of its record's file.
    pub fn name(&self) -> String {
        run_name(
            self.part,
            &self.network,
            &self.init,
            &self.protocol,
            self.seed,
        )
    }

    /// One of `metrics`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    /// The last epoch of training.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }

    /// Training time, in seconds.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// Writes the record into the folder of results.
    pub fn save(&self) -> Result<PathBuf> {
        let path = outputs().join("results").join(self.name() + ".json");
        let text = serde_json::to_vec_pretty(self).map_err(|error| {
            Error::content(
                &path,
                format!("cannot be written as JSON ({error})"),
                "report it",
            )
        })?;
        write_atomically(&path, &text)?;
        Ok(path)
    }

    /// How this record's run differs from one with `config` on `dataset`, from a network that
    /// learned `pretraining`, if it does.
    pub fn differs_from(
        &self,
        config: &Config,
        dataset: &Provenance,
        pretraining: Option<&Provenance>,
    ) -> Option<&'static str> {
        let started_from = self.pretraining.as_ref().map(|data| &data.sha256);
        if self.dataset.sha256 != dataset.sha256 {
            Some("was computed from other data")
        } else if started_from != pretraining.map(|data| &data.sha256) {
            Some("started from a network that had learned other data")
        } else if self.config != *config {
            Some("was computed with another configuration")
        } else {
            None
        }
    }

    /// The record of a run by its name: one made here, else the published one.
    ///
    /// # Errors
    /// Where it cannot be read, or is no record.
    pub fn load(name: &str) -> Result<Option<Self>> {
        let folders = [outputs(), project_root().join("outputs/reference")];
        let mut paths = (folders.iter()).map(|f| f.join(format!("results/{name}.json")));
        let Some(path) = paths.find(|path| path.exists()) else {
            return Ok(None);
        };
        Self::read(&path).map(Some)
    }

    /// The record in the file at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).map_err(|error| Error::io(path, error, "allow reading it"))?;
        serde_json::from_slice(&text).map_err(|error| {
            let problem = format!("is not the record of a run ({error})");
            Error::content(path, problem, "delete it and run `make full`")
        })
    }
}

/// E.g. `part2-original-pretrained-report-seed0`.
pub fn run_name(part: u8, network: &str, init: &str, protocol: &str, seed: u64) -> String {
    format!("part{part}-{network}-{init}-{protocol}-seed{seed}")
}

/// One row a run: what it is, its last epoch, its test accuracy, its time in seconds, and
/// every measure that any of them has.
///
/// # Errors
/// Never for records of this study.
pub fn dataframe<'a>(runs: impl IntoIterator<Item = &'a RunResult>) -> Result<DataFrame> {
    let runs: Vec<&RunResult> = runs.into_iter().collect();
    let text = |name: &str, of: fn(&RunResult) -> &str| {
        let values: Vec<&str> = runs.iter().map(|run| of(run)).collect();
        Column::new(name.into(), values)
    };
    let number = |name: &str, of: &dyn Fn(&RunResult) -> Option<f64>| {
        let values: Vec<Option<f64>> = runs.iter().map(|run| of(run)).collect();
        Column::new(name.into(), values)
    };
    let integer = |name: &str, of: fn(&RunResult) -> u64| {
        let values: Vec<u64> = runs.iter().map(|run| of(run)).collect();
        Column::new(name.into(), values)
    };
    let mut columns = vec![
        integer("part", |run| run.part.into()),
        text("network", |run| &run.network),
        text("init", |run| &run.init),
        text("protocol", |run| &run.protocol),
        integer("seed", |run| run.seed),
        integer("epochs", |run| run.epochs.len() as u64),
        number("loss", &|run| Some(run.last()?.loss)),
        number("accuracy", &|run| Some(run.last()?.accuracy)),
        number("val_loss", &|run| Some(run.last()?.val_loss)),
        number("val_accuracy", &|run| Some(run.last()?.val_accuracy)),
        number("test_accuracy", &|run| run.test_accuracy),
        number("seconds", &|run| Some(run.seconds())),
    ];
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.metrics.keys()).collect();
    columns.extend(
        names
            .into_iter()
            .map(|name| number(name, &|run| run.metric(name))),
    );
    crate::dataframe::dataframe(columns)
}
