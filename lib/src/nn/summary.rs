//! What a network consists of, and what each layer costs.

use super::{CharCnn, Classifier};

/// The layers of a network, input first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub name: String,
    pub layers: Vec<LayerRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerRow {
    pub layer: String,
    /// Without the batch, e.g. `[32, 28, 28]`.
    pub output_shape: Vec<usize>,
    /// Trainable numbers.
    pub parameters: usize,
    /// Multiplications and additions of one image's forward pass.
    pub operations: usize,
}

impl<const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize>
    CharCnn<HIDDEN, CLASSES, FEATURES>
where
    Self: Classifier,
{
    /// Every layer with its output shape, parameters and operations.
    pub fn summary(&self) -> Summary {
        let mut layers = Vec::new();
        let (mut channels, mut side) = (1, 28);
        for outputs in [32, 64] {
            for _ in 0..2 {
                layers.push(convolution(channels, outputs, side));
                layers.push(row("BatchNorm2d", &[outputs, side, side], 2 * outputs, 2));
                layers.push(row("ReLU", &[outputs, side, side], 0, 1));
                channels = outputs;
            }
            side /= 2;
            layers.push(row("MaxPool2d 2 × 2", &[outputs, side, side], 0, 3));
        }
        let flat = channels * side * side;
        layers.push(row("Flatten", &[flat], 0, 0));
        let inputs = flat + FEATURES;
        let name = match FEATURES {
            0 => "Linear".into(),
            _ => format!("Linear, with {FEATURES} features"),
        };
        layers.push(row(&name, &[HIDDEN], inputs * HIDDEN + HIDDEN, 2 * inputs));
        layers.push(row("ReLU", &[HIDDEN], 0, 1));
        layers.push(row(&format!("Dropout {}", self.dropout()), &[HIDDEN], 0, 0));
        layers.push(row(
            "Linear",
            &[CLASSES],
            HIDDEN * CLASSES + CLASSES,
            2 * HIDDEN,
        ));
        Summary {
            name: format!("CharCnn<{HIDDEN}, {CLASSES}, {FEATURES}>"),
            layers,
        }
    }
}

fn convolution(inputs: usize, outputs: usize, side: usize) -> LayerRow {
    let weights = inputs * outputs * 9;
    row(
        "Conv2d 3 × 3",
        &[outputs, side, side],
        weights + outputs,
        2 * inputs * 9,
    )
}

/// `each` is the number of operations for one output value.
fn row(layer: &str, shape: &[usize], parameters: usize, each: usize) -> LayerRow {
    LayerRow {
        layer: layer.into(),
        output_shape: shape.to_vec(),
        parameters,
        operations: each * shape.iter().product::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_those_of_the_network() {
        let network: CharCnn<500, 62, 6> = CharCnn::new(0);
        let trainable = |name: &str| !name.contains("running");
        let tensors = network.tensors();
        let tensors = tensors.iter().filter(|t| trainable(&t.name));
        let held: usize = tensors.map(|t| t.values.len()).sum();
        let listed: usize = network.summary().layers.iter().map(|l| l.parameters).sum();
        assert_eq!(listed, held);
    }

    #[test]
    fn operations_of_a_batch_are_as_designed() {
        let network: CharCnn<1000, 10> = CharCnn::new(0);
        let operations: usize = network.summary().layers.iter().map(|l| l.operations).sum();
        // A training step costs about three times the forward pass: 12.8 GFLOP for 100 images.
        let step = 3.0 * 100.0 * operations as f64 / 1e9;
        assert!((step - 12.9).abs() < 0.2, "{step}");
    }
}
