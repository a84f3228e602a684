//! The image files of a data set, read from an archive or an unpacked folder.
//!
//! Both are untrusted: sizes are bounded before anything is allocated, names may
//! not leave the archive, and whatever looks wrong is an error, not a guess.

mod gzip;

use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::iter::successors;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::PaxExtensions;
use walkdir::WalkDir;
use zip::ZipArchive;

pub(crate) use self::gzip::Gunzip;
use super::decode::{CONVERT, ENDINGS, FORMATS, NOT_READ, begins_like_an_image};
use crate::{Error, Result};

/// Most bytes of one encoded image: no drawing of the data sets has 100 kB.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most files of one data set.
const MAX_FILES: usize = 200_000;
/// An archive whose images unpack to more than its own size and this may be a bomb: encoded images
/// hardly compress. BMP and TIFF images do; the way for many of them is to unpack the archive.
const MAX_GROWTH: u64 = 96 << 20;
/// Most bytes of all images together.
const MAX_TOTAL_BYTES: u64 = 2 << 30;
/// Most bytes of a zip archive's list of entries: in memory it takes ten times as much.
const MAX_DIRECTORY_BYTES: u64 = 8 << 20;
/// Most bytes before a tar entry that give its name.
const MAX_NAME_BYTES: u64 = 64 << 10;

/// What marks a tar archive, up to this byte.
const TAR_MAGIC: (&[u8], u64) = (b"ustar", 262);
/// How the names of archives end, of those that are read and of others.
const PACKED: [&str; 11] =
    ["zip", "tar", "tgz", "gz", "bz2", "tbz2", "xz", "txz", "zst", "7z", "rar"];
/// How archives begin that are not read: xz, 7z, RAR, zstd and bzip2.
const OTHER_ARCHIVES: [&[u8]; 5] =
    [b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"BZh"];
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

/// What was found in an archive or folder.
#[derive(Debug, Default)]
pub struct Contents {
    /// Sorted by path.
    pub images: Vec<ImageFile>,
    /// What is wrong with each image that is damaged or may not be read.
    pub damaged: Vec<Error>,
    /// Paths of files that are not named as images of a supported format.
    pub others: Vec<String>,
}

/// What follows the path of a link, before where it leads (`nowhere`, `back`), among the others.
pub const LINK: &str = ": a link that leads ";

/// What has images in other files read, going by how their names end: a remedy for each kind.
pub fn remedies(others: &[String]) -> Vec<String> {
    let names = || others.iter().filter(|other| !other.contains(LINK));
    let among = |endings: &[&str]| {
        let is_there = |ending: &str| names().any(|name| has_ending(name, &[ending]));
        let there = endings.iter().filter(|ending| is_there(ending));
        there.map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(", ")
    };
    let is_known = |name: &str| has_ending(name, &NOT_READ) || has_ending(name, &PACKED);
    let (images, archives) = (among(&NOT_READ), among(&PACKED));
    let mut remedies = Vec::new();
    if !images.is_empty() {
        remedies.push(format!("save {images} files as PNG or JPEG"));
    }
    if !archives.is_empty() {
        remedies.push(format!("unpack {archives} files, and name what is in them"));
    }
    if names().any(|name| !is_known(name)) {
        remedies.push("if one is an image, rename it to end in .png, .jpg or the like".into());
    }
    remedies
}

/// Every image file ([`FORMATS`](super::decode::FORMATS)) of one of the project's data sets, in a
/// zip, tar or tar.gz archive or below a folder, sorted by path; or the one image file at `path`.
///
/// Other files are skipped, as are hidden ones and what macOS and Windows leave behind.
///
/// # Errors
/// Where the archive is damaged or encrypted, an entry points outside it, or an image is a
/// link, comes twice, or is larger than one of these data sets can be.
pub fn read_images(path: &Path) -> Result<Vec<ImageFile>> {
    read_contents(path).and_then(Contents::whole).map_err(of_data_set)
}

