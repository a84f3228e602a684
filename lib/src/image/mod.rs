//! From photographs to what a network sees: 28 x 28 pixels, ink bright.

pub mod augment;
pub mod ink;
pub mod preprocess;
pub mod resample;
mod specks;

pub use augment::Augment;
pub use ink::{Ink, InkBox, InkStatistics};
pub use preprocess::{Centre, CropToInk, FEATURES, Preprocess};
