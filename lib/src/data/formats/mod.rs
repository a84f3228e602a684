//! File formats: archives of images, encoded images, IDX.

pub mod archive;
pub mod decode;
pub mod idx;
mod jpeg;