/// As [`read_images`], for images of any source; files that are damaged or may not be read, and all
/// others, are kept apart.
pub fn read_contents(path: &Path) -> Result<Contents> {
    let mut found = if path.is_dir() { read_folder(path)? } else { read_file(path)? };
    found.images.sort_by(|a, b| a.path.cmp(&b.path));
    found.others.sort();
    Ok(found)
}

impl Contents {
    fn whole(self) -> Result<Vec<ImageFile>> {
        match self.damaged.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(self.images),
        }
    }

    fn add(&mut self, path: String, bytes: Result<Vec<u8>>) {
        match bytes {
            Ok(bytes) => self.images.push(ImageFile { path, bytes }),
            Err(error) => self.damaged.push(error),
        }
    }

    fn len(&self) -> usize {
        self.images.len() + self.damaged.len()
    }
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

/// Which entries are read.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub is_wanted: fn(&str) -> bool,
    /// Most bytes of one of them.
    pub max_bytes: u64,
}

const IMAGES: Wanted = Wanted { is_wanted: is_image, max_bytes: MAX_FILE_BYTES };

/// Entries taken out of an archive one by one, within its limits.
struct Unpacked<'a> {
    path: &'a Path,
    wanted: Wanted,
    /// Bytes that may still come.
    budget: u64,
    seen: HashSet<String>,
    found: Contents,
}

impl Unpacked<'_> {
    /// Takes an entry, if it is wanted; to skip one unpacks `skip` bytes. `no_file` says what it is
    /// instead of a file, and the remedy.
    fn take(
        &mut self,
        name: &str,
        no_file: Option<(&str, &str)>,
        skip: u64,
        reader: &mut dyn Read,
    ) -> Result<()> {
        let path = self.path;
        let wrong = |problem: &str| damaged(path, format!("entry {name:?} {problem}"));
        let Some(name) = checked_name(name) else {
            return Err(wrong("points outside the archive"));
        };
        if !(self.wanted.is_wanted)(&name) {
            if !is_leftover(&name) {
                self.found.others.push(name);
            }
            return Ok(());
        }
        if !self.seen.insert(name.clone()) {
            return Err(wrong("occurs twice"));
        }
        if let Some((what, remedy)) = no_file {
            let problem = format!("entry {name:?} {what}");
            self.found.damaged.push(Error::content(path, problem, remedy));
            return Ok(());
        }
        if self.found.len() == MAX_FILES {
            return Err(too_many(path));
        }
        let limit = self.wanted.max_bytes.min(self.budget);
        let mut bytes = Vec::new();
        let read = reader.take(limit + 1).read_to_end(&mut bytes);
        let is_larger = bytes.len() as u64 > limit;
        if is_larger && (limit < self.wanted.max_bytes || skip > self.budget) {
            let problem = "its images take more than its own size and 96 MB, or 2 GB";
            let remedy = "unpack it and name the folder, or split it";
            return Err(Error::content(path, problem, remedy));
        }
        // What cannot be used counts too: unpacking it took time.
        self.budget -= if is_larger { skip } else { bytes.len() as u64 };
        if is_larger {
            let problem = format!("entry {name:?} is larger than {limit} bytes");
            let remedy = "scale it down, or leave it out";
            self.found.damaged.push(Error::content(path, problem, remedy));
            return Ok(());
        }
        bytes.shrink_to_fit();
        let bytes = read.map(|_| bytes).map_err(|e| unreadable(path, &name, &e));
        self.found.add(name, bytes);
        Ok(())
    }
}

/// A name in an unknown encoding: Latin 1 has a character for each byte.
fn text(name: &[u8]) -> String {
    let latin_1 = |_| without_second_bytes(name.iter().map(|&byte| char::from(byte)));
    std::str::from_utf8(name).map_or_else(latin_1, Into::into)
}

/// The path of a file, as [`text`].
pub(crate) fn shown(path: impl AsRef<OsStr>) -> String {
    text(path.as_ref().as_encoded_bytes())
}

