//! What people read in the drawings: the files that the page *Read them yourself* saves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{archive::sha256, handwritten::class_names},
    files::{json_files, outputs, write_atomically},
};

/// Where such files are kept, in the folder of outputs.
const FOLDER: &str = "human";
const FORMAT: &str = "glyphs human answers 1";

/// The answers of one person in one sitting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Human {
    format: String,
    /// The run whose validation part was read.
    pub run: String,
    pub dataset_sha256: String,
    /// `cropped`, as the network sees them, or `whole`.
    pub view: String,
    pub date: String,
    pub answers: Vec<Answer>,
}

/// What was read in one drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// File name, e.g. `img001-042.png`.
    pub drawing: String,
    /// Name of a class.
    pub answer: String,
    pub seconds: f64,
}

impl Human {
    /// A file that the page saved.
    ///
    /// # Errors
    /// Where it is another file, holds no answer, or one that names no class.
    pub fn read(path: &Path) -> Result<Self> {
        let remedy = "name a file that the page `read.html` of a report saved";
        let text = fs::read(path).map_err(|error| Error::io(path, error, remedy))?;
        let found: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::content(path, format!("holds no answers ({error})"), remedy))?;
        if found.format != FORMAT || found.answers.is_empty() {
            return Err(Error::content(path, "holds no answers", remedy));
        }
        let classes = class_names();
        let is_none = |given: &&Answer| !classes.contains(&given.answer);
        if let Some(Answer { drawing, answer, .. }) = found.answers.iter().find(is_none) {
            let problem = format!("the answer to {drawing} is {answer:?}, which is no class");
            return Err(Error::content(path, problem, remedy));
        }
        Ok(found)
    }

    /// Adds a file to the records of the study, once, and returns where it is kept.
    pub fn add(path: &Path) -> Result<PathBuf> {
        let text = serde_json::to_vec_pretty(&Self::read(path)?)
            .map_err(|error| Error::content(path, error.to_string(), "report it"))?;
        let kept = outputs().join(FOLDER);
        let kept = kept.join(format!("{}.json", &sha256(&text)[..16]));
        write_atomically(&kept, &text)?;
        Ok(kept)
    }

    /// All that were added here or published, of one run on the same data.
    pub fn load(run: &str, dataset_sha256: &str) -> Result<Vec<Self>> {
        // A name says what is in it: the same answers count once.
        let paths = json_files(FOLDER)?;
        let mut found = paths.iter().map(|path| Self::read(path)).collect::<Result<Vec<_>>>()?;
        found.retain(|human| human.run == run && human.dataset_sha256 == dataset_sha256);
        Ok(found)
    }
}
