//! File formats: archives of images, PNG and JPEG, IDX.

pub mod archive;
pub mod decode;
pub mod idx;
