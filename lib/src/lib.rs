//! Handwritten characters in Rust notebooks: data loaders, a CNN for dfdx whose
//! shapes the compiler checks, training, statistics and charts.

pub mod data;
mod dataframe;
pub mod display;
pub mod error;
pub mod eval;
pub mod files;
pub mod image;
pub mod interrupt;
pub mod nn;
mod numbers;
pub mod predict;
pub mod prelude;
pub mod progress;
pub mod report;
pub mod study;
pub mod train;

pub use error::{Error, OrStop, Result};
/// The crates whose values this one hands out, for notebooks: images and logits are arrays of
/// ndarray, tables are polars data frames, and your own charts are drawn with plotters.
pub use {ndarray, plotters, polars};
