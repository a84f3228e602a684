//! The one error type. Each message says what does not fit, and what to do.

use std::path::PathBuf;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is outside the range that a function accepts.
    #[error("{problem}; {remedy}")]
    Argument { problem: String, remedy: String },
    /// A file of tensors could not be written or read, or is another network's.
    #[error("{}: {problem}; {remedy}", path.display())]
    File { path: PathBuf, problem: String, remedy: String },
    /// A layer that runs on dfdx's tape failed.
    #[error("layer {layer}: {problem}; {remedy}")]
    Tape { layer: String, problem: String, remedy: String },
}

impl Error {
    pub fn argument(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Argument { problem: problem.into(), remedy: remedy.into() }
    }
}
