//! Metrics and statistics against scikit-learn, scipy, lifelines and numpy.

mod ensemble;
mod evaluation;
mod similarity;
mod statistics;
