//! The IDX format, which MNIST's files have.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::archive::{
    GZIP_MAGIC, Gunzip, ImageFile, Wanted, first_bytes, is_leftover, nested_folders, read_at_most,
    read_wanted, shown,
};
use crate::{Error, Result};

/// Most bytes of one file, unpacked. The largest of MNIST has 47 million.
const MAX_BYTES: u64 = 1 << 30;

pub(crate) const REMEDY: &str = "fetch MNIST again with `glyphs data fetch mnist`";

/// One of MNIST's four files: its part, `train` or `t10k`, and what it holds, `images` or `labels`.
pub(crate) type Which = [&'static str; 2];

/// What the name of a file or folder says, whatever unpackers, browsers and mirrors made of it:
/// `train-images.idx3-ubyte`, `T10K-LABELS.IDX`, `train-images-idx3-ubyte (1).gz`, `test`, `labels`.
#[derive(Default)]
struct Said {
    part: Option<&'static str>,
    what: Option<&'static str>,
    is_idx: bool,
    is_packed: bool,
    is_copy: bool,
}

impl Said {
    /// None by a name that has any other word, or says nothing.
    fn by(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let mut said = Self::default();
        for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            match word {
                "" | "mnist" => {}
                "train" | "training" => said.part = Some("train"),
                "t10k" | "test" => said.part = Some("t10k"),
                "images" => said.what = Some("images"),
                "labels" => said.what = Some("labels"),
                "idx" | "idx1" | "idx3" | "ubyte" => said.is_idx = true,
                "gz" => said.is_packed = true,
                "copy" | "of" => said.is_copy = true,
                number if number.bytes().all(|byte| byte.is_ascii_digit()) => said.is_copy = true,
                _ => return None,
            }
        }
        (said.is_idx || said.part.or(said.what).is_some()).then_some(said)
    }
}

/// Which file one is, by its path and how it begins: the header knows best whether it has images or
/// labels; how many it has decides only where names do not, for other sets have 10,000 too.
fn which(path: &str, head: &[u8]) -> Option<Which> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let said = Said::by(name)?;
    let (rank, count) = match *head {
        [0, 0, 8, rank, a, b, c, d, ..] => (rank, u32::from_be_bytes([a, b, c, d])),
        // It may be damaged.
        _ if said.is_idx => (0, 0),
        _ => return None,
    };
    let what = match rank {
        3 => "images",
        1 => "labels",
        _ => said.what?,
    };
    let folder = Said::by(folder.rsplit('/').next().unwrap_or(folder));
    let part = said.part.or(folder.and_then(|folder| folder.part)).or(match count {
        60_000 => Some("train"),
        10_000 => Some("t10k"),
        _ => None,
    })?;
    Some([part, what])
}

/// Of several files that are the same one, the first by this: the original, unpacked, at the top.
fn preference(path: &str) -> (bool, bool, usize, String) {
    let said = Said::by(path.rsplit('/').next().unwrap_or(path)).unwrap_or_default();
    (said.is_copy, said.is_packed, path.matches('/').count(), path.to_owned())
}

/// The path of one of MNIST's files in `folder`, its only folder or the only ones in that
/// (`data/MNIST/raw`), plain or gzip, whatever it is called as long as it can be told from others; it
/// may lie in a folder that is called after it or its part.
pub(crate) fn idx_file(folder: &Path, wanted: Which) -> Option<PathBuf> {
    let inside = |folder: &Path| -> Vec<(String, PathBuf)> {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        let entries = entries.map(|entry| (shown(entry.file_name()), entry.path()));
        entries.filter(|(name, _)| !is_leftover(name) && Said::by(name).is_some()).collect()
    };
    let file = |folder: &Path| {
        let top = inside(folder);
        let deeper = top.iter().flat_map(|(name, path)| {
            let files = inside(path).into_iter();
            files.map(move |(inner, path)| (format!("{name}/{inner}"), path))
        });
        let all = top.iter().cloned().chain(deeper).filter(|(_, path)| path.is_file());
        let head = |path: &Path| head_of(File::open(path).map(BufReader::new));
        let found = all.filter(|(name, path)| which(name, &head(path)) == Some(wanted));
        found.min_by_key(|(name, _)| preference(name)).map(|(_, path)| path)
    };
    nested_folders(folder).take(4).find_map(|folder| file(&folder))
}

/// How a file begins; nothing where it cannot be read.
fn head_of(file: io::Result<impl BufRead>) -> Vec<u8> {
    let head = file.and_then(plain).and_then(|mut file| first_bytes(&mut file, HEAD));
    head.unwrap_or_default()
}

/// The error where none of the files in a folder or an archive is this one.
pub(crate) fn missing(path: &Path, [part, what]: Which, remedy: String) -> Error {
    let rank = if what == "images" { 3 } else { 1 };
    let problem = format!("it holds no file {part}-{what}-idx{rank}-ubyte(.gz)");
    Error::content(path, problem, remedy)
}

/// Images and labels of one part: path and bytes of each.
pub(crate) type Files = [(PathBuf, Vec<u8>); 2];

/// MNIST's files in an archive (zip, tar, tar.gz), in whichever folders; each with a path that names
/// the archive too, and its bytes as [`read_unpacked`] gives them.
///
/// # Errors
/// Where one of them is missing, or the archive or one of them is damaged.
pub(crate) fn read_idx_archive(path: &Path) -> Result<[Files; 2]> {
    let is_wanted = |entry: &str| {
        let said = Said::by(entry.rsplit('/').next().unwrap_or(entry));
        !is_leftover(entry) && said.is_some_and(|said| said.is_idx || said.what.is_some())
    };
    let files = read_wanted(path, Wanted { is_wanted, max_bytes: MAX_BYTES })?;
    let file = |wanted: Which| {
        let head = |file: &ImageFile| head_of(Ok(file.bytes.as_slice()));
        let found = files.iter().filter(|file| which(&file.path, &head(file)) == Some(wanted));
        let found = found
            .min_by_key(|file| preference(&file.path))
            .ok_or_else(|| missing(path, wanted, format!("remove or rename it, and {REMEDY}")))?;
        let inside = path.join(&found.path);
        unpacked(&inside, || Ok(found.bytes.as_slice())).map(|bytes| (inside, bytes))
    };
    let part = |name| Ok::<_, Error>([file([name, "images"])?, file([name, "labels"])?]);
    Ok([part("train")?, part("t10k")?])
}

/// The bytes of an IDX file, unpacked where it is a gzip file: no more than its header
/// declares.
pub(crate) fn read_unpacked(path: &Path) -> Result<Vec<u8>> {
    unpacked(path, || File::open(path).map(BufReader::new))
}

/// As [`read_unpacked`], from whatever `open` gives; `path` is for errors only.
fn unpacked<R: BufRead>(path: &Path, open: impl Fn() -> io::Result<R>) -> Result<Vec<u8>> {
    let mut limit = 0;
    let mut read = || -> io::Result<Option<Vec<u8>>> {
        let mut unpacked = plain(open()?)?;
        let head = first_bytes(&mut unpacked, HEAD)?;
        limit = declared_bytes(&head);
        read_at_most(&mut Cursor::new(head).chain(unpacked), limit)
    };
    read()
        .map_err(|e| Error::io(path, e, REMEDY))?
        .ok_or_else(|| Error::content(path, format!("more than {limit} bytes"), REMEDY))
}

/// What a file holds, unpacked where it is a gzip file.
fn plain<'a>(mut file: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match file.fill_buf()?.starts_with(&GZIP_MAGIC) {
        true => Box::new(Gunzip::new(file)),
        false => Box::new(file),
    })
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
