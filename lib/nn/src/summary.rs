//! A network's layers as a table.

use std::fmt;

use crate::plan::spec::LayerSpec;

/// The layers of a network, in order. Displayed as a table.
#[derive(Clone, Debug)]
pub struct Summary {
    /// One row each; those within a residual stand before it.
    pub layers: Vec<LayerSpec>,
}

impl Summary {
    /// [`LayerSpec::parameters`] of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(LayerSpec::parameters).sum()
    }

    /// [`LayerSpec::operations`] of all layers.
    pub fn operations(&self) -> usize {
        self.layers.iter().map(LayerSpec::operations).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Wide enough for the widest, and a gap after it.
        let width = |least: usize, text: &dyn Fn(&LayerSpec) -> String| {
            let widest = self.layers.iter().map(|layer| text(layer).chars().count()).max();
            widest.filter(|widest| *widest >= least).map_or(least, |widest| widest + 2)
        };
        let names = width(16, &|layer| layer.name.clone());
        let kinds = width(28, &|layer| layer.kind.to_string());
        let shapes = width(16, &|layer| layer.output.to_string());
        let mut line = |name: &str, kind: &str, shape: &str, numbers: [String; 2]| {
            let [parameters, operations] = numbers;
            write!(f, "{name:<names$}{kind:<kinds$}{shape:<shapes$}")?;
            writeln!(f, "{parameters:>12}{operations:>16}")
        };
        let titles = ["parameters", "operations"].map(str::to_owned);
        line("layer", "kind", "output", titles)?;
        for layer in &self.layers {
            let numbers = [layer.parameters(), layer.operations()].map(format_count);
            line(&layer.name, &layer.kind.to_string(), &layer.output.to_string(), numbers)?;
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
