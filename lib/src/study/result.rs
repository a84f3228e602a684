//! The record of one run: one JSON file, read by every page, so that a number stands in
//! one place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use polars::prelude::{Column, DataFrame};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Provenance, Samples, archive::sha256},
    files::{outputs, project_root, read_json},
    nn::{Instructions, peak_gflops},
    study::setup::Setup,
    train::{Checkpoint, Config, CurvePoint, Epoch},
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
    /// Of the network that it started from ([`Checkpoint::weights_sha256`]); records before
    /// 2026-11-29 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_weights_sha256: Option<String>,
    /// Name of the way it was done, e.g. `report` or `ours`.
    pub protocol: String,
    pub setup: Setup,
    /// What it saw, to the last bit.
    pub samples: SampleHashes,
    pub seed: u64,
    pub config: Config,
    /// Name of `config.loss`.
    pub loss: String,
    pub epochs: Vec<Epoch>,
    pub curve: Vec<CurvePoint>,
    /// On a test set that nothing was chosen by; absent where there is none.
    pub test_accuracy: Option<f64>,
    /// Further measures, by name. NaN (the similarity of features that do not vary, say) has no
    /// place in JSON, and is absent.
    pub metrics: BTreeMap<String, f64>,
    /// The network after the last epoch, which every measure above is of.
    pub checkpoint: Artefact,
    /// The network after the epoch of lowest validation loss.
    pub best_checkpoint: Artefact,
    pub environment: Environment,
}

/// SHA-256 of the images, auxiliary features and labels of both parts, in their order
/// ([`Samples::sha256`]): they name at once decoding, preprocessing and split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleHashes {
    pub train: String,
    pub valid: String,
}

impl SampleHashes {
    pub fn of(train: &Samples, valid: &Samples) -> Self {
        Self { train: train.sha256(), valid: valid.sha256() }
    }
}

/// A file that a run made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Relative to the folder of outputs.
    pub path: String,
    /// Of the file. It also holds where the data lay.
    pub sha256: String,
    /// Of the network alone ([`Checkpoint::weights_sha256`]): the same wherever and whenever
    /// it is trained on one kind of processor.
    pub weights_sha256: String,
}

impl Artefact {
    /// The checkpoint at `path`.
    pub fn of(path: &Path) -> Result<Self> {
        let bytes = fs::read(path)
            .map_err(|error| Error::io(path, error, "run the training that writes it"))?;
        // A published one is below the project's own folder of outputs.
        let folders = [outputs(), project_root().join("outputs")];
        let relative = folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        let relative = relative.unwrap_or(path);
        Ok(Self {
            path: relative.to_string_lossy().into_owned(),
            sha256: sha256(&bytes),
            weights_sha256: Checkpoint::load(path)?.weights_sha256(),
        })
    }
}

/// Where a run happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    pub rustc: String,
    /// What the processor calls itself. Machines of one name differ by a factor of two, so
    /// family, model and measured peak stand beside it.
    pub cpu: String,
    /// E.g. `family 25, model 17, stepping 1`.
    pub cpu_model: String,
    /// The instructions that the kernels used, e.g. `avx512`. Equal ones give equal bits, as do
    /// `avx512` and `avx2`.
    pub instructions: String,
    /// What all threads can do at most, measured by this process, in GFLOP/s of f32.
    pub peak_gflops: f64,
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
            cpu: cpu("model name").unwrap_or_else(|| std::env::consts::ARCH.into()),
            cpu_model: cpu_model(),
            instructions: Instructions::current().name().into(),
            peak_gflops: peak(),
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

/// What Linux says of the first processor; none elsewhere.
fn cpu(what: &str) -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.trim() == what)?;
    Some(value.trim().into())
}

fn cpu_model() -> String {
    let known = [("family", "cpu family"), ("model", "model"), ("stepping", "stepping")];
    let known = known.map(|(name, key)| Some(format!("{name} {}", cpu(key)?)));
    known.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Rounded: the next try gives other decimals.
fn peak() -> f64 {
    static PEAK: LazyLock<f64> = LazyLock::new(|| peak_gflops().round());
    *PEAK
}

impl RunResult {
    /// Name of the run, and of its record's file.
    pub fn name(&self) -> String {
        run_name(self.part, &self.network, &self.init, &self.protocol, self.seed)
    }

    /// One of `metrics`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }

    /// Training time, in seconds.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// Whether their times can be compared: the same processor, and as many threads.
    pub fn timed_like(&self, other: &Self) -> bool {
        let machine = |run: &Self| {
            let Environment { cpu, cpu_model, instructions, threads, .. } = &run.environment;
            (cpu.clone(), cpu_model.clone(), instructions.clone(), *threads)
        };
        machine(self) == machine(other)
    }

    /// The published record of a run by its name.
    pub(super) fn load_published(name: &str) -> Result<Option<Self>> {
        let path = project_root().join(format!("outputs/reference/results/{name}.json"));
        Self::read(&path, "restore it with git")
    }

    /// The record of a run by its name, if it was made here.
    pub(super) fn load_made_here(name: &str) -> Result<Option<Self>> {
        Self::read(&record_path(name), "delete it and run `make full`")
    }

    /// The record of a run by its name: one made here, else the published one.
    pub fn load(name: &str) -> Result<Option<Self>> {
        match Self::load_made_here(name)? {
            None => Self::load_published(name),
            made => Ok(made),
        }
    }

    fn read(path: &Path, remedy: &'static str) -> Result<Option<Self>> {
        let read = || read_json(path, "is not the record of a run", remedy);
        path.exists().then(read).transpose()
    }
}

/// Where a run's record is kept.
pub(super) fn record_path(name: &str) -> PathBuf {
    outputs().join(format!("results/{name}.json"))
}

/// E.g. `part2-original-pretrained-report-seed0`.
pub fn run_name(part: u8, network: &str, init: &str, protocol: &str, seed: u64) -> String {
    format!("part{part}-{network}-{init}-{protocol}-seed{seed}")
}

/// On the validation part, after the last epoch.
pub(crate) fn val_accuracy(run: &RunResult) -> Option<f64> {
    Some(run.epochs.last()?.val_accuracy)
}

/// One row a run: what it is, its last epoch, its test accuracy, its time in seconds, and
/// every measure that any of them has.
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
        number("loss", &|run| Some(run.epochs.last()?.loss)),
        number("accuracy", &|run| Some(run.epochs.last()?.accuracy)),
        number("val_loss", &|run| Some(run.epochs.last()?.val_loss)),
        number("val_accuracy", &val_accuracy),
        number("test_accuracy", &|run| run.test_accuracy),
        number("seconds", &|run| Some(run.seconds())),
    ];
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.metrics.keys()).collect();
    columns.extend(names.into_iter().map(|name| number(name, &|run| run.metric(name))));
    crate::dataframe::dataframe(columns)
}
