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
pub(crate) fn made_and_published(path: &str) -> impl DoubleEndedIterator<Item = PathBuf> + use<> {
    let folders = [outputs(), project_root().join("outputs/reference")];
    let paths = folders.map(|folder| folder.join(path));
    paths.into_iter().filter(|path| path.exists())
}

/// The JSON files in a folder of the study, in order of their names: the one made here, else the
/// published one.
///
/// # Errors
/// Where the folder cannot be read.
pub(crate) fn json_files(folder: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for folder in made_and_published(folder) {
        let failed = |error| Error::io(&folder, error, "allow reading it");
        for entry in fs::read_dir(&folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    let name = |path: &PathBuf| path.file_name().map(ToOwned::to_owned);
    paths.sort_by_key(name);
    paths.dedup_by_key(|path| name(path));
    Ok(paths)
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

/// Whether a path stands for standard output: `-`, `/dev/stdout`, `/dev/fd/1`, or a link to it.
pub fn is_stdout(path: &Path) -> bool {
    is_same(path, Path::new("-"))
}

/// Whether two paths lead to the same file, which may not exist yet.
pub fn is_same(a: &Path, b: &Path) -> bool {
    target(a) == target(b)
}

/// Where a path leads. Links are followed one by one: that of an open file (`/dev/fd/7`) stands for
/// it, and leads on to the name of a file that is not to be replaced.
fn target(path: &Path) -> PathBuf {
    let mut path = if path == Path::new("-") { "/dev/fd/1".into() } else { path.to_path_buf() };
    // As many as Linux follows; one in a circle remains a link.
    for _ in 0..40 {
        if let (Ok(folder), Some(name)) = (fs::canonicalize(folder_of(&path)), path.file_name()) {
            path = folder.join(name);
        }
        match fs::read_link(&path) {
            Ok(next) if !is_open_file(&path) => path = folder_of(&path).join(next),
            _ => break,
        }
    }
    path
}

fn is_open_file(target: &Path) -> bool {
    let folder = folder_of(target);
    folder == Path::new("/dev/fd") || folder.starts_with("/proc") && folder.ends_with("fd")
}

/// What is there already.
///
/// # Errors
/// Where that is a folder or a write-protected file, or the path names a folder (`new/`).
fn existing(path: &Path, target: &Path) -> Result<Option<fs::Metadata>> {
    let failed = |error| write_error(path, error);
    let there = match fs::metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        there => Some(there.map_err(failed)?),
    };
    let is_folder = there.as_ref().is_some_and(fs::Metadata::is_dir)
        || path.file_name().is_none()
        || path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_folder {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let is_protected =
        |there: &fs::Metadata| there.permissions().readonly() && !is_written_into(there, target);
    if there.as_ref().is_some_and(is_protected) {
        let remedy = "allow writing to it (`chmod u+w`), or name another file";
        return Err(Error::content(path, "it is write-protected", remedy));
    }
    Ok(there)
}

/// Whether a pipe, a device or an open file is there.
fn is_written_into(there: &fs::Metadata, target: &Path) -> bool {
    !there.is_file() || is_open_file(target)
}

/// Writes to a temporary file in the same folder, syncs, and renames; permissions stay. A link is
/// followed, even to a file that does not exist yet; a pipe, a device, an open file (`/dev/fd/7`)
/// or standard output ([`is_stdout`]) is written into, and so is a file that cannot be replaced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| write_error(path, error);
    if is_stdout(path) {
        let mut out = io::stdout();
        return out.write_all(bytes).and_then(|()| out.flush()).map_err(failed);
    }
    let target = target(path);
    let there = existing(path, &target)?;
    if there.as_ref().is_some_and(|there| is_written_into(there, &target)) {
        let open = File::options().append(true).open(&target);
        return open.and_then(|mut file| file.write_all(bytes)).map_err(failed);
    }
    let written = match replace(&target, there.as_ref(), bytes) {
        Err(error) if there.is_some() && cannot_replace(&error) => overwrite(&target, bytes),
        written => written,
    };
    written.map_err(failed)
}

/// Most bytes of a file's name in that of its temporary file: together they stay within the limit.
const MAX_NAME_BYTES: usize = 100;

fn replace(target: &Path, there: Option<&fs::Metadata>, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(target);
    fs::create_dir_all(folder)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{}.writing-", &name[..name.floor_char_boundary(MAX_NAME_BYTES)]);
    remove_abandoned(folder, &prefix);
    let mut file = readable_by_all().prefix(&prefix).tempfile_in(folder)?;
    // If the file system has no locks, nothing is taken for abandoned either.
    let _ = file.as_file().lock();
    if let Some(there) = there {
        // A file system without permissions has none to lose.
        let _ = file.as_file().set_permissions(there.permissions());
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(target)?;
    Ok(())
}

/// Of a file in a folder that may not be written to, or that is mounted by itself, as into a
/// container.
fn cannot_replace(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// A disk that fills meanwhile leaves a part of the bytes.
fn overwrite(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(target)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
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

/// Of links in a circle; the kind of such errors is not stable in Rust.
const ELOOP: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };
/// Of a file that may only be appended to, or not be changed at all, and of others' in `/tmp`.
const EPERM: i32 = 1;

/// An error of writing `path`, with its remedy.
pub(crate) fn write_error(path: &Path, error: io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::IsADirectory => "name a file in that folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "there is a file where a folder is needed: move it away"
        }
        io::ErrorKind::InvalidFilename => "give it a shorter name",
        io::ErrorKind::ReadOnlyFilesystem => "name a file on a disk that can be written to",
        _ if error.raw_os_error() == Some(ELOOP) => "remove the link, which leads back to itself",
        _ if error.raw_os_error() == Some(EPERM) => {
            "name another file, or let this one be changed (`chattr -a -i`)"
        }
        _ => "allow writing to the folder",
    };
    Error::io(path, error, remedy)
}

/// Checks before long work that [`write_atomically`] can write `path`, and makes its folder.
pub fn check_writable(path: &Path) -> Result<()> {
    if is_stdout(path) {
        return Ok(());
    }
    let target = target(path);
    let there = existing(path, &target)?;
    if there.as_ref().is_some_and(|there| is_written_into(there, &target)) {
        return Ok(());
    }
    let folder = folder_of(&target);
    let made = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
    let open = || File::options().write(true).open(&target);
    match made {
        Err(error) if there.is_none() || !cannot_replace(&error) => Err(write_error(folder, error)),
        Err(_) => open().map(drop).map_err(|error| write_error(path, error)),
        // What may only be appended to is neither replaced nor written into.
        Ok(_) if there.is_some() => match open() {
            Err(error) if error.raw_os_error() == Some(EPERM) => Err(write_error(path, error)),
            _ => Ok(()),
        },
        Ok(_) => Ok(()),
    }
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
pub(crate) struct Lock(File);

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
            Ok(Some(Self(file)))
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
        let _ = self.0.set_len(0);
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
