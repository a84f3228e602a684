//! Part 1: how drawings are brought down, what reads them, and how well.

use std::path::PathBuf;

use super::{
    THE_REPORT, candidates, columns, compare, difference, reference_2021, span, val_accuracy,
};
use crate::{
    Result,
    data::Handwritten,
    display::{Html, Show, Table, note, number, percent, stack},
    eval::{
        Evaluation,
        statistics::{mean, paired_difference},
    },
    files::project_root,
    study::{AVERAGED, COPIES, Experiment, LOOKALIKES, Seeds},
};

/// Where notebook 1 writes the images as a table.
pub fn table_path() -> PathBuf {
    project_root().join("data/processed/dataset1-28x28.csv")
}

/// Validation accuracies of several ways, each under its seeds, with the 2021 report's.
pub fn compare_seeds(ways: &[(&str, &Seeds)]) -> Result<Html> {
    let line = (THE_REPORT, reference_2021::PART1.val_accuracy);
    compare("Validation accuracy after the last epoch", ways, &[line])
}

/// What it brings to average a prediction over distorted copies of the image, by the records
/// that know it.
pub fn compare_averaging(ways: &[(&str, &Seeds)]) -> Result<Html> {
    let mut table = Table::new(
        format!("Validation accuracy, averaged over {COPIES} distorted copies"),
        columns(" | image as it is | averaged | gain and 95 % interval (points) | seeds"),
    );
    for (name, seeds) in ways {
        let averaged = seeds.values(|run| run.metric(AVERAGED));
        let as_is = seeds.values(|run| run.metric(AVERAGED).and(val_accuracy(run)));
        if averaged.is_empty() {
            continue;
        }
        let gain = paired_difference(&averaged, &as_is);
        table = table.row([
            (*name).into(),
            percent(mean(&as_is)?.mean),
            percent(mean(&averaged)?.mean),
            gain.map_or(String::new(), |gain| difference(&gain, 100.0, 2))
                .into(),
            averaged.len().into(),
        ]);
    }
    Ok(table.show())
}

/// The ways of preprocessing, each under the 2021 report's training.
pub fn compare_preprocessing(drawings: &Handwritten) -> Result<Html> {
    let ways = preprocessing(drawings)?;
    let ways: Vec<(&str, &Seeds)> = ways.iter().map(|(name, seeds)| (*name, seeds)).collect();
    compare_seeds(&ways)
}

fn preprocessing(drawings: &Handwritten) -> Result<Vec<(&'static str, Seeds)>> {
    let ways = Experiment::part1_preprocessing(0).into_iter();
    ways.map(|(name, run)| Ok((name, Seeds::recorded(&run, &drawings.provenance)?)))
        .collect()
}

/// Which way of preprocessing is best on seed 0, and by how much over all seeds.
pub fn preprocessing_finding(drawings: &Handwritten) -> Result<Html> {
    let ways = preprocessing(drawings)?;
    let of_seed_0 = |seeds: &Seeds| {
        let run = seeds.runs.iter().find(|run| run.seed == 0)?;
        val_accuracy(run)
    };
    let best = (ways.iter())
        .filter_map(|(name, seeds)| Some((name, seeds, of_seed_0(seeds)?)))
        // The first of equals.
        .reduce(|best, way| if way.2 > best.2 { way } else { best });
    let Some((best, seeds, accuracy)) = best else {
        return Ok(super::never_made());
    };
    let mut words = format!(
        "On seed 0, {best} classifies {:.1} % of the validation images correctly, the most of all.",
        accuracy * 100.0
    );
    let (a, b) = (seeds.values(val_accuracy), ways[0].1.values(val_accuracy));
    if a.len() == b.len() && a.len() > 1 {
        let gain = paired_difference(&a, &b)?;
        words += &format!(
            " Over {} seeds it gains {:.1} points on squeezing (95 % interval {}).",
            gain.n,
            gain.mean * 100.0,
            span(gain.interval, 100.0, 1)
        );
    }
    Ok(note(&words))
}

/// What ours was chosen from, by seed 0 alone: the most right on its validation part, and the
/// smaller loss where two are equal.
pub fn compare_candidates(drawings: &Handwritten) -> Result<Html> {
    let all = Experiment::part1_candidates(0).into_iter();
    let all = all.map(|(name, run)| (name.to_owned(), run)).collect();
    let (table, rated) = candidates(
        "Seed 0, the recipe and one change each",
        all,
        &[0],
        &drawings.provenance,
        &[
            ("validation accuracy", val_accuracy, percent),
            (
                "validation loss",
                |run| Some(run.last()?.val_loss),
                |x| number(x, 4),
            ),
        ],
    )?;
    let better = |a: &[f64], b: &[f64]| (a[0], -a[1]) > (b[0], -b[1]);
    let best = rated
        .iter()
        .reduce(|best, way| match better(&way.1, &best.1) {
            true => way,
            false => best,
        });
    let Some((best, _)) = best else {
        return Ok(super::never_made());
    };
    let words = "The one with the highest accuracy, and the smaller loss where two are equal, is";
    Ok(stack(&[&table, &note(&format!("{words} {best}."))]))
}

/// The answers to the questions of notebook 2, each from the numbers of this run.
pub fn findings(reported: &Seeds, ours: &Seeds, seed0: &Evaluation) -> Result<Html> {
    let original = reference_2021::PART1.val_accuracy;
    let (before, after) = (reported.val_accuracy()?, ours.val_accuracy()?);
    let merged = seed0.merged(&LOOKALIKES)?;
    let holds = match after.interval {
        Some(interval) if interval.low > original => {
            "The 2021 report's accuracy lies below the interval of ours: the difference is not \
             chance."
        }
        Some(_) => {
            "The 2021 report's accuracy lies within the interval of ours, or above it: these \
             seeds do not show that ours is better."
        }
        None => "One seed alone cannot say whether the difference is chance.",
    };
    Ok(note(&format!(
        "The 2021 report's run classified {:.2} % of its validation images correctly. Here its \
         pipeline reaches {:.2} % and ours {:.2} %, means of the seeds. {holds} Of the {} \
         mistakes of seed 0, {} are between look-alikes; where these count as one character, \
         {:.2} % are classified correctly. The right character is among the three likeliest for \
         {:.2} %.",
        original * 100.0,
        before.mean * 100.0,
        after.mean * 100.0,
        merged.mistakes_before,
        merged.mistakes_before - merged.mistakes,
        merged.accuracy * 100.0,
        seed0.top_k_accuracy(3) * 100.0
    )))
}
