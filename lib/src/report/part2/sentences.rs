//! What the comparisons of part 2 say, one sentence each, from the same numbers.

use crate::{
    display::{Html, format_number, format_p, note},
    eval::statistics::{PairedDifference, holm},
    report::{accuracy, difference, never_made},
    study::{Grid, Head, Init, RunResult},
};

/// `raises test accuracy by 0.12 points (95 % interval 0.05 to 0.19)`, or that it cannot be told.
/// Numbers are shown times `scale`, in `unit`.
fn effect(what: &str, gain: Option<&PairedDifference>, scale: f64, unit: &str) -> String {
    let Some(gain) = gain else {
        return format!("what it does to {what} needs more than one seed");
    };
    let numbers = format!("{} {unit}", difference(gain, scale, 2));
    match gain.interval.contains(0.0) {
        true => format!("whether it changes {what} cannot be told ({numbers})"),
        false if gain.mean > 0.0 => format!("pretraining raises {what} ({numbers})"),
        false => format!("pretraining lowers {what} ({numbers})"),
    }
}

/// What pretraining does to one number of a run, head by head.
pub(super) fn of_heads(
    grid: &Grid,
    what: &str,
    scale: f64,
    unit: &str,
    value: fn(&RunResult) -> Option<f64>,
) -> String {
    let each = Head::ALL.map(|head| {
        let gain = grid.gain(head, value);
        let (name, effect) = (head.name(), effect(what, gain.as_ref(), scale, unit));
        format!("With the head {name}, {effect}.")
    });
    each.join(" ")
}

/// The same of test accuracy.
pub(super) fn of_accuracy(grid: &Grid) -> String {
    of_heads(grid, "test accuracy", 100.0, "points", accuracy)
}

/// What pretraining does to the calibration error, over all seeds.
pub fn calibration(grid: &Grid) -> Html {
    if grid.is_empty() {
        return never_made();
    }
    let ece = |run: &RunResult| run.metric("ece");
    note(&of_heads(
        grid,
        "the calibration error",
        100.0,
        "points",
        ece,
    ))
}

/// Which digits pretraining makes easier to find, corrected for their number.
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
            format!(
                "{digit} with the head {name} ({points} points, {})",
                format_p(p)
            )
        })
        .collect();
    note(&match certain.as_slice() {
        [] => format!(
            "Recall digit by digit, {} comparisons: for none of them can it be told whether \
             pretraining helps.",
            all.len()
        ),
        some => format!("Recall differs for {}.", some.join("; ")),
    })
}

/// Which layer keeps most and least of its features, by start.
pub fn features(grid: &Grid, head: Head) -> Html {
    let of = |init| {
        let layers = super::transfer::LAYERS.iter().filter_map(|layer| {
            let name = format!("cka_{layer}");
            let mean = grid.mean(head, init, |run: &RunResult| run.metric(&name))?;
            Some((*layer, mean.mean))
        });
        let layers: Vec<(&str, f64)> = layers.collect();
        let by = |a: &&(&str, f64), b: &&(&str, f64)| a.1.total_cmp(&b.1);
        let (least, most) = (layers.iter().min_by(by)?, layers.iter().max_by(by)?);
        Some(format!(
            "From a {} start, `{}` keeps most of its features (CKA {}) and `{}` least ({}).",
            init.name(),
            most.0,
            format_number(most.1, 2),
            least.0,
            format_number(least.1, 2)
        ))
    };
    let sentences: Vec<String> = Init::ALL.into_iter().filter_map(of).collect();
    match sentences.is_empty() {
        true => never_made(),
        false => note(&sentences.join(" ")),
    }
}
