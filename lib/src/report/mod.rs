//! What the pages say about records: tables, charts and sentences, one module a part of the
//! study. It trains nothing, so a change here repeats no run.

pub mod audit;
pub mod claims;
pub mod complementary;
mod experiment;
pub mod part1;
pub mod part2;
pub mod part3;
mod people;
pub mod reference_2021;
pub mod summary;
pub mod trials;

pub use people::people;

use std::{borrow::Borrow, iter::repeat_n};

use crate::{
    Result,
    display::{
        Axis, Cell, Html, LineChart, RowChart, Show, Table, format_count, format_counted,
        format_number, format_signed, no_number, note, number, percent, percent_interval, stack,
    },
    eval::statistics::{Estimate, Interval, PairedDifference, holm, mean, mean_of_splits},
    study::{Grid, Head, Init, RunResult, Seeds, Split, Trained, val_accuracy},
};

/// Label of what the 2021 report says, beside ours.
pub(crate) const THE_REPORT: &str = "the 2021 report";

/// A table without rows, its columns written in one line: `head | start | seeds`.
fn table(caption: impl Into<String>, columns: &str) -> Table {
    Table::new(caption, columns.split(" | "))
}

/// `original, random`
fn network_name(head: Head, init: Init) -> String {
    format!("{}, {}", head.name(), init.name())
}

/// `Original head`
fn head_title(head: Head) -> &'static str {
    match head {
        Head::Original => "Original head",
        Head::Experimental => "Experimental head",
    }
}

/// The seeds of each network, under its name.
fn named(grid: &Grid) -> Vec<(String, &Seeds)> {
    let cells = grid.iter();
    cells.map(|(head, init, seeds)| (network_name(head, init), seeds)).collect()
}

/// As a cell: `0.032`, or `< 0.001`; with a fourth decimal where three would read 0.050.
fn p_value(p: f64) -> Cell {
    match p < 0.001 {
        true => Cell::Value("< 0.001".into(), Some(p)),
        false if (p - 0.05).abs() < 5e-4 => number(p, 4),
        false => number(p, 3),
    }
}

/// Holm's p-value of each difference, over all that there are; NaN where there is none.
fn corrected<'a>(gains: impl Iterator<Item = Option<&'a PairedDifference>>) -> Vec<f64> {
    corrected_beside(0, gains)
}

/// The same, if so many others were tested too, and showed nothing.
fn corrected_beside<'a>(
    others: usize,
    gains: impl Iterator<Item = Option<&'a PairedDifference>>,
) -> Vec<f64> {
    let gains: Vec<_> = gains.collect();
    let known = gains.iter().flatten().map(|gain| gain.p).chain(repeat_n(1.0, others));
    let mut p = holm(&known.collect::<Vec<f64>>()).into_iter();
    gains.iter().map(|gain| gain.and_then(|_| p.next()).unwrap_or(f64::NAN)).collect()
}

/// `a; b`, or `none`
fn or_none<S: Borrow<str>>(names: &[S]) -> String {
    match names {
        [] => "none".into(),
        names => names.join("; "),
    }
}

/// What a notebook shows in place of runs that nobody has made on its data.
fn never_made() -> Html {
    note("These runs have not been made on this data; `make full` makes them.")
}

/// A word on records that could not be used; nothing where all could.
fn left_out(reasons: &[String]) -> Html {
    match reasons {
        [] => Html::default(),
        [first] => note(&format!("A record is left out: {first}.")),
        [first, ..] => {
            let n = reasons.len();
            note(&format!("{n} records are left out; the first: {first}."))
        }
    }
}

/// On the MNIST test set; in part 1, which has none, on the validation part after the last
/// epoch.
fn accuracy(run: &RunResult) -> Option<f64> {
    match run.part {
        1 => val_accuracy(run),
        _ => run.test_accuracy,
    }
}

/// The mean of shares; a dash where there are none.
fn mean_percent(shares: &[f64]) -> Cell {
    mean(shares).map_or(no_number(), |estimate| percent(estimate.mean))
}

/// Shares in per cent, one after the other.
fn each_percent(shares: &[f64]) -> Cell {
    let each = shares.iter().map(|share| format!("{:.2}", share * 100.0));
    each.collect::<Vec<_>>().join("  ").into()
}

