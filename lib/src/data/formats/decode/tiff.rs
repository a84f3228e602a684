//! What a TIFF file says of its pages (Aldus, "TIFF, revision 6.0", 1992), and its palettes, which
//! the decoder does not read.

use std::iter::successors;

/// Most pages that are counted: a damaged file may lead round in a circle.
const MAX_PAGES: usize = 1000;

// Tags.
const SUBFILE_TYPE: u16 = 254;
const BITS_PER_SAMPLE: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const COLOR_MAP: u16 = 320;
const SUB_IFDS: u16 = 330;

/// Values of [`PHOTOMETRIC`].
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: usize = 3;

/// A file with a directory for each page.
pub(super) struct Tiff<'a> {
    bytes: &'a [u8],
    is_little: bool,
}

impl<'a> Tiff<'a> {
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_little = match bytes.first_chunk()? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        Some(Self { bytes, is_little })
    }

    /// Smaller copies and masks of other pages do not count.
    pub fn pages(&self) -> usize {
        let kind = |directory| self.value(directory, SUBFILE_TYPE).unwrap_or(0);
        self.directories().filter(|&directory| kind(directory) & 0b101 == 0).count()
    }

    /// Whether the first page is a smaller copy of what lies deeper, as in cameras' raw files.
    pub fn begins_with_preview(&self) -> bool {
        let is_preview = |first| {
            let kind = self.value(first, SUBFILE_TYPE).unwrap_or(0);
            kind & 1 == 1 && self.entry(first, SUB_IFDS).is_some()
        };
        self.directories().next().is_some_and(is_preview)
    }

    /// The kind of its colours, where the decoder does not read it.
    pub fn colours(&self) -> Option<&'static str> {
        match self.value(self.directories().next()?, PHOTOMETRIC)? {
            PALETTE => Some("a TIFF image with a palette of other than 2 or 256 colours"),
            6 => Some("a YCbCr TIFF image"),
            8..=10 => Some("a Lab TIFF image"),
            32_803 | 34_892 => Some("a camera's raw file"),
            _ => None,
        }
    }

    /// The colours of a palette of 2 or 256.
    pub fn palette(&self) -> Option<Vec<[u8; 3]>> {
        let first = self.directories().next()?;
        let count = match self.value(first, BITS_PER_SAMPLE) {
            None | Some(1) => 2,
            Some(8) => 256,
            _ => return None,
        };
        if self.value(first, PHOTOMETRIC)? != PALETTE {
            return None;
        }
        let map = self.long(self.entry(first, COLOR_MAP)? + 8)?;
        let values = (0..3 * count).map(|i| self.short(map + 2 * i));
        let values: Vec<u16> = values.collect::<Option<_>>()?;
        // Some programs write 8 of the 16 bits.
        let shift = if values.iter().all(|&value| value < 256) { 0 } else { 8 };
        let colour = |i| [i, i + count, i + 2 * count].map(|i| (values[i] >> shift) as u8);
        Some((0..count).map(colour).collect())
    }

    /// The file as if the numbers of its palette's colours were greys.
    pub fn as_grey(&self) -> Option<Vec<u8>> {
        self.palette()?;
        let at = self.entry(self.directories().next()?, PHOTOMETRIC)? + 8;
        let mut bytes = self.bytes.to_vec();
        let grey = match self.is_little {
            true => BLACK_IS_ZERO.to_le_bytes(),
            false => BLACK_IS_ZERO.to_be_bytes(),
        };
        bytes.get_mut(at..at + 2)?.copy_from_slice(&grey);
        Some(bytes)
    }

    /// Where the pages' directories begin.
    fn directories(&self) -> impl Iterator<Item = usize> {
        let next = |&directory: &usize| {
            let entries = usize::from(self.short(directory)?);
            self.long(directory + 2 + 12 * entries)
        };
        let is_there = |&directory: &usize| directory > 0 && self.short(directory).is_some();
        successors(self.long(4), next).take_while(is_there).take(MAX_PAGES)
    }

    /// Where the entry of a tag lies.
    fn entry(&self, directory: usize, tag: u16) -> Option<usize> {
        let entries = 0..usize::from(self.short(directory)?);
        let mut places = entries.map(|entry| directory + 2 + 12 * entry);
        places.find(|&place| self.short(place) == Some(tag))
    }

    /// The first number of a tag, if that lies in its entry.
    fn value(&self, directory: usize, tag: u16) -> Option<usize> {
        let entry = self.entry(directory, tag)?;
        match self.short(entry + 2)? {
            3 => self.short(entry + 8).map(usize::from),
            4 => self.long(entry + 8),
            _ => None,
        }
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        let value =
            if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
        usize::try_from(value).ok()
    }
}
