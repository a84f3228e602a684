//! The image files of a data set, read from an archive or an unpacked folder.
//!
//! Both are untrusted: sizes are bounded before anything is allocated, names may
//! not leave the archive, and whatever looks wrong is an error, not a guess.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use tar::PaxExtensions;
use walkdir::WalkDir;
use zip::ZipArchive;

use crate::{Error, Result};

/// Most bytes of one encoded image: no drawing of the data sets has 100 kB.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most files of one data set.
const MAX_FILES: usize = 200_000;
/// Images hardly compress, so an archive whose images unpack to more than its own size
/// and this is a bomb.
const MAX_GROWTH: u64 = 96 << 20;
/// Most bytes of all images together.
const MAX_TOTAL_BYTES: u64 = 2 << 30;
/// Most bytes of a zip archive's list of entries: in memory it takes ten times as much.
const MAX_DIRECTORY_BYTES: u64 = 8 << 20;
/// Most bytes that stand before a tar entry to say its name.
const MAX_NAME_BYTES: u64 = 64 << 10;

/// How a gzip file begins.
pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One image file, still encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// Path inside the archive or folder, parts separated by `/`.
    pub path: String,
    pub bytes: Vec<u8>,
}

impl ImageFile {
    /// Name of the file without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Name of the folder that holds the file; empty at the top.
    pub fn folder(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or("")
    }
}

/// Every PNG and JPEG file in a zip or tar.gz archive or below a folder, sorted by path.
///
/// Other files, hidden files and `__MACOSX` are skipped.
///
/// # Errors
/// Where the archive is damaged or encrypted, an entry points outside of it, is a
/// link, comes twice, or is larger than an image of these data sets can be.
pub fn read_images(path: &Path) -> Result<Vec<ImageFile>> {
    whole(read_entries(path)?)
}

/// As [`read_images`], but files that are damaged or may not be read are skipped:
/// each comes back as an error beside the others.
pub fn read_images_skipping(path: &Path) -> Result<(Vec<ImageFile>, Vec<Error>)> {
    let (mut files, mut damaged) = (Vec::new(), Vec::new());
    for (path, bytes) in read_entries(path)? {
        match bytes {
            Ok(bytes) => files.push(ImageFile { path, bytes }),
            Err(error) => damaged.push(error),
        }
    }
    Ok((files, damaged))
}

/// A path inside an archive or folder, and what was read there.
type Entry = (String, Result<Vec<u8>>);

fn read_entries(path: &Path) -> Result<Vec<Entry>> {
    let mut entries = if path.is_dir() {
        read_folder(path)?
    } else {
        read_archive(path)?
    };
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn whole(entries: Vec<Entry>) -> Result<Vec<ImageFile>> {
    let files = entries.into_iter().map(|(path, bytes)| {
        let bytes = bytes?;
        Ok(ImageFile { path, bytes })
    });
    files.collect()
}

/// SHA-256 over the files in the order given: of each its name, a zero byte, its
/// length as eight little-endian bytes, and its bytes. Packing does not change it.
pub fn sha256_of_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in files {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hex(&hasher.finalize())
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Images taken out of an archive one by one, within its limits.
struct Unpacked<'a> {
    path: &'a Path,
    /// Bytes that may still come.
    budget: u64,
    seen: HashSet<String>,
    entries: Vec<Entry>,
}

impl Unpacked<'_> {
    /// Takes an entry that is a file, if it is an image.
    fn take(&mut self, name: &[u8], is_link: bool, reader: &mut dyn Read) -> Result<()> {
        let (path, shown) = (self.path, String::from_utf8_lossy(name).into_owned());
        let wrong = |problem: &str| Err(damaged(path, format!("entry {shown:?} {problem}")));
        let Ok(name) = std::str::from_utf8(name) else {
            return wrong("has a name that is not UTF-8");
        };
        let Some(name) = checked_name(name) else {
            return wrong("points outside of the archive");
        };
        if !is_image(&name) {
            return Ok(());
        }
        if is_link {
            return wrong("is a link");
        }
        if self.seen.contains(&name.to_ascii_lowercase()) {
            return wrong("comes twice");
        }
        if self.entries.len() == MAX_FILES {
            return wrong("is one too many");
        }
        let limit = MAX_FILE_BYTES.min(self.budget);
        let mut bytes = Vec::new();
        let read = reader.take(limit + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > limit {
            return wrong(&format!("unpacks to more than {limit} bytes"));
        }
        // What is damaged counts too: it took its time.
        self.budget -= bytes.len() as u64;
        bytes.shrink_to_fit();
        let bytes = match read {
            Ok(_) => Ok(bytes),
            Err(e) => Err(damaged(path, format!("entry {shown:?} is damaged ({e})"))),
        };
        self.seen.insert(name.to_ascii_lowercase());
        self.entries.push((name, bytes));
        Ok(())
    }
}

fn damaged(path: &Path, problem: String) -> Error {
    let again = "fetch the archive again (`glyphs data fetch`), or pack it anew";
    Error::content(path, problem, again)
}

fn read_archive(path: &Path) -> Result<Vec<Entry>> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (size, file) =
        opened.map_err(|e| Error::io(path, e, "check the file's name and rights"))?;
    unpack(path, BufReader::new(file), size)
}

