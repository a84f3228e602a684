//! How a run is set up, beside its data, its network and its configuration, as records have it.

use serde::{Deserialize, Serialize};

use crate::{
    image::{FEATURES, Preprocess},
    numbers::is_default,
};

/// What makes a run beside its data, its network and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// How drawings became images; absent where the images came as they are.
    pub preprocess: Option<Preprocess>,
    pub features: Features,
    /// Other pens, as shares of a drawing's own, that it is trained on too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pens: Vec<f32>,
    /// Digits of MNIST, of each class, that it was trained on too;
    /// [`SampleHashes`](super::SampleHashes) hold them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mnist_digits: usize,
    pub split: Split,
    pub trunk: Trunk,
    /// Tensors that came from pretraining begin so.
    pub carried_over: Vec<String>,
    /// Protocol of the pretraining, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<String>,
    /// Layers that did not learn.
    pub frozen: Vec<String>,
}

/// The layers before the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trunk {
    /// Two VGG blocks: this project's.
    Study,
    /// The same with dropout 0.25 after both poolings, as in Keras's examples of 2021. The
    /// head is *original*, with 62 classes.
    Dropout,
    /// The same without batch normalisation.
    DropoutWithoutNorm,
}

/// Auxiliary features: what the dense layer takes beside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Features {
    None,
    /// Size and position of the ink.
    Ink,
    /// The same, and both less what other drawings of the same hand have
    /// ([`Samples::in_context`](crate::data::Samples::in_context)).
    InkInContext,
}

impl Features {
    /// How many they are.
    pub fn count(self) -> usize {
        match self {
            Self::None => 0,
            Self::Ink => FEATURES,
            Self::InkInContext => 2 * FEATURES,
        }
    }
}

/// Which samples are trained on and which are held out for validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// This share of the samples, drawn at random, is trained on; the others are held out.
    Random(f64),
    /// The same share, but no writer is in both parts.
    ByWriter(f64),
    /// Cross-validation: one of so many equal parts is held out, the seed says which.
    Fold(usize),
    /// All are trained on, and validation is on the MNIST test set.
    TestSet,
    /// As `Random`, but only this many images are trained on, repeated to
    /// [`Split::FEW_EPOCH`] an epoch.
    Few(f64, usize),
}

impl Split {
    /// Images of an epoch where only few are different.
    pub const FEW_EPOCH: usize = 10_000;

    /// How many samples are held out for each that is trained on, where the splits of several
    /// seeds overlap; see [`mean_of_splits`](crate::eval::statistics::mean_of_splits).
    pub fn overlap(self) -> f64 {
        match self {
            Self::Random(share) | Self::ByWriter(share) => (1.0 - share) / share,
            Self::Fold(folds) => 1.0 / (folds.max(2) - 1) as f64,
            Self::TestSet | Self::Few(..) => 0.0,
        }
    }

    /// How many of `images` it holds out.
    pub fn held_out(self, images: usize) -> f64 {
        let overlap = self.overlap();
        images as f64 * overlap / (1.0 + overlap)
    }
}
