//! Networks: everything from the crate `dfdx-conv`, and the study's own.

mod char_cnn;
mod ensemble;

pub use char_cnn::{CharCnn, EXPERIMENTAL, ORIGINAL, OriginalCnn, char_cnn, char_cnn_layers};
pub use dfdx_conv::{layers::*, *};
pub use ensemble::Ensemble;

/// A network's errors, as errors of the project.
impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Argument { problem, remedy } => Self::Argument { problem, remedy },
            Error::File { path, problem, remedy } => Self::Content { path, problem, remedy },
            Error::Tape { layer, problem, remedy } => {
                Self::Argument { problem: format!("layer {layer}: {problem}"), remedy }
            }
            other => Self::argument(other.to_string(), "see the documentation of dfdx-conv"),
        }
    }
}
