//! What networks and layers do beside computing: freezing, transfer, determinism, files, dfdx;
//! and what the compiler says of layers that do not fit.

mod determinism;
mod dfdx;
mod files;
mod golden;
mod messages;
mod networks;
mod onnx;
#[path = "../reference/mod.rs"]
#[allow(dead_code)] // The other program uses the rest.
mod reference;
