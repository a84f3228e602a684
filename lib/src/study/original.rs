//! What the original report states of its own runs: one run each, no seeds.
//!
//! Source: the training logs in the four notebooks of its part 2 (`CNN_MNIST_*`) and the
//! four of its part 3 (`CNN_DS3_*`). The last epochs of all runs also stand in
//! `workflow/original.json`, which the pages read.

use super::{Head, Init};

/// One epoch as the original report prints it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportedEpoch {
    /// Mean over the epoch's training batches.
    pub loss: f64,
    pub accuracy: f64,
    /// On the MNIST test set, after the epoch.
    pub val_loss: f64,
    pub val_accuracy: f64,
}

/// The epochs of a run of part 2 (trained on MNIST) or part 3 (on dataset 3), in order.
/// Empty for any other part.
pub fn reported(part: u8, head: Head, init: Init) -> &'static [ReportedEpoch] {
    match (part, head, init) {
        (2, Head::Original, Init::Random) => &MNIST_ORIGINAL_RANDOM,
        (2, Head::Original, Init::Pretrained) => &MNIST_ORIGINAL_PRETRAINED,
        (2, Head::Experimental, Init::Random) => &MNIST_EXPERIMENTAL_RANDOM,
        (2, Head::Experimental, Init::Pretrained) => &MNIST_EXPERIMENTAL_PRETRAINED,
        (3, Head::Original, Init::Random) => &DATASET3_ORIGINAL_RANDOM,
        (3, Head::Original, Init::Pretrained) => &DATASET3_ORIGINAL_PRETRAINED,
        (3, Head::Experimental, Init::Random) => &DATASET3_EXPERIMENTAL_RANDOM,
        (3, Head::Experimental, Init::Pretrained) => &DATASET3_EXPERIMENTAL_PRETRAINED,
        _ => &[],
    }
}

/// The last of them.
pub fn reported_last(part: u8, head: Head, init: Init) -> Option<ReportedEpoch> {
    reported(part, head, init).last().copied()
}

type Epochs = [ReportedEpoch; 3];

const MNIST_ORIGINAL_RANDOM: Epochs = [
    epoch(0.4278, 0.8984, 1.1957, 0.7597),
    epoch(0.0888, 0.9733, 0.0435, 0.9866),
    epoch(0.0798, 0.9775, 0.0387, 0.9875),
];
const MNIST_ORIGINAL_PRETRAINED: Epochs = [
    epoch(0.2609, 0.9270, 0.1044, 0.9733),
    epoch(0.0994, 0.9721, 0.0482, 0.9848),
    epoch(0.0815, 0.9780, 0.0447, 0.9871),
];
const MNIST_EXPERIMENTAL_RANDOM: Epochs = [
    epoch(0.5642, 0.8434, 0.0925, 0.9754),
    epoch(0.1160, 0.9683, 0.0388, 0.9876),
    epoch(0.0978, 0.9742, 0.0892, 0.9757),
];
const MNIST_EXPERIMENTAL_PRETRAINED: Epochs = [
    epoch(0.3943, 0.8761, 1.0055, 0.8141),
    epoch(0.1289, 0.9647, 0.0443, 0.9863),
    epoch(0.0999, 0.9732, 0.0256, 0.9911),
];
const DATASET3_ORIGINAL_RANDOM: Epochs = [
    epoch(2.4558, 0.1004, 7.4234, 0.0508),
    epoch(2.3067, 0.1010, 2.3035, 0.0892),
    epoch(2.3031, 0.0985, 2.3035, 0.0974),
];
const DATASET3_ORIGINAL_PRETRAINED: Epochs = [
    epoch(2.3469, 0.1016, 2.4488, 0.0445),
    epoch(2.3007, 0.1074, 2.5298, 0.0105),
    epoch(2.2979, 0.1082, 2.6014, 0.0039),
];
const DATASET3_EXPERIMENTAL_RANDOM: Epochs = [
    epoch(2.3888, 0.1015, 2.5911, 0.0886),
    epoch(2.3034, 0.1009, 2.3041, 0.0913),
    epoch(2.3029, 0.1011, 2.3035, 0.0892),
];
#[expect(clippy::approx_constant, reason = "a measured loss, near ln 10")]
const DATASET3_EXPERIMENTAL_PRETRAINED: Epochs = [
    epoch(2.3474, 0.1001, 2.3033, 0.0958),
    epoch(2.3026, 0.0993, 2.3034, 0.0974),
    epoch(2.3026, 0.1017, 2.3036, 0.0892),
];

const fn epoch(loss: f64, accuracy: f64, val_loss: f64, val_accuracy: f64) -> ReportedEpoch {
    ReportedEpoch {
        loss,
        accuracy,
        val_loss,
        val_accuracy,
    }
}
