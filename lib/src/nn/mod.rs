//! Convolutional networks for dfdx on stable Rust, shapes checked by the compiler.

pub mod adam;
mod batchnorm2d;
mod char_cnn;
pub mod classifier;
mod conv2d;
mod dense_head;
mod dropout;
mod flatten;
mod fused;
mod init;
#[allow(unsafe_code, reason = "vector instructions and raw buffers, measured")]
mod kernels;
mod linear;
mod loss;
mod mask;
mod pool2d;
mod relu;
pub mod shape;
pub mod summary;
mod tape;
mod threads;
mod trunk;
mod vgg_block;

pub use adam::Adam;
pub use batchnorm2d::BatchNorm2d;
pub use char_cnn::{CharCnn, EXPERIMENTAL, ExperimentalCnn, ORIGINAL, OriginalCnn, char_cnn};
pub use classifier::{Batch, Classifier, Objective, Step, TensorMut, TensorRef};
pub use conv2d::Conv2d;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use kernels::{Instructions, peak_gflops};
pub use linear::Linear;
pub use loss::{CrossEntropy, cross_entropy};
pub use pool2d::MaxPool2d;
pub use relu::ReLU;
pub use summary::{Layer, Summary};
pub use vgg_block::VggBlock;
