//! Handwritten characters in Rust notebooks: data loaders, a CNN for dfdx whose
//! shapes the compiler checks, training, statistics and charts.

pub mod data;
pub mod display;
pub mod error;
pub mod eval;
pub mod files;
pub mod image;
pub mod nn;
mod numbers;
pub mod predict;
pub mod prelude;
pub mod report;
pub mod study;
pub mod train;

pub use error::{Error, OrStop, Result};
