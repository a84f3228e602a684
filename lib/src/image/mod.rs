//! From drawings and photographs to what a network sees: small squares, and distortions of
//! them.

pub mod augment;
mod context;
pub mod folder;
pub mod ink;
mod pen;
pub mod photograph;
mod png;
pub mod preprocess;
pub mod resample;
mod specks;

pub use augment::Augment;
pub use context::{Others, SHRINKAGE};
pub use folder::ImageFolder;
pub use ink::{Ink, InkBox};
pub use photograph::Unreadable;
pub use png::save_png;
pub(crate) use png::{CompressionType, encode_png};
pub use preprocess::{Centre, CropToInk, FEATURES, Method, Preprocess};
