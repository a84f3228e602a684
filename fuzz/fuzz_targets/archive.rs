//! A zip or tar.gz archive from anywhere.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use glyphs_fuzz::data::archive::unpack_images;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(files) = unpack_images(Path::new("a.zip"), Cursor::new(bytes)) {
        for file in files {
            assert!(!file.path.starts_with('/') && !file.path.split('/').any(|part| part == ".."));
        }
    }
});
