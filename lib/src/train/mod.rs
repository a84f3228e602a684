//! Training: losses, the loop, its callbacks, checkpoints and result files.

pub mod history;

pub use history::{CurvePoint, Epoch, History};
