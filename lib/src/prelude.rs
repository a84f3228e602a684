//! Everything that a notebook uses, under one `use glyphs::prelude::*;`.

pub use crate::data::{Handwritten, Mislabelled, Mnist, Provenance, Samples};
pub use crate::display::{
    Axis, Cell, Gallery, Heatmap, Html, LineChart, Picture, RowChart, Show, Table, Tile, bar, note,
    number, percent, row, stack,
};
pub use crate::error::{Error, OrStop, Result};
pub use crate::eval::{
    Calibration, ClassScores, ConfusionMatrix, Evaluation, Merged, Mistake, MostConfused,
    similarity::{debiased_cka, relative_distance},
    statistics::{
        self, Estimate, Interval, KaplanMeier, PairedDifference, TestResult, Time,
        paired_difference, wilson,
    },
};
pub use crate::image::{Augment, Centre, CropToInk, Method, Preprocess};
pub use crate::nn::{
    Adam, Batch, CharCnn, Classifier, CrossEntropy, EXPERIMENTAL, ExperimentalCnn, ORIGINAL,
    Objective, OriginalCnn, Step, char_cnn,
};
pub use crate::report::{
    complementary, part1, part2, part3, reference_2021, summary, summary::Datasets,
};
pub use crate::study::{
    Audit, Data, Experiment, Grid, Head, Init, LOOKALIKES, RunResult, SEEDS, Seeds, Split, Trained,
    experiments, load_mislabelled, load_mnist, load_photographs,
};
pub use crate::train::{
    Checkpoint, Complementary, Config, History, Loss, ModelCheckpoint, Schedule, SelfTraining,
    evaluate, fit, fit_resumable,
};
