//! The five networks of a run, one a seed, read a test set together.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Provenance, Samples},
    files::{made_or_published, outputs, write_atomically},
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
        let text = serde_json::to_vec_pretty(&result)
            .map_err(|error| Error::content(&path, error.to_string(), "report it"))?;
        write_atomically(&path, &text)?;
        Ok(Some(result))
    }

    fn load(file: &str) -> Result<Option<Self>> {
        let Some(path) = made_or_published(file) else {
            return Ok(None);
        };
        let text = fs::read(&path).map_err(|error| Error::io(&path, error, "allow reading it"))?;
        let problem = |error| format!("is no record of an ensemble ({error})");
        let read = serde_json::from_slice(&text);
        read.map(Some)
            .map_err(|error| Error::content(&path, problem(error), "delete it"))
    }
}
