//! Where a data set is looked for: `$GLYPHS_DATA`, then `data/raw/`.

use std::path::{Path, PathBuf};

use crate::data::formats::archive::{is_leftover, nested_folders};
use crate::data::formats::idx::{idx_file, read_idx_archive};
use crate::data::samples::Provenance;
use crate::files::{of_project, project_root, variable};
use crate::{Error, Result};

/// The three data sets of the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// Dataset 1: drawings of 62 characters.
    Handwritten,
    Mnist,
    /// Dataset 3: MNIST's training images under wrong labels.
    Mislabelled,
}

/// A data set's files, and how a result names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The archive or folder.
    pub path: PathBuf,
    /// For provenance: the path relative to the place's name.
    pub source: String,
    /// True where the files are a stand-in.
    pub synthetic: bool,
}

impl Found {
    /// Files that the user names.
    pub fn at(path: &Path) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self {
            path: path.into(),
            source: name.to_string_lossy().into_owned(),
            synthetic: is_stand_in(path),
        }
    }

    /// Of `count` images read here.
    pub(crate) fn provenance(&self, name: &str, sha256: String, count: usize) -> Provenance {
        Provenance {
            name: name.into(),
            source: self.source.clone(),
            sha256,
            count,
            synthetic: self.synthetic,
        }
    }
}

impl Dataset {
    pub const ALL: [Self; 3] = [Self::Handwritten, Self::Mnist, Self::Mislabelled];

    /// Name in `datasets.toml`, on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handwritten => "handwritten",
            Self::Mnist => "mnist",
            Self::Mislabelled => "mislabelled",
        }
    }

    /// Archives and folders that may contain the data set, below a place; the empty
    /// one is the place itself.
    fn candidates(self) -> &'static [&'static str] {
        match self {
            Self::Handwritten => &[
                "trainPart1.zip",
                "EnglishHnd.tgz",
                "trainPart1",
                "train",
                "handwritten.zip",
                "handwritten",
                "English/Hnd/Img",
                "Img",
                "",
            ],
            Self::Mnist => {
                &["mnist", "MNIST/raw", "MNIST", "mnist/MNIST/raw", "mnist/raw", "archive", ""]
            }
            Self::Mislabelled => {
                &["mnistTask3.zip", "mnistTask3", "mnistTask", "mislabelled.zip", "mislabelled"]
            }
        }
    }

    /// Whether `path` looks like this data set; its contents are checked on reading.
    fn is_at(self, path: &Path) -> bool {
        if path.is_file() {
            return true;
        }
        let has_folder = |name| nested_folders(path).take(2).any(|outer| outer.join(name).is_dir());
        match self {
            Self::Handwritten => has_folder("Sample001"),
            Self::Mnist => idx_file(path, ["train", "images"]).is_some(),
            Self::Mislabelled => has_folder("0"),
        }
    }

    /// Says that it is in neither place, and what to do.
    pub fn missing(self) -> Error {
        Error::Missing {
            what: format!("data set {}", self.name()),
            problem: "neither $GLYPHS_DATA nor data/raw/ holds it".into(),
            remedy: format!(
                "run `glyphs data fetch {0}`, or put it into data/raw/ as data/README.md says",
                self.name()
            ),
        }
    }
}

/// What results call the user's own folder of data.
pub const OWN: &str = "$GLYPHS_DATA";

/// The data set in `$GLYPHS_DATA` or in the project's `data/raw/`, whichever comes first.
///
/// # Errors
/// Where `$GLYPHS_DATA` is set and is not a folder.
pub fn locate(dataset: Dataset) -> Result<Option<Found>> {
    Ok(places()?.iter().find_map(|(folder, name)| locate_in(dataset, folder, name)))
}

/// The folders where data are looked for (a relative `$GLYPHS_DATA` from the project's folder, like
/// its commands), in this order, and what results call them.
pub(crate) fn places() -> Result<Vec<(PathBuf, &'static str)>> {
    let mut places = Vec::new();
    if let Some(folder) = variable("GLYPHS_DATA") {
        let folder = of_project(folder);
        if !folder.is_dir() {
            let remedy = "set GLYPHS_DATA to the folder that contains the data sets, or unset it";
            return Err(Error::content(folder, "GLYPHS_DATA is not a folder", remedy));
        }
        places.push((folder, OWN));
    }
    places.push((raw_folder(), "data/raw"));
    Ok(places)
}

/// The data set in one folder, which results call `name`.
pub fn locate_in(dataset: Dataset, folder: &Path, name: &str) -> Option<Found> {
    let known = dataset.candidates().iter().map(|&candidate| candidate.to_owned());
    let mut known = known.filter(|candidate| dataset.is_at(&folder.join(candidate)));
    let packed = || (dataset == Dataset::Mnist).then(|| packed_mnist(folder)).flatten();
    known.next().or_else(packed).map(|candidate| {
        let path = folder.join(&candidate);
        Found {
            synthetic: is_stand_in(&path),
            source: format!("{name}/{candidate}").trim_end_matches('/').into(),
            path,
        }
    })
}

/// An archive of MNIST's files, of any name: below `folder`, or in its `mnist/`. One that is called
/// `mnist` counts whatever it holds, and reading it says what is wrong.
fn packed_mnist(folder: &Path) -> Option<String> {
    let others = Dataset::ALL.into_iter().flat_map(Dataset::candidates);
    let others: Vec<&str> = others.copied().collect();
    let mut archives = Vec::new();
    for inner in ["", "mnist/", "MNIST/"] {
        let Ok(entries) = folder.join(inner).read_dir() else { continue };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| !others.contains(&&**name)).collect();
        names.sort();
        archives.extend(names.into_iter().map(|name| format!("{inner}{name}")));
    }
    archives.retain(|path| {
        let name = path.to_ascii_lowercase();
        let is_tar = [".tar", ".tgz", ".tar.gz"].iter().any(|end| name.ends_with(end));
        // To know what a tar archive holds, all of it has to be unpacked.
        let may_be_it = name.ends_with(".zip") || is_tar && name.contains("mnist");
        may_be_it && !is_leftover(path) && folder.join(path).is_file()
    });
    let holds_it = |path: &&String| read_idx_archive(&folder.join(path)).is_ok();
    let is_called_so = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        name.split('.').next() == Some("mnist")
    };
    archives.iter().find(holds_it).or_else(|| archives.iter().find(is_called_so)).cloned()
}

/// Where fetched data are kept.
pub fn raw_folder() -> PathBuf {
    project_root().join("data/raw")
}

/// A file in a stand-in's folder that says what it is.
pub const STAND_IN_MARK: &str = "STAND-IN.txt";

fn is_stand_in(path: &Path) -> bool {
    let beside = path.parent().map(|folder| folder.join(STAND_IN_MARK));
    path.join(STAND_IN_MARK).is_file() || beside.is_some_and(|mark| mark.is_file())
}
