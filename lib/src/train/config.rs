//! The configuration of a run, in one value that is saved beside its results.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    image::Augment,
    nn::{Adam, Optimizer, Sgd},
    numbers::is_default,
    train::{EarlyStopping, FixMatch, Loss, ReduceLrOnPlateau},
};

/// How the learning rate changes within a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Constant (a callback may still lower it between epochs).
    Constant,
    /// Up from a 25th of the rate to all of it over the share `warm_up` of all steps, 0 to 1, then
    /// down to almost nothing, both along a half cosine
    /// (Smith and Topin, "Super-convergence", 2018).
    OneCycle { warm_up: f32 },
}

impl Schedule {
    /// Factor on the learning rate at `step` of `steps`.
    pub fn factor(self, step: u64, steps: u64) -> f32 {
        const START: f32 = 1.0 / 25.0;
        const END: f32 = 1e-4;
        match self {
            Self::Constant => 1.0,
            Self::OneCycle { warm_up } => {
                let progress = step as f32 / steps.max(1) as f32;
                if progress < warm_up {
                    cosine(START, 1.0, progress / warm_up)
                } else {
                    cosine(1.0, END, (progress - warm_up) / (1.0 - warm_up))
                }
            }
        }
    }
}

fn cosine(from: f32, to: f32, progress: f32) -> f32 {
    to + (from - to) * 0.5 * (1.0 + (std::f32::consts::PI * progress.min(1.0)).cos())
}

/// A finer curve of validation accuracy, within the epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FineCurve {
    /// Steps from one point to the next.
    pub every: usize,
    /// How many validation images are evaluated at each point: the first ones.
    pub images: usize,
}

/// Further stages of training, on the network's own predictions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTraining {
    /// Images whose predicted class does not have more probability than this are left out, 0 to 1.
    pub confidence: f32,
    /// Epochs of each stage.
    pub epochs: usize,
    /// Number of stages, each on new predictions.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub rounds: usize,
    /// Number of distorted copies over which the prediction is averaged; 0 for the image
    /// as it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub copies: u64,
}

fn once() -> usize {
    1
}

fn is_once(rounds: &usize) -> bool {
    *rounds == 1
}

/// What changes the weights after each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// See [`Adam`].
    #[default]
    Adam,
    /// Stochastic gradient descent, its momentum at least 0 and less than 1; see [`Sgd`].
    Sgd { momentum: f32, nesterov: bool },
}

/// How a network is trained. Start from the default and change what differs:
/// `Config { epochs: 30, ..Config::default() }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub epochs: usize,
    pub batch_size: usize,
    #[serde(default, skip_serializing_if = "is_default")]
    pub optimizer: OptimizerKind,
    /// More than 0; the peak, if the schedule changes it.
    pub learning_rate: f32,
    pub schedule: Schedule,
    pub loss: Loss,
    pub augment: Augment,
    /// At least 0. Adam's is decoupled (Loshchilov and Hutter, "Decoupled weight decay
    /// regularization", ICLR 2019).
    pub weight_decay: f32,
    pub reduce_lr: Option<ReduceLrOnPlateau>,
    pub early_stopping: Option<EarlyStopping>,
    pub curve: Option<FineCurve>,
    /// The loss for the validation part, if its labels are of another kind than
    /// those trained on; else the training loss without smoothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<Loss>,
    /// A second stage, after `epochs`, made by [`fit_self_training`](super::fit_self_training)
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_training: Option<SelfTraining>,
    /// Images without labels that are learned from as well, by
    /// [`fit_with_unlabelled`](super::fit_with_unlabelled) alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlabelled: Option<FixMatch>,
    /// Decides the order of batches and every augmentation. The network has its own.
    pub seed: u64,
}

/// 10 epochs in batches of 32, Adam at a constant 1e-3, plain cross-entropy, images as they
/// are, and nothing else; seed 0.
impl Default for Config {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            optimizer: OptimizerKind::Adam,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            loss: Loss::CrossEntropy { label_smoothing: 0.0 },
            augment: Augment::none(),
            weight_decay: 0.0,
            reduce_lr: None,
            early_stopping: None,
            curve: None,
            validation_loss: None,
            self_training: None,
            unlabelled: None,
            seed: 0,
        }
    }
}

impl Config {
    /// The optimiser at its beginning.
    pub fn optimizer(&self) -> Box<dyn Optimizer> {
        match self.optimizer {
            OptimizerKind::Adam => {
                let mut adam = Adam::new(self.learning_rate);
                adam.weight_decay = self.weight_decay;
                Box::new(adam)
            }
            OptimizerKind::Sgd { momentum, nesterov } => {
                let mut sgd = Sgd::new(self.learning_rate, momentum);
                sgd.nesterov = nesterov;
                sgd.weight_decay = self.weight_decay;
                Box::new(sgd)
            }
        }
    }

    /// Refuses values that mean nothing, or with which nothing can be trained.
    pub fn check(&self) -> Result<()> {
        let (rate, decay) = (self.learning_rate, self.weight_decay);
        let momentum = match self.optimizer {
            OptimizerKind::Sgd { momentum, .. } => momentum,
            OptimizerKind::Adam => 0.0,
        };
        let warm_up = match self.schedule {
            Schedule::OneCycle { warm_up } => warm_up,
            Schedule::Constant => 0.0,
        };
        let factor = self.reduce_lr.map_or(0.5, |plateau| plateau.factor);
        let smoothing = |loss: Loss| match loss {
            Loss::CrossEntropy { label_smoothing } => label_smoothing,
            Loss::Complementary(_) => 0.0,
        };
        let d = self.augment;
        let mut distortions =
            [d.rotation, d.scale, d.shear, d.translation, d.elastic, d.smoothness, d.features]
                .into_iter();
        let is_share = |value: f32| (0.0..=1.0).contains(&value);
        let has_wrong_smoothing = |loss: Loss| !is_share(smoothing(loss));
        // NaN is in no range.
        let wrong = [
            (self.epochs == 0, "0 epochs"),
            (self.batch_size == 0, "a batch size of 0"),
            (!(rate > 0.0 && rate.is_finite()), "a learning rate that is not a positive number"),
            (!(0.0..f32::INFINITY).contains(&decay), "a weight decay that is not 0 or positive"),
            (!(0.0..1.0).contains(&momentum), "a momentum that is not at least 0 and less than 1"),
            (!is_share(warm_up), "a warm-up outside 0 to 1"),
            (!(factor > 0.0 && factor < 1.0), "a plateau factor that is not between 0 and 1"),
            (has_wrong_smoothing(self.loss), "a label smoothing outside 0 to 1"),
            (
                self.validation_loss.is_some_and(has_wrong_smoothing),
                "a validation loss with a label smoothing outside 0 to 1",
            ),
            (
                self.curve.is_some_and(|curve| curve.every == 0 || curve.images == 0),
                "a curve without steps or images",
            ),
            (self.self_training.is_some_and(|own| own.epochs == 0), "self-training of 0 epochs"),
            (self.unlabelled.is_some_and(|how| how.images == 0), "0 images without labels a step"),
            (!distortions.all(f32::is_finite), "a distortion that is not a finite number"),
            (!(-1.0..1.0).contains(&d.scale), "a change of size by all of it or more"),
            (!is_share(d.without_features), "a share without features outside 0 to 1"),
        ];
        let problem = wrong.into_iter().find_map(|(is_wrong, words)| is_wrong.then_some(words));
        problem.map_or(Ok(()), |problem| {
            Err(Error::argument(
                format!("the training configuration has {problem}"),
                "set it to what its documentation allows, or start from Config::default()",
            ))
        })
    }
}
