//! What may happen between two epochs. Each callback decides from the history alone,
//! so that a resumed run decides like an uninterrupted one.

use serde::{Deserialize, Serialize};

use crate::{
    numbers::is_default,
    train::{Epoch, History},
};

/// What a callback watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    #[default]
    ValLoss,
    ValAccuracy,
}

impl Monitor {
    /// Less is better.
    fn of(self, epoch: &Epoch) -> f64 {
        match self {
            Self::ValLoss => epoch.val_loss,
            Self::ValAccuracy => -epoch.val_accuracy,
        }
    }
}

/// Multiplies the learning rate by `factor`, between 0 and 1, once the watched value has not
/// improved by `min_delta` for `patience` epochs, like Keras's callback of this name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateau {
    #[serde(default, skip_serializing_if = "is_default")]
    pub monitor: Monitor,
    pub factor: f32,
    pub patience: usize,
    pub min_delta: f64,
    pub min_lr: f32,
}

impl Default for ReduceLrOnPlateau {
    fn default() -> Self {
        Self {
            monitor: Monitor::default(),
            factor: 0.5,
            patience: 3,
            min_delta: 1e-4,
            min_lr: 1e-5,
        }
    }
}

impl ReduceLrOnPlateau {
    /// The learning rate for the epoch after `history`, given the one that the run began with.
    pub fn learning_rate(&self, initial: f32, history: &History) -> f32 {
        let (mut rate, mut best, mut waited) = (initial, f64::INFINITY, 0);
        for epoch in &history.epochs {
            let value = self.monitor.of(epoch);
            if value < best - self.min_delta {
                best = value;
                waited = 0;
                continue;
            }
            waited += 1;
            if waited >= self.patience {
                rate = (rate * self.factor).max(self.min_lr.min(initial));
                waited = 0;
            }
        }
        rate
    }
}

/// Ends a run once validation loss has not improved for `patience` epochs; 0 is as 1, like Keras's
/// callback of this name. The network keeps the weights of its last epoch; those of the best are in
/// [`ModelCheckpoint::best`](super::ModelCheckpoint::best).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyStopping {
    pub patience: usize,
}

impl EarlyStopping {
    pub fn stops(&self, history: &History) -> bool {
        let patience = self.patience.max(1);
        history.best_epoch().is_some_and(|best| history.epochs.len() - 1 - best >= patience)
    }
}
