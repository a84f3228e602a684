//! An image file of any format from anywhere.
#![no_main]

use std::path::Path;

use glyphs_fuzz::data::decode::{declared_size, decode_grey, decode_photograph};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("a.png");
    let declared = declared_size(path, bytes);
    // What is larger only takes time.
    if declared.is_ok_and(|(width, height)| width * height <= 1 << 20) {
        if let Ok(grey) = decode_grey(path, bytes) {
            assert_eq!(grey.pixels.len(), grey.width * grey.height);
            let photograph = decode_photograph(path, bytes).expect("it was decoded once");
            let size = (photograph.width() as usize, photograph.height() as usize);
            assert_eq!(size, (grey.width, grey.height));
        }
    }
});
