//! Fetches the data sets from where `data/datasets.toml` says, and checks them before use.

mod catalogue;
mod download;
mod npm;

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

pub use catalogue::{Catalogue, Entry, Source};
pub use download::{Patience, download};

use super::samples::Provenance;
use super::sets::handwritten::Handwritten;
use super::sets::locate::{Dataset, Found, OWN, locate_in, raw_folder};
use super::sets::mislabelled::Mislabelled;
use super::sets::mnist::Mnist;
use crate::progress::say;
use crate::{Error, Result};

/// Fetches a data set into `data/raw/` if it is not there yet.
pub fn fetch(dataset: Dataset) -> Result<Found> {
    let catalogue = Catalogue::embedded()?;
    let entry = catalogue.entry(dataset);
    fetch_into(dataset, entry, &raw_folder(), &Patience::default())
}

/// Fetches a data set into the folder `raw`, if it is not completely there.
///
/// One process at a time works on a folder; others wait. Files first go to
/// `raw/.fetch/`, are read as the loader will read them, and are moved into place
/// only when they are what they should be.
///
/// # Errors
/// Where no source provides the data; the error says what happened with each.
pub fn fetch_into(
    dataset: Dataset,
    entry: &Entry,
    raw: &Path,
    patience: &Patience,
) -> Result<Found> {
    let _lock = lock(raw)?;
    let present = || locate_in(dataset, raw, "data/raw").filter(|found| !found.synthetic);
    let before = present();
    if let Some(found) = &before {
        match check(dataset, found, &[]) {
            Ok(_) => return Ok(found.clone()),
            Err(error) => say(error),
        }
    }
    let name = dataset.name();
    let staging = raw.join(".fetch").join(name);
    let mut failures = Vec::new();
    for source in &entry.sources {
        say(format!("{name}: from {}", source.name));
        let expected: &[String] = if source.unchecked { &[] } else { &entry.sha256 };
        let staged = stage(source, &staging, patience)
            .and_then(|()| check_staged(dataset, &staging, expected))
            .and_then(|()| move_into_place(source, &staging, raw));
        match staged {
            Ok(()) => {
                remove(&staging)?;
                // What is left of other data sets stays.
                let _ = fs::remove_dir(raw.join(".fetch"));
                let found = present().ok_or_else(|| dataset.missing())?;
                if before.is_some() {
                    check(dataset, &found, &[]).map_err(in_the_way)?;
                }
                return Ok(found);
            }
            Err(error) => {
                say(format!("{name}: {error}"));
                if failures.is_empty() {
                    say("set GLYPHS_OFFLINE=1 to use a stand-in without trying the network");
                }
                failures.push(error.to_string());
            }
        }
    }
    Err(Error::Missing {
        what: format!("data set {name}"),
        problem: format!("no source provided it ({})", failures.join(" | ")),
        remedy: format!(
            "check the network and run `glyphs data fetch {name}` again, or put the files into \
             data/raw/ by hand as data/README.md says"
        ),
    })
}

/// What was fetched is whole, so a damaged file with another name comes before it.
fn in_the_way(mut error: Error) -> Error {
    if let Error::Io { remedy, .. } | Error::Content { remedy, .. } = &mut error {
        *remedy = "remove it: what was fetched is beside it, and whole".into();
    }
    error
}

/// Reads a data set as its loader does, and compares it with `expected`, the sha256 of
/// its parts, unless that is empty.
pub fn check(dataset: Dataset, found: &Found, expected: &[String]) -> Result<Vec<Provenance>> {
    check_parts(dataset, found, expected).map_err(|mut error| {
        // Nothing is fetched into there.
        if let Error::Io { remedy, .. } | Error::Content { remedy, .. } = &mut error
            && found.source.starts_with(OWN)
            && remedy.contains("fetch")
        {
            *remedy = format!("replace the file in {OWN}");
        }
        error
    })
}

fn check_parts(dataset: Dataset, found: &Found, expected: &[String]) -> Result<Vec<Provenance>> {
    let parts = match dataset {
        Dataset::Handwritten => vec![Handwritten::open_found(found)?.provenance],
        Dataset::Mnist => {
            let mnist = Mnist::read(found)?;
            vec![mnist.train.provenance, mnist.test.provenance]
        }
        Dataset::Mislabelled => vec![Mislabelled::read(found)?.provenance],
    };
    for (part, expected) in parts.iter().zip(expected) {
        if part.sha256 != *expected {
            let problem = format!("{} has sha256 {} instead of {expected}", part.name, part.sha256);
            let remedy =
                "fetch it again; if it is what you want anyway, put it into data/raw/ by hand";
            return Err(Error::content(&found.path, problem, remedy));
        }
    }
    Ok(parts)
}

/// Removes what can be made again: stand-ins, caches and broken downloads. With `raw`
/// the files too that [`fetch`] puts into `data/raw/`; others there stay.
pub fn clean(raw: bool) -> Result<Vec<PathBuf>> {
    let folder = raw_folder();
    let _lock = if folder.exists() { Some(lock(&folder)?) } else { None };
    let processed = crate::files::project_root().join("data/processed");
    let mut paths = BTreeSet::from([processed, folder.join(".fetch")]);
    if raw {
        let catalogue = Catalogue::embedded()?;
        let sources = Dataset::ALL.iter().flat_map(|&dataset| &catalogue.entry(dataset).sources);
        let names = sources.flat_map(|source| source.files.keys());
        paths.extend(names.map(|name| folder.join(name)));
    }
    paths.retain(|path| path.exists());
    paths.iter().try_for_each(|path| remove(path))?;
    Ok(paths.into_iter().collect())
}

fn stage(source: &Source, staging: &Path, patience: &Patience) -> Result<()> {
    if let Some(package) = &source.npm {
        return npm::unpack(package, &source.files, staging);
    }
    for (name, url) in &source.files {
        let path = staging.join(name);
        if !path.is_file() {
            download(url, &path, patience)?;
        }
    }
    Ok(())
}

/// What was staged and is wrong is removed, so that the next try starts afresh.
fn check_staged(dataset: Dataset, staging: &Path, expected: &[String]) -> Result<()> {
    let found = locate_in(dataset, staging, "data/raw").ok_or_else(|| {
        Error::content(staging, "the source gave the wrong files", "try again later")
    });
    let checked = found.and_then(|found| check(dataset, &found, expected));
    if checked.is_err() {
        remove(staging)?;
    }
    checked.map(|_| ())
}

fn move_into_place(source: &Source, staging: &Path, raw: &Path) -> Result<()> {
    for name in source.files.keys() {
        let (from, to) = (staging.join(name), raw.join(name));
        let folder = to.parent().unwrap_or(raw);
        fs::create_dir_all(folder)
            .and_then(|()| fs::rename(&from, &to))
            .map_err(|e| Error::io(&to, e, "allow writing to the folder"))?;
    }
    Ok(())
}

/// Held until it is dropped. Waits for another process that holds it.
fn lock(raw: &Path) -> Result<File> {
    let path = raw.join(".lock");
    let lock = || {
        fs::create_dir_all(raw)?;
        let file = File::options().create(true).append(true).open(&path)?;
        // On a file system without locks nobody is kept from fetching.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let raw = raw.display();
            say(format!("another process is fetching into {raw}; waiting for it"));
            file.lock()?;
        }
        Ok(file)
    };
    lock().map_err(|e| Error::io(&path, e, "allow writing to the folder"))
}

/// Removes a folder or file that may not be there.
fn remove(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return crate::files::remove(path);
    }
    fs::remove_dir_all(path).map_err(|e| Error::io(path, e, "allow writing to the folder"))
}
