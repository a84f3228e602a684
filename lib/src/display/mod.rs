//! What a notebook shows. Everything shown is an [`Html`] block that carries its
//! own text for terminals; [`Show`] makes one of a value, and evcxr shows the
//! last expression of a cell through it.
//!
//! A cell shows one block only, so several things go into one with [`stack`] and [`row`].

mod chart;
mod evaluation;
mod flow;
mod gallery;
mod history;
mod html;
mod network;
mod palette;
mod photographs;
mod picture;
mod statistics;
mod table;

pub use crate::numbers::{format_count, format_number, format_p, format_signed};
pub use chart::{Axis, Curve, Heatmap, Histogram, LineChart, Reliability, RowChart, ScatterChart};
pub use flow::Flow;
pub use gallery::{Gallery, SampleSheet, Tile};
pub use history::HistoryChart;
pub use html::{Html, Show, heading, note, row, stack};
pub use network::HistoryTable;
pub use palette::stylesheet;
pub use photographs::ink_table;
pub use picture::Picture;
pub use statistics::percent_interval;
pub use table::{Cell, Table, bar, no_number, number, percent};