/// Of accuracies as [`accuracy`] has them: the splits of part 1's seeds overlap, and the MNIST test
/// set is the same for all.
fn overlap(seeds: &Seeds) -> f64 {
    let of_part1 = seeds.runs.first().is_some_and(|run| run.part == 1);
    if of_part1 { seeds.overlap() } else { 0.0 }
}

/// `+0.42 (0.10 to 0.74)`: a difference with its interval, each times `scale`.
fn difference(gain: &PairedDifference, scale: f64, decimals: usize) -> String {
    let mean = format_signed(gain.mean * scale, decimals);
    format!("{mean} ({})", span(gain.interval, scale, decimals))
}

/// `+0.74 points, 0.24 to 1.24`
fn points_in_words(gain: &PairedDifference) -> String {
    format!("{} points, {}", format_signed(gain.mean * 100.0, 2), span(gain.interval, 100.0, 2))
}

/// What a difference is followed by whose interval has 0 in it; else nothing.
fn or_zero(gain: &PairedDifference) -> &'static str {
    if gain.interval.contains(0.0) { ", a difference that chance can explain" } else { "" }
}

/// Why a difference is not called one although its interval leaves out 0: its p-value is Holm's,
/// its interval is not.
fn by_holm(gain: &PairedDifference) -> &'static str {
    if gain.interval.contains(0.0) { "" } else { "after Holm's correction, " }
}

/// `0.10 to 0.74`
fn span(interval: Interval, scale: f64, decimals: usize) -> String {
    let [low, high] = [interval.low, interval.high].map(|x| format_number(x * scale, decimals));
    format!("{low} to {high}")
}

/// A difference of shares in percentage points, with its interval.
fn points(gain: Option<PairedDifference>) -> Cell {
    gain.map_or("–".into(), |gain| difference(&gain, 100.0, 2).into())
}

/// Accuracies of several ways, each over its seeds: a chart, a table and which is highest,
/// beside what the 2021 report or others reached (`lines`). `column` says what the ways are.
fn compare(
    what: &str,
    column: &str,
    ways: &[(impl AsRef<str>, impl Borrow<Seeds>)],
    lines: &[(&str, f64)],
) -> Result<Html> {
    // Intervals between runs in two groups would describe neither.
    let in_groups = ways.iter().any(|(_, seeds)| two_groups(seeds.borrow()).is_some());
    let Some((title, leads)) = highest(ways).filter(|_| !in_groups) else {
        return compare_under(what, what, column, ways, lines);
    };
    let shown = compare_under(&title, what, column, ways, lines)?;
    Ok(stack(&[&shown, &note(&leads)]))
}

