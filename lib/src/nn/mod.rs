//! Convolutional networks for dfdx on stable Rust, shapes checked by the compiler.

pub mod adam;
mod batchnorm2d;
mod char_cnn;
pub mod classifier;
mod conv2d;
mod dense_head;
mod dropout;
mod fused;
mod init;
mod kernels;
mod linear;
mod loss;
pub mod shape;
mod trunk;
mod vgg_block;

pub use adam::Adam;
pub use batchnorm2d::BatchNorm2d;
pub use char_cnn::{CharCnn, EXPERIMENTAL, ExperimentalCnn, ORIGINAL, OriginalCnn, char_cnn};
pub use classifier::{Batch, Classifier, Objective, Step, TensorMut, TensorRef};
pub use conv2d::Conv2d;
pub use kernels::Instructions;
pub use linear::Linear;
pub use loss::CrossEntropy;
pub use vgg_block::VggBlock;
