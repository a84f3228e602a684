//! Everything that a notebook uses, under one `use glyphs::prelude::*;`.

pub use crate::data::{Handwritten, Mislabelled, Mnist, Provenance, Samples};
pub use crate::error::{Error, OrStop, Result};
pub use crate::image::{
    Augment, Centre, CropToInk, InkStatistics, KeepAspect, Preprocess, Squeeze,
};
