//! A network's layers as a table.

use std::fmt;

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
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, shape: String, parameters: usize, operations: usize| {
            let (parameters, operations) = (grouped(parameters), grouped(operations));
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

/// `3,212,386`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
