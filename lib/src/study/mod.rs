//! The study itself: which runs it consists of. Notebooks and command line start the
//! same runs from here.

pub mod part1;
pub mod result;
pub mod seeds;

pub use part1::{Part1, Split, Trained};
pub use result::{Artefact, Environment, RunResult};
pub use seeds::{SEEDS, Seeds};