/// A name of one character for each byte. In Shift JIS and GBK a backslash may be the second byte
/// of a character: there it separates no folders, and becomes `_`.
fn without_second_bytes(name: impl Iterator<Item = char>) -> String {
    let mut is_second = false;
    let whole = name.map(|character| {
        let hides = is_second && character == '\\';
        is_second = !is_second && !character.is_ascii();
        if hides { '_' } else { character }
    });
    whole.collect()
}

fn too_many(path: &Path) -> Error {
    Error::content(path, "more than 200,000 files", "split it")
}

/// What helps against a damaged archive.
const RESTORE: &str = "restore it from its source, or pack it again";
/// Without the second option, `tar -h` makes a hard link of a file that it packs twice.
const PACK_FILES: &str = "pack it again with `tar -h --hard-dereference`, or name the folder";

fn damaged(path: &Path, problem: String) -> Error {
    Error::content(path, problem, RESTORE)
}

/// The error of an archive of the project's data sets, which can be fetched.
fn of_data_set(mut error: Error) -> Error {
    if let Error::Content { remedy, .. } = &mut error
        && remedy == RESTORE
    {
        *remedy = "fetch the archive again (`glyphs data fetch`), or pack it again".into();
    }
    error
}

/// Of an entry of an archive.
fn unreadable(path: &Path, name: &str, error: &io::Error) -> Error {
    let problem = format!("entry {name:?} cannot be read ({error})");
    match error.kind() {
        // It is encrypted, or packed by a rare method.
        io::ErrorKind::Unsupported => {
            Error::content(path, problem, "unpack it, and name the folder")
        }
        _ => damaged(path, problem),
    }
}

/// An archive, by its name or its first bytes, or an image.
fn read_file(path: &Path) -> Result<Contents> {
    let io = |e| Error::io(path, e, "check the file's name and permissions");
    let mut file = File::open(path).map_err(io)?;
    let name = shown(path.file_name().unwrap_or_default());
    let head = first_bytes(&mut file, TAR_MAGIC.1).map_err(io)?;
    if has_ending(&name, &["zip", "tgz", "gz", "tar"]) || begins_like_an_archive(&head) {
        return unpack(path, BufReader::new(file), IMAGES);
    }
    if !is_image(&name) && !begins_like_an_image(&head) {
        let problem = format!("it is neither a {FORMATS} image nor a zip, tar or tar.gz archive");
        let remedy = match has_ending(&name, &NOT_READ) {
            true => CONVERT,
            false => "unpack it, and name the folder",
        };
        return Err(Error::content(path, problem, remedy));
    }
    // A pipe is read on from where it is.
    let bytes = read_at_most(&mut head.chain(file), MAX_FILE_BYTES).map_err(io)?;
    let mut found = Contents::default();
    found.add(name, bytes.ok_or_else(|| too_large(path)));
    Ok(found)
}

fn begins_like_an_archive(head: &[u8]) -> bool {
    head.starts_with(&GZIP_MAGIC) || head.starts_with(b"PK") || head.ends_with(TAR_MAGIC.0)
}

/// Whether a file begins as an image or an archive does, of a format that is read or not.
pub fn is_image_or_archive(path: &Path) -> bool {
    let head = File::open(path).and_then(|mut file| first_bytes(&mut file, TAR_MAGIC.1));
    let is_other = |head: &[u8]| OTHER_ARCHIVES.iter().any(|magic| head.starts_with(magic));
    head.is_ok_and(|head| {
        begins_like_an_image(&head) || begins_like_an_archive(&head) || is_other(&head)
    })
}

/// As [`read_images`], from an open archive; `path` is for errors only.
pub fn unpack_images(path: &Path, archive: impl Read + Seek) -> Result<Vec<ImageFile>> {
    unpack(path, archive, IMAGES)?.whole()
}

/// The wanted files of an archive; images are not meant.
pub(crate) fn read_wanted(path: &Path, wanted: Wanted) -> Result<Vec<ImageFile>> {
    let file = File::open(path)
        .map_err(|e| Error::io(path, e, "check the file's name and permissions"))?;
    unpack(path, BufReader::new(file), wanted).and_then(Contents::whole).map_err(of_data_set)
}

