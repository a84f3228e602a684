//! What a notebook shows. Everything shown is an [`Html`] block that carries its
//! own text for terminals; [`Show`] makes one of a value, and evcxr shows the
//! last expression of a cell through it.
//!
//! A cell shows one block only, so several things go into one with [`stack`] and [`row`].

mod chart;
mod drawings;
mod evaluation;
mod gallery;
mod history;
mod html;
mod network;
mod palette;
mod picture;
mod table;
mod vision;

pub use crate::numbers::{format_count, format_counted, format_number, format_p, format_signed};
pub use chart::{Axis, Heatmap, LineChart, RowChart};
pub use gallery::{Gallery, Tile};
pub use history::HistoryChart;
pub use html::{Html, Show, note, row, stack};
pub use palette::stylesheet;
pub use picture::Picture;
pub use table::{Cell, Table, bar, no_number, number, percent, percent_interval};
pub use vision::{embedding, feature_maps, filters, occlusion};
