//! What the comparisons of part 2 say, one sentence each, from the same numbers.

use std::cmp::Ordering;

use super::{compare::gains, transfer::LAYERS};
use crate::{
    display::{Html, format_p, format_signed, note},
    eval::statistics::PairedDifference,
    report::{corrected, difference, never_made, span},
    study::{Grid, Head, Init, RunResult},
};

/// What pretraining does to a share of each run with one head.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub head: Head,
    /// Pretrained minus random; none for fewer than two seeds.
    pub gain: Option<PairedDifference>,
    /// Holm's, over all that are stated together.
    pub p: f64,
}

impl Effect {
    /// Where it is not chance.
    pub fn direction(&self) -> Option<Ordering> {
        let gain = self.gain.as_ref().filter(|_| self.p < 0.05)?;
        Some(gain.mean.total_cmp(&0.0))
    }

    /// `pretraining raises test accuracy with the original head (+0.12 points, 0.05 to 0.19)`, or
    /// that it cannot be told.
    fn words(&self, what: &str) -> String {
        let head = format!("with the {} head", self.head.name());
        let Some(gain) = &self.gain else {
            return format!(
                "it cannot be told from one seed whether pretraining changes {what} {head}"
            );
        };
        let mean = format_signed(gain.mean * 100.0, 2);
        let numbers = format!("({mean} points, {})", span(gain.interval, 100.0, 2));
        match self.direction() {
            Some(Ordering::Greater) => format!("pretraining raises {what} {head} {numbers}"),
            Some(_) => format!("pretraining lowers {what} {head} {numbers}"),
            None => {
                format!("it cannot be told whether pretraining changes {what} {head} {numbers}")
            }
        }
    }
}

/// All of them in one sentence, which begins with `of`: `Over the seeds`, say.
pub(super) fn sentence(of: &str, effects: &[Effect], what: &str) -> String {
    let each: Vec<String> = effects.iter().map(|effect| effect.words(what)).collect();
    format!("{of}, {}.", each.join("; "))
}

/// What pretraining does to a share of each run, grid by grid and head by head.
pub(super) fn effects(grids: &[&Grid], value: fn(&RunResult) -> Option<f64>) -> Vec<Vec<Effect>> {
    let of_grid = |grid: &&Grid| -> Vec<Effect> {
        let gain = |head| Effect { head, gain: grid.gain(head, value), p: f64::NAN };
        heads(grid).map(gain).collect()
    };
    let mut all: Vec<Vec<Effect>> = grids.iter().map(of_grid).collect();
    let corrected = corrected(all.iter().flatten().map(|effect| effect.gain.as_ref()));
    for (effect, p) in all.iter_mut().flatten().zip(corrected) {
        effect.p = p;
    }
    all
}

/// The heads of which there are runs.
pub(super) fn heads(grid: &Grid) -> impl Iterator<Item = Head> {
    let has_runs = |head: &Head| Init::ALL.iter().any(|init| !grid.runs(*head, *init).is_empty());
    Head::ALL.into_iter().filter(has_runs)
}

/// What pretraining does to the calibration error, which is one of the measures of quality.
pub fn calibration(grid: &Grid) -> Html {
    if grid.is_empty() {
        return never_made();
    }
    let all = gains(grid).into_iter();
    let of_error = all.filter(|(_, measure, ..)| measure.short() == "calibration error");
    let effects = of_error.map(|(head, _, gain, p)| Effect { head, gain, p });
    let effects: Vec<Effect> = effects.collect();
    note(&sentence("Over the seeds", &effects, "the calibration error"))
}

/// For which digits pretraining changes recall.
pub fn recall(grid: &Grid) -> Html {
    let digits = (0..10).map(|digit| (digit.to_string(), format!("recall_{digit}")));
    note(&changes(grid, digits, "recall", (100.0, " points")))
}

/// In which layers pretraining changes how alike features stay from start to end (CKA).
pub fn features(grid: &Grid) -> Html {
    let layers = LAYERS.map(|layer| (layer.to_string(), format!("cka_{layer}")));
    note(&changes(
        grid,
        layers.into_iter(),
        "the similarity of features before and after",
        (1.0, ""),
    ))
}

/// Which of several metrics pretraining changes with which head, corrected for their number; `unit` is
/// what a difference is multiplied by, and its name.
fn changes(
    grid: &Grid,
    metrics: impl Iterator<Item = (String, String)>,
    what: &str,
    unit: (f64, &str),
) -> String {
    let metrics: Vec<(String, String)> = metrics.collect();
    let mut all = Vec::new();
    for head in Head::ALL {
        for (label, name) in &metrics {
            let gain = grid.gain(head, |run| run.metric(name));
            all.extend(gain.map(|gain| (head, label, gain)));
        }
    }
    if all.is_empty() {
        return format!("One seed alone cannot say whether pretraining changes {what}.");
    }
    let corrected = corrected(all.iter().map(|(.., gain)| Some(gain)));
    let certain = all.iter().zip(corrected).filter(|(_, p)| *p < 0.05);
    let certain: Vec<String> = certain
        .map(|((head, label, gain), p)| {
            let (name, change) = (head.name(), difference(gain, unit.0, 2));
            format!("{label} with the {name} head ({change}{}, {})", unit.1, format_p(p))
        })
        .collect();
    match certain.as_slice() {
        [] => format!("No change in {what} is established ({} comparisons).", all.len()),
        some => format!("Pretraining changes {what} for {}.", some.join("; ")),
    }
}
