//! From layers to stages: what runs as one pass over memory becomes one.

use std::sync::Arc;

use super::spec::{LayerKind, LayerSpec};
use crate::{kernels::conv::ConvShape, layers::on_tape::TapeLayer, shape::Dims};

/// What a plan runs, one after the other. Tensors are named by their place in the network's list.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Conv(ConvStage),
    /// Batch normalisation that follows no convolution.
    Norm(NormStage),
    /// ReLU that follows neither of those.
    Relu {
        name: String,
    },
    Pool(PoolStage),
    Dropout {
        mask: MaskSpec,
    },
    Flatten,
    Dense(DenseStage),
    Residual {
        name: String,
        main: Vec<Stage>,
        shortcut: Vec<Stage>,
        relu: bool,
    },
    Tape(TapeStage),
}

/// A convolution, with the batch normalisation, ReLU and 2 x 2 max pooling that follow it.
#[derive(Clone, Debug)]
pub(crate) struct ConvStage {
    pub name: String,
    pub shape: ConvShape,
    pub weight: usize,
    pub bias: usize,
    pub norm: Option<Norm>,
    pub relu: bool,
    /// Its name.
    pub pool: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct NormStage {
    pub name: String,
    pub dims: Dims,
    pub norm: Norm,
    pub relu: bool,
}

/// The places of a batch normalisation's tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm {
    pub gamma: usize,
    pub beta: usize,
    pub mean: usize,
    pub var: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct PoolStage {
    pub name: String,
    pub kind: PoolKind,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
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
    pub name: String,
    pub weight: usize,
    pub bias: usize,
    /// The weights of auxiliary features.
    pub features: Option<usize>,
    pub units: usize,
    pub relu: bool,
    pub mask: Option<MaskSpec>,
}

/// A dropout layer.
#[derive(Clone, Debug)]
pub(crate) struct MaskSpec {
    pub p: f32,
    /// Its number among the network's, so that each draws a mask of its own.
    pub index: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct TapeStage {
    pub name: String,
    pub layer: Arc<dyn TapeLayer>,
    pub tensors: std::ops::Range<usize>,
    pub input: Dims,
    pub output: Dims,
}

impl Stage {
    /// The tensors that it uses.
    pub fn tensors(&self) -> Vec<usize> {
        let of_norm = |norm: &Norm| [norm.gamma, norm.beta, norm.mean, norm.var];
        match self {
            Self::Conv(conv) => {
                let norm = conv.norm.iter().flat_map(of_norm);
                [conv.weight, conv.bias].into_iter().chain(norm).collect()
            }
            Self::Norm(stage) => of_norm(&stage.norm).into(),
            Self::Dense(dense) => {
                let own = [dense.weight, dense.bias].into_iter();
                own.chain(dense.features).collect()
            }
            Self::Residual { main, shortcut, .. } => main
                .iter()
                .chain(shortcut)
                .flat_map(Self::tensors)
                .collect(),
            Self::Tape(tape) => tape.tensors.clone().collect(),
            Self::Relu { .. } | Self::Pool(_) | Self::Dropout { .. } | Self::Flatten => Vec::new(),
        }
    }
}

/// Fuses `layers` into stages.
pub(crate) fn fuse(layers: &[LayerSpec]) -> Vec<Stage> {
    Fuser::default().stages(layers)
}

#[derive(Default)]
struct Fuser {
    tensors: usize,
    masks: u64,
}

impl Fuser {
    fn stages(&mut self, layers: &[LayerSpec]) -> Vec<Stage> {
        let mut rest = layers.iter().peekable();
        let mut stages = Vec::new();
        while let Some(layer) = rest.next() {
            // The next layer, where `wanted` says that it joins this stage.
            let mut next = |wanted: fn(&LayerKind) -> bool| rest.next_if(|l| wanted(&l.kind));
            let is_relu = |kind: &LayerKind| matches!(kind, LayerKind::ReLU);
            let is_norm = |kind: &LayerKind| matches!(kind, LayerKind::BatchNorm2d);
            let is_pool = |kind: &LayerKind| matches!(kind, LayerKind::MaxPool2d);
            let is_dropout = |kind: &LayerKind| matches!(kind, LayerKind::Dropout { .. });
            let name = layer.name.clone();
            stages.push(match &layer.kind {
                LayerKind::Conv2d { kernel, stride } => {
                    let tensors = self.take(layer);
                    let (inputs, height, width) = image(layer.input);
                    let shape = ConvShape {
                        inputs,
                        outputs: image(layer.output).0,
                        kernel: *kernel,
                        stride: *stride,
                        height,
                        width,
                    };
                    let norm = next(is_norm).map(|layer| self.norm(layer));
                    let relu = next(is_relu).is_some();
                    let pool = if *stride == 1 { next(is_pool) } else { None };
                    Stage::Conv(ConvStage {
                        name,
                        shape,
                        weight: tensors.start,
                        bias: tensors.start + 1,
                        norm,
                        relu,
                        pool: pool.map(|layer| layer.name.clone()),
                    })
                }
                LayerKind::BatchNorm2d => Stage::Norm(NormStage {
                    name,
                    dims: layer.input,
                    norm: self.norm(layer),
                    relu: next(is_relu).is_some(),
                }),
                LayerKind::Linear { features } => {
                    let tensors = self.take(layer);
                    let relu = next(is_relu).is_some();
                    let mask = next(is_dropout).map(|layer| self.mask(layer));
                    Stage::Dense(DenseStage {
                        name,
                        weight: tensors.start,
                        bias: tensors.start + 1,
                        features: (*features > 0).then_some(tensors.start + 2),
                        units: layer.output.len(),
                        relu,
                        mask,
                    })
                }
                LayerKind::Residual { main, shortcut } => Stage::Residual {
                    name,
                    main: self.stages(main),
                    shortcut: self.stages(shortcut),
                    relu: next(is_relu).is_some(),
                },
                LayerKind::OnTape(module) => Stage::Tape(TapeStage {
                    name,
                    layer: module.clone(),
                    tensors: self.take(layer),
                    input: layer.input,
                    output: layer.output,
                }),
                LayerKind::ReLU => Stage::Relu { name },
                LayerKind::MaxPool2d => pool(layer, PoolKind::Max),
                LayerKind::AvgPool2d => pool(layer, PoolKind::Average),
                LayerKind::GlobalAvgPool2d => pool(layer, PoolKind::GlobalAverage),
                LayerKind::Dropout { .. } => Stage::Dropout {
                    mask: self.mask(layer),
                },
                LayerKind::Flatten => Stage::Flatten,
            });
        }
        stages
    }

