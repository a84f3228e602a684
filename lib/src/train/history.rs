//! What a training run recorded.

use serde::{Deserialize, Serialize};

/// One line of a training log: means over an epoch's training batches, and the
/// validation part after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub loss: f64,
    pub accuracy: f64,
    pub val_loss: f64,
    pub val_accuracy: f64,
    /// Learning rate of the epoch's last step.
    pub lr: f64,
    /// Wall-clock time of the epoch with its validation.
    pub seconds: f64,
}

/// A point of the finer curve within the epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Number of updates made so far.
    pub step: usize,
    /// Training time so far, validation left out.
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

    pub fn best(&self) -> Option<&Epoch> {
        self.best_epoch().map(|i| &self.epochs[i])
    }

    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }

    /// Training time of all epochs, in seconds.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}
