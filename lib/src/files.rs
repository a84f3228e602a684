//! Where the project's files are, and how one is written.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// The project's folder: the nearest one, from the working directory upwards, that holds
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
    match std::env::var_os("GLYPHS_OUTPUTS") {
        Some(folder) => of_project(folder),
        None => project_root().join("outputs"),
    }
}

/// A file of the study by its path in the folder of outputs: the one made here, else the
/// published one.
pub(crate) fn made_or_published(path: &str) -> Option<PathBuf> {
    let folders = [outputs(), project_root().join("outputs/reference")];
    let mut paths = folders.into_iter().map(|folder| folder.join(path));
    paths.find(|path| path.exists())
}

/// True where `$GLYPHS_QUICK` asks for a small part of the data: a check that everything
/// runs, whose numbers mean nothing.
pub fn is_quick() -> bool {
    std::env::var_os("GLYPHS_QUICK").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Writes to a temporary file in the same folder, syncs, and renames. What is at `path` and no
/// file, a pipe or a device, is written into, and so is what a link there names.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let remedy = "make room on the disk, or allow writing to the folder";
    let write = || -> std::io::Result<()> {
        // A dangling link has no canonical path, but names a file to be.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        if fs::symlink_metadata(&target).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return fs::File::create(target)?.write_all(bytes);
        }
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = readable_by_all().tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(target)?;
        Ok(())
    };
    write().map_err(|error| Error::io(path, error, remedy))
}

/// Temporary files are for their owner alone; what they become is for everybody whom
/// the umask allows.
fn readable_by_all<'a, 'b>() -> tempfile::Builder<'a, 'b> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}
