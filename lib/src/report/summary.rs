//! All parts on one page: the 2021 report's numbers and ours, and what they cost.

use std::collections::BTreeSet;

use super::{
    accuracy, mean_and_interval, network_name, overlap, reference_2021, spelled, table, two_groups,
};
use crate::{
    Result,
    data::Provenance,
    display::{
        Cell, Html, Show, format_counted, format_signed, no_number, note, number, percent, stack,
    },
    eval::statistics::{mean, mean_of_splits},
    files::is_quick,
    study::{Environment, Experiment, Head, Init, RunResult, Seeds, TAKEN, UNLIMITED, networks},
};

/// The data that the study's runs are trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Datasets {
    pub drawings: Provenance,
    pub mnist: Provenance,
    pub mislabelled: Provenance,
}

struct Row {
    part: u8,
    name: String,
    reported: Option<f64>,
    /// Whether the 2021 report made the same run.
    repeated: bool,
    seeds: Seeds,
}

/// Accuracy of every network of the study, the 2021 report's beside ours.
pub fn accuracies(data: &Datasets) -> Result<Html> {
    let mut table = table(
        "Accuracy after the last epoch",
        "part | network | the 2021 report | here | 95 % interval over seeds | seeds | \
         difference (points)",
    );
    let (mut beside, mut above, mut in_groups) = (0, 0, 0);
    for row in rows(data)? {
        let values = row.seeds.values(accuracy);
        let Ok(estimate) = mean_of_splits(&values, overlap(&row.seeds)) else {
            continue;
        };
        let groups = two_groups(&row.seeds);
        let (mean, interval) = mean_and_interval(&estimate, groups.as_ref());
        let reported = row.reported.unwrap_or(f64::NAN);
        // The mean of two groups is near no run.
        let difference = match groups {
            None => estimate.mean - reported,
            Some(_) => f64::NAN,
        };
        in_groups += usize::from(groups.is_some());
        // From wrong labels, a higher accuracy is no better result.
        if row.part < 3 {
            beside += usize::from(difference.is_finite());
            above += usize::from(difference > 0.0);
        }
        table = table.row([
            usize::from(row.part).into(),
            row.name.as_str().into(),
            percent(reported),
            mean,
            interval,
            estimate.n.into(),
            match difference.is_finite() {
                true => Cell::Value(format_signed(difference * 100.0, 2), Some(difference * 100.0)),
                false => no_number(),
            },
        ]);
    }
    let table = table.titled(format!(
        "In parts 1 and 2 the mean here is above the 2021 report's run in {above} of {beside} rows"
    ));
    if in_groups == 0 {
        return Ok(table.show());
    }
    let words = format!(
        "No difference is given for {} whose runs fall into two groups: their mean describes neither.",
        format_counted(in_groups, "row")
    );
    Ok(stack(&[&table, &note(&words)]))
}

