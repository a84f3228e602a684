//! Techniques that were tried beside the study's own training, and are no part of it.

use super::{corrected, mean_percent, or_none, p_value, points, table, val_accuracy};
use crate::{
    Result,
    display::{Cell, Html, note, number, stack},
    eval::statistics::{PairedDifference, difference_of_splits, mean},
    study::{RunResult, TrialResult},
};

/// One technique's trials, each with the run that it is compared with.
struct Tried {
    technique: String,
    pairs: Vec<(TrialResult, RunResult)>,
}

/// One number of a trial and of the run beside it.
type Both = (Option<f64>, Option<f64>);

impl Tried {
    /// Of every pair that has it.
    fn values(&self, of: fn(&TrialResult, &RunResult) -> Both) -> (Vec<f64>, Vec<f64>) {
        let pairs = self.pairs.iter().map(|(trial, run)| of(trial, run));
        pairs.filter_map(|(trial, run)| trial.zip(run)).unzip()
    }
}

fn tried(part: u8) -> Result<Vec<Tried>> {
    let mut tried: Vec<Tried> = Vec::new();
    for trial in TrialResult::load_all()? {
        let Some(run) = RunResult::load(&trial.beside)?.filter(|run| run.part == part) else {
            continue;
        };
        match tried.iter_mut().find(|tried| tried.technique == trial.technique) {
            Some(tried) => tried.pairs.push((trial, run)),
            None => {
                tried.push(Tried { technique: trial.technique.clone(), pairs: vec![(trial, run)] });
            }
        }
    }
    Ok(tried)
}

fn of_validation(trial: &TrialResult, run: &RunResult) -> Both {
    (trial.epochs.last().map(|epoch| epoch.val_accuracy), val_accuracy(run))
}

/// Beside the cross-validation of ours, each fold with the same fold.
pub fn of_part1() -> Result<Html> {
    let loss = |values: &[f64]| number(mean(values).map_or(f64::NAN, |loss| loss.mean), 4);
    compare(
        "Techniques tried beside ours, on folds of the same cross-validation",
        "technique | validation accuracy | without it | minus that (points) | p (Holm) | loss | \
         without it | folds",
        (1, of_validation),
        |trial, run| {
            let last = [&trial.epochs, &run.epochs].map(|epochs| Some(epochs.last()?.val_loss));
            last.into()
        },
        loss,
    )
}

/// Beside nine epochs of the forward loss, under the same seeds.
pub fn of_part3() -> Result<Html> {
    compare(
        "Techniques tried beside nine epochs of the forward loss",
        "technique | MNIST test accuracy | without it | minus that (points) | p (Holm) | \
         accuracy estimated without true labels | without it | seeds",
        (3, |trial, run| (trial.test_accuracy, run.test_accuracy)),
        of_validation,
        mean_percent,
    )
}

/// What the techniques of a part change in its `accuracy`, and a `second` measure in cells.
fn compare(
    title: &str,
    columns: &str,
    (part, accuracy): (u8, fn(&TrialResult, &RunResult) -> Both),
    second: fn(&TrialResult, &RunResult) -> Both,
    cell: fn(&[f64]) -> Cell,
) -> Result<Html> {
    let tried = tried(part)?;
    let Some((_, run)) = tried.first().and_then(|tried| tried.pairs.first()) else {
        return Ok(note("None of these trials has been published."));
    };
    // MNIST's test set is the same for all.
    let overlap = if part == 1 { run.setup.split.overlap() } else { 0.0 };
    let of_each: Vec<_> = tried.iter().map(|tried| tried.values(accuracy)).collect();
    let gain =
        |(with, without): &(Vec<f64>, Vec<f64>)| difference_of_splits(with, without, overlap).ok();
    let gains: Vec<Option<PairedDifference>> = of_each.iter().map(gain).collect();
    let p = corrected(gains.iter().map(Option::as_ref));
    let mut table = table(title, columns);
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    for (((tried, (with, without)), gain), p) in tried.iter().zip(&of_each).zip(gains).zip(p) {
        match gain.filter(|_| p < 0.05) {
            Some(gain) if gain.mean > 0.0 => better.push(tried.technique.as_str()),
            Some(_) => worse.push(tried.technique.as_str()),
            None => (),
        }
        let (second_with, second_without) = tried.values(second);
        table = table.row([
            tried.technique.as_str().into(),
            mean_percent(with),
            mean_percent(without),
            points(gain),
            p_value(p),
            cell(&second_with),
            cell(&second_without),
            tried.pairs.len().into(),
        ]);
    }
    let words = format!(
        "Significantly better (Holm's p below 0.05): {}. Significantly worse: {}.",
        or_none(&better),
        or_none(&worse)
    );
    Ok(stack(&[&table, &note(&words)]))
}
