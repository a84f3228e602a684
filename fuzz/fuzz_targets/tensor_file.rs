//! A safetensors file from anywhere, and one whose header has the length that it says.
#![no_main]

use std::path::Path;

use glyphs_fuzz::train::tensor_file::TensorFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().rposition(|&byte| byte == b'}').map_or(0, |last| last + 1);
    let framed = [&(end as u64).to_le_bytes(), bytes].concat();
    for bytes in [bytes, &framed] {
        if let Ok(file) = TensorFile::parse(Path::new("a.safetensors"), bytes, "glyphs") {
            for tensor in file.tensors {
                assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
            }
        }
    }
});