/// Which of several ways has the highest mean, which of its leads are more than chance (Holm's
/// correction over all of them), and by how much it leads each of the others.
/// Their names are in quotation marks: some are plural, some have commas.
fn highest(ways: &[(impl AsRef<str>, impl Borrow<Seeds>)]) -> Option<(String, String)> {
    let ranked = ways.iter().filter_map(|(name, seeds)| {
        let seeds: &Seeds = seeds.borrow();
        Some((name.as_ref(), mean(&seeds.values(accuracy)).ok()?.mean, seeds))
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let ((best, top, seeds), others) = ranked.split_first().filter(|(_, rest)| !rest.is_empty())?;
    let top = format!("“{best}” has the highest mean, {:.2} %", 100.0 * top);
    let leads = others.iter().map(|(.., other)| seeds.difference(other, accuracy, overlap(seeds)));
    let leads: Vec<Option<PairedDifference>> = leads.collect();
    let p = corrected(leads.iter().map(Option::as_ref));
    let (mut by, mut within) = (Vec::new(), Vec::new());
    for (((name, ..), lead), p) in others.iter().zip(leads).zip(p) {
        if lead.is_none_or(|lead| lead.mean <= 0.0 || p >= 0.05) {
            within.push(format!("“{name}”"));
        }
        by.push(match lead {
            Some(lead) => {
                let mean = format_number(100.0 * lead.mean, 2);
                format!("“{name}” by {mean} points ({})", span(lead.interval, 100.0, 2))
            }
            None => format!("“{name}” by an unknown margin (too few seeds)"),
        });
    }
    let title = match within.as_slice() {
        [] if others.len() == 1 => {
            format!("{top}, ahead of “{}” by more than chance can explain", others[0].0)
        }
        [] => format!("{top}, ahead of all others by more than chance can explain"),
        [one] => format!("{top}, but its lead over {one} may be chance"),
        // Their names stand below.
        within if within.len() > 2 && within.len() == others.len() => {
            format!("{top}, but its leads over all others may be chance")
        }
        within => format!("{top}, but its leads over {} may be chance", listed(within, "and")),
    };
    let several = match by.len() {
        1 => "",
        _ => {
            " The title uses Holm's correction over the leads shown; the intervals are not \
             corrected."
        }
    };
    let by = format!("“{best}” leads {}.{several}", listed(&by, "and"));
    Some((title, by))
}

/// `a, b or c`
fn listed(names: &[String], last: &str) -> String {
    match names {
        [names @ .., end] if !names.is_empty() => format!("{} {last} {end}", names.join(", ")),
        names => names.concat(),
    }
}

/// `eight`, or `21`
fn spelled(count: usize) -> String {
    let words = "no one two three four five six seven eight nine ten eleven twelve";
    words.split(' ').nth(count).map_or_else(|| format_count(count), String::from)
}

/// `none`, or `three`
fn few(count: usize) -> String {
    if count == 0 { "none".into() } else { spelled(count) }
}

/// With a capital at the beginning.
fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// `8 to 13`, from the least to the most; one number where both read the same; none of no values.
fn from_to(values: &[f64], words: impl Fn(f64) -> String) -> Option<String> {
    let end = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of).map(&words);
    let (least, most) = (end(f64::min)?, end(f64::max)?);
    Some(if least == most { least } else { format!("{least} to {most}") })
}

/// As [`compare`], under a title that says something else.
fn compare_under(
    title: &str,
    what: &str,
    column: &str,
    ways: &[(impl AsRef<str>, impl Borrow<Seeds>)],
    lines: &[(&str, f64)],
) -> Result<Html> {
    let each: Vec<&Seeds> = ways.iter().map(|(_, seeds)| seeds.borrow()).collect();
    let reasons: Vec<String> = each.iter().flat_map(|seeds| seeds.left_out.clone()).collect();
    if each.iter().all(|seeds| seeds.values(accuracy).is_empty()) {
        return Ok(stack(&[&never_made(), &left_out(&reasons)]));
    }
    let mut chart = RowChart::dots(title, Axis::percent("accuracy"));
    let columns = format!("{column} | mean | 95 % interval over seeds | seeds | each seed (%)");
    let mut table = table(what, &columns);
    for (name, seeds) in ways {
        let seeds: &Seeds = seeds.borrow();
        let values = seeds.values(accuracy);
        if values.is_empty() {
            continue;
        }
        let estimate = mean_of_splits(&values, overlap(seeds))?;
        let groups = two_groups(seeds);
        let (mean, interval) = mean_and_interval(&estimate, groups.as_ref());
        chart = match groups {
            None => chart.estimate(name.as_ref(), &estimate),
            Some((low, high)) => [low, high].into_iter().fold(chart, |chart, group| {
                let of_group = group.iter().sum::<f64>() / group.len() as f64;
                let name = format!("{}, {}", name.as_ref(), format_counted(group.len(), "run"));
                chart.value(name, of_group)
            }),
        };
        table = table.row([
            name.as_ref().into(),
            mean,
            interval,
            estimate.n.into(),
            each_percent(&values),
        ]);
    }
    for (label, value) in lines {
        chart = chart.reference(*label, *value);
    }
    Ok(stack(&[&chart, &table, &left_out(&reasons)]))
}

type Groups = (Vec<f64>, Vec<f64>);

/// Of runs in two groups, how many each has.
fn mean_and_interval(estimate: &Estimate, groups: Option<&Groups>) -> (Cell, Cell) {
    match groups {
        None => (percent(estimate.mean), percent_interval(estimate).into()),
        Some((low, high)) => {
            let groups = format!("two groups, of {} and {} runs", low.len(), high.len());
            (no_number(), groups.into())
        }
    }
}

/// The accuracies of networks that took wrong labels for right ones, where some learned to avoid
/// the right digit and others nothing: an interval around their mean would describe neither.
fn two_groups(seeds: &Seeds) -> Option<Groups> {
    let run = seeds.runs.first()?;
    let may_differ = run.part == 3 && run.protocol == "report";
    may_differ.then(|| around_two(&seeds.values(accuracy)))?
}

/// Values that lie around two points rather than one: at least two on each side of a gap five
/// times as wide as either side (of five normally distributed values, one set in a hundred); or all
/// but one equal, as those of networks that answer every image alike.
fn around_two(values: &[f64]) -> Option<Groups> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let gap = |at: &usize| sorted[*at] - sorted[at - 1];
    let at = (1..sorted.len()).max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
    let (low, high) = sorted.split_at(at);
    let range = |group: &[f64]| group[group.len() - 1] - group[0];
    let are_two = match (low.len(), high.len()) {
        (1, others) | (others, 1) => {
            others > 2 && range(low) + range(high) == 0.0 && gap(&at) > 0.0
        }
        _ => 5.0 * range(low).max(range(high)) < gap(&at),
    };
    are_two.then(|| (low.to_vec(), high.to_vec()))
}

