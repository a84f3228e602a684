//! Networks: everything of the crate `dfdx-conv`, and the study's own.

mod char_cnn;

pub use char_cnn::{
    CharCnn, EXPERIMENTAL, ExperimentalCnn, ORIGINAL, OriginalCnn, char_cnn, char_cnn_layers,
};
pub use dfdx_conv::{layers::*, *};
