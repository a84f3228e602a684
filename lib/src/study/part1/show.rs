//! Part 1 as its notebooks show it.

use crate::{
    Result,
    data::Handwritten,
    display::{
        Axis, Html, RowChart, Table, format_signed, note, number, percent, percent_interval, stack,
    },
    eval::{
        Evaluation,
        statistics::{mean, paired_difference},
    },
    study::{LOOKALIKES, Part1, RunResult, Seeds, Split},
};

use super::{AVERAGED, COPIES};

impl Part1 {
    /// What differs between two ways, as a table.
    pub fn beside(&self, other: &Self) -> Table {
        let rows = self.settings().into_iter().zip(other.settings());
        Table::new(
            "Two pipelines",
            ["", self.protocol.as_str(), other.protocol.as_str()],
        )
        .rows(rows.map(|((name, one), (_, two))| [name.into(), one.into(), two.into()]))
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let config = &self.config;
        let split = match self.split {
            Split::Random => "random tenth of the photographs",
            Split::ByWriter => "tenth of the writers",
        };
        let features = if self.features {
            "size and position of the ink"
        } else {
            "none"
        };
        vec![
            ("preprocessing", format!("{:?}", self.preprocess.method)),
            ("numbers beside the image", features.into()),
            ("validation", split.into()),
            ("augmentation", format!("{:?}", config.augment)),
            ("loss", format!("{:?}", config.loss)),
            ("epochs", config.epochs.to_string()),
            ("batch size", config.batch_size.to_string()),
            ("learning rate (Adam)", config.learning_rate.to_string()),
            ("schedule", format!("{:?}", config.schedule)),
            (
                "rate halved on a plateau",
                config.reduce_lr.is_some().to_string(),
            ),
        ]
    }
}

/// Validation accuracies of several ways, each under its seeds, with the original's value.
pub fn compare_seeds(ways: &[(&str, &Seeds)], original: f64) -> Result<Html> {
    let mut chart = RowChart::bars("Validation accuracy", Axis::percent("accuracy"))
        .reference("the report", original);
    let mut table = Table::new(
        "Validation accuracy after the last epoch",
        ["", "mean", "95 % interval", "seeds", "each seed (%)"],
    );
    let mut left_out = Vec::new();
    for (name, seeds) in ways {
        left_out.extend(seeds.left_out.iter().cloned());
        if seeds.runs.is_empty() {
            continue;
        }
        let estimate = seeds.val_accuracy()?;
        chart = chart.estimate(*name, &estimate);
        table = table.row([
            (*name).into(),
            percent(estimate.mean),
            percent_interval(&estimate).into(),
            estimate.n.into(),
            each(seeds).into(),
        ]);
    }
    let note = match left_out.is_empty() {
        true => Html::default(),
        false => note(&format!("Left out: {}.", left_out.join("; "))),
    };
    Ok(stack(&[&chart, &table, &note]))
}

/// What it brings to average a prediction over distorted copies of the image, by the records
/// that know it.
pub fn compare_averaging(ways: &[(&str, &Seeds)]) -> Result<Html> {
    let mut table = Table::new(
        format!("Validation accuracy, averaged over {COPIES} distorted copies"),
        [
            "",
            "image as it is",
            "averaged",
            "gain (points)",
            "95 % interval",
            "seeds",
        ],
    );
    for (name, seeds) in ways {
        let averaged = seeds.values(|run| run.metric(AVERAGED));
        let as_is = seeds.values(|run| run.metric(AVERAGED).and(Some(run.last()?.val_accuracy)));
        if averaged.is_empty() {
            continue;
        }
        let gain = paired_difference(&averaged, &as_is).ok();
        let points = |x: f64| format_signed(x * 100.0, 2);
        table = table.row([
            (*name).into(),
            percent(mean(&as_is)?.mean),
            percent(mean(&averaged)?.mean),
            gain.as_ref()
                .map_or_else(String::new, |g| points(g.mean))
                .into(),
            gain.as_ref()
                .map_or_else(String::new, |g| {
                    format!("{} to {}", points(g.interval.low), points(g.interval.high))
                })
                .into(),
            averaged.len().into(),
        ]);
    }
    Ok(stack(&[&table]))
}

/// The ways of preprocessing, each under the report's training.
pub fn compare_preprocessing(photos: &Handwritten, original: f64) -> Result<Html> {
    let ways = preprocessing(photos)?;
    let ways: Vec<(&str, &Seeds)> = ways.iter().map(|(name, seeds)| (*name, seeds)).collect();
    compare_seeds(&ways, original)
}

