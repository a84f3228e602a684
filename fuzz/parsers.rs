//! The modules under test, as they are in `lib`.
#![allow(dead_code)]

#[path = "../lib/src/error.rs"]
pub mod error;

pub mod data {
    #[path = "../../lib/src/data/archive.rs"]
    pub mod archive;
    #[path = "../../lib/src/data/decode.rs"]
    pub mod decode;
    #[path = "../../lib/src/data/idx.rs"]
    pub mod idx;
}

pub use error::{Error, Result};
