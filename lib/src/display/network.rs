//! Two tables in the style of Keras: the layers of a network, and its epochs.

use crate::nn::Summary;
use crate::train::{Epoch, History};

use super::html::{Html, Show};
use super::table::{Cell, Table, number};
use crate::numbers::format_count;

/// The layers of a network with what they cost.
impl Show for Summary {
    fn show(&self) -> Html {
        let parameters: usize = self.layers.iter().map(|row| row.parameters).sum();
        let operations: usize = self.layers.iter().map(|row| row.operations).sum();
        let columns = [
            "layer",
            "kind",
            "output shape",
            "parameters",
            "operations an image",
        ];
        let rows = self.layers.iter().map(|row| {
            [
                row.name.as_str().into(),
                row.kind.as_str().into(),
                shape(&row.output_shape).into(),
                row.parameters.into(),
                mega(row.operations),
            ]
        });
        let total = [
            "total".into(),
            "".into(),
            "".into(),
            parameters.into(),
            mega(operations),
        ];
        Table::new("Layers of the network", columns)
            .rows(rows)
            .total(total)
            .show()
    }
}

/// The epochs of a run, numbered from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryTable {
    title: String,
    epochs: Vec<Epoch>,
}

impl HistoryTable {
    /// What was not measured is NaN, and shows as a dash.
    pub fn new(title: impl Into<String>, history: &History) -> Self {
        Self {
            title: title.into(),
            epochs: history.epochs.clone(),
        }
    }
}

impl Show for HistoryTable {
    fn show(&self) -> Html {
        let columns = [
            "epoch",
            "loss",
            "accuracy",
            "val_loss",
            "val_accuracy",
            "learning rate",
            "time (s)",
        ];
        let rows = self.epochs.iter().enumerate().map(|(i, epoch)| {
            [
                Cell::from(i + 1),
                number(epoch.loss, 4),
                number(epoch.accuracy, 4),
                number(epoch.val_loss, 4),
                number(epoch.val_accuracy, 4),
                Cell::Value(
                    format!("{:.2e}", epoch.lr).replace('-', "−"),
                    Some(epoch.lr),
                ),
                number(epoch.seconds, 1),
            ]
        });
        Table::new(&self.title, columns).rows(rows).show()
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