impl Trained {
    /// Accuracy along the training, with what the 2021 report's run ended at; and what it was
    /// trained on.
    pub fn chart(&self) -> Html {
        let (part, head, init) = (self.result.part, self.experiment.head, self.experiment.init);
        let epochs = &self.result.epochs;
        let judged_by = match self.experiment.split {
            Split::TestSet => "test",
            _ => "validation",
        };
        let title = format!(
            "{}, {} start: {:.2} % of {judged_by} images classified correctly at the end",
            head_title(head),
            init.name(),
            100.0 * val_accuracy(&self.result).unwrap_or(f64::NAN)
        );
        let fine = part2::measures::curve(&self.result);
        let steps = fine.last().map_or(1.0, |point| point.0 / epochs.len().max(1) as f64);
        let whole = epochs.iter().zip(1..).map(|(epoch, n)| (steps * n as f64, epoch.val_accuracy));
        let axis = Axis::percent(format!("{judged_by} accuracy"));
        let unit = if fine.is_empty() { "epoch" } else { "step" };
        let mut chart = LineChart::new(title, Axis::new(unit).from(0.0), axis);
        if let Some(curve) = self.result.config.curve.filter(|_| !fine.is_empty()) {
            chart = chart.curve(format_counted(curve.images, "image"), fine);
        }
        chart = chart.dots("all images, after each epoch", whole);
        if let Some(last) = reference_2021::last(part, head, init) {
            chart = chart.reference(THE_REPORT, last.val_accuracy);
        }
        let dataset = &self.result.dataset;
        let origin = match &self.result.pretraining {
            Some(first) => {
                let before = format!(
                    "Before that, this network was trained on nine tenths of these {}:",
                    format_counted(first.count, "image")
                );
                stack(&[dataset, &note(&before), first])
            }
            None => dataset.show(),
        };
        stack(&[&chart, &origin])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_around_two_points() {
        let learned_or_not = [0.0025, 0.0974, 0.0032, 0.0892, 0.0133];
        let groups = (vec![0.0025, 0.0032, 0.0133], vec![0.0892, 0.0974]);
        assert_eq!(around_two(&learned_or_not), Some(groups));
        for one in [
            &[0.90, 0.91, 0.92, 0.925, 0.93][..],
            &[0.0974, 0.0974, 0.0974, 0.0974, 0.0974],
            &[0.0974, 0.0974, 0.0975, 0.0892, 0.0974],
            &[0.5],
            &[],
        ] {
            assert_eq!(around_two(one), None, "{one:?}");
        }
        let one_answer = [0.0974, 0.0974, 0.0974, 0.0892, 0.0974];
        assert_eq!(around_two(&one_answer), Some((vec![0.0892], vec![0.0974; 4])));
    }
}
