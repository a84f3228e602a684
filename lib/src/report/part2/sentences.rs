//! What the comparisons of part 2 say, one sentence each, from the same numbers.

use std::cmp::Ordering;

use super::{measures::gains, transfer::LAYERS};
use crate::{
    display::{Html, format_signed, note},
    eval::statistics::PairedDifference,
    report::{by_holm, corrected, few, from_to, listed, never_made, points_in_words, spelled},
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

    /// `+0.12 points, 0.05 to 0.19`
    fn numbers(&self) -> Option<String> {
        self.gain.as_ref().map(points_in_words)
    }
}

/// Effects of one direction together, in the order of the first of each.
fn alike(effects: &[Effect]) -> Vec<Vec<&Effect>> {
    let mut groups: Vec<Vec<&Effect>> = Vec::new();
    let kind = |effect: &Effect| (effect.gain.is_some(), effect.direction());
    for effect in effects {
        match groups.iter_mut().find(|group| kind(group[0]) == kind(effect)) {
            Some(group) => group.push(effect),
            None => groups.push(vec![effect]),
        }
    }
    groups
}

/// `pretraining raises test accuracy with the original head (+0.12 points, 0.05 to 0.19)`, or
/// that it is unclear.
fn clause(group: &[&Effect], what: &str) -> String {
    let heads = with_heads(group);
    let either = with_either(group);
    let numbers = group.iter().filter_map(|effect| Some((effect.head.name(), effect.numbers()?)));
    let numbers = match numbers.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [(_, numbers)] => format!(" ({numbers})"),
        several => {
            let each = several.iter().map(|(head, numbers)| format!("{head}: {numbers}"));
            format!(" ({})", each.collect::<Vec<_>>().join("; "))
        }
    };
    match (group[0].direction(), &group[0].gain) {
        (Some(Ordering::Greater), _) => format!("pretraining raises {what} {heads}{numbers}"),
        (Some(_), _) => format!("pretraining lowers {what} {heads}{numbers}"),
        (None, Some(_)) => {
            let gains = group.iter().filter_map(|effect| effect.gain.as_ref());
            let reason = gains.map(by_holm).find(|reason| !reason.is_empty());
            let reason = reason.unwrap_or_default();
            let told = format!("{reason}it is unclear whether pretraining changes");
            format!("{told} {what} {either}{numbers}")
        }
        (None, None) => {
            format!("one seed cannot show whether pretraining changes {what} {either}")
        }
    }
}

/// `with the original head`, or `with both heads`
fn with_heads(group: &[&Effect]) -> String {
    match group {
        [one] => format!("with the {} head", one.head.name()),
        _ => "with both heads".into(),
    }
}

/// The same after a denial: `with either head`
fn with_either(group: &[&Effect]) -> String {
    match group {
        [_] => with_heads(group),
        _ => "with either head".into(),
    }
}

/// All of them in one sentence, which begins with `of`: `Over the seeds`, say.
pub(super) fn sentence(of: &str, effects: &[Effect], what: &str) -> String {
    let each: Vec<String> = alike(effects).iter().map(|group| clause(group, what)).collect();
    format!("{of}, {}.", each.join("; "))
}

/// All of them in a title: `Pretraining raises test accuracy with both heads`
pub(super) fn title(effects: &[Effect], what: &str) -> String {
    if effects.iter().all(|effect| effect.gain.is_none()) {
        return format!("One seed alone cannot say whether pretraining changes {what}");
    }
    let groups = alike(effects);
    let each = groups.iter().map(|group| match group[0].direction() {
        Some(Ordering::Greater) => format!("raises {what} {}", with_heads(group)),
        Some(_) => format!("lowers {what} {}", with_heads(group)),
        None => format!("makes no detectable difference to {what} {}", with_either(group)),
    });
    format!("Pretraining {}", listed(&each.collect::<Vec<_>>(), "and"))
}

/// In how many comparisons pretraining changes it, and in which direction; none where there is no
/// comparison.
pub(super) fn count(effects: &[Vec<Effect>], what: &str) -> Option<String> {
    let known = || effects.iter().flatten().filter(|effect| effect.gain.is_some());
    let of = |direction| known().filter(|effect| effect.direction() == Some(direction)).count();
    let (higher, lower) = (of(Ordering::Greater), of(Ordering::Less));
    (known().count() > 0).then(|| {
        format!(
            "pretraining raises {what} in {} of {} comparisons and lowers it in {} (Holm's p below \
             0.05)",
            few(higher),
            spelled(known().count()),
            few(lower)
        )
    })
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
    of_measure(grid, "calibration error", "the calibration error")
}

