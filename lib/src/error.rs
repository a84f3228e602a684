//! The one error type. Each message names the file or argument and what to do.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("{}: {}; {}", printable(path.display()), lines(source), lines(remedy))]
    Io { path: PathBuf, source: std::io::Error, remedy: String },
    /// A file was read, and its content is not what it should be.
    #[error("{}: {}; {}", printable(path.display()), lines(problem), lines(remedy))]
    Content { path: PathBuf, problem: String, remedy: String },
    /// A data set or a checkpoint was found in none of the places that are searched.
    #[error("{} was not found: {}; {}", lines(what), lines(problem), lines(remedy))]
    Missing { what: String, problem: String, remedy: String },
    /// A source could not be fetched.
    #[error("{}: {}; {}", printable(url), lines(problem), lines(remedy))]
    Fetch { url: String, problem: String, remedy: String },
    /// An argument is outside the range that a function accepts.
    #[error("{}; {}", lines(problem), lines(remedy))]
    Argument { problem: String, remedy: String },
    /// The work was asked to stop.
    #[error("{}; {}", lines(done), lines(remedy))]
    Interrupted { done: String, remedy: &'static str },
    /// Training met a number that is not finite.
    #[error("step {step}: {}; {}", lines(problem), lines(remedy))]
    NotFinite { step: usize, problem: String, remedy: String },
}

impl Error {
    pub fn io(path: impl AsRef<Path>, source: std::io::Error, remedy: impl Into<String>) -> Self {
        Self::Io { path: path.as_ref().into(), source, remedy: remedy.into() }
    }

    pub fn content(
        path: impl AsRef<Path>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Content { path: path.as_ref().into(), problem: problem.into(), remedy: remedy.into() }
    }

    pub fn argument(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Argument { problem: problem.into(), remedy: remedy.into() }
    }
}

/// Text with its control characters escaped, and those that turn the direction of writing: in the
/// name of a file they could steer a terminal, or show another name.
pub fn printable(text: impl Display) -> String {
    let turns = |character: char| {
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(character, '\u{2066}'..='\u{2069}')
    };
    let escaped = |character: char| match character.is_control() || turns(character) {
        true => character.escape_default().to_string(),
        false => character.into(),
    };
    text.to_string().chars().map(escaped).collect()
}

/// [`printable`] line by line: some messages have several. Other crates' words, which may quote the
/// bytes of a file, are in them too.
fn lines(text: impl Display) -> String {
    text.to_string().split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// An [`Error::Argument`] unless `holds`.
pub(crate) fn ensure<P: Into<String>>(
    holds: bool,
    problem: impl FnOnce() -> P,
    remedy: &str,
) -> Result<()> {
    holds.then_some(()).ok_or_else(|| Error::argument(problem(), remedy))
}

/// Stops a notebook's cell on an error, and shows the error's own words.
///
/// A failing `?` in a cell leaves the cell "successful" (evcxr only prints its
/// message), so notebooks end fallible lines with `.or_stop()` instead.
pub trait OrStop<T> {
    fn or_stop(self) -> T;
}

/// For any crate's error: polars' and plotters' as well as [`Error`].
impl<T, E: Display> OrStop<T> for Result<T, E> {
    #[track_caller]
    fn or_stop(self) -> T {
        // Not a closure: the caller's line is the one to show.
        match self {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }
}
