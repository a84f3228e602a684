//! The five networks of a run, one a seed, read a test set together.

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    data::{Provenance, Samples},
    files::{outputs, read_made_or_published, write_json},
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
    /// Of the networks of `run` under all seeds, where they are here, with the same configuration;
    /// else as it was recorded. Nothing where there is neither.
    pub fn of(run: &Experiment, test: &Samples) -> Result<Option<Self>> {
        let file = format!("ensembles/{}.json", run.with_seed(SEEDS[0]).name());
        let networks = run.finished(&SEEDS, |data| data.synthetic == test.provenance.synthetic)?;
        if networks.len() < SEEDS.len() {
            return read_made_or_published(&file, "is not a record of an ensemble", "delete it");
        }
        let members = networks.iter().map(|(_, checkpoint)| checkpoint.network());
        let members = members.collect::<Result<Vec<_>>>()?;
        let evaluation = evaluate(&Ensemble::new(members)?, test)?;
        let result = Self {
            runs: networks.iter().map(|(run, _)| run.name()).collect(),
            weights_sha256: networks.iter().map(|(_, of)| of.weights_sha256()).collect(),
            dataset: test.provenance.clone(),
            accuracy: evaluation.accuracy(),
            loss: evaluation.loss(),
        };
        write_json(&outputs().join(file), &result)?;
        Ok(Some(result))
    }
}
