//! Part 2 as its notebooks show it: does a network pretrained on photographed digits
//! learn MNIST better than one that starts at random?

mod claims;
mod compare;
mod features;
pub mod measures;
mod transfer;

pub use claims::{CLAIMS, Claim, Verdict, claims};
pub use compare::{
    compare_starts, convergence, curves, little_data, quality, quality_finding, recall,
};
pub use features::{features_kept, networks_apart, weights_moved};
pub use transfer::{carried_over, pretraining_finding, pretraining_table};
