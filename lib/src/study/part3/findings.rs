//! The answers to notebook 6's questions, each from the numbers of its runs.

use super::{
    BELOW_CHANCE, all_learned, below_chance, constant_answer, digits_of_share, nothing_learned,
    taken_up,
};
use crate::{
    data::Samples,
    display::{Html, Show, note, stack},
    study::{Grid, Head, Init, RunResult, reported_last},
};

/// Why accuracy is where it is, what was learned, and what happened in the report.
pub fn findings(grid: &Grid, test: &Samples) -> Html {
    let all: Vec<&RunResult> = grid.iter().flat_map(|(_, _, seeds)| &seeds.runs).collect();
    let (avoiding, others): (Vec<&RunResult>, Vec<&RunResult>) =
        all.iter().copied().partition(|run| below_chance(run));
    let mut sentences = vec![accuracy(&avoiding, &others)];
    if !avoiding.is_empty() {
        sentences.push(format!(
            "What was learned. In the runs below chance the least likely digit is the right one \
             for {} % of the test images: they did learn to read, from labels that are never \
             right, and accuracy looks at the wrong end of what they say.",
            span(&avoiding, 100.0, 1, |run| run
                .metric("least_likely_accuracy"))
        ));
    }
    if !others.is_empty() {
        let constant = others
            .iter()
            .filter(|run| constant_answer(run).is_some())
            .count();
        sentences.push(format!(
            "What was not. In the other runs the least likely digit is right for {} %; {constant} \
             of {} give one and the same answer to almost every image, which scores the share of \
             that digit in the test set.",
            span(&others, 100.0, 1, |run| run.metric("least_likely_accuracy")),
            others.len()
        ));
    }
    sentences.push(format!(
        "Loss and confidence. The loss on the given labels ends at {} nats, between ln 9 = {:.3} \
         (all learned) and ln 10 = {:.3} (nothing): {} % of what the labels tell. Mean confidence \
         is {} % (all learned: 11.1 %, nothing: 10.0 %).",
        span(&all, 1.0, 3, |run| run.metric("train_loss")),
        all_learned(),
        nothing_learned(),
        span(&all, 100.0, 0, taken_up),
        span(&all, 100.0, 1, |run| run.metric("mean_confidence"))
    ));
    sentences.push(in_report(test));
    let notes: Vec<Html> = sentences.iter().map(|words| note(words)).collect();
    let notes: Vec<&dyn Show> = notes.iter().map(|note| note as &dyn Show).collect();
    stack(&notes)
}

fn accuracy(avoiding: &[&RunResult], others: &[&RunResult]) -> String {
    let accuracy = |runs: &[&RunResult]| span(runs, 100.0, 1, |run| run.test_accuracy);
    let n = avoiding.len() + others.len();
    let threshold = 100.0 * BELOW_CHANCE;
    match (avoiding.len(), others.len()) {
        (0, _) => format!(
            "Accuracy. None of {n} runs falls below {threshold:.0} %; they get {} %.",
            accuracy(others)
        ),
        (_, 0) => format!(
            "Accuracy. All {n} runs fall below {threshold:.0} %; they get {} %.",
            accuracy(avoiding)
        ),
        (below, _) => format!(
            "Accuracy. {below} of {n} runs fall below {threshold:.0} % (they get {} %); the \
             others get {} %.",
            accuracy(avoiding),
            accuracy(others)
        ),
    }
}

/// How many of the original's last accuracies are what one answer to everything scores.
fn in_report(test: &Samples) -> String {
    let networks = || {
        Head::ALL
            .into_iter()
            .flat_map(|head| Init::ALL.map(|init| (head, init)))
    };
    let last: Vec<f64> = networks()
        .filter_map(|(head, init)| reported_last(3, head, init))
        .map(|last| last.val_accuracy)
        .collect();
    let one_answer = last
        .iter()
        .filter(|a| !digits_of_share(**a, test).is_empty());
    let below = last.iter().filter(|a| **a < BELOW_CHANCE);
    format!(
        "The report. Of its {} last accuracies, {} are to all four decimals the share of a single \
         digit in the test set, which is what a network scores that gives one answer to \
         everything; {} is below {:.0} %, as of a network that has learned to read.",
        last.len(),
        one_answer.count(),
        below.count(),
        100.0 * BELOW_CHANCE
    )
}

/// `8.9 to 10.3`, each `factor` times; one number where both ends read the same.
fn span(
    runs: &[&RunResult],
    factor: f64,
    decimals: usize,
    value: fn(&RunResult) -> Option<f64>,
) -> String {
    let values: Vec<f64> = runs
        .iter()
        .filter_map(|run| Some(value(run)? * factor))
        .collect();
    let words = |value: Option<f64>| match value {
        Some(value) => format!("{value:.decimals$}"),
        None => "–".into(),
    };
    let low = words(values.iter().copied().min_by(f64::total_cmp));
    let high = words(values.iter().copied().max_by(f64::total_cmp));
    if low == high {
        low
    } else {
        format!("{low} to {high}")
    }
}
