//! What notebooks show.

mod page;
mod parts;
