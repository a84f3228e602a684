//! The arithmetic of the layers: the only module with `unsafe` code.
//!
//! Two things are unsafe here. Instructions that not every processor has: [`simd`] runs a kernel
//! compiled for AVX-512 or AVX2, and [`amx`] its few lines of assembly, only where they are
//! there. And pointers: a kernel checks the lengths of its slices on entry and then walks over
//! them unchecked, because bounds checks inside a register tile would cost a third of its speed.
//! Everything outside this module is safe Rust on slices and tensors.

// Register tiles are indexed by pixel and vector, as they are meant.
#![allow(clippy::needless_range_loop)]

pub(crate) mod amx;
pub(crate) mod buffer;
pub(crate) mod conv;
pub(crate) mod conv_gradient;
pub(crate) mod dense;
pub(crate) mod dropout;
pub(crate) mod passes;
mod peak;
pub(crate) mod pooling;
pub(crate) mod simd;
pub(crate) mod update;
pub(crate) mod view;
pub(crate) mod winograd;
pub(crate) mod winograd_gradient;

pub use peak::peak_gflops;
pub use simd::Instructions;
