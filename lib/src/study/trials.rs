//! Trials: techniques that were tried beside a run of the study and are no part of it. The example
//! `trials` makes them.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    files::{outputs, project_root, read_json, write_json},
    study::result::Environment,
    train::Epoch,
};

/// What a technique came to, under one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// In a few words, for readers.
    pub technique: String,
    /// Name of the run that it is compared with: the same data, split, configuration and seed.
    pub beside: String,
    pub seed: u64,
    pub epochs: Vec<Epoch>,
    /// On the MNIST test set, in part 3; no choice was made by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    pub environment: Environment,
}

impl TrialResult {
    /// Where a trial made here keeps its record.
    fn path(name: &str, seed: u64) -> PathBuf {
        outputs().join("trials").join(format!("{name}-seed{seed}.json"))
    }

    /// Whether it was made here.
    pub fn exists(name: &str, seed: u64) -> bool {
        Self::path(name, seed).exists()
    }

    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, name: &str) -> Result<()> {
        write_json(&Self::path(name, self.seed), self)
    }

    /// The published trials, in order of their file names.
    ///
    /// # Errors
    /// Where a record is damaged.
    pub fn published() -> Result<Vec<Self>> {
        let folder = project_root().join("outputs/reference/trials");
        let Ok(entries) = fs::read_dir(&folder) else {
            return Ok(Vec::new());
        };
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()
            .map_err(|error| Error::io(&folder, error, "check its permissions"))?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        paths
            .iter()
            .map(|path| read_json(path, "is no record of a trial", "restore it with git checkout"))
            .collect()
    }
}
