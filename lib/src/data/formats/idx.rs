//! The IDX format, which MNIST's files have.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::archive::{
    GZIP_MAGIC, ImageFile, Wanted, first_bytes, is_leftover, nested_folders, read_at_most,
    read_wanted,
};
use crate::{Error, Result};

/// Most bytes of one file, unpacked. The largest of MNIST has 47 million.
const MAX_BYTES: u64 = 1 << 30;

pub(crate) const REMEDY: &str = "fetch MNIST again with `glyphs data fetch mnist`";

/// The path of an IDX file in `folder`, its only folder or the only ones in that (`data/MNIST/raw`),
/// plain or gzip, whichever name is used; some unpackers leave a folder of one of these names that
/// holds the file.
pub(crate) fn idx_file(folder: &Path, part: &str, what: &str, rank: usize) -> Option<PathBuf> {
    let names = names(part, what, rank);
    let inside = |folder: &Path| names.each_ref().map(|name| folder.join(name));
    let file = |folder: &Path| {
        let places = inside(folder);
        let deeper = places.iter().flat_map(|place| inside(place));
        let mut files = places.iter().cloned().chain(deeper);
        files.find(|path| path.is_file())
    };
    nested_folders(folder).take(4).find_map(|folder| file(&folder))
}

/// The names that an IDX file has.
fn names(part: &str, what: &str, rank: usize) -> [String; 4] {
    let stem = |dash| format!("{part}-{what}{dash}idx{rank}-ubyte");
    [stem('-'), stem('-') + ".gz", stem('.'), stem('.') + ".gz"]
}

/// MNIST's four files: of each part, images and labels.
const FILES: [(&str, &str, usize); 4] =
    [("train", "images", 3), ("train", "labels", 1), ("t10k", "images", 3), ("t10k", "labels", 1)];

/// Images and labels of one part: path and bytes of each.
pub(crate) type Files = [(PathBuf, Vec<u8>); 2];

/// MNIST's files in an archive (zip, tar, tar.gz), in whichever folders; each with a path that names
/// the archive too, and its bytes as [`read_unpacked`] gives them.
///
/// # Errors
/// Where one of them is missing, or the archive or one of them is damaged.
pub(crate) fn read_idx_archive(path: &Path) -> Result<[Files; 2]> {
    let is_wanted = |entry: &str| {
        let name = entry.rsplit('/').next().unwrap_or(entry);
        let is_one = |&(part, what, rank): &_| names(part, what, rank).iter().any(|n| n == name);
        !is_leftover(entry) && FILES.iter().any(is_one)
    };
    let files = read_wanted(path, Wanted { is_wanted, max_bytes: MAX_BYTES })?;
    let file = |part: &str, what: &str, rank: usize| {
        let names = names(part, what, rank);
        let found = names.iter().find_map(|name| files.iter().find(|file| file.name() == name));
        let ImageFile { path: inside, bytes } = found.ok_or_else(|| {
            let problem = format!("it holds no file {part}-{what}-idx{rank}-ubyte(.gz)");
            let remedy = format!("remove or rename it, and {REMEDY}");
            Error::content(path, problem, remedy)
        })?;
        let inside = path.join(inside);
        unpacked(&inside, || Ok(bytes.as_slice())).map(|bytes| (inside, bytes))
    };
    let part = |name| Ok::<_, Error>([file(name, "images", 3)?, file(name, "labels", 1)?]);
    Ok([part("train")?, part("t10k")?])
}

/// The bytes of an IDX file, unpacked where it is a gzip file: no more than its header
/// declares.
pub(crate) fn read_unpacked(path: &Path) -> Result<Vec<u8>> {
    unpacked(path, || File::open(path).map(BufReader::new))
}

/// As [`read_unpacked`], from whatever `open` gives; `path` is for errors only.
fn unpacked<R: Read>(path: &Path, open: impl Fn() -> std::io::Result<R>) -> Result<Vec<u8>> {
    let mut limit = 0;
    let mut read = || -> std::io::Result<Option<Vec<u8>>> {
        let mut file = open()?;
        let magic = first_bytes(&mut file, 2)?;
        let is_gzip = magic == GZIP_MAGIC;
        let whole = Cursor::new(magic).chain(file);
        let mut unpacked: Box<dyn Read> = match is_gzip {
            true => Box::new(MultiGzDecoder::new(whole)),
            false => Box::new(whole),
        };
        let head = first_bytes(&mut unpacked, HEAD)?;
        limit = declared_bytes(&head);
        read_at_most(&mut Cursor::new(head).chain(unpacked), limit)
    };
    read()
        .map_err(|e| Error::io(path, e, REMEDY))?
        .ok_or_else(|| Error::content(path, format!("more than {limit} bytes"), REMEDY))
}

/// Bytes of the header of an array of three dimensions.
const HEAD: u64 = 16;

/// The length that a file beginning with `head` declares.
fn declared_bytes(head: &[u8]) -> u64 {
    let rank = head.get(3).map_or(0, |&rank| usize::from(rank));
    let sizes = sizes(head.get(4..).unwrap_or_default()).take(rank);
    let values = sizes.map(u64::from).fold(1, u64::saturating_mul);
    values.saturating_add(4 + 4 * rank as u64).min(MAX_BYTES)
}

/// The sizes of a header, its first four bytes left out.
fn sizes(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().map(|&size| u32::from_be_bytes(size))
}

/// An array of bytes as the IDX format stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub values: Vec<u8>,
}

impl Idx {
    /// Parses an unpacked IDX file of bytes (type 0x08). `path` is for the error only.
    ///
    /// # Errors
    /// Where the magic number is wrong, or the length does not fit the shape.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let wrong = |problem: String| Error::content(path, problem, REMEDY);
        let &[0, 0, kind, rank, ..] = bytes else {
            return Err(wrong("no IDX magic number".into()));
        };
        if kind != 0x08 {
            return Err(wrong(format!("IDX type {kind:#04x} instead of bytes (0x08)")));
        }
        let end = 4 + 4 * rank as usize;
        let Some(header) = bytes.get(4..end) else {
            return Err(wrong("cut short within the IDX header".into()));
        };
        let shape: Vec<usize> = sizes(header).map(|size| size as usize).collect();
        let values = &bytes[end..];
        let declared = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if declared != Some(values.len()) {
            return Err(wrong(format!("shape {shape:?} but {} bytes of values", values.len())));
        }
        Ok(Self { shape, values: values.to_vec() })
    }
}