/// What pretraining does to the accuracy after one epoch, which is another.
pub fn first_epoch(grid: &Grid) -> Html {
    let name = "accuracy after one epoch";
    of_measure(grid, name, name)
}

fn of_measure(grid: &Grid, name: &str, what: &str) -> Html {
    if grid.is_empty() {
        return never_made();
    }
    let all = gains(grid).into_iter().filter(|(_, measure, ..)| measure.short() == name);
    let effects = all.map(|(head, _, gain, p)| Effect { head, gain, p });
    let effects: Vec<Effect> = effects.collect();
    note(&sentence("Over the seeds", &effects, what))
}

/// For how many digits pretraining changes recall.
pub fn recall(grid: &Grid) -> Html {
    let digits: Vec<String> = (0..10).map(|digit| format!("recall_{digit}")).collect();
    note(&changes(grid, &digits, ("recall", "digits"), (100.0, " points")))
}

/// The digit that is recognised least often in any run, from each start.
pub fn lowest_recall(grid: &Grid) -> Html {
    let lowest = |init: Init| {
        let runs = grid.all().filter(|run| run.init == init.name());
        let recalls = runs.flat_map(|run| {
            let of = |digit| Some((run.metric(&format!("recall_{digit}"))?, digit, run.seed));
            (0..10).filter_map(of).collect::<Vec<(f64, usize, u64)>>()
        });
        let (recall, digit, seed) = recalls.min_by(|one, other| one.0.total_cmp(&other.0))?;
        let recall = 100.0 * recall;
        Some(format!("{recall:.1} % of the {digit}s ({} start, seed {seed})", init.name()))
    };
    let lowest: Vec<String> = Init::ALL.into_iter().filter_map(lowest).collect();
    match lowest.is_empty() {
        true => Html::default(),
        false => note(&format!("The lowest recall of a digit: {}.", listed(&lowest, "and"))),
    }
}

/// In how many layers pretraining changes how alike features stay from start to end (CKA).
pub fn features(grid: &Grid) -> Html {
    let layers = LAYERS.map(|layer| format!("cka_{layer}"));
    let what = ("the similarity of features before and after training", "layers");
    note(&changes(grid, &layers, what, (1.0, "")))
}

/// How many of several metrics pretraining changes with each head, corrected for their number, and by
/// how much; `noun` is what there is a metric of, `unit` what a difference is multiplied by, and its
/// name.
fn changes(
    grid: &Grid,
    metrics: &[String],
    (what, noun): (&str, &str),
    unit: (f64, &str),
) -> String {
    let mut all = Vec::new();
    for head in Head::ALL {
        for name in metrics {
            let gain = grid.gain(head, |run| run.metric(name));
            all.extend(gain.map(|gain| (head, gain)));
        }
    }
    if all.is_empty() {
        return format!("One seed alone cannot say whether pretraining changes {what}.");
    }
    let corrected = corrected(all.iter().map(|(_, gain)| Some(gain)));
    let certain: Vec<_> = all.iter().zip(corrected).filter(|(_, p)| *p < 0.05).collect();
    let of_head = |head: Head| {
        let means = certain.iter().filter(|((h, _), _)| *h == head).map(|((_, gain), _)| gain.mean);
        let means: Vec<f64> = means.collect();
        let by = from_to(&means, |mean| format_signed(mean * unit.0, 2))?;
        let compared = all.iter().filter(|(h, _)| *h == head).count();
        Some(format!(
            "in {} of {} {noun} with the {} head (by {by}{})",
            spelled(means.len()),
            spelled(compared),
            head.name(),
            unit.1
        ))
    };
    let heads: Vec<String> = Head::ALL.into_iter().filter_map(of_head).collect();
    let verb = match certain.iter().filter(|((_, gain), _)| gain.mean > 0.0).count() {
        0 => "lowers",
        rises if rises == certain.len() => "raises",
        _ => "changes",
    };
    match heads.as_slice() {
        [] => format!("No change in {what} is established ({} comparisons).", all.len()),
        heads => format!(
            "Pretraining {verb} {what} {}; Holm's p is below 0.05 for each of these.",
            listed(heads, "and")
        ),
    }
}
