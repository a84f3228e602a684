//! What the comparisons of part 2 say, one sentence each, from the same numbers.

use crate::{
    display::{Html, format_p, note},
    eval::statistics::{PairedDifference, holm},
    report::{accuracy, difference, never_made},
    study::{Grid, Head, Init, RunResult},
};

/// `pretraining raises test accuracy (+0.12 (0.05 to 0.19) points)`, or that it cannot be told.
fn effect(what: &str, gain: Option<&PairedDifference>) -> String {
    let Some(gain) = gain else {
        return format!("one seed cannot say whether pretraining changes {what}");
    };
    let numbers = format!("{} points", difference(gain, 100.0, 2));
    match gain.interval.contains(0.0) {
        true => format!("whether pretraining changes {what} cannot be told ({numbers})"),
        false if gain.mean > 0.0 => format!("pretraining raises {what} ({numbers})"),
        false => format!("pretraining lowers {what} ({numbers})"),
    }
}

/// What pretraining does to a share of each run, head by head.
fn of_heads(grid: &Grid, what: &str, value: fn(&RunResult) -> Option<f64>) -> String {
    let each = heads(grid).map(|head| {
        let gain = grid.gain(head, value);
        let (name, effect) = (head.name(), effect(what, gain.as_ref()));
        format!("With the {name} head, {effect}.")
    });
    each.collect::<Vec<_>>().join(" ")
}

/// The heads of which there are runs.
pub(super) fn heads(grid: &Grid) -> impl Iterator<Item = Head> {
    let has_runs = |head: &Head| Init::ALL.iter().any(|init| !grid.runs(*head, *init).is_empty());
    Head::ALL.into_iter().filter(has_runs)
}

/// The same of test accuracy.
pub(super) fn of_accuracy(grid: &Grid) -> String {
    of_heads(grid, "test accuracy", accuracy)
}

/// What pretraining does to the calibration error, over all seeds.
pub fn calibration(grid: &Grid) -> Html {
    if grid.is_empty() {
        return never_made();
    }
    let ece = |run: &RunResult| run.metric("ece");
    note(&of_heads(grid, "the calibration error", ece))
}

/// For which digits pretraining changes recall, corrected for their number.
pub fn recall(grid: &Grid) -> Html {
    let mut all = Vec::new();
    for head in Head::ALL {
        for digit in 0..10 {
            let name = format!("recall_{digit}");
            let gain = grid.gain(head, |run| run.metric(&name));
            all.extend(gain.map(|gain| (head, digit, gain)));
        }
    }
    if all.is_empty() {
        return note("One seed alone cannot say for which digits pretraining helps.");
    }
    let corrected = holm(&all.iter().map(|(.., gain)| gain.p).collect::<Vec<_>>());
    let certain = all.iter().zip(corrected).filter(|(_, p)| *p < 0.05);
    let certain: Vec<String> = certain
        .map(|((head, digit, gain), p)| {
            let (name, points) = (head.name(), difference(gain, 100.0, 2));
            format!("{digit} with the {name} head ({points} points, {})", format_p(p))
        })
        .collect();
    note(&match certain.as_slice() {
        [] => format!(
            "For no digit can it be told whether pretraining changes its recall ({} comparisons).",
            all.len()
        ),
        some => format!("Pretraining changes recall for {}.", some.join("; ")),
    })
}
