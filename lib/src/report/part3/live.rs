//! The runs that a notebook has just made.

use super::{all_learned, below_chance, constant_answer, nothing_learned, taken_up};
use crate::{
    display::{Axis, Html, LineChart, row, stack},
    eval::ConfusionMatrix,
    report::{
        network_name,
        reference_2021::{self, ReportedEpoch},
    },
    study::{RunResult, Trained},
    train::Epoch,
};

/// Where a chart of losses ends at most; what is above is drawn at its edge.
const HIGHEST_LOSS: f64 = 3.2;

/// Loss by epoch, and accuracy within the epochs, with the 2021 report's
/// epochs.
pub fn curves(trained: &Trained) -> Html {
    let (run, network) = (&trained.result, &trained.experiment);
    let reported = reference_2021::epochs(3, network.head, network.init);
    let ours = |value: fn(&Epoch) -> f64| numbered(run.epochs.iter().map(value));
    let theirs = |value: fn(&ReportedEpoch) -> f64| numbered(reported.iter().map(value));
    let highest = (run.epochs.iter().flat_map(|e| [e.loss, e.val_loss]))
        .chain(reported.iter().flat_map(|e| [e.loss, e.val_loss]))
        .fold(nothing_learned(), f64::max);
    let words = match highest > HIGHEST_LOSS {
        true => format!("loss (nats), {HIGHEST_LOSS} or more at the edge"),
        false => "loss (nats)".into(),
    };
    let axis = Axis::new(words)
        .from(2.15)
        .to((highest * 1.01).min(HIGHEST_LOSS));
    let loss = LineChart::new(loss_title(trained), Axis::new("epoch"), axis)
        .curve("training", ours(|e| e.loss))
        .curve("validation", ours(|e| e.val_loss))
        .curve("the 2021 report, training", theirs(|e| e.loss))
        .curve("the 2021 report, validation", theirs(|e| e.val_loss))
        .reference("nothing learned, ln 10", rounded(nothing_learned()))
        .reference("all learned, ln 9", rounded(all_learned()));
    let axis = Axis::percent("accuracy, MNIST test set").from(0.0);
    let accuracy = LineChart::new(accuracy_title(run), Axis::new("epoch"), axis)
        .curve("within the epochs", fine(run))
        .curve("after each epoch", ours(|e| e.val_accuracy))
        .curve("the 2021 report", theirs(|e| e.val_accuracy))
        .reference("guessing", 0.1);
    stack(&[&row(&[&loss, &accuracy]), &trained.origin()])
}

/// Validation accuracy within the epochs, by epoch.
fn fine(run: &RunResult) -> Vec<(f64, f64)> {
    let steps = run.curve.last().map_or(1, |point| point.step.max(1)) as f64;
    let epochs = run.epochs.len() as f64;
    let points = run.curve.iter();
    points
        .map(|point| (point.step as f64 * epochs / steps, point.val_accuracy))
        .collect()
}

fn name_of(trained: &Trained) -> String {
    network_name(trained.experiment.head, trained.experiment.init)
}

fn loss_title(trained: &Trained) -> String {
    let name = name_of(trained);
    match taken_up(&trained.result) {
        Some(share) => format!(
            "{name}: {:.0} % of what the labels tell was taken up",
            100.0 * share.max(0.0)
        ),
        None => name,
    }
}

fn accuracy_title(run: &RunResult) -> String {
    let accuracy = 100.0 * run.test_accuracy.unwrap_or(f64::NAN);
    match (constant_answer(run), below_chance(run)) {
        (Some(digit), _) => format!("{accuracy:.1} % in the end: its answer is always {digit}"),
        (None, true) => format!("{accuracy:.1} % in the end: it avoids the truth"),
        (None, false) => format!("{accuracy:.1} % in the end"),
    }
}

/// Of the network that learned most and the one that learned least, digit by answer and
/// digit by the answer thought least likely.
pub fn confusions(trained: &[&Trained]) -> Html {
    let learned = |trained: &Trained| trained.evaluation.least_likely_accuracy();
    let mut ranked = trained.to_vec();
    ranked.sort_by(|a, b| learned(b).total_cmp(&learned(a)));
    match ranked.as_slice() {
        [] => Html::default(),
        [only] => both_ends(only),
        [most, .., least] => stack(&[&both_ends(most), &both_ends(least)]),
    }
}

fn both_ends(trained: &Trained) -> Html {
    let evaluation = &trained.evaluation;
    let title = |end: &str, accuracy: f64| {
        let name = name_of(trained);
        format!(
            "{name}: the {end} likely digit is right for {:.1} %",
            100.0 * accuracy
        )
    };
    let most = (evaluation.confusion())
        .chart(title("most", evaluation.accuracy()))
        .axes("digit", "most likely digit");
    let (labels, classes) = (evaluation.labels(), evaluation.classes());
    let least = ConfusionMatrix::new(labels, &evaluation.least_likely(), classes)
        .chart(title("least", evaluation.least_likely_accuracy()))
        .axes("digit", "least likely digit");
    row(&[&most, &least])
}

fn numbered(values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
    values
        .enumerate()
        .map(|(i, value)| ((i + 1) as f64, value))
        .collect()
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
