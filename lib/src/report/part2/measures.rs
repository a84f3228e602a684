//! Measures of the quality of a training run, each from one run's record, and what pretraining does
//! to them.

use crate::{
    display::format_number,
    eval::statistics::{PairedDifference, Time, area_under, mean},
    report::corrected,
    study::{Grid, Head, RunResult},
};

/// A number of a run, with its name and format.
#[derive(Clone, Copy)]
pub struct Measure {
    pub name: &'static str,
    /// Factor and decimals for display, e.g. 100 and 2 for percentage points.
    pub scale: f64,
    pub decimals: usize,
    pub value: Value,
}

/// Final quality, the way there, and calibration.
pub static MEASURES: [Measure; 12] = [
    plain("steps to 98 %", 0, |run| Some(steps_to(0.98, run)?.value())),
    plain("steps to 99 %", 0, |run| Some(steps_to(0.99, run)?.value())),
    share("test accuracy (%)", |run| run.test_accuracy),
    plain("test loss (nats)", 4, |run| run.metric("test_loss")),
    share("accuracy after one epoch (%)", after_one_epoch),
    share("mean accuracy along the curve (%)", |run| {
        let curve = curve(run);
        let (first, last) = (curve.first()?, curve.last()?);
        Some(area_under(&curve) / (last.0 - first.0))
    }),
    share("training accuracy (%)", |run| run.metric("train_accuracy")),
    share("overfitting gap (training − test, points)", |run| {
        Some(run.metric("train_accuracy")? - run.test_accuracy?)
    }),
    share("standard deviation along the last epoch (points)", sd_of_last_epoch),
    share("largest fall between two epochs (points)", |run| {
        let falls = run.epochs.windows(2);
        let falls = falls.map(|pair| (pair[0].val_accuracy - pair[1].val_accuracy).max(0.0));
        falls.max_by(f64::total_cmp)
    }),
    share("calibration error (ECE, points)", |run| run.metric("ece")),
    share("lowest recall of a digit (%)", |run| {
        let recalls = (0..10).filter_map(|digit| run.metric(&format!("recall_{digit}")));
        recalls.min_by(f64::total_cmp)
    }),
];

pub type Value = fn(&RunResult) -> Option<f64>;

pub(super) const fn share(name: &'static str, value: Value) -> Measure {
    Measure { name, scale: 100.0, decimals: 2, value }
}

impl Measure {
    /// The name without its unit, for a chart.
    pub fn short(&self) -> &'static str {
        self.name.split(" (").next().unwrap_or(self.name)
    }

    /// `they reach 98 % 220 steps sooner`, `their test accuracy is 0.24 points higher`
    pub fn change_in_words(&self, change: f64) -> String {
        let size = format_number(change.abs() * self.scale, self.decimals);
        let [more, less] = match self.name.strip_prefix("steps to ") {
            Some(goal) => {
                ["later", "sooner"].map(|when| format!("they reach {goal} {size} steps {when}"))
            }
            None => {
                let (name, unit) =
                    (self.short(), if self.scale == 1.0 { "nats" } else { "points" });
                ["higher", "lower"].map(|how| format!("their {name} is {size} {unit} {how}"))
            }
        };
        if change > 0.0 { more } else { less }
    }
}

/// Written as it is.
pub(super) const fn plain(name: &'static str, decimals: usize, value: Value) -> Measure {
    Measure { scale: 1.0, decimals, ..share(name, value) }
}

pub fn after_one_epoch(run: &RunResult) -> Option<f64> {
    Some(run.epochs.first()?.val_accuracy)
}

/// (step, validation accuracy) along the training.
pub fn curve(run: &RunResult) -> Vec<(f64, f64)> {
    let points = run.curve.iter();
    points.map(|p| (p.step as f64, p.val_accuracy)).collect()
}

/// Standard deviation of the accuracy along the last epoch.
pub fn sd_of_last_epoch(run: &RunResult) -> Option<f64> {
    let points = curve(run);
    let start = points.last()?.0 * (1.0 - 1.0 / run.epochs.len().max(1) as f64);
    let last = points.iter().filter(|point| point.0 > start);
    mean(&last.map(|point| point.1).collect::<Vec<_>>()).ok()?.sd
}

/// When the curve first is at `goal` or above, in steps; censored where it never is.
pub fn steps_to(goal: f64, run: &RunResult) -> Option<Time> {
    Time::to_reach(goal, &curve(run))
}

/// Head, measure, gain, and Holm's p-value over all gains.
pub(super) type Gain = (Head, &'static Measure, Option<PairedDifference>, f64);

pub(super) fn gains(grid: &Grid) -> Vec<Gain> {
    let of_head = |head| {
        let measures = MEASURES.iter();
        measures.map(move |measure| (head, measure, grid.gain(head, measure.value)))
    };
    let all: Vec<_> = Head::ALL.into_iter().flat_map(of_head).collect();
    let corrected = corrected(all.iter().map(|(.., gain)| gain.as_ref()));
    let all = all.into_iter().zip(corrected);
    all.map(|((head, measure, gain), p)| (head, measure, gain, p)).collect()
}
