#![doc = include_str!("../README.md")]
#![deny(missing_debug_implementations)]

mod classifier;
mod error;
mod file;
#[allow(unsafe_code, reason = "vector instructions and unchecked walks, each measured")]
mod kernels;
pub mod layers;
mod loss;
mod network;
mod onnx;
mod optim;
mod plan;
pub mod shape;
mod summary;
mod tensor;
mod threads;

pub use classifier::{Batch, Classifier, Objective, Signature, Step};
pub use error::{Error, Result};
pub use kernels::{Instructions, peak_gflops};
pub use loss::{CrossEntropy, argmax, cross_entropy, log_softmax};
pub use network::{DynNetwork, Network};
pub use onnx::to_onnx;
pub use optim::{Adam, Optimizer, OptimizerState, Sgd};
pub use plan::{
    builder::Builder,
    spec::{LayerKind, LayerSpec, TensorSpec},
};
pub use summary::Summary;
pub use tensor::{TensorMut, TensorRef};
/// The crates whose values this one takes and gives.
pub use {dfdx, ndarray};

#[doc(hidden)]
pub use kernels::dropout::split_mix64;
#[doc(hidden)]
pub use summary::format_count;