fn unpack(path: &Path, mut archive: impl Read + Seek, wanted: Wanted) -> Result<Contents> {
    let Ok(size) = archive.seek(SeekFrom::End(0)) else {
        let problem = "it is a pipe, and an archive is not read in one pass";
        return Err(Error::content(path, problem, "save it to a file first"));
    };
    let mut unpacked = Unpacked {
        path,
        wanted,
        budget: size.saturating_add(MAX_GROWTH).min(MAX_TOTAL_BYTES),
        seen: HashSet::new(),
        found: Contents::default(),
    };
    let head = archive
        .rewind()
        .and_then(|()| first_bytes(&mut archive, TAR_MAGIC.1))
        .and_then(|head| archive.rewind().map(|()| head))
        .map_err(|e| Error::io(path, e, "check the file's permissions"))?;
    if head.starts_with(&GZIP_MAGIC) {
        let name = shown(path.file_name().unwrap_or_default());
        let name = if has_ending(&name, &["gz"]) { &name[..name.len() - 3] } else { &name };
        let mut inside = Gunzip::new(BufReader::new(archive));
        match (unpacked.wanted.is_wanted)(name) {
            // One file, packed by itself (`1.jpg.gz`).
            true => unpacked.take(name, None, unpacked.wanted.max_bytes, &mut inside)?,
            false => read_tar(&mut unpacked, inside)?,
        }
    } else if head.ends_with(TAR_MAGIC.0) || is_old_tar(path, &head) {
        read_tar(&mut unpacked, archive)?;
    } else {
        read_zip(&mut unpacked, archive)?;
    }
    Ok(unpacked.found)
}

/// Tar archives without a mark: old ones (`tar --format=v7`), which begin with a name, and those of
/// nothing, which are zeros. Only their names tell them.
fn is_old_tar(path: &Path, head: &[u8]) -> bool {
    has_ending(&shown(path), &["tar"]) && !head.is_empty() && !head.starts_with(b"PK")
}

fn read_zip(unpacked: &mut Unpacked, archive: impl Read + Seek) -> Result<()> {
    let path = unpacked.path;
    let is_wanted = unpacked.wanted.is_wanted;
    let wrong = |problem| damaged(path, problem);
    let left = Cell::new(0);
    let open = |reader| {
        left.set(MAX_DIRECTORY_BYTES);
        ZipArchive::new(reader)
            .map_err(|e| wrong(format!("not a readable zip, tar or tar.gz archive ({e})")))
    };
    let mut archive = open(Metered { inner: archive, left: &left })?;
    if archive.len() > MAX_FILES {
        return Err(too_many(path));
    }
    if archive.has_duplicate_names() {
        // The crate keeps the last of equal ones, and does not say which they are.
        let start = archive.central_directory_start();
        let mut reader = archive.into_inner();
        left.set(MAX_DIRECTORY_BYTES);
        let names = listed_names(&mut reader, start).map_err(|e| wrong(e.to_string()))?;
        let mut seen = HashSet::new();
        let twice: Vec<String> =
            names.iter().filter(|name| !seen.insert(*name)).map(|name| text(name)).collect();
        let double = twice.iter().find(|name| is_wanted(name));
        if twice.is_empty() || double.is_some() {
            let name = double.map_or(String::new(), |name| format!(", {name:?}"));
            return Err(wrong(format!("two entries have the same name{name}")));
        }
        archive = open(reader)?;
    }
    // From here on the entries' own limits hold.
    left.set(u64::MAX);
    for index in 0..archive.len() {
        let name = match archive.name_for_index(index) {
            Some(Ok(name)) => name.into_owned(),
            _ => format!("number {index}"),
        };
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(_) if !is_wanted(&name) => {
                unpacked.found.others.push(name);
                continue;
            }
            Err(e) => {
                unpacked.found.damaged.push(unreadable(path, &name, &e.into()));
                continue;
            }
        };
        if !entry.is_dir() {
            // Where no encoding is declared, old programs used IBM's, and newer ones UTF-8.
            let raw = entry.name_raw().to_vec();
            let name = match (std::str::from_utf8(&raw), entry.name()) {
                (Ok(name), _) => name.to_owned(),
                (_, Ok(name)) if !name.contains(char::REPLACEMENT_CHARACTER) => {
                    without_second_bytes(name.chars())
                }
                _ => text(&raw),
            };
            let remedy = "pack it again without `--symlinks`, or name the folder";
            let no_file = entry.is_symlink().then_some(("is a link", remedy));
            unpacked.take(&name, no_file, unpacked.wanted.max_bytes, &mut entry)?;
        }
    }
    Ok(())
}

