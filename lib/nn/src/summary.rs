//! A network's layers as a table.

use std::fmt;

use crate::plan::spec::LayerSpec;

/// The layers of a network, in order. Displayed as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// One row each; those within a residual stand before it.
    pub layers: Vec<LayerSummary>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSummary {
    /// E.g. `block1.conv1`, or `0.2` in a tuple: what freezing and transfer name it by.
    pub name: String,
    /// E.g. `Conv2d 3 x 3`.
    pub kind: String,
    /// Without the batch, e.g. `[32, 28, 28]`.
    pub output_shape: Vec<usize>,
    /// Numbers that an optimiser changes, whether they are frozen now or not.
    pub parameters: usize,
    /// Multiplications and additions of one sample's forward pass, the way the layer is defined.
    pub operations: usize,
}

impl Summary {
    pub(crate) fn of(layers: &[LayerSpec]) -> Self {
        let layers = layers.iter().flat_map(LayerSpec::flattened);
        let each = layers.map(|layer| LayerSummary {
            name: layer.name.clone(),
            kind: layer.kind.to_string(),
            output_shape: layer.output.to_vec(),
            parameters: layer.parameters(),
            operations: layer.operations(),
        });
        Self { layers: each.collect() }
    }

    /// [`LayerSummary::parameters`] of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// [`LayerSummary::operations`] of all layers.
    pub fn operations(&self) -> usize {
        self.layers.iter().map(|layer| layer.operations).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = |layer: &LayerSummary| {
            let sizes: Vec<String> = layer.output_shape.iter().map(usize::to_string).collect();
            sizes.join(" x ")
        };
        // Wide enough for the widest, and a gap after it.
        let width = |least: usize, text: &dyn Fn(&LayerSummary) -> String| {
            let widest = self.layers.iter().map(|layer| text(layer).chars().count()).max();
            widest.filter(|widest| *widest >= least).map_or(least, |widest| widest + 2)
        };
        let names = width(16, &|layer| layer.name.clone());
        let kinds = width(28, &|layer| layer.kind.clone());
        let shapes = width(16, &shape);
        let mut line = |name: &str, kind: &str, shape: &str, numbers: [String; 2]| {
            let [parameters, operations] = numbers;
            write!(f, "{name:<names$}{kind:<kinds$}{shape:<shapes$}")?;
            writeln!(f, "{parameters:>12}{operations:>16}")
        };
        let titles = ["parameters", "operations"].map(str::to_owned);
        line("layer", "kind", "output", titles)?;
        for layer in &self.layers {
            let numbers = [layer.parameters, layer.operations].map(format_count);
            line(&layer.name, &layer.kind, &shape(layer), numbers)?;
        }
        let totals = [self.parameters(), self.operations()].map(format_count);
        line("total", "", "", totals)
    }
}

/// A number as a [`Summary`] writes it: `12,345`.
pub fn format_count(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
