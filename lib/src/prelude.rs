//! What the cells of a notebook name, under one `use glyphs::prelude::*;`.
//!
//! The [crate]'s page has an example. Everything else has its path:
//! `glyphs::display::LineChart`, `glyphs::eval::statistics`, `glyphs::plotters::prelude`.

/// What is shown, and your own tables and charts.
pub use crate::display::{Show, embedding, feature_maps, filters, note, occlusion, row, stack};
/// Errors, and how a cell stops at one.
pub use crate::error::{Error, OrStop, Result};
/// Networks.
pub use crate::nn::{
    AvgPool2d, BatchNorm2d, CharCnn, Classifier, Conv2d, Dropout, Flatten, GeneralizedResidual,
    GlobalAvgPool2d, Linear, MaxPool2d, Network, OnTape, ReLU, Residual, VggBlock, shape::Image,
};
/// Data and images.
pub use crate::{
    data::{Handwritten, Mnist, Samples},
    files::outputs,
    image::{Augment, CropToInk, Preprocess, save_png},
    predict::{Predictions, classify},
};
/// Training and evaluation.
pub use crate::{
    eval::Evaluation,
    train::{
        Checkpoint, Complementary, Config, EarlyStopping, History, Loss, ModelCheckpoint,
        OptimizerKind, ReduceLrOnPlateau, Schedule, evaluate, fit, fit_resumable,
    },
};
/// The study.
pub use crate::{
    report::{
        claims::{Records, claims, verdicts},
        complementary, part1, part2, part3, people, reference_2021, summary,
        summary::Datasets,
        trials,
    },
    study::{
        Audit, Experiment, Grid, Head, Init, LOOKALIKES, Seeds, TAKEN, Trained, load_drawings,
        load_mislabelled, load_mnist,
    },
};
pub use plotters::prelude::{BLUE, ChartBuilder, LineSeries, PathElement, RED, evcxr_figure};
pub use polars::prelude::DataFrame;
