//! A network's layers as a table.

use std::fmt;

use super::trunk::{CHANNELS, FLAT};
use crate::{data::SIDE, numbers::format_count};

/// The layers of a network, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub name: String,
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    pub name: String,
    /// Without the batch, e.g. `[32, 28, 28]`.
    pub output_shape: Vec<usize>,
    /// Trainable numbers.
    pub parameters: usize,
    /// Multiplications and additions of one image's forward pass.
    pub operations: usize,
}

impl Summary {
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    pub fn operations(&self) -> usize {
        self.layers.iter().map(|layer| layer.operations).sum()
    }

    /// The layers of a [`CharCnn`](super::CharCnn) of these sizes.
    pub(crate) fn of_char_cnn(
        name: String,
        hidden: usize,
        classes: usize,
        features: usize,
        dropout: f32,
    ) -> Self {
        let mut layers = Vec::new();
        let mut add = |name: &str, output_shape: &[usize], parameters, operations| {
            layers.push(Layer {
                name: name.to_owned(),
                output_shape: output_shape.to_vec(),
                parameters,
                operations,
            });
        };
        let mut inputs = 1;
        for (block, channels) in CHANNELS.into_iter().enumerate() {
            let side = SIDE >> block;
            let shape = [channels, side, side];
            for conv in 1..=2 {
                let name = format!("block{}.conv{conv}", block + 1);
                let weights = 9 * inputs * channels;
                add(&name, &shape, weights + channels, 2 * weights * side * side);
                let name = format!("block{}.bn{conv}, ReLU", block + 1);
                let values = channels * side * side;
                add(&name, &shape, 2 * channels, 3 * values);
                inputs = channels;
            }
            let half = [channels, side / 2, side / 2];
            let name = format!("block{}, MaxPool 2 x 2", block + 1);
            add(&name, &half, 0, 3 * half.iter().product::<usize>());
        }
        let weights = hidden * (FLAT + features);
        let first = match features {
            0 => "hidden, ReLU".to_owned(),
            _ => format!("hidden (+{features} features), ReLU"),
        };
        add("Flatten", &[FLAT], 0, 0);
        add(&first, &[hidden], weights + hidden, 2 * weights + hidden);
        add(&format!("Dropout {dropout}"), &[hidden], 0, 0);
        let weights = hidden * classes;
        add("output", &[classes], weights + classes, 2 * weights);
        Self { name, layers }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, shape: String, parameters: usize, operations: usize| {
            let (parameters, operations) = (format_count(parameters), format_count(operations));
            writeln!(f, "{name:<28}{shape:<16}{parameters:>12}{operations:>16}")
        };
        for layer in &self.layers {
            let shape = layer.output_shape.iter().map(usize::to_string);
            let shape = shape.collect::<Vec<_>>().join(" x ");
            line(&layer.name, shape, layer.parameters, layer.operations)?;
        }
        line(
            &self.name,
            "in all".to_owned(),
            self.parameters(),
            self.operations(),
        )
    }
}
