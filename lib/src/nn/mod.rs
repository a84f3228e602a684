//! Convolutional networks for dfdx on stable Rust, shapes checked by the compiler.

pub mod adam;
pub mod classifier;

pub use adam::Adam;
pub use classifier::{Batch, Classifier, Objective, Step, TensorMut, TensorRef};
