//! Learning curves of one run.

use super::chart::{Axis, LineChart};
use super::html::{Html, Show, note, row};
use crate::train::{Epoch, History};

/// Loss and accuracy by epoch, training and validation, side by side.
#[derive(Clone, Debug)]
pub struct HistoryChart {
    loss: LineChart,
    accuracy: LineChart,
}

impl History {
    /// Curves by epoch; `title` says whose.
    pub fn chart(&self, title: &str) -> HistoryChart {
        self.titled(format!("{title}: loss"), format!("{title}: accuracy"))
    }

    fn titled(&self, loss: String, accuracy: String) -> HistoryChart {
        let points = |value: fn(&Epoch) -> f64| {
            let numbered = self.epochs.iter().enumerate();
            numbered.map(move |(i, epoch)| ((i + 1) as f64, value(epoch)))
        };
        let loss = LineChart::new(loss, Axis::new("epoch"), Axis::new("loss (nats)"))
            .curve("training", points(|e| e.loss))
            .curve("validation", points(|e| e.val_loss));
        let accuracy = LineChart::new(accuracy, Axis::new("epoch"), Axis::percent("accuracy"))
            .curve("training", points(|e| e.accuracy))
            .curve("validation", points(|e| e.val_accuracy));
        HistoryChart { loss, accuracy }
    }
}

impl HistoryChart {
    /// A line at an accuracy to compare with.
    pub fn reference(mut self, label: &str, accuracy: f64) -> Self {
        self.accuracy = self.accuracy.reference(label, accuracy);
        self
    }
}

/// The learning curves, under what was reached.
impl Show for History {
    fn show(&self) -> Html {
        let Some(last) = self.last() else {
            return note("no epoch was trained");
        };
        let epochs = match self.epochs.len() {
            1 => "1 epoch".to_owned(),
            n => format!("{n} epochs"),
        };
        let loss = format!("Validation loss {:.4} after {epochs}", last.val_loss);
        let reached = 100.0 * last.val_accuracy;
        let accuracy = format!("Validation accuracy {reached:.1} % after {epochs}");
        self.titled(loss, accuracy).show()
    }
}

impl Show for HistoryChart {
    fn show(&self) -> Html {
        row(&[&self.loss, &self.accuracy])
    }
}
