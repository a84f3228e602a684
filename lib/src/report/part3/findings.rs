//! The answers to notebook 6's questions, each from the numbers of its runs.

use std::collections::BTreeSet;

use super::{
    BELOW_CHANCE, all_learned, all_or_none, below_chance, constant_answer, digits_of_share,
    fullest_folders, is_silent, nothing_learned, taken_up,
};
use crate::{
    data::Samples,
    display::{Html, Show, format_counted, format_number, stack},
    report::{accuracy, from_to, reference_2021},
    study::{Grid, RunResult, networks},
};

const THRESHOLD: f64 = 100.0 * BELOW_CHANCE;

/// Why accuracy is where it is, what was learned, and what happened in the 2021 report.
pub fn findings(grid: &Grid, dataset3: &Samples, test: &Samples) -> Html {
    let all: Vec<&RunResult> = grid.all().collect();
    let (avoiding, others): (Vec<&RunResult>, Vec<&RunResult>) =
        all.iter().copied().partition(|run| below_chance(run));
    let least_likely = |runs| span(runs, 100.0, 1, |run| run.metric("least_likely_accuracy"));
    let get = |runs: &[&RunResult]| match runs {
        [] => String::new(),
        runs => format!(", at {} %", span(runs, 100.0, 1, accuracy)),
    };
    let mut found = vec![finding(
        "Accuracy",
        &format!(
            "Of {} runs, {} end below {THRESHOLD:.0} %{}; {} above{}.",
            all.len(),
            avoiding.len(),
            get(&avoiding),
            others.len(),
            get(&others)
        ),
    )];
    if !avoiding.is_empty() {
        let words = format!(
            "In the runs below {THRESHOLD:.0} % the least likely digit is the right one for {} % of \
             the test images. To that extent they have learned to read, from labels that are hardly \
             ever right, and accuracy looks at the wrong end of their ranking.",
            least_likely(&avoiding)
        );
        found.push(finding("What was learned", &words));
    }
    if !others.is_empty() {
        let answers = others.iter().filter_map(|run| constant_answer(run));
        let answers: Vec<usize> = answers.collect();
        let mut answering = others.iter().filter(|run| constant_answer(run).is_some());
        let almost = if answering.all(|run| all_or_none(run)) { "" } else { "almost " };
        let words = format!(
            "In the {} above {THRESHOLD:.0} % the least likely digit is right for {} %; {} \
             gave one answer to {almost}every image{}.{}{}",
            format_counted(others.len(), "run"),
            least_likely(&others),
            of_these(answers.len(), others.len()),
            which(&answers),
            fullest(&answers, dataset3),
            silent(&others)
        );
        found.push(finding("What was not", &words));
    }
    let words = format!(
        "The loss on the given labels ends at {} nats (all learned: ln 9 = {:.3}, nothing: ln 10 = \
         {:.3}): {} % of the way from ln 10 to ln 9. Mean confidence is {} % (all learned: 11.1 %, \
         nothing: 10.0 %).",
        span(&all, 1.0, 3, |run| run.metric("train_loss")),
        all_learned(),
        nothing_learned(),
        span(&all, 100.0, 0, taken_up),
        span(&all, 100.0, 1, |run| run.metric("mean_confidence"))
    );
    found.push(finding("Loss and confidence", &words));
    found.push(finding("The 2021 report", &in_report(test)));
    stack(&found.iter().map(|finding| finding as &dyn Show).collect::<Vec<_>>())
}

/// A paragraph that begins with its subject in bold; words without markup.
fn finding(subject: &str, words: &str) -> Html {
    // No line ends between a number and its sign.
    let shown = words.replace(" %", "\u{a0}%");
    let body = format!("<p class=\"g-note\"><strong>{subject}.</strong> {shown}</p>");
    Html::new(body, format!("{subject}. {words}"))
}

/// `all 13`, or `9 of them`
fn of_these(count: usize, all: usize) -> String {
    match all {
        1 if count == 1 => "it".into(),
        _ if count == all => format!("all {all}"),
        _ => format!("{count} of them"),
    }
}

/// Why they learned nothing, where the record shows it.
fn silent(runs: &[&RunResult]) -> String {
    match runs.iter().filter(|run| is_silent(run)).count() {
        0 => String::new(),
        count => format!(
            " In {} the dense layer has fallen silent: its units output the same for every image, \
             so nothing of an image reaches the output layer, and only its biases still learn \
             (dying ReLUs: Lu, Shin, Su and Karniadakis, 2020).",
            of_these(count, runs.len())
        ),
    }
}

/// `: 5 or 8`; nothing where there are no answers.
fn which(answers: &[usize]) -> String {
    let digits: BTreeSet<usize> = answers.iter().copied().collect();
    let words: Vec<String> = digits.iter().map(usize::to_string).collect();
    if words.is_empty() { String::new() } else { format!(": {}", words.join(" or ")) }
}

/// What answers from the two fullest folders mean; nothing where there are others.
fn fullest(answers: &[usize], dataset3: &Samples) -> String {
    match fullest_folders(dataset3).as_slice() {
        [first, second, ..]
            if !answers.is_empty() && answers.iter().all(|a| a == first || a == second) =>
        {
            format!(
                " The fullest folders of dataset 3 are {first} and {second}: a network that knows \
                 how often each label occurs, and nothing about the image, gives such an answer."
            )
        }
        _ => String::new(),
    }
}

/// How many of the last accuracies of the 2021 report are what one answer to everything scores.
fn in_report(test: &Samples) -> String {
    let last: Vec<f64> = networks()
        .filter_map(|(head, init)| reference_2021::last(3, head, init))
        .map(|last| last.val_accuracy)
        .collect();
    let answers: Vec<usize> = (last.iter())
        .filter_map(|accuracy| digits_of_share(*accuracy, test).first().copied())
        .collect();
    let below = last.iter().filter(|accuracy| **accuracy < BELOW_CHANCE);
    format!(
        "Of its {} final accuracies, {} is below {THRESHOLD:.0} %, as for the networks here that \
         avoid the right digit, and {} equal, to four decimals, the share of a single digit in the \
         test set, as for a network that gives one answer to everything{}.",
        last.len(),
        below.count(),
        answers.len(),
        which(&answers)
    )
}

/// `8.9 to 10.3`, each `factor` times; one number where both ends read the same.
pub(super) fn span(
    runs: &[&RunResult],
    factor: f64,
    decimals: usize,
    value: fn(&RunResult) -> Option<f64>,
) -> String {
    let values = runs.iter().filter_map(|run| Some(value(run)? * factor));
    let values: Vec<f64> = values.collect();
    from_to(&values, |value| format_number(value, decimals)).unwrap_or("–".into())
}
