//! What the comparisons of part 2 say, one sentence each, from the same numbers.

use std::cmp::Ordering;

use super::compare::gains;
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
    let corrected = corrected(all.iter().map(|(.., gain)| Some(gain)));
    let certain = all.iter().zip(corrected).filter(|(_, p)| *p < 0.05);
    let certain: Vec<String> = certain
        .map(|((head, digit, gain), p)| {
            let (name, points) = (head.name(), difference(gain, 100.0, 2));
            format!("{digit} with the {name} head ({points} points, {})", format_p(p))
        })
        .collect();
    note(&match certain.as_slice() {
        [] => {
            format!("For no digit is a change in recall established ({} comparisons).", all.len())
        }
        some => format!("Pretraining changes recall for {}.", some.join("; ")),
    })
}