/// As [`read_images`], from an open archive of `size` bytes; `path` is for errors only.
pub fn unpack_images(path: &Path, archive: impl Read + Seek, size: u64) -> Result<Vec<ImageFile>> {
    whole(unpack(path, archive, size)?)
}

fn unpack(path: &Path, mut archive: impl Read + Seek, size: u64) -> Result<Vec<Entry>> {
    let mut unpacked = Unpacked {
        path,
        budget: size.saturating_add(MAX_GROWTH).min(MAX_TOTAL_BYTES),
        seen: HashSet::new(),
        entries: Vec::new(),
    };
    let magic = read_at_most(&mut archive.by_ref().take(2), 2)
        .and_then(|magic| archive.rewind().map(|()| magic))
        .map_err(|e| Error::io(path, e, "check the file's rights"))?;
    if magic.as_deref() == Some(GZIP_MAGIC.as_slice()) {
        read_tar(&mut unpacked, archive)?;
    } else {
        read_zip(&mut unpacked, archive)?;
    }
    Ok(unpacked.entries)
}

fn read_zip(unpacked: &mut Unpacked, archive: impl Read + Seek) -> Result<()> {
    let path = unpacked.path;
    let wrong = |problem| damaged(path, problem);
    let left = Cell::new(MAX_DIRECTORY_BYTES);
    let metered = Metered {
        inner: archive,
        left: &left,
    };
    let mut archive =
        ZipArchive::new(metered).map_err(|e| wrong(format!("not a readable zip archive ({e})")))?;
    // From here on the entries' own limits hold.
    left.set(u64::MAX);
    if archive.len() > MAX_FILES {
        return Err(wrong(format!("{} entries", archive.len())));
    }
    if archive.has_duplicate_names() {
        return Err(wrong("two entries have the same name".into()));
    }
    for index in 0..archive.len() {
        let entry = archive.by_index(index);
        let mut entry = entry.map_err(|e| wrong(format!("entry {index} cannot be read ({e})")))?;
        if !entry.is_dir() {
            let (name, is_link) = (entry.name_raw().to_vec(), entry.is_symlink());
            unpacked.take(&name, is_link, &mut entry)?;
        }
    }
    Ok(())
}

