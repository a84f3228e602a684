//! From image files to samples and predictions: preprocessing, distortions, folders of images.

#[path = "../support/mod.rs"]
mod support;

mod augment;
mod beside;
mod folder;
mod photograph;
mod predict;
mod preprocess;
mod unchanged;
