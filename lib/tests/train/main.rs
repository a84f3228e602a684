//! Training: the loop, its callbacks, losses for labels that are wrong.

mod callbacks;
mod complementary;
mod fit;
