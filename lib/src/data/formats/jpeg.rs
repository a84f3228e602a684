//! What a JPEG file says of itself, and whether it holds all of its image, which decoders do not
//! say: they fill what is missing. The Huffman codes are followed to the last block (ITU-T T.81,
//! 1992, annex F), but no pixel is made of them.

use std::{array, mem};

/// Tables for DC, then for AC coefficients, by their number.
type Tables<'a> = [[Option<Table<'a>>; 4]; 2];

/// Whether every block of every component is there, with valid codes. None where that is not
/// known: of a progressive or another rarer kind, or with a header that only a decoder can judge.
pub(super) fn is_whole(bytes: &[u8]) -> Option<bool> {
    let mut frame: Option<Frame> = None;
    let mut tables = Tables::default();
    let mut interval = 0;
    let mut at = if bytes.starts_with(&[0xff, 0xd8]) { 2 } else { return None };
    loop {
        let marker = next_marker(bytes, &mut at)?;
        match marker {
            0xd9 => return frame.map(|frame| frame.components.iter().all(|part| part.is_read)),
            // They stand alone.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        match (marker, next_segment(bytes, &mut at)?) {
            // Baseline and extended sequential.
            (0xc0 | 0xc1, segment) if frame.is_none() => frame = Some(Frame::parse(segment)?),
            (0xc4, segment) => define_tables(segment, &mut tables)?,
            (0xdd, &[high, low]) => interval = usize::from(u16::from_be_bytes([high, low])),
            (0xda, segment) => {
                let mut bits = Bits { bytes, at, window: 0, count: 0 };
                if !frame.as_mut()?.has_scan(segment, &tables, interval, &mut bits)? {
                    return Some(false);
                }
                at = bits.at;
            }
            // Other kinds; a height that comes behind the pixels.
            (0xc0..=0xcf | 0xdc..=0xdf, _) => return None,
            _ => {}
        }
    }
}

/// Whether a JPEG file is progressive; none if it has no end marker, or another image begins before
/// that. What cameras put behind it does not matter, nor does a small image within the header.
pub(super) fn is_progressive(bytes: &[u8]) -> Option<bool> {
    let (mut at, mut progressive, mut has_pixels) = (2, false, false);
    loop {
        let marker = next_marker(bytes, &mut at)?;
        progressive |= marker == 0xc2;
        has_pixels |= marker == 0xda;
        match marker {
            0xd9 => return Some(progressive),
            0xd8 if has_pixels => return None,
            // They stand alone.
            0x01 | 0xd0..=0xd8 => {}
            _ => at += length(bytes, at)?,
        }
    }
}

/// The marker at `at` or behind it, whatever lies before; any number of 0xff may precede one.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += 1 + bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        match *bytes.get(*at)? {
            0xff => {}
            0x00 => *at += 1,
            marker => {
                *at += 1;
                return Some(marker);
            }
        }
    }
}

/// What belongs to a marker, without its length.
fn next_segment<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let start = *at + 2;
    *at += length(bytes, *at)?;
    bytes.get(start..*at)
}

/// Of a segment, with the two bytes that say it.
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    let length = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*length).into())
}

fn define_tables<'a>(mut segment: &'a [u8], tables: &mut Tables<'a>) -> Option<()> {
    while let Some((&place, rest)) = segment.split_first() {
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(total)?;
        let class = tables.get_mut(usize::from(place >> 4))?;
        *class.get_mut(usize::from(place & 15))? = Some(Table::new(counts, symbols));
        segment = rest;
    }
    Some(())
}

struct Frame {
    width: usize,
    height: usize,
    /// The largest of the components' sampling factors.
    across: usize,
    down: usize,
    components: Vec<Component>,
}

struct Component {
    id: u8,
    /// Sampling factors.
    across: usize,
    down: usize,
    is_read: bool,
}

impl Frame {
    fn parse(segment: &[u8]) -> Option<Self> {
        let &[8, top, bottom, left, right, count, ref rest @ ..] = segment else {
            return None;
        };
        let [height, width] = [[top, bottom], [left, right]].map(u16::from_be_bytes);
        let component = |&[id, sampling, _]: &[u8; 3]| {
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            Component { id, across, down, is_read: false }
        };
        let components: Vec<_> = rest.as_chunks::<3>().0.iter().map(component).collect();
        let mut factors = components.iter().flat_map(|part| [part.across, part.down]);
        let is_valid = components.len() == usize::from(count)
            && width.min(height) > 0
            && factors.all(|factor| (1..=4).contains(&factor));
        is_valid.then_some(Self {
            width: width.into(),
            height: height.into(),
            across: components.iter().map(|part| part.across).max()?,
            down: components.iter().map(|part| part.down).max()?,
            components,
        })
    }

