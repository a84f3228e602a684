//! What the 2021 report states of its own runs: one run each, no seeds.
//!
//! The figures stand in `reference_2021.json`, which the workflow's pages read too. Source:
//! the training logs in the report's notebooks; of part 1 it prints epoch 28 alone.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::study::{Head, Init};

/// One epoch as the 2021 report prints it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct ReportedEpoch {
    /// Mean over the epoch's training batches.
    pub loss: f64,
    pub accuracy: f64,
    /// On the validation part (part 1) or the MNIST test set (parts 2 and 3).
    pub val_loss: f64,
    pub val_accuracy: f64,
}

#[derive(Deserialize)]
struct Reference {
    hours: f64,
    runs: Vec<ReportedRun>,
}

#[derive(Deserialize)]
struct ReportedRun {
    part: u8,
    network: Head,
    init: Init,
    epochs: Vec<ReportedEpoch>,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let text = include_str!("reference_2021.json");
    serde_json::from_str(text).expect("the figures of the 2021 report are built in, and tested")
});

/// What the log prints of part 1's network: its epoch [`PART1_EPOCH`], of thirty.
pub static PART1: LazyLock<ReportedEpoch> = LazyLock::new(|| {
    last(1, Head::Original, Init::Random).expect("the 2021 report has a network in part 1")
});

/// Counted from 1.
pub const PART1_EPOCH: usize = 28;
/// Validation images of part 1 that it classified correctly, and all: 0.8669 is 215 of 248.
pub const PART1_IMAGES: (usize, usize) = (215, 248);
/// How often the rate of part 1 was halved: from 1e-3 to 3.125e-5 at epoch 27.
pub const HALVINGS: f64 = 5.0;

/// Time that all its runs took together, in hours.
pub fn hours() -> f64 {
    REFERENCE.hours
}

/// The epochs of a run of part 1 (dataset 1), 2 (MNIST) or 3 (dataset 3), in order; empty
/// where the 2021 report has none.
pub fn epochs(part: u8, head: Head, init: Init) -> &'static [ReportedEpoch] {
    let mut runs = REFERENCE.runs.iter();
    let run = runs.find(|run| (run.part, run.network, run.init) == (part, head, init));
    run.map_or(&[], |run| &run.epochs)
}

/// The last of them.
pub fn last(part: u8, head: Head, init: Init) -> Option<ReportedEpoch> {
    epochs(part, head, init).last().copied()
}
