//! How good a network is, in plain values: metrics of one evaluation, and the
//! statistics that compare several. Nothing here knows a network or a notebook.

mod calibration;
mod confusion;
mod evaluation;
mod lookalikes;
pub mod similarity;
pub mod statistics;

pub use calibration::{Calibration, ReliabilityBin};
pub use confusion::{ClassScore, ClassScores, ConfusedPair, ConfusionMatrix, MostConfused};
pub use dfdx_conv::{argmax, log_softmax};
pub use evaluation::{Evaluation, Mistake};
pub use lookalikes::{Lookalike, Merged, MergedGroup};
