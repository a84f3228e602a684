//! Everything that a notebook uses, under one `use glyphs::prelude::*;`.

pub use crate::data::{Provenance, Samples};
pub use crate::error::{Error, OrStop, Result};
