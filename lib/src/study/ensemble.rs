//! The five networks of a run, one a seed, read a test set together.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    data::{Provenance, Samples},
    files::{made_or_published, outputs, read_json, write_json},
    nn::Ensemble,
    study::{Experiment, SEEDS},
    train::evaluate,
};

/// What they read in a test set that none of them has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnsembleResult {
    /// The runs that trained them.
    pub runs: Vec<String>,
    /// Of their networks, in the same order.
    pub weights_sha256: Vec<String>,
    pub dataset: Provenance,
    pub accuracy: f64,
    pub loss: f64,
}

impl EnsembleResult {
    /// Of the networks of `run` under all seeds, where they are here; else as it was published.
    /// Nothing where there is neither.
    ///
    /// # Errors
    /// Where a file is damaged, or the record cannot be written.
    pub fn of(run: &Experiment, test: &Samples) -> Result<Option<Self>> {
        let runs = SEEDS.map(|seed| run.with_seed(seed));
        let file = format!("ensembles/{}.json", runs[0].name());
        let mut members = Vec::new();
        let mut weights_sha256 = Vec::new();
        for run in &runs {
            let Some(checkpoint) = run.find_checkpoint()? else {
                return Self::load(&file);
            };
            members.push(checkpoint.network()?);
            weights_sha256.push(checkpoint.weights_sha256());
        }
        let evaluation = evaluate(&Ensemble::new(members)?, test)?;
        let result = Self {
            runs: runs.iter().map(Experiment::name).collect(),
            weights_sha256,
            dataset: test.provenance.clone(),
            accuracy: evaluation.accuracy(),
            loss: evaluation.loss(),
        };
        let path = outputs().join(file);
        write_json(&path, &result)?;
        Ok(Some(result))
    }

    fn load(file: &str) -> Result<Option<Self>> {
        let read = |path: PathBuf| read_json(&path, "is no record of an ensemble", "delete it");
        made_or_published(file).map(read).transpose()
    }
}
