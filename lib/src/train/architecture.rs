//! A network's layers as a checkpoint names them, so that any network can be read back.

use serde::{Deserialize, Serialize};

use crate::nn::{Builder, LayerKind, LayerSpec, shape::Dims};

/// The layers of a network, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Architecture {
    /// The shape of one sample: `[channels, height, width]`, or `[length]`.
    input: Vec<usize>,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    name: String,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Kind {
    Conv2d { outputs: usize, kernel: usize, stride: usize },
    BatchNorm2d,
    Relu,
    MaxPool2d,
    AvgPool2d,
    GlobalAvgPool2d,
    Dropout { p: f32 },
    Flatten,
    Linear { outputs: usize, features: usize },
    Residual { main: Vec<Layer>, shortcut: Vec<Layer> },
}

impl Architecture {
    /// None for a network not made of layers, or with layers that are code rather than data: modules
    /// on dfdx's tape. None as well where tensors were renamed: made again, they have their first
    /// names.
    pub fn new(input: Dims, layers: &[LayerSpec]) -> Option<Self> {
        let architecture = Self { input: input.to_vec(), layers: described("", layers)? };
        let again = architecture.builder()?;
        (!layers.is_empty() && names(again.layers()) == names(layers)).then_some(architecture)
    }

    /// Ready to become a network; none if the shape of a sample is invalid.
    pub fn builder(&self) -> Option<Builder> {
        let input = match self.input[..] {
            [channels, height, width] => Dims::image(channels, height, width),
            [len] => Dims::Vector(len),
            _ => return None,
        };
        let mut builder = Builder::new(input);
        add(&mut builder, &self.layers);
        Some(builder)
    }
}

/// Of all tensors, in order.
fn names(layers: &[LayerSpec]) -> Vec<&str> {
    let tensors = layers.iter().flat_map(LayerSpec::flattened).flat_map(|layer| &layer.tensors);
    tensors.map(|tensor| tensor.name.as_str()).collect()
}

/// The layers within the one that `path` names, with `path` removed from their names.
fn described(path: &str, layers: &[LayerSpec]) -> Option<Vec<Layer>> {
    let each = layers.iter().map(|layer| {
        let outputs = layer.output.to_vec()[0];
        let kind = match &layer.kind {
            LayerKind::Conv2d { kernel, stride } => {
                Kind::Conv2d { outputs, kernel: *kernel, stride: *stride }
            }
            LayerKind::BatchNorm2d => Kind::BatchNorm2d,
            LayerKind::ReLU => Kind::Relu,
            LayerKind::MaxPool2d => Kind::MaxPool2d,
            LayerKind::AvgPool2d => Kind::AvgPool2d,
            LayerKind::GlobalAvgPool2d => Kind::GlobalAvgPool2d,
            LayerKind::Dropout { p } => Kind::Dropout { p: *p },
            LayerKind::Flatten => Kind::Flatten,
            LayerKind::Linear { features } => Kind::Linear { outputs, features: *features },
            LayerKind::Residual { main, shortcut } => {
                let path = format!("{}.", layer.name);
                Kind::Residual {
                    main: described(&path, main)?,
                    shortcut: described(&path, shortcut)?,
                }
            }
            _ => return None,
        };
        Some(Layer { name: layer.name.strip_prefix(path)?.to_owned(), kind })
    });
    each.collect()
}

fn add(builder: &mut Builder, layers: &[Layer]) {
    for layer in layers {
        builder.named(&layer.name, |builder| match &layer.kind {
            Kind::Conv2d { outputs, kernel, stride } => builder.conv2d(*outputs, *kernel, *stride),
            Kind::BatchNorm2d => builder.batch_norm2d(),
            Kind::Relu => builder.relu(),
            Kind::MaxPool2d => builder.max_pool2d(),
            Kind::AvgPool2d => builder.avg_pool2d(),
            Kind::GlobalAvgPool2d => builder.global_avg_pool2d(),
            Kind::Dropout { p } => builder.dropout(*p),
            Kind::Flatten => builder.flatten(),
            Kind::Linear { outputs, features } => builder.linear(*outputs, *features),
            Kind::Residual { main, shortcut } => {
                builder.residual(|b| add(b, main), |b| add(b, shortcut));
            }
        });
    }
}
