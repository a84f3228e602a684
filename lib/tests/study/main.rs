//! The study: its list of runs, its records, and what the pages say about them.

mod audit;
mod difference;
mod list;
mod official;
mod part2;
mod part3;
mod records;
mod reference_2021;
mod relabelled;
mod runs;
mod trials;
