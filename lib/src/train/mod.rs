//! Training: losses, the loop, its callbacks, checkpoints and result files.

pub mod callbacks;
pub mod checkpoint;
pub mod complementary;
pub mod config;
pub mod fit;
pub mod history;
pub mod loss;
pub mod tensor_file;

pub use callbacks::{EarlyStopping, ModelCheckpoint, ReduceLrOnPlateau};
pub use checkpoint::Checkpoint;
pub use complementary::Complementary;
pub use config::{Config, FineCurve, Schedule};
pub use fit::{activations, evaluate, fit, fit_resumable, logits};
pub use history::{CurvePoint, Epoch, History};
pub use loss::Loss;
