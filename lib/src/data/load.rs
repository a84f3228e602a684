//! The data sets from the first place that has them.

use super::fetch::fetch;
use super::samples::Samples;
use super::sets::handwritten::Handwritten;
use super::sets::locate::{Dataset, Found, locate};
use super::sets::mislabelled::Mislabelled;
use super::sets::mnist::Mnist;
use super::synthetic;
use crate::Result;
use crate::files::is_set;
use crate::progress::say;

/// The data set from the first place that has it: `$GLYPHS_DATA`, `data/raw/`, a
/// stand-in made earlier, the sources of `data/datasets.toml` (unless `$GLYPHS_OFFLINE`
/// is set), and finally a stand-in made now.
///
/// A stand-in is tried before the network, so that a machine without a network does not wait for
/// one in every notebook; `glyphs data fetch` asks the sources even where there is a stand-in.
pub fn find(dataset: Dataset) -> Result<Found> {
    if let Some(found) = locate(dataset)? {
        return Ok(found);
    }
    if let Some(found) = synthetic::prepared(dataset) {
        return Ok(found);
    }
    if !is_set("GLYPHS_OFFLINE") {
        match fetch(dataset) {
            Ok(found) => return Ok(found),
            Err(error) => say(error),
        }
    }
    synthetic::prepare(dataset, || Ok(Mnist::load()?.train))
}

impl Handwritten {
    /// The 62 x 40 drawings from the first place that has them; see [`find`].
    pub fn load() -> Result<Self> {
        Self::open_found(&find(Dataset::Handwritten)?)
    }
}

impl Mnist {
    /// MNIST from the first place that has it; see [`find`].
    pub fn load() -> Result<Self> {
        Self::read(&find(Dataset::Mnist)?)
    }
}

impl Mislabelled {
    /// Dataset 3 from the first place that has it; see [`find`].
    pub fn load() -> Result<Samples> {
        Self::read(&find(Dataset::Mislabelled)?)
    }
}
