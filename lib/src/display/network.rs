//! The layers of a network, in the style of Keras.

use crate::nn::{Network, Summary};

use super::html::{Html, Show};
use super::table::{Cell, Table};
use crate::numbers::{format_count, format_counted};

/// The layers of a network with what they cost.
impl Show for Summary {
    fn show(&self) -> Html {
        let columns = ["layer", "kind", "output shape", "parameters", "operations per image"];
        let rows = self.layers.iter().map(|row| {
            [
                row.name.as_str().into(),
                row.kind.to_string().replace(" x ", "\u{a0}×\u{a0}").into(),
                shape(&row.output.to_vec()).into(),
                row.parameters().into(),
                mega(row.operations()),
            ]
        });
        let total = [
            "total".into(),
            "".into(),
            "".into(),
            self.parameters().into(),
            mega(self.operations()),
        ];
        let title = format!(
            "{} with {} parameters",
            format_counted(self.layers.len(), "layer"),
            format_count(self.parameters())
        );
        Table::new(title, columns).rows(rows).total(total).show()
    }
}

impl<M, In> Show for Network<M, In> {
    fn show(&self) -> Html {
        self.summary().show()
    }
}

fn shape(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(|size| format_count(*size)).collect();
    // Spaces that do not break.
    sizes.join("\u{a0}×\u{a0}")
}

/// In millions, so that a row of convolutions can be compared at a glance.
fn mega(operations: usize) -> Cell {
    let words = match operations {
        0 => "0".to_owned(),
        _ => format!("{:.2} M", operations as f64 / 1e6),
    };
    Cell::Value(words, Some(operations as f64))
}
