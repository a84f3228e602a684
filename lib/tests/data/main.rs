//! The data sets: reading, fetching, stand-ins, and what damaged or hostile files do.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod fetch;
mod formats;
#[cfg(target_os = "linux")]
mod limits;
mod properties;
mod real;
mod samples;
mod skipping;
mod surroundings;
mod synthetic;