    /// The places of a layer's tensors.
    fn take(&mut self, layer: &LayerSpec) -> std::ops::Range<usize> {
        let first = self.tensors;
        self.tensors += layer.tensors.len();
        first..self.tensors
    }

    fn norm(&mut self, layer: &LayerSpec) -> Norm {
        let gamma = self.take(layer).start;
        Norm {
            gamma,
            beta: gamma + 1,
            mean: gamma + 2,
            var: gamma + 3,
        }
    }

    fn mask(&mut self, layer: &LayerSpec) -> MaskSpec {
        let p = match layer.kind {
            LayerKind::Dropout { p } => p,
            _ => 0.0,
        };
        self.masks += 1;
        MaskSpec {
            p,
            index: self.masks - 1,
        }
    }
}

fn pool(layer: &LayerSpec, kind: PoolKind) -> Stage {
    let (channels, height, width) = image(layer.input);
    Stage::Pool(PoolStage {
        name: layer.name.clone(),
        kind,
        channels,
        height,
        width,
    })
}

/// Channels, height and width; a vector is an image of one pixel.
pub(crate) fn image(dims: Dims) -> (usize, usize, usize) {
    match dims {
        Dims::Image {
            channels,
            height,
            width,
        } => (channels, height, width),
        Dims::Vector(len) => (len, 1, 1),
    }
}
