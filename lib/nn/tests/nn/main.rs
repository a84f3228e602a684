//! What networks and layers do beside computing: freezing, transfer, determinism, dfdx.

mod determinism;
mod dfdx;
mod golden;
mod networks;
#[path = "../reference/mod.rs"]
#[allow(dead_code)] // The other program uses the rest.
mod reference;
