//! Gzip files of any number of members.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What a gzip file holds. Zeros behind its end, which fill the last block of a tape, are skipped,
/// as gzip itself does.
pub(crate) struct Gunzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Gunzip<R> {
    pub fn new(file: R) -> Self {
        Self(Some(GzDecoder::new(file)))
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.0.take() {
            let read = member.read(buffer);
            if buffer.is_empty() || !matches!(read, Ok(0)) {
                self.0 = Some(member);
                return read;
            }
            let mut rest = member.into_inner();
            if goes_on(&mut rest)? {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// Whether anything but zeros is left, which are skipped.
fn goes_on(rest: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = rest.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let (is_end, has_more) = (bytes.is_empty(), zeros < bytes.len());
        rest.consume(zeros);
        if is_end || has_more {
            return Ok(has_more);
        }
    }
}
