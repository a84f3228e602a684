//! Techniques that were tried beside the study's own training, and not taken up.

use super::{corrected, mean_percent, never_made, or_none, p_value, points, table, val_accuracy};
use crate::{
    Result,
    display::{Html, note, stack},
    eval::statistics::{PairedDifference, difference_of_splits, mean},
    study::{RunResult, TrialResult},
};

/// One technique's trials, each with the run that it is compared with.
struct Tried {
    technique: String,
    pairs: Vec<(TrialResult, RunResult)>,
}

impl Tried {
    /// One number of every trial, and of the run beside it.
    fn values(
        &self,
        trial: impl Fn(&TrialResult) -> Option<f64>,
        run: impl Fn(&RunResult) -> Option<f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let pairs = self.pairs.iter();
        pairs.filter_map(|(these, those)| trial(these).zip(run(those))).unzip()
    }

    fn gain(
        &self,
        (these, those): &(Vec<f64>, Vec<f64>),
        overlap: f64,
    ) -> Option<PairedDifference> {
        difference_of_splits(these, those, overlap).ok()
    }
}

fn published(part: u8) -> Result<Vec<Tried>> {
    let mut tried: Vec<Tried> = Vec::new();
    for trial in TrialResult::published()? {
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

fn last_accuracy(trial: &TrialResult) -> Option<f64> {
    Some(trial.epochs.last()?.val_accuracy)
}

/// Beside the cross-validation of ours: fold by fold, minus the same fold of ours.
pub fn of_part1() -> Result<Html> {
    let tried = published(1)?;
    let overlap = tried.first().map_or(0.0, |tried| tried.pairs[0].1.setup.split.overlap());
    let accuracies: Vec<_> =
        tried.iter().map(|tried| tried.values(last_accuracy, val_accuracy)).collect();
    let gains: Vec<_> =
        tried.iter().zip(&accuracies).map(|(tried, both)| tried.gain(both, overlap)).collect();
    let p = corrected(gains.iter().map(Option::as_ref));
    let columns = "technique | validation accuracy | of its counterpart | difference (points) | \
                   p (Holm) | loss | of its counterpart | folds";
    let title = "Techniques tried beside ours, on folds of the same cross-validation";
    let rows = tried.iter().zip(&accuracies).zip(gains.iter().zip(&p));
    let rows = rows.map(|((tried, (these, those)), (gain, p))| {
        let losses = tried.values(
            |trial| Some(trial.epochs.last()?.val_loss),
            |run| Some(run.epochs.last()?.val_loss),
        );
        let loss = |values: &[f64]| mean(values).map_or(f64::NAN, |estimate| estimate.mean);
        [
            tried.technique.as_str().into(),
            mean_percent(these),
            mean_percent(those),
            points(*gain),
            p_value(*p),
            crate::display::number(loss(&losses.0), 4),
            crate::display::number(loss(&losses.1), 4),
            tried.pairs.len().into(),
        ]
    });
    shown(&tried, &gains, &p, table(title, columns).rows(rows))
}

/// Beside nine epochs of the forward loss, under the same seeds.
pub fn of_part3() -> Result<Html> {
    let tried = published(3)?;
    let on_test: Vec<_> = tried
        .iter()
        .map(|tried| tried.values(|trial| trial.test_accuracy, |run| run.test_accuracy))
        .collect();
    let gains: Vec<_> =
        tried.iter().zip(&on_test).map(|(tried, both)| tried.gain(both, 0.0)).collect();
    let p = corrected(gains.iter().map(Option::as_ref));
    let columns = "technique | estimated accuracy | without it | MNIST test accuracy | \
                   without it | difference (points) | p (Holm) | seeds";
    let title = "Techniques tried beside nine epochs of the forward loss";
    let rows = tried.iter().zip(&on_test).zip(gains.iter().zip(&p));
    let rows = rows.map(|((tried, (these, those)), (gain, p))| {
        let estimates = tried.values(last_accuracy, val_accuracy);
        [
            tried.technique.as_str().into(),
            mean_percent(&estimates.0),
            mean_percent(&estimates.1),
            mean_percent(these),
            mean_percent(those),
            points(*gain),
            p_value(*p),
            tried.pairs.len().into(),
        ]
    });
    shown(&tried, &gains, &p, table(title, columns).rows(rows))
}

/// The table, and in words which techniques made a difference.
fn shown(
    tried: &[Tried],
    gains: &[Option<PairedDifference>],
    p: &[f64],
    table: crate::display::Table,
) -> Result<Html> {
    if tried.is_empty() {
        return Ok(never_made());
    }
    let told = |is: fn(f64) -> bool| -> Vec<&str> {
        let all = tried.iter().zip(gains.iter().zip(p));
        all.filter(|(_, (gain, p))| **p < 0.05 && gain.is_some_and(|gain| is(gain.mean)))
            .map(|(tried, _)| tried.technique.as_str())
            .collect()
    };
    let words = format!(
        "Significantly better (Holm's p below 0.05): {}. Significantly worse: {}.",
        or_none(&told(|mean| mean > 0.0)),
        or_none(&told(|mean| mean < 0.0))
    );
    Ok(stack(&[&table, &note(&words)]))
}
