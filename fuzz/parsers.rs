//! The modules under test, as they are in `lib`.
#![allow(dead_code)]

#[path = "../lib/src/error.rs"]
pub mod error;

pub mod data {
    pub const SIDE: usize = 28;

    #[path = "../../lib/src/data/archive.rs"]
    pub mod archive;
    #[path = "../../lib/src/data/csv.rs"]
    pub mod csv;
    #[path = "../../lib/src/data/decode.rs"]
    pub mod decode;
    #[path = "../../lib/src/data/idx.rs"]
    pub mod idx;
}

pub mod train {
    #[path = "../../lib/src/train/tensor_file.rs"]
    pub mod tensor_file;
}

pub use error::{Error, Result};
