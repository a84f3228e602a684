//! Labelled images: the data sets of the study, how they are found, fetched, read and
//! checked, and [`Samples`], which networks are trained on.

pub mod fetch;
mod formats;
mod load;
mod samples;
mod sets;
mod split;
pub mod synthetic;
mod table;

pub use formats::{archive, decode, idx};
pub use load::find;
pub use samples::{Provenance, Samples};
pub use sets::handwritten::Handwritten;
pub use sets::locate::Dataset;
pub use sets::mislabelled::Mislabelled;
pub use sets::mnist::{Mnist, SIDE};
pub use sets::{handwritten, locate, mislabelled, mnist};
