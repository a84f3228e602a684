//! Training: losses, the loop, its callbacks and checkpoints.

mod architecture;
mod batches;
pub mod callbacks;
pub mod checkpoint;
pub mod complementary;
pub mod config;
mod evaluate;
pub mod fit;
pub mod history;
pub mod loss;
mod self_training;
mod states;
pub mod tensor_file;
mod unlabelled;

pub use callbacks::{EarlyStopping, Monitor, ReduceLrOnPlateau};
pub use checkpoint::Checkpoint;
pub use complementary::Complementary;
pub use config::{Config, FineCurve, OptimizerKind, Schedule, SelfTraining};
pub use evaluate::{activations, evaluate, evaluate_averaged, logits};
pub use fit::{fit, fit_resumable, recalibrate};
pub use history::{CurvePoint, Epoch, History};
pub use loss::Loss;
pub use self_training::{fit_self_training, own_labels};
pub use states::ModelCheckpoint;
pub use unlabelled::{FixMatch, fit_with_unlabelled};
