//! Handwritten characters in Rust notebooks: data loaders, a CNN for dfdx whose
//! shapes the compiler checks, training, statistics and charts.
//!
//! Your own network, on your own images:
//!
//! ```no_run
//! use glyphs::prelude::*;
//!
//! const SEED: u64 = 0;
//! type LeNet5 = (
//!     (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),   // 28 x 28 -> 14 x 14
//!     (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d), // -> 7 x 7
//!     (Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 62>),
//! );
//! let characters: Samples = Samples::from_folder("characters", &Preprocess::default()).or_stop();
//! let (train, valid) = characters.split(0.9, SEED);
//! let mut model: Network<LeNet5> = Network::new(SEED);
//! let config = Config { epochs: 30, ..Config::default() };
//! let history: History = fit(&mut model, &train, &valid, &config).or_stop();
//! let result: Evaluation = evaluate(&model, &valid).or_stop();
//! println!("{} epochs, accuracy {}", history.epochs.len(), result.accuracy());
//! ```

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

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
