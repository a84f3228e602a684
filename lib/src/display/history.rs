//! Learning curves of one run.

use super::chart::{Axis, LineChart};
use super::html::{Html, Show, note, row};
use crate::numbers::format_counted;
use crate::train::{Epoch, History};

/// Loss and accuracy by epoch, training and validation, side by side.
#[derive(Clone, Debug)]
pub struct HistoryChart {
    loss: LineChart,
    accuracy: LineChart,
}

impl History {
    /// Curves by epoch, under what they reached; `of` says whose they are, and may be empty.
    pub fn chart(&self, of: &str) -> HistoryChart {
        let validation = match of {
            "" => "Validation".into(),
            of => format!("{of}: validation"),
        };
        let (mut loss, mut accuracy) = (of.to_owned(), of.to_owned());
        if let (Some(last), Some(best)) = (self.epochs.last(), self.best_epoch()) {
            let (epochs, best) = (format_counted(self.epochs.len(), "epoch"), best + 1);
            let [here, training] = [last.val_accuracy, last.accuracy].map(|share| 100.0 * share);
            loss = format!(
                "{validation} loss {:.4} after {epochs}, lowest at epoch {best}",
                last.val_loss
            );
            accuracy = format!(
                "{validation} accuracy {here:.1} % after {epochs}, training {training:.1} %"
            );
        }
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
    /// Adds a line at an accuracy to compare with.
    pub fn reference(mut self, label: &str, accuracy: f64) -> Self {
        self.accuracy = self.accuracy.reference(label, accuracy);
        self
    }
}

/// The learning curves, under what was reached.
impl Show for History {
    fn show(&self) -> Html {
        match self.epochs.last() {
            Some(_) => self.chart("").show(),
            None => note("no epoch was trained"),
        }
    }
}

impl Show for HistoryChart {
    fn show(&self) -> Html {
        row(&[&self.loss, &self.accuracy])
    }
}
