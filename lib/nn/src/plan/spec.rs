//! A network as data: its layers in order, with their shapes and tensors.

use std::{fmt, sync::Arc};

use super::tape::TapeLayer;
use crate::shape::Dims;

/// One layer of a network.
#[derive(Clone, Debug)]
pub struct LayerSpec {
    /// Dotted path, e.g. `block1.conv1`, or `0.2` in a tuple: what freezing and transfer name it
    /// by.
    pub name: String,
    pub kind: LayerKind,
    pub input: Dims,
    pub output: Dims,
    pub tensors: Vec<TensorSpec>,
}

/// What a layer does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LayerKind {
    Conv2d {
        kernel: usize,
        stride: usize,
    },
    BatchNorm2d,
    ReLU,
    MaxPool2d,
    AvgPool2d,
    GlobalAvgPool2d,
    Dropout {
        p: f32,
    },
    Flatten,
    /// With auxiliary features beside its input.
    Linear {
        features: usize,
    },
    /// The sum of both paths; an empty one hands its input on.
    Residual {
        main: Vec<LayerSpec>,
        shortcut: Vec<LayerSpec>,
    },
    /// Any other module, on dfdx's tape.
    OnTape(Arc<dyn TapeLayer>),
}

/// A tensor of a layer.
#[derive(Clone, Debug)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
    pub(crate) init: Init,
    /// Whether an optimiser changes it, frozen now or not; it leaves running statistics alone.
    pub trainable: bool,
}

/// What a tensor holds at first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Init {
    /// Uniform in `±1 / sqrt(fan_in)`.
    Uniform {
        fan_in: usize,
    },
    Constant(f32),
    /// What the module's own builder makes.
    OfModule,
}

impl LayerSpec {
    /// Numbers that an optimiser changes, whether they are frozen now or not.
    pub fn parameters(&self) -> usize {
        let own = self.tensors.iter().filter(|tensor| tensor.trainable);
        own.map(|tensor| tensor.shape.iter().product::<usize>()).sum()
    }

    /// Multiplications and additions of one sample's forward pass, the way the layer is defined.
    pub fn operations(&self) -> usize {
        let (_, area) = self.output.channels_and_area();
        let weights = self.tensors.iter().filter(|tensor| tensor.shape.len() > 1);
        let weights: usize = weights.map(|tensor| tensor.shape.iter().product::<usize>()).sum();
        match &self.kind {
            LayerKind::Conv2d { .. } => 2 * weights * area,
            LayerKind::Linear { .. } => 2 * weights,
            LayerKind::BatchNorm2d => 2 * self.output.len(),
            LayerKind::ReLU => self.output.len(),
            LayerKind::MaxPool2d => 3 * self.output.len(),
            LayerKind::AvgPool2d => 4 * self.output.len(),
            LayerKind::GlobalAvgPool2d => self.input.len(),
            LayerKind::Residual { .. } => self.output.len(),
            LayerKind::Dropout { .. } | LayerKind::Flatten | LayerKind::OnTape(_) => 0,
        }
    }

    /// This layer and those within it.
    pub fn flattened(&self) -> Vec<&LayerSpec> {
        let mut all = Vec::new();
        if let LayerKind::Residual { main, shortcut } = &self.kind {
            all.extend(main.iter().chain(shortcut).flat_map(Self::flattened));
        }
        all.push(self);
        all
    }
}

/// `Conv2d 3 x 3`
impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv2d { kernel, stride: 1 } => write!(f, "Conv2d {kernel} x {kernel}"),
            Self::Conv2d { kernel, stride } => {
                write!(f, "Conv2d {kernel} x {kernel}, stride {stride}")
            }
            Self::BatchNorm2d => f.write_str("BatchNorm2d"),
            Self::ReLU => f.write_str("ReLU"),
            Self::MaxPool2d => f.write_str("MaxPool2d 2 x 2"),
            Self::AvgPool2d => f.write_str("AvgPool2d 2 x 2"),
            Self::GlobalAvgPool2d => f.write_str("GlobalAvgPool2d"),
            Self::Dropout { p } => write!(f, "Dropout {p}"),
            Self::Flatten => f.write_str("Flatten"),
            Self::Linear { features: 0 } => f.write_str("Linear"),
            Self::Linear { features } => write!(f, "Linear (+ {features} features)"),
            Self::Residual { .. } => f.write_str("Residual"),
            Self::OnTape(layer) => f.write_str(layer.name()),
        }
    }
}