/// Training time of each network, one run, and of the 2021 report's nine networks together.
pub fn costs(data: &Datasets) -> Result<Html> {
    let mut table = table(
        "Training time of one run, mean over the runs with the same processor and number of threads",
        "part | network | epochs | minutes | runs | processor",
    );
    let (mut minutes, mut repeated, mut missing) = (0.0, 0, 0);
    let (mut each, mut processors): (Vec<f64>, _) = (Vec::new(), BTreeSet::new());
    for row in rows(data)? {
        let Some(run) = row.seeds.runs.first() else {
            missing += usize::from(row.repeated);
            continue;
        };
        let Environment { cpu, cpu_model: model, threads, .. } = &run.environment;
        let alike = |other: &RunResult| other.timed_like(run).then(|| other.seconds());
        let times = mean(&row.seeds.values(alike))?;
        let seconds = times.mean;
        each.push(seconds / 60.0);
        if row.repeated {
            minutes += seconds / 60.0;
            repeated += 1;
            processors.insert((cpu.clone(), model.clone()));
        }
        table = table.row([
            usize::from(row.part).into(),
            row.name.as_str().into(),
            run.epochs.len().into(),
            number(seconds / 60.0, 1),
            times.n.into(),
            format!("{cpu} ({model}), {}", format_counted(*threads, "thread")).into(),
        ]);
    }
    let ends = [f64::min, f64::max].map(|end| each.iter().copied().reduce(end));
    if let [Some(least), Some(most)] = ends {
        table = table.titled(format!(
            "A run takes {least:.1} to {most:.1} minutes to train: means over the runs with the same \
             processor and number of threads"
        ));
    }
    if repeated == 0 || missing > 0 || is_quick() {
        return Ok(table.show());
    }
    let hours = reference_2021::hours();
    let on_several = match processors.len() {
        1 => String::new(),
        kinds => format!(" (runs on {} kinds of processor, added up)", spelled(kinds)),
    };
    let together = format!(
        "The 2021 report's runs took {hours} hours; here the {} networks as we read them, trained \
         for as many epochs, take {minutes:.1} minutes together{on_several}, 1/{:.0} of that. The \
         machines differ, so this says what a rerun costs, not which software is faster; for that \
         see `make bench`.",
        spelled(repeated),
        hours * 60.0 / minutes
    );
    Ok(stack(&[&table, &note(&together)]))
}

fn rows(data: &Datasets) -> Result<Vec<Row>> {
    type Run = fn(Head, Init, u64) -> Experiment;
    let row = |run: Experiment, name: String, dataset: &Provenance, repeated: bool| {
        let reported = reference_2021::last(run.part, run.head, run.init);
        let reported = reported.filter(|_| repeated || run.protocol == "ours");
        Ok(Row {
            part: run.part,
            name,
            reported: reported.map(|epoch| epoch.val_accuracy),
            repeated,
            seeds: Seeds::recorded(&run, dataset)?,
        })
    };
    let (plain, ours) = (Experiment::part1_plain(0), Experiment::part1_ours(0));
    let strangers = (ours.by_writer(), ours.in_context().by_writer());
    let of_characters = [
        (plain, "the baseline", true),
        (ours.clone(), "ours", false),
        (ours.in_context(), "ours, in context", false),
        (strangers.0, "ours, writers never seen", false),
        (strangers.1, "ours, in context, writers never seen", false),
    ];
    let mut rows: Vec<Result<Row>> = of_characters
        .map(|(run, how, repeated)| {
            row(run, format!("62 characters, {how}"), &data.drawings, repeated)
        })
        .into();
    type Change = fn(Experiment) -> Experiment;
    let as_reported: (Change, _, _) = (|run| run, "as we read the 2021 report", true);
    let clean: (Change, _, _) = (Experiment::clean, "one cycle", false);
    let complementary: (Change, _, _) = (|run| run.divided(TAKEN), "labels taken as wrong", false);
    let ways: [(Run, &Provenance, _); 4] = [
        (Experiment::mnist, &data.mnist, as_reported),
        (Experiment::mnist, &data.mnist, clean),
        (Experiment::mislabelled, &data.mislabelled, as_reported),
        (Experiment::mislabelled, &data.mislabelled, complementary),
    ];
    for (experiment, dataset, (change, how, repeated)) in ways {
        for (head, init) in networks() {
            let run = change(experiment(head, init, 0));
            let name = format!("{} start, {how}", network_name(head, init));
            rows.push(row(run, name, dataset, repeated));
        }
    }
    let unlimited = Experiment::mislabelled(Head::Original, Init::Random, 0).divided(UNLIMITED);
    let how = format!("original, random start, {} epochs of distorted images", UNLIMITED.epochs());
    let known = Experiment::true_labels(UNLIMITED.epochs(), 0);
    rows.push(row(known, how.clone(), &data.mnist, false));
    rows.push(row(unlimited, format!("{how}, labels taken as wrong"), &data.mislabelled, false));
    let mut rows = rows.into_iter().collect::<Result<Vec<Row>>>()?;
    rows.sort_by_key(|row| row.part);
    Ok(rows)
}
