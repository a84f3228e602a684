//! The modules under test, as they are in `lib`.
#![allow(dead_code)]

#[path = "../lib/src/error.rs"]
pub mod error;

#[path = "../lib/src/data/formats"]
pub mod data {
    pub mod archive;
    pub mod decode;
    pub mod idx;
    mod jpeg;
}

/// What finds the ink of a photograph.
#[path = "../lib/src/image"]
pub mod image {
    mod ink;
    pub mod photograph;
    mod specks;

    pub use ink::{Ink, InkBox};
}

#[path = "../lib/src/train"]
pub mod train {
    pub mod tensor_file;
}

pub use error::{Error, Result};