    /// Whether `bits` hold every block of the scan that has this header.
    fn has_scan(
        &mut self,
        header: &[u8],
        [dc, ac]: &Tables,
        interval: usize,
        bits: &mut Bits,
    ) -> Option<bool> {
        let (&count, rest) = header.split_first()?;
        let chosen = rest.as_chunks::<2>().0.get(..usize::from(count))?;
        let (mut units, mut parts) = (0, Vec::new());
        for &[id, places] in chosen {
            let part = self.components.iter_mut().find(|part| part.id == id)?;
            if mem::replace(&mut part.is_read, true) {
                return None;
            }
            // A component alone comes block by block, as many as it needs (section A.2.2).
            let (across, down, blocks) = match chosen {
                [_] => (part.across, part.down, 1),
                _ => (1, 1, part.across * part.down),
            };
            units = (self.width * across).div_ceil(8 * self.across)
                * (self.height * down).div_ceil(8 * self.down);
            let dc = dc.get(usize::from(places >> 4))?.as_ref()?;
            parts.push((blocks, dc, ac.get(usize::from(places & 15))?.as_ref()?));
        }
        // No unit is behind the end of an interval of 0.
        let is_there = |unit: usize| {
            if unit > 0 && unit.is_multiple_of(interval) {
                bits.restart(unit / interval - 1)?;
            }
            for &(blocks, dc, ac) in &parts {
                (0..blocks).try_for_each(|_| bits.block(dc, ac))?;
            }
            Some(())
        };
        Some((0..units).try_for_each(is_there).is_some())
    }
}

/// The data of a scan, up to the next marker.
struct Bits<'a> {
    bytes: &'a [u8],
    /// The first byte that is not in `window` yet.
    at: usize,
    /// Its lowest `count` bits, 48 at most, come next.
    window: u64,
    count: u32,
}

impl Bits<'_> {
    /// A block's DC and AC coefficients (sections F.2.2.1 and F.2.2.2).
    fn block(&mut self, dc: &Table, ac: &Table) -> Option<()> {
        let size = self.symbol(dc)?;
        self.skip(size.into())?;
        let mut index = 1;
        while index < 64 {
            let symbol = self.symbol(ac)?;
            let (zeros, size) = (symbol >> 4, symbol & 15);
            // The end of the block; 15 zeros and no size are 16 zeros.
            if size == 0 && zeros < 15 {
                break;
            }
            index += zeros + 1;
            self.skip(size.into())?;
        }
        (index <= 64).then_some(())
    }

    /// What the next code stands for. At least 16 bits are left then, if there are any more.
    fn symbol(&mut self, table: &Table) -> Option<u8> {
        if self.count < 32 {
            self.fill();
        }
        let next = ((self.window << 16) >> self.count) as u16;
        let short = table.short[usize::from(next >> 8)];
        let (length, symbol) = short.or_else(|| table.code(next.into()))?;
        self.skip(length)?;
        Some(symbol)
    }

    fn skip(&mut self, bits: u32) -> Option<()> {
        self.count = self.count.checked_sub(bits)?;
        Some(())
    }

    /// Stops at a marker: 0xff that no zero follows.
    fn fill(&mut self) {
        while self.count <= 40 {
            let (length, byte) = match self.bytes.get(self.at..) {
                Some(&[0xff, 0, ..]) => (2, 0xff),
                Some(&[byte, ..]) if byte != 0xff => (1, byte),
                _ => return,
            };
            self.at += length;
            self.window = (self.window << 8) | u64::from(byte);
            self.count += 8;
        }
    }

    /// Goes behind the next marker, which has to be the restart marker of this number.
    fn restart(&mut self, number: usize) -> Option<()> {
        self.count = 0;
        let marker = next_marker(self.bytes, &mut self.at)?;
        (usize::from(marker) == 0xd0 + number % 8).then_some(())
    }
}

/// Huffman codes.
struct Table<'a> {
    /// For codes of 1 to 16 bits: the first 16 bits that are beyond them, and how many codes are
    /// shorter.
    lengths: [(u32, u32); 16],
    symbols: &'a [u8],
    /// Length and symbol of codes up to 8 bits, by the byte that begins with them.
    short: [Option<(u32, u8)>; 256],
}

impl<'a> Table<'a> {
    /// By how many codes there are of each length (annex C).
    fn new(counts: &[u8; 16], symbols: &'a [u8]) -> Self {
        let (mut end, mut shorter) = (0, 0);
        let mut lengths = [(0, 0); 16];
        for ((length, &count), entry) in (1_u32..).zip(counts).zip(&mut lengths) {
            end += u32::from(count) << (16 - length);
            *entry = (end, shorter);
            shorter += u32::from(count);
        }
        let mut table = Self { lengths, symbols, short: [None; 256] };
        table.short = array::from_fn(|byte| {
            table.code((byte as u32) << 8).filter(|&(length, _)| length <= 8)
        });
        table
    }

    /// Length and symbol of the code that these 16 bits begin with (figure F.16).
    fn code(&self, bits: u32) -> Option<(u32, u8)> {
        let mut start = 0;
        for (length, &(end, shorter)) in (1_u32..).zip(&self.lengths) {
            if bits < end {
                let index = shorter + ((bits - start) >> (16 - length));
                return Some((length, *self.symbols.get(index as usize)?));
            }
            start = end;
        }
        None
    }
}
