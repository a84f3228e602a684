//! Where the project's files are, and how one is written.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result};

/// The project's folder: the nearest one, from the working directory upwards, that contains
/// `notebooks` and `lib`; else the one that this crate was built in.
pub fn project_root() -> PathBuf {
    let built_in = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root_above_here().unwrap_or_else(built_in)
}

fn root_above_here() -> Option<PathBuf> {
    let is_root = |folder: &&Path| folder.join("notebooks").is_dir() && folder.join("lib").is_dir();
    let current = std::env::current_dir().ok()?;
    current.ancestors().find(is_root).map(Into::into)
}

/// A folder that a variable names. A relative one is the same for a shell at the project's root
/// and a kernel in `notebooks`.
pub(crate) fn of_project(folder: impl Into<PathBuf>) -> PathBuf {
    root_above_here().unwrap_or_default().join(folder.into())
}

/// Where results go: `$GLYPHS_OUTPUTS`, else `outputs` in the project's folder.
pub fn outputs() -> PathBuf {
    match variable("GLYPHS_OUTPUTS") {
        Some(folder) => of_project(folder),
        None => project_root().join("outputs"),
    }
}

/// A file of the study by its path in the folder of outputs: the one made here, and the
/// published one.
pub(crate) fn made_and_published(path: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let folders = [outputs(), project_root().join("outputs/reference")];
    let paths = folders.map(|folder| folder.join(path));
    paths.into_iter().filter(|path| path.exists())
}

/// What [`write_json`] wrote, read from the file made here, else from the published one.
pub(crate) fn read_made_or_published<T: DeserializeOwned>(
    path: &str,
    otherwise: &str,
    remedy: &'static str,
) -> Result<Option<T>> {
    let path = made_and_published(path).next();
    path.map(|path| read_json(&path, otherwise, remedy)).transpose()
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(path, error, "allow deleting in its folder"))
        }
        _ => Ok(()),
    }
}

/// What a variable of the environment says; an empty one says nothing.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether a variable says anything but 0.
pub(crate) fn is_set(name: &str) -> bool {
    variable(name).is_some_and(|value| value != "0")
}

/// True if `$GLYPHS_QUICK` asks for a small part of the data: a check that everything
/// runs, whose numbers mean nothing.
pub fn is_quick() -> bool {
    is_set("GLYPHS_QUICK")
}

/// Whether a path is `-`, which stands for standard output.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes to a temporary file in the same folder, syncs, and renames. A link is followed, even to a
/// file that does not exist yet; a pipe, a device or standard output ([`is_stdout`]) is written into.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        if is_stdout(path) {
            return io::stdout().write_all(bytes);
        }
        // A dangling link has no canonical path, but names a file that may be made.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        if let Ok(there) = fs::symlink_metadata(&target) {
            if there.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            } else if there.is_symlink() {
                return File::create(&target)?.write_all(bytes);
            } else if !there.is_file() {
                return File::options().write(true).open(&target)?.write_all(bytes);
            }
        }
        let folder = folder_of(&target);
        fs::create_dir_all(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.writing-");
        remove_abandoned(folder, &prefix);
        let mut file = readable_by_all().prefix(&prefix).tempfile_in(folder)?;
        // If the file system has no locks, nothing is taken for abandoned either.
        let _ = file.as_file().lock();
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(target)?;
        Ok(())
    };
    write().map_err(|error| write_error(path, error))
}

/// [`write_atomically`] of `value` as JSON that people can read.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| {
        let problem = format!("cannot be written as JSON ({error})");
        Error::content(path, problem, "report it")
    })?;
    write_atomically(path, &text)
}

/// What [`write_json`] wrote; `otherwise` says what a file is that holds something else.
pub(crate) fn read_json<T: DeserializeOwned>(
    path: &Path,
    otherwise: &str,
    remedy: &'static str,
) -> Result<T> {
    let text = fs::read(path).map_err(|error| Error::io(path, error, "allow reading it"))?;
    serde_json::from_slice(&text)
        .map_err(|error| Error::content(path, format!("{otherwise} ({error})"), remedy))
}

/// An error of writing `path`, with its remedy.
pub(crate) fn write_error(path: &Path, error: io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::IsADirectory => "name a file in that folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "there is a file where a folder is needed: move it away"
        }
        _ => "allow writing to the folder",
    };
    Error::io(path, error, remedy)
}

/// Checks before long work that [`write_atomically`] can write `path`, and makes its folder.
pub fn check_writable(path: &Path) -> Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    match fs::symlink_metadata(&target) {
        _ if is_stdout(path) => return Ok(()),
        Ok(there) if there.is_dir() => {
            return Err(write_error(path, io::ErrorKind::IsADirectory.into()));
        }
        // A link that leads nowhere, a pipe or a device is written into.
        Ok(there) if !there.is_file() => return Ok(()),
        _ => {}
    }
    let folder = folder_of(&target);
    fs::create_dir_all(folder)
        .and_then(|()| tempfile::tempfile_in(folder))
        .map_err(|error| write_error(folder, error))?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Removes what killed processes left while writing the same file; one that still writes has a lock.
fn remove_abandoned(folder: &Path, prefix: &str) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.filter(|file| file.file_name().to_string_lossy().starts_with(prefix)) {
        let path = file.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(path);
        }
    }
}

/// A lock that one process has at a time; it goes with the process, however that ends. The file
/// stays, empty: a process that opened it before it was removed would lock another than the next.
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// # Errors
    /// [`Error::Content`] where another process has it.
    pub fn take(path: &Path) -> Result<Self> {
        let take = || {
            fs::create_dir_all(folder_of(path))?;
            let mut file = File::options().create(true).append(true).open(path)?;
            // On a file system without locks nobody is kept from running.
            if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
                return Ok(None);
            }
            let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            file.set_len(0)?;
            write!(file, "process {} on {host}", std::process::id())?;
            Ok(Some(Self { file }))
        };
        take().map_err(|error| write_error(path, error))?.ok_or_else(|| {
            let owner = fs::read_to_string(path).unwrap_or_default();
            let owner = Some(owner.trim()).filter(|owner| !owner.is_empty());
            let owner = owner.unwrap_or("another process");
            let problem = format!("the same run is under way in {owner}");
            let remedy = "wait until it has ended, or end it (`kill` and its number)";
            Error::content(path, problem, remedy)
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// Temporary files are for their owner alone; the final files are for everybody whom
/// the umask allows.
fn readable_by_all<'a, 'b>() -> tempfile::Builder<'a, 'b> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
