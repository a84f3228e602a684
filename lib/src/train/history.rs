//! What a training run recorded.

use polars::prelude::{Column, DataFrame};
use serde::{Deserialize, Serialize};

use crate::{Result, dataframe::dataframe};

/// One line of a training log: means over an epoch's training batches, and the
/// validation part after it.
///
/// `loss` and `accuracy` are taken in training mode, on distorted images: they may be worse than
/// those of validation. Both accuracies are shares, 0 to 1; for complementary labels an estimate,
/// which may be below 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub loss: f64,
    pub accuracy: f64,
    pub val_loss: f64,
    pub val_accuracy: f64,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Wall-clock time of the epoch's training steps, including the distortion of their images;
    /// without validation.
    pub seconds: f64,
}

/// A point of the finer curve within the epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Number of updates made so far.
    pub step: usize,
    /// Training time so far, without validation.
    pub seconds: f64,
    /// On the images that [`crate::train::FineCurve`] names.
    pub val_accuracy: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub epochs: Vec<Epoch>,
    pub curve: Vec<CurvePoint>,
}

impl History {
    /// The epoch of lowest validation loss, counted from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        (0..self.epochs.len())
            .min_by(|&a, &b| self.epochs[a].val_loss.total_cmp(&self.epochs[b].val_loss))
    }

    /// One row per epoch: `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy`,
    /// `lr` and `seconds`.
    pub fn dataframe(&self) -> Result<DataFrame> {
        let column = |name: &str, value: fn(&Epoch) -> f64| {
            let values: Vec<f64> = self.epochs.iter().map(value).collect();
            Column::new(name.into(), values)
        };
        let numbers: Vec<u32> = (1..).take(self.epochs.len()).collect();
        dataframe(vec![
            Column::new("epoch".into(), numbers),
            column("loss", |epoch| epoch.loss),
            column("accuracy", |epoch| epoch.accuracy),
            column("val_loss", |epoch| epoch.val_loss),
            column("val_accuracy", |epoch| epoch.val_accuracy),
            column("lr", |epoch| epoch.lr),
            column("seconds", |epoch| epoch.seconds),
        ])
    }

    /// Training time of all epochs, in seconds.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}
