//! The modules under test, as they are in `lib`.
#![allow(dead_code)]

#[path = "../lib/src/error.rs"]
pub mod error;

#[path = "../lib/src/data"]
pub mod data {
    pub const SIDE: usize = 28;

    pub mod archive;
    pub mod csv;
    pub mod decode;
    pub mod idx;
}

#[path = "../lib/src/train"]
pub mod train {
    pub mod tensor_file;
}

pub use error::{Error, Result};
