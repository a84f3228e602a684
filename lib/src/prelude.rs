//! What the cells of a notebook name, under one `use glyphs::prelude::*;`.
//!
//! Your own network, on your own images:
//!
//! ```no_run
//! use glyphs::prelude::*;
//!
//! const SEED: u64 = 0;
//! type LeNet5 = (
//!     (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),   // 28 x 28 -> 14 x 14
//!     (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d), // -> 7 x 7
//!     (Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 62>),
//! );
//! let characters: Samples = Samples::from_folder("characters", &Preprocess::default()).or_stop();
//! let (train, valid) = characters.split(0.9, SEED);
//! let mut model: Network<LeNet5> = Network::new(SEED);
//! let config = Config { epochs: 30, ..Config::default() };
//! let history: History = fit(&mut model, &train, &valid, &config).or_stop();
//! let result: Evaluation = evaluate(&model, &valid).or_stop();
//! println!("{} epochs, accuracy {}", history.epochs.len(), result.accuracy());
//! ```
//!
//! Everything else has its path: `glyphs::display::LineChart`, `glyphs::eval::statistics`,
//! `glyphs::plotters::prelude`.

/// What is shown, and your own tables and charts.
pub use crate::display::{Show, embedding, feature_maps, filters, note, occlusion, row, stack};
/// Errors, and how a cell stops at one.
pub use crate::error::{Error, OrStop, Result};
/// Networks.
pub use crate::nn::{
    AvgPool2d, BatchNorm2d, CharCnn, Classifier, Conv2d, Dropout, Flatten, GlobalAvgPool2d, Linear,
    MaxPool2d, Network, OnTape, ReLU, VggBlock, shape::Image,
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
        Checkpoint, Config, EarlyStopping, History, Loss, ModelCheckpoint, OptimizerKind,
        ReduceLrOnPlateau, Schedule, activations, evaluate, fit, fit_resumable, logits,
    },
};
/// The study.
pub use crate::{
    report::{
        claims::{Records, claims},
        complementary, part1, part2, part3, people, reference_2021, summary,
        summary::Datasets,
    },
    study::{
        Audit, Experiment, Grid, Head, Init, LOOKALIKES, Seeds, TAKEN, Trained, load_drawings,
        load_mislabelled, load_mnist,
    },
};
pub use dfdx::nn::modules::{GeneralizedResidual, Residual};
pub use plotters::prelude::{BLUE, ChartBuilder, LineSeries, PathElement, RED, evcxr_figure};
pub use polars::prelude::DataFrame;
