//! The record of one run: one JSON file, read by every page, so that a number stands in
//! one place.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    Error, Result,
    data::{Provenance, archive::sha256},
    files::{outputs, project_root, write_atomically},
    train::{Config, CurvePoint, Epoch, History, ModelCheckpoint},
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
    /// The record of a run that left its network at `checkpoint`; measures are added to it.
    pub fn new(
        key: &RunKey,
        config: &Config,
        dataset: &Provenance,
        history: &History,
        checkpoint: &Path,
    ) -> Result<Self> {
        Ok(Self {
            part: key.part,
            network: key.network.clone(),
            init: key.init.clone(),
            dataset: dataset.clone(),
            pretraining: None,
            protocol: key.protocol.clone(),
            seed: key.seed,
            config: config.clone(),
            loss: config.loss.name().into(),
            epochs: history.epochs.clone(),
            curve: history.curve.clone(),
            test_accuracy: None,
            metrics: BTreeMap::new(),
            checkpoint: Artefact::of(checkpoint)?,
            best_checkpoint: None,
            environment: Environment::here(),
        })
    }

    pub fn key(&self) -> RunKey {
        RunKey {
            part: self.part,
            network: self.network.clone(),
            init: self.init.clone(),
            protocol: self.protocol.clone(),
            seed: self.seed,
        }
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
        let path = outputs().join("results").join(self.key().file_name());
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
}

/// What tells one run from another; also the name of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKey {
    pub part: u8,
    pub network: String,
    pub init: String,
    pub protocol: String,
    pub seed: u64,
}

impl RunKey {
    pub fn new(part: u8, network: &str, init: &str, protocol: &str, seed: u64) -> Self {
        Self {
            part,
            network: network.into(),
            init: init.into(),
            protocol: protocol.into(),
            seed,
        }
    }

    pub fn with_seed(&self, seed: u64) -> Self {
        Self {
            seed,
            ..self.clone()
        }
    }

    fn file_name(&self) -> String {
        format!("{self}.json")
    }

    /// Where this run keeps its network.
    pub fn checkpoint(&self) -> PathBuf {
        outputs().join(format!("checkpoints/{self}.safetensors"))
    }

    /// Where this run keeps its state while it goes on.
    pub fn states(&self) -> ModelCheckpoint {
        ModelCheckpoint::new(outputs().join(format!("checkpoints/{self}")))
    }

    /// As [`RunKey::states`], of the first of two stages.
    pub fn states_of_first_stage(&self) -> ModelCheckpoint {
        ModelCheckpoint::new(outputs().join(format!("checkpoints/{self}-stage1")))
    }

    /// What the networks that runs like this one start from here were trained on, by the record
    /// of seed 0; none for a random start, and where nothing was pretrained.
    pub fn pretraining(&self) -> Result<Option<Provenance>> {
        if self.init != "pretrained" {
            return Ok(None);
        }
        let pretraining = Self::new(2, &self.network, "random", "pretraining", 0);
        Ok(pretraining.load()?.map(|run| run.dataset))
    }

    /// This run's record: one made here, else the published one.
    pub fn load(&self) -> Result<Option<RunResult>> {
        let folders = [outputs(), project_root().join("outputs/reference")];
        let mut paths = folders
            .iter()
            .map(|f| f.join("results").join(self.file_name()));
        let Some(path) = paths.find(|path| path.exists()) else {
            return Ok(None);
        };
        let text = fs::read(&path).map_err(|error| Error::io(&path, error, "allow reading it"))?;
        let run = serde_json::from_slice(&text).map_err(|error| {
            let problem = format!("is not the record of a run ({error})");
            Error::content(&path, problem, "delete it and run `make full`")
        })?;
        Ok(Some(run))
    }
}

/// E.g. `part2-original-pretrained-report-seed0`.
impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            part,
            network,
            init,
            protocol,
            seed,
        } = self;
        write!(f, "part{part}-{network}-{init}-{protocol}-seed{seed}")
    }
}
