//! The answers to notebook 6's questions, each from the numbers of its runs.

use super::{
    BELOW_CHANCE, all_learned, below_chance, constant_answer, digits_of_share, fullest_folders,
    is_silent, networks, nothing_learned, taken_up,
};
use crate::{
    data::Samples,
    display::{Html, Show, note, stack},
    study::{Grid, RunResult, reported_last},
};

/// Why accuracy is where it is, what was learned, and what happened in the report.
pub fn findings(grid: &Grid, dataset3: &Samples, test: &Samples) -> Html {
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
        sentences.push(what_was_not(&others, dataset3));
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
    sentences.push(in_report(dataset3, test));
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

fn what_was_not(others: &[&RunResult], dataset3: &Samples) -> String {
    let constant: Vec<usize> = others
        .iter()
        .filter_map(|run| constant_answer(run))
        .collect();
    let least = span(others, 100.0, 1, |run| run.metric("least_likely_accuracy"));
    let runs = others.len();
    let start = format!(
        "What was not. In the other {runs} runs the least likely digit is right for {least} %; {} \
         of them give one answer to almost every image",
        constant.len()
    );
    match constant.is_empty() {
        true => format!("{start}."),
        false => format!("{start}{}.{}", why(&constant, dataset3), silent(others)),
    }
}

/// Why they learned nothing, where the record shows it.
fn silent(runs: &[&RunResult]) -> String {
    match runs.iter().filter(|run| is_silent(run)).count() {
        0 => String::new(),
        count => format!(
            " In {count} of them the dense layer has fallen silent: its units give the same for \
             every image, so nothing of an image reaches the output, and only the biases still \
             learn (dying ReLUs: Lu, Shin, Su and Karniadakis, 2020)."
        ),
    }
}

/// `, 5, 8. The fullest folders of dataset 3 are …`
fn why(answers: &[usize], dataset3: &Samples) -> String {
    let mut digits = answers.to_vec();
    digits.sort_unstable();
    digits.dedup();
    let digits: Vec<String> = digits.iter().map(ToString::to_string).collect();
    let digits = digits.join(", ");
    let fullest = fullest_folders(dataset3);
    let (first, second) = (fullest.first().copied(), fullest.get(1).copied());
    match (first, second) {
        (Some(first), Some(second)) if answers.iter().all(|a| [first, second].contains(a)) => {
            format!(
                ", {digits}. The fullest folders of dataset 3 are {first} and {second}: this is \
                 what a network answers that knows how often each label occurs and not what it sees"
            )
        }
        _ => format!(", {digits}"),
    }
}

/// How many of the original's last accuracies are what one answer to everything scores.
fn in_report(dataset3: &Samples, test: &Samples) -> String {
    let last: Vec<f64> = networks()
        .filter_map(|(head, init)| reported_last(3, head, init))
        .map(|last| last.val_accuracy)
        .collect();
    let answers: Vec<usize> = (last.iter())
        .filter_map(|accuracy| digits_of_share(*accuracy, test).first().copied())
        .collect();
    let below = last.iter().filter(|accuracy| **accuracy < BELOW_CHANCE);
    let why = match answers.is_empty() {
        true => String::new(),
        false => why(&answers, dataset3),
    };
    format!(
        "The report. Of its {} last accuracies, {} is below {:.0} %, as of a network that has \
         learned to read, and {} are to all four decimals the share of a single digit in the test \
         set, as of one that gives this answer to everything{why}.",
        last.len(),
        below.count(),
        100.0 * BELOW_CHANCE,
        answers.len()
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