/// The names in the list of entries of a zip archive, which begins at `start`.
fn listed_names(zip: &mut (impl Read + Seek), start: u64) -> io::Result<Vec<Vec<u8>>> {
    zip.seek(SeekFrom::Start(start))?;
    let mut names = Vec::new();
    loop {
        let head = first_bytes(zip, 46)?;
        if head.len() < 46 || !head.starts_with(b"PK\x01\x02") {
            return Ok(names);
        }
        let length = |at| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let mut name = vec![0; length(28)];
        zip.read_exact(&mut name)?;
        names.push(name);
        zip.seek_relative((length(30) + length(32)) as i64)?;
    }
}

fn read_tar(unpacked: &mut Unpacked, archive: impl Read) -> Result<()> {
    let path = unpacked.path;
    let has_ended = Cell::new(false);
    let unreadable = |e: io::Error| {
        let is_cut = has_ended.get() || e.kind() == io::ErrorKind::UnexpectedEof;
        let problem = format!("not a readable tar archive ({e})");
        damaged(path, if is_cut { "the archive is cut short".into() } else { problem })
    };
    // What is not an image has to be unpacked too, to be skipped.
    let limit = unpacked.budget.saturating_mul(2);
    let archive = Noting { inner: archive, has_ended: &has_ended };
    let mut archive = tar::Archive::new(archive.take(limit));
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
            // Times, permissions and the targets of links.
        } else {
            let name = long_name.take();
            let name = name.unwrap_or_else(|| entry.path_bytes().into_owned());
            if !kind.is_dir() {
                let no_file = match kind {
                    _ if kind.is_file() || kind.is_contiguous() => None,
                    _ if kind.is_symlink() => Some(("is a link", PACK_FILES)),
                    _ if kind.is_hard_link() => Some(("is a hard link", PACK_FILES)),
                    _ if kind.is_gnu_sparse() => Some((
                        "is stored in pieces (tar --sparse)",
                        "pack it again without `--sparse`, or name the folder",
                    )),
                    _ => Some(("is neither a file nor a folder", RESTORE)),
                };
                unpacked.take(&text(&name), no_file, entry.size(), &mut entry)?;
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

/// A reader that notes whether it was asked for more than it has.
struct Noting<'a, R> {
    inner: R,
    has_ended: &'a Cell<bool>,
}

impl<R: Read> Read for Noting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.has_ended.set(count == 0 && !buffer.is_empty());
        Ok(count)
    }
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

