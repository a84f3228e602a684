//! Stand-ins for the three data sets, for machines that cannot get the real ones:
//! handwritten characters from pen strokes. Every result computed from them says so.
//!
//! Sizes, places and the pen's width follow what was measured on the drawings of
//! dataset 1; the letter forms are drawn after the ways in which people write them.

mod forms;
mod pages;
mod pen;
mod sets;
mod writer;

pub use pages::{digit, drawing, page};
pub use sets::{AUDIT, prepare, prepared, write_handwritten, write_mislabelled, write_mnist};
pub use writer::Writer;

/// The seed of the stand-in that the loaders use.
pub const SEED: u64 = 62;