fn read_tar(unpacked: &mut Unpacked, archive: impl Read) -> Result<()> {
    let path = unpacked.path;
    let unreadable = |e: io::Error| damaged(path, format!("not a readable tar archive ({e})"));
    // What is not an image has to be unpacked too, to be skipped.
    let limit = unpacked.budget.saturating_mul(2);
    let mut archive = tar::Archive::new(MultiGzDecoder::new(archive).take(limit));
    let mut long_name = None;
    // Raw, since the crate would read a long name of any length into memory.
    for entry in archive.entries().map_err(unreadable)?.raw(true) {
        let mut entry = entry.map_err(unreadable)?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            let text = read_at_most(&mut entry, MAX_NAME_BYTES).map_err(unreadable)?;
            let text = text.ok_or_else(|| damaged(path, "a name of more than 64 kB".into()))?;
            long_name = if kind.is_gnu_longname() {
                Some(text.strip_suffix(&[0]).unwrap_or(&text).to_vec())
            } else {
                pax_name(&text).or(long_name)
            };
        } else if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
            // Times, rights and the targets of links.
        } else {
            let name = long_name.take();
            let name = name.unwrap_or_else(|| entry.path_bytes().into_owned());
            if !kind.is_dir() {
                unpacked.take(&name, !kind.is_file(), &mut entry)?;
            }
        }
    }
    Ok(())
}

/// The name that a POSIX extended header gives to the entry behind it.
fn pax_name(text: &[u8]) -> Option<Vec<u8>> {
    let mut records = PaxExtensions::new(text).filter_map(|record| record.ok());
    let path = records.find(|record| record.key_bytes() == b"path")?;
    Some(path.value_bytes().to_vec())
}

/// A reader that gives no more than `left` bytes, wherever they are read.
struct Metered<'a, R> {
    inner: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("no list of entries within 8 MB")),
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

fn read_folder(root: &Path) -> Result<Vec<Entry>> {
    let mut budget = MAX_TOTAL_BYTES;
    let mut entries = Vec::new();
    for entry in WalkDir::new(root).follow_links(true).max_depth(16) {
        let entry = entry.map_err(|e| {
            let path = e.path().unwrap_or(root).to_path_buf();
            Error::io(path, e.into(), "check the folder's rights and links")
        })?;
        let path = entry.path();
        let relative = path.strip_prefix(root).unwrap_or(path);
        let Some(name) = relative.to_str() else {
            if is_image(&relative.to_string_lossy()) {
                let remedy = "rename it as the data set does";
                return Err(Error::content(path, "the file's name is not UTF-8", remedy));
            }
            continue;
        };
        let name = name.replace(std::path::MAIN_SEPARATOR, "/");
        if !entry.file_type().is_file() || !is_image(&name) {
            continue;
        }
        let remedy = "scale it down, or leave only the data set's own files in the folder";
        if entries.len() == MAX_FILES {
            let problem = format!("more than {MAX_FILES} images");
            return Err(Error::content(root, problem, remedy));
        }
        let limit = MAX_FILE_BYTES.min(budget);
        let bytes = match File::open(path).and_then(|mut file| read_at_most(&mut file, limit)) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                let problem = format!("larger than {limit} bytes");
                return Err(Error::content(path, problem, remedy));
            }
            Err(e) => Err(Error::io(path, e, "check the file's rights")),
        };
        budget -= bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        entries.push((name, bytes));
    }
    Ok(entries)
}

/// All bytes of a reader, or none where there are more than `limit`.
pub(crate) fn read_at_most(reader: &mut dyn Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    // As it grew, it took up to twice the room.
    bytes.shrink_to_fit();
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The name with `/` between its parts, or none where it leaves the archive.
fn checked_name(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let drive = name.as_bytes().get(1) == Some(&b':');
    let bad = name.contains('\0') || drive || name.split('/').any(|part| part == "..");
    (!bad && !name.starts_with('/')).then_some(name)
}

fn is_image(path: &str) -> bool {
    let mut parts = path.split('/');
    let lower = path.to_ascii_lowercase();
    let extension = [".png", ".jpg", ".jpeg"].iter().any(|e| lower.ends_with(e));
    extension && !parts.any(|part| part == "__MACOSX" || (part.starts_with('.') && part != "."))
}
