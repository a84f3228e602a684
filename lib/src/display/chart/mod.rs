//! Charts, drawn by plotters as SVG. What they share is in `axis`, `figure` and
//! `plot`; each chart is its data and a short function that draws it.

mod axis;
mod figure;
mod heatmap;
mod histogram;
mod lines;
mod plot;
mod reliability;
mod rows;
mod scatter;
mod svg;

pub use axis::Axis;
pub use heatmap::Heatmap;
pub use histogram::Histogram;
pub use lines::{Curve, LineChart};
pub use reliability::Reliability;
pub use rows::RowChart;
pub use scatter::ScatterChart;
