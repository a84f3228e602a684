//! Records made up for the tests.

use std::collections::BTreeMap;

use glyphs::data::Provenance;
use glyphs::study::{Artefact, Environment, Experiment, RunResult, SampleHashes};

pub fn provenance() -> Provenance {
    Provenance {
        name: "made up".into(),
        source: "generated".into(),
        sha256: "0".into(),
        count: 0,
        synthetic: true,
    }
}

fn artefact() -> Artefact {
    Artefact { path: String::new(), sha256: String::new(), weights_sha256: String::new() }
}

/// The record of a run without epochs or measures.
pub fn record(run: Experiment) -> RunResult {
    RunResult {
        part: run.part,
        network: run.head.name().into(),
        init: run.init.name().into(),
        dataset: provenance(),
        pretraining: None,
        start_weights_sha256: None,
        setup: run.setup(),
        samples: SampleHashes { train: String::new(), valid: String::new() },
        protocol: run.protocol,
        seed: run.config.seed,
        loss: run.config.loss.name().into(),
        config: run.config,
        epochs: Vec::new(),
        curve: Vec::new(),
        test_accuracy: None,
        metrics: BTreeMap::new(),
        checkpoint: artefact(),
        best_checkpoint: artefact(),
        environment: Environment::here(),
    }
}
