//! A CSV table from anywhere, and one whose head is right.
#![no_main]

use std::path::Path;

use glyphs_fuzz::data::csv::Table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let names: Vec<String> = (0..784).map(|pixel| format!("pixel{pixel}")).collect();
    let head = format!("label,{}\n", names.join(","));
    for text in [bytes.to_vec(), [head.as_bytes(), bytes].concat()] {
        if let Ok(table) = Table::parse(Path::new("a.csv"), text.as_slice(), 10) {
            assert_eq!(table.pixels.len(), table.labels.len() * 784);
            assert!(table.labels.iter().all(|&label| label < 10));
        }
    }
});
