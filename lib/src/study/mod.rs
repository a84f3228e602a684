//! The study itself: which runs it consists of. Notebooks and command line start the
//! same runs from here.

pub mod audit;
pub mod complementary;
pub mod digits;
mod grid;
pub mod load;
mod lookalikes;
pub mod original;
pub mod part1;
pub mod part2;
pub mod part3;
pub mod result;
pub mod seeds;
pub mod summary;

pub use audit::Audit;
pub use digits::{DigitRun, Head, Init, Pretrained, Protocol, Stages, TrainedDigits, pretrain};
pub use grid::Grid;
pub use load::{load_mislabelled, load_mnist, load_photographs};
pub use lookalikes::LOOKALIKES;
pub use original::{ReportedEpoch, reported, reported_last};
pub use part1::{Part1, Split, Trained};
pub use result::{Artefact, Environment, RunKey, RunResult};
pub use seeds::{SEEDS, Seeds};
pub use summary::Datasets;
