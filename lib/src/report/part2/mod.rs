//! Part 2: does a network pretrained on the digits of dataset 1 learn MNIST better than one
//! that starts at random?

mod compare;
mod head_start;
pub mod measures;
mod sentences;
mod transfer;

pub use compare::{
    compare_depths, compare_rates, compare_starts, convergence, curves, little_data, quality,
    quality_finding, thirty_epochs,
};
pub use head_start::head_start;
pub use sentences::{calibration, features, first_epoch, lowest_recall, recall};
pub use transfer::{carried_over, features_kept, pretraining_finding, weights_moved};
