//! Charts, drawn by plotters as SVG. What they share is in `axis`, `figure` and
//! `plot`; each chart is its data and a short function that draws it.

mod axis;
mod figure;
mod heatmap;
mod lines;
mod plot;
mod rows;
mod svg;

pub use axis::Axis;
pub use heatmap::Heatmap;
pub use lines::LineChart;
pub use rows::RowChart;
