//! An IDX file from anywhere.
#![no_main]

use std::path::Path;

use glyphs_fuzz::data::idx::Idx;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(idx) = Idx::parse(Path::new("a"), bytes) {
        assert_eq!(idx.shape.iter().product::<usize>(), idx.values.len());
    }
});
