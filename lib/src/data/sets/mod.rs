//! The three data sets of the study: what their files are, and how each is read.

pub mod handwritten;
pub mod locate;
pub mod mislabelled;
pub mod mnist;
