//! Trials: techniques that were tried beside a run of the study and are no part of it. The example
//! `trials` makes them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    files::{json_files, outputs, read_json, write_json},
    study::result::Environment,
    train::Epoch,
};

/// Where their records are kept, in the folder of outputs.
const FOLDER: &str = "trials";

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
        outputs().join(FOLDER).join(format!("{name}-seed{seed}.json"))
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

    /// All trials that were made here or published, in order of their file names.
    ///
    /// # Errors
    /// Where a record is damaged, or the folder cannot be read.
    pub fn load_all() -> Result<Vec<Self>> {
        let remedy = "make it again, or restore it with git checkout";
        let paths = json_files(FOLDER)?.into_iter();
        paths.map(|path| read_json(&path, "is no record of a trial", remedy)).collect()
    }
}
