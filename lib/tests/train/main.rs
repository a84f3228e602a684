//! Training: the loop, its callbacks, checkpoints, losses for labels that are wrong.

mod callbacks;
mod checkpoint;
mod complementary;
mod config;
mod fit;
mod techniques;