fn read_folder(root: &Path) -> Result<Contents> {
    let mut budget = MAX_TOTAL_BYTES;
    let mut found = Contents::default();
    let inside = |path: &Path| {
        let path = shown(path.strip_prefix(root).unwrap_or(path));
        path.replace(std::path::MAIN_SEPARATOR, "/")
    };
    let walk = WalkDir::new(root).follow_links(true).into_iter();
    let walk = walk.filter_entry(|entry| {
        entry.depth() == 0 || !is_leftover(&entry.file_name().to_string_lossy())
    });
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                let path = e.path().unwrap_or(root).to_path_buf();
                let name = inside(&path);
                let is_link = e.depth() > 0 && path.is_symlink();
                let leads = if e.loop_ancestor().is_some() { "back" } else { "nowhere" };
                // A link to a folder that it lies in leads to nothing new.
                if is_link && (leads == "back" || !is_image(&name)) {
                    let other = format!("{name}{LINK}{leads}");
                    found.others.extend((!is_leftover(&name)).then_some(other));
                } else if is_link {
                    let problem = "the link leads nowhere";
                    found.damaged.push(Error::content(path, problem, "remove it"));
                } else {
                    // Nobody knows what is in there: it stops the load, unless it may be skipped
                    // (`lost+found`).
                    let remedy = "check the folder's permissions";
                    // The crate's own words say the path once more.
                    let error = e.into_io_error().unwrap_or(io::ErrorKind::Other.into());
                    found.damaged.push(Error::io(path, error, remedy));
                }
                continue;
            }
        };
        let path = entry.path();
        let name = inside(path);
        if entry.file_type().is_dir() {
            continue;
        }
        if !entry.file_type().is_file() || !is_image(&name) {
            found.others.push(name);
            continue;
        }
        if found.len() == MAX_FILES {
            return Err(too_many(root));
        }
        let limit = MAX_FILE_BYTES.min(budget);
        let bytes = match File::open(path).and_then(|mut file| read_at_most(&mut file, limit)) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) if limit == MAX_FILE_BYTES => Err(too_large(path)),
            Ok(None) => {
                return Err(Error::content(root, "its images take more than 2 GB", "split it"));
            }
            Err(e) => Err(Error::io(path, e, "check the file's permissions")),
        };
        budget -= bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        found.add(name, bytes);
    }
    Ok(found)
}

fn too_large(path: &Path) -> Error {
    let remedy = "scale it down, or leave only the data set's own files in the folder";
    Error::content(path, format!("larger than {MAX_FILE_BYTES} bytes"), remedy)
}

/// The next bytes of a reader, `count` where there are so many.
pub(crate) fn first_bytes(reader: &mut dyn Read, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All bytes of a reader, or none where there are more than `limit`.
pub(crate) fn read_at_most(reader: &mut dyn Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = first_bytes(reader, limit + 1)?;
    // While it grew, it took up to twice the space.
    bytes.shrink_to_fit();
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The name with `/` between its parts and without `.` (`tar -C photos .`), or none where it
/// leaves the archive.
fn checked_name(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    // Other names may have a colon (`4:30.png`).
    let drive = matches!(
        name.as_bytes(),
        [letter, b':'] | [letter, b':', b'/', ..] if letter.is_ascii_alphabetic()
    );
    let bad = name.contains('\0') || drive || name.split('/').any(|part| part == "..");
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    (!bad && !name.starts_with('/')).then(|| parts.collect::<Vec<_>>().join("/"))
}

/// Whether a path inside a folder or archive is that of an image that is read, by its name.
pub fn is_image(path: &str) -> bool {
    has_ending(path, &ENDINGS) && !is_leftover(path)
}

pub(crate) fn has_ending(path: &str, endings: &[&str]) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Hidden files, and what macOS, Windows and network drives leave in folders and archives.
pub(crate) fn is_leftover(path: &str) -> bool {
    const NAMES: [&str; 8] = [
        "__MACOSX",
        "Thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "Icon\r",
        "$RECYCLE.BIN",
        "System Volume Information",
        "@eaDir",
    ];
    path.split('/').any(|part| {
        part.starts_with('.') && part != "."
            || NAMES.iter().any(|name| part.eq_ignore_ascii_case(name))
    })
}

/// A folder, the only one in it, and so on: an unpacked archive often has one outer folder, and
/// nothing else but what macOS adds.
pub(crate) fn nested_folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    successors(Some(path.to_path_buf()), |path| {
        let entries = path.read_dir().ok()?.flatten();
        let entries = entries.filter(|e| !is_leftover(&e.file_name().to_string_lossy()));
        let mut inner = entries.map(|e| e.path()).filter(|p| p.is_dir());
        inner.next().filter(|_| inner.next().is_none())
    })
}