/// Which way of preprocessing is best on seed 0, and by how much over all seeds.
pub fn preprocessing_finding(photos: &Handwritten) -> Result<Html> {
    let ways = preprocessing(photos)?;
    let of_seed_0 = |seeds: &Seeds| {
        let run = seeds.runs.iter().find(|run| run.seed == 0)?;
        Some(run.last()?.val_accuracy)
    };
    let mut ranked: Vec<(&str, &Seeds, f64)> = (ways.iter())
        .filter_map(|(name, seeds)| Some((*name, seeds, of_seed_0(seeds)?)))
        .collect();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
    let (Some((best, best_seeds, accuracy)), Some((_, squeezed))) = (ranked.first(), ways.first())
    else {
        return Ok(note(
            "These ways were never compared on this data: `make full` does it.",
        ));
    };
    let last = |run: &RunResult| Some(run.last()?.val_accuracy);
    let (a, b) = (best_seeds.values(last), squeezed.values(last));
    let first = format!(
        "On seed 0, {best} reads {:.1} % of the validation images, the most of all.",
        accuracy * 100.0
    );
    if a.len() != b.len() || a.len() < 2 {
        return Ok(note(&first));
    }
    let gain = paired_difference(&a, &b)?;
    Ok(note(&format!(
        "{first} Over {} seeds it gains {:.1} points on squeezing (95 % interval {:.1} to {:.1}).",
        gain.n,
        gain.mean * 100.0,
        gain.interval.low * 100.0,
        gain.interval.high * 100.0
    )))
}

/// What ours was chosen from, by seed 0 alone: the most right on its validation part, and the
/// smaller loss where two are equal.
pub fn compare_candidates(photos: &Handwritten) -> Result<Html> {
    let mut table = Table::new(
        "Seed 0, the recipe and one change each",
        ["", "validation accuracy", "validation loss", "ours"],
    );
    let mut best: Option<(f64, f64, bool)> = None;
    let mut recorded = 0;
    let ours = Part1::ours(0).protocol;
    let candidates = Part1::candidates(0);
    for (name, run) in &candidates {
        let seeds = Seeds::recorded_under(&[0], &run.key(), &run.config, &photos.provenance)?;
        let Some(epoch) = seeds.runs.first().and_then(RunResult::last) else {
            continue;
        };
        let is_ours = run.protocol == ours;
        let (accuracy, loss) = (epoch.val_accuracy, epoch.val_loss);
        if best.is_none_or(|(most, least, _)| (accuracy, -loss) > (most, -least)) {
            best = Some((accuracy, loss, is_ours));
        }
        recorded += 1;
        table = table.row([
            (*name).into(),
            percent(accuracy),
            number(loss, 4),
            if is_ours { "taken" } else { "" }.into(),
        ]);
    }
    let finding = match best {
        _ if recorded < candidates.len() => {
            "The others were never run on this data: `make full` runs them."
        }
        Some((_, _, true)) => {
            "The one with the most right, and the smaller loss where two are equal, is ours."
        }
        _ => "By this run another one would have been taken than by the published records.",
    };
    Ok(stack(&[&table, &note(finding)]))
}

fn preprocessing(photos: &Handwritten) -> Result<Vec<(&'static str, Seeds)>> {
    [
        ("squeeze", Part1::report(0)),
        ("keep aspect", Part1::keep_aspect(0)),
        ("crop to ink", Part1::crop(0)),
        (
            "crop to ink, with size and position",
            Part1::crop_features(0),
        ),
    ]
    .into_iter()
    .map(|(name, run)| Ok((name, run.recorded(photos)?)))
    .collect()
}

fn each(seeds: &Seeds) -> String {
    let last = |run: &crate::study::RunResult| run.last().map(|epoch| epoch.val_accuracy);
    let values = seeds.values(last).into_iter();
    values
        .map(|v| format!("{:.1}", v * 100.0))
        .collect::<Vec<_>>()
        .join("  ")
}

/// The answers to the questions of notebook 2, each from the numbers of this run.
pub fn findings(reported: &Seeds, ours: &Seeds, seed0: &Evaluation, original: f64) -> Result<Html> {
    let (before, after) = (reported.val_accuracy()?, ours.val_accuracy()?);
    let merged = seed0.merged(&LOOKALIKES)?;
    let calibration = seed0.calibration(15)?;
    let table = Table::new("What was found", ["measure", "value"])
        .row(["the report's run, one split".into(), percent(original)])
        .row([
            "the report's pipeline, mean of the seeds".into(),
            percent(before.mean),
        ])
        .row(["ours, mean of the seeds".into(), percent(after.mean)])
        .row(["mistakes of seed 0".into(), merged.mistakes_before.into()])
        .row([
            "… of them between look-alikes".into(),
            (merged.mistakes_before - merged.mistakes).into(),
        ])
        .row([
            "accuracy with look-alikes merged".into(),
            percent(merged.accuracy),
        ])
        .row(["top-3 accuracy".into(), percent(seed0.top_k_accuracy(3))])
        .row([
            "expected calibration error".into(),
            number(calibration.ece, 3),
        ]);
    let holds = match after.interval {
        Some(interval) if interval.low > original => {
            "The report's accuracy lies below the interval of ours: the difference is not chance."
        }
        Some(_) => {
            "The report's accuracy lies within the interval of ours: these seeds cannot tell the two apart."
        }
        None => "One seed alone cannot say whether the difference is chance.",
    };
    Ok(stack(&[&table, &note(holds)]))
}
