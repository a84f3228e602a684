//! From image files to samples: preprocessing, distortions, folders of images.

#[path = "../support/mod.rs"]
mod support;

mod augment;
mod folder;
mod preprocess;
mod unchanged;
