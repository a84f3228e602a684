//! From layers to stages: what runs as one pass over memory becomes one.

use std::{ops::Range, sync::Arc};

use super::{
    spec::{LayerKind, LayerSpec},
    tape::TapeLayer,
};
use crate::{
    kernels::{conv::ConvShape, dense::Matrix},
    shape::Dims,
};

/// What a plan runs, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// That of its first layer.
    pub name: String,
    pub output: Dims,
    /// The indices of its tensors in the network's list.
    pub tensors: Range<usize>,
    pub work: Work,
}

impl Stage {
    /// Whether training computes another output than evaluation, even where all is frozen.
    pub fn differs_in_training(&self) -> bool {
        match &self.work {
            Work::Dropout(_) | Work::Tape(..) => true,
            Work::Dense(dense) => dense.mask.is_some(),
            Work::Residual(Paths { main, shortcut, .. }) => {
                main.iter().chain(shortcut).any(Self::differs_in_training)
            }
            _ => false,
        }
    }
}

/// What a stage does. Tensors are named by their index in the network's list.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Conv(ConvStage),
    /// Batch normalisation that follows no convolution, and whether ReLU follows it.
    Norm(Norm, bool),
    /// ReLU that follows neither of those.
    Relu,
    Pool(PoolKind),
    Dropout(DropoutMask),
    Flatten,
    Dense(DenseStage),
    Residual(Paths),
    /// A module on dfdx's tape, and its index among the network's, so that each draws numbers of
    /// its own.
    Tape(Arc<dyn TapeLayer>, u64),
}

/// A convolution, with the batch normalisation, ReLU and 2 x 2 max pooling that follow it.
#[derive(Clone, Debug)]
pub(crate) struct ConvStage {
    pub shape: ConvShape,
    pub weight: usize,
    pub bias: usize,
    pub norm: Option<Norm>,
    pub relu: bool,
    pub pool: bool,
}

/// The indices of a batch normalisation's tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm {
    pub gamma: usize,
    pub beta: usize,
    pub mean: usize,
    pub var: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolKind {
    Max,
    Average,
    GlobalAverage,
}

/// A dense layer, with the ReLU and the dropout that follow it.
#[derive(Clone, Debug)]
pub(crate) struct DenseStage {
    pub weight: usize,
    pub bias: usize,
    /// The weights of auxiliary features.
    pub features: Option<usize>,
    pub units: usize,
    pub relu: bool,
    pub mask: Option<DropoutMask>,
}

impl DenseStage {
    /// `weight` as `(units, inputs)`.
    pub fn matrix<'a>(&self, weight: &'a [f32]) -> Matrix<'a> {
        Matrix::row_major(weight, self.units, weight.len() / self.units)
    }
}

/// A dropout layer.
#[derive(Clone, Debug)]
pub(crate) struct DropoutMask {
    pub p: f32,
    /// Its index among the network's, so that each draws a mask of its own.
    pub index: u64,
}

/// The paths of a residual, and whether ReLU follows their sum.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub main: Vec<Stage>,
    pub shortcut: Vec<Stage>,
    pub relu: bool,
}

/// Fuses `layers` into stages. Where `pools_apart` is set, pooling stays a stage of its own, as
/// [`Classifier::activations`](crate::Classifier::activations) has it.
pub(crate) fn fuse(layers: &[LayerSpec], pools_apart: bool) -> Vec<Stage> {
    Fuser { pools_apart, ..Fuser::default() }.stages(layers)
}

#[derive(Default)]
struct Fuser {
    tensors: usize,
    masks: u64,
    on_tape: u64,
    pools_apart: bool,
}

impl Fuser {
    fn stages(&mut self, layers: &[LayerSpec]) -> Vec<Stage> {
        let mut rest = layers.iter().peekable();
        let mut stages = Vec::new();
        while let Some(layer) = rest.next() {
            let first = self.tensors;
            let mut output = layer.output;
            // The next layer, where `wanted` says that it joins this stage.
            let mut next = |wanted: fn(&LayerKind) -> bool| {
                let next = rest.next_if(|l| wanted(&l.kind))?;
                output = next.output;
                Some(next)
            };
            let is_relu = |kind: &LayerKind| matches!(kind, LayerKind::ReLU);
            let is_norm = |kind: &LayerKind| matches!(kind, LayerKind::BatchNorm2d);
            let is_pool = |kind: &LayerKind| matches!(kind, LayerKind::MaxPool2d);
            let is_dropout = |kind: &LayerKind| matches!(kind, LayerKind::Dropout { .. });
            let work = match &layer.kind {
                LayerKind::Conv2d { kernel, stride } => {
                    let (inputs, height, width) = layer.input.sizes();
                    self.tensors += layer.tensors.len();
                    Work::Conv(ConvStage {
                        shape: ConvShape {
                            inputs,
                            outputs: layer.output.sizes().0,
                            kernel: *kernel,
                            stride: *stride,
                            height,
                            width,
                        },
                        weight: first,
                        bias: first + 1,
                        norm: next(is_norm).map(|_| self.norm()),
                        relu: next(is_relu).is_some(),
                        pool: *stride == 1 && !self.pools_apart && next(is_pool).is_some(),
                    })
                }
                LayerKind::BatchNorm2d => Work::Norm(self.norm(), next(is_relu).is_some()),
                LayerKind::Linear { features } => {
                    self.tensors += layer.tensors.len();
                    Work::Dense(DenseStage {
                        weight: first,
                        bias: first + 1,
                        features: (*features > 0).then_some(first + 2),
                        units: layer.output.len(),
                        relu: next(is_relu).is_some(),
                        mask: next(is_dropout).map(|layer| self.mask(layer)),
                    })
                }
                LayerKind::Residual { main, shortcut } => Work::Residual(Paths {
                    main: self.stages(main),
                    shortcut: self.stages(shortcut),
                    relu: next(is_relu).is_some(),
                }),
                LayerKind::OnTape(module) => {
                    self.tensors += layer.tensors.len();
                    self.on_tape += 1;
                    Work::Tape(module.clone(), self.on_tape - 1)
                }
                LayerKind::ReLU => Work::Relu,
                LayerKind::MaxPool2d => Work::Pool(PoolKind::Max),
                LayerKind::AvgPool2d => Work::Pool(PoolKind::Average),
                LayerKind::GlobalAvgPool2d => Work::Pool(PoolKind::GlobalAverage),
                LayerKind::Dropout { .. } => Work::Dropout(self.mask(layer)),
                LayerKind::Flatten => Work::Flatten,
            };
            stages.push(Stage {
                name: layer.name.clone(),
                output,
                tensors: first..self.tensors,
                work,
            });
        }
        stages
    }

    fn norm(&mut self) -> Norm {
        let gamma = self.tensors;
        self.tensors += 4;
        Norm { gamma, beta: gamma + 1, mean: gamma + 2, var: gamma + 3 }
    }

    fn mask(&mut self, layer: &LayerSpec) -> DropoutMask {
        let p = match layer.kind {
            LayerKind::Dropout { p } => p,
            _ => 0.0,
        };
        self.masks += 1;
        DropoutMask { p, index: self.masks - 1 }
    }
}
