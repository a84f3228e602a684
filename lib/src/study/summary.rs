//! All parts on one page: the original's numbers and ours, and what they cost.

use crate::{
    Result,
    data::Provenance,
    display::{Cell, Html, Show, Table, no_number, note, number, percent, percent_interval, stack},
    eval::statistics::{Estimate, mean},
    study::{DigitRun, Head, Init, Part1, Protocol, RunResult, Seeds, Stages, reported_last},
};

/// What the original report's part 1 reached: one run, one split.
pub const REPORTED_PART1: f64 = 0.8669;
/// Time that all runs of the original report took, in hours.
const REPORTED_HOURS: f64 = 17.9;

/// The data that the study's runs are trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Datasets {
    pub photographs: Provenance,
    pub mnist: Provenance,
    pub mislabelled: Provenance,
}

struct Row {
    part: u8,
    name: String,
    reported: Option<f64>,
    seeds: Seeds,
}

/// Accuracy of every network of the study, the original's beside ours.
pub fn accuracies(data: &Datasets) -> Result<Html> {
    let mut table = Table::new(
        "Accuracy after the last epoch",
        [
            "part",
            "network",
            "the report",
            "here",
            "95 % interval",
            "seeds",
            "difference (points)",
        ],
    );
    for row in rows(data)? {
        let Some(estimate) = row.accuracy() else {
            continue;
        };
        let reported: Cell = row.reported.map_or_else(no_number, percent);
        let difference: Cell = match row.reported {
            Some(reported) => number((estimate.mean - reported) * 100.0, 2),
            None => no_number(),
        };
        table = table.row([
            usize::from(row.part).into(),
            row.name.as_str().into(),
            reported,
            percent(estimate.mean),
            percent_interval(&estimate).into(),
            estimate.n.into(),
            difference,
        ]);
    }
    Ok(table.show())
}

/// Training time of each network, one run, and of the original's nine networks together.
pub fn costs(data: &Datasets) -> Result<Html> {
    let mut table = Table::new(
        "Training time of one run, mean over the seeds with as many threads",
        ["part", "network", "epochs", "minutes", "processor"],
    );
    let mut minutes = 0.0;
    for row in rows(data)? {
        let Some(run) = row.seeds.runs.first() else {
            continue;
        };
        let threads = run.environment.threads;
        let as_many = |run: &RunResult| (run.environment.threads == threads).then(|| run.seconds());
        let seconds = mean(&row.seeds.values(as_many))?.mean;
        if row.reported.is_some() && row.name != OURS {
            minutes += seconds / 60.0;
        }
        table = table.row([
            usize::from(row.part).into(),
            row.name.as_str().into(),
            run.epochs.len().into(),
            number(seconds / 60.0, 1),
            format!(
                "{}, {} threads",
                run.environment.cpu, run.environment.threads
            )
            .into(),
        ]);
    }
    let together = format!(
        "The runs that the report made took it {REPORTED_HOURS} hours; here the same networks, \
         trained as long, take {minutes:.0} minutes together, {:.0} times less. The machines \
         differ, so this says what a rerun costs, and not which software is faster: for that see \
         `make bench`.",
        REPORTED_HOURS * 60.0 / minutes
    );
    Ok(stack(&[&table, &note(&together)]))
}

const OURS: &str = "62 characters, ours";

impl Row {
    fn accuracy(&self) -> Option<Estimate> {
        let values = self.seeds.values(|run| match run.part {
            1 => Some(run.last()?.val_accuracy),
            _ => run.test_accuracy,
        });
        mean(&values).ok()
    }
}

fn rows(data: &Datasets) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, run) in [
        ("62 characters, as the report did it", Part1::report(0)),
        (OURS, Part1::ours(0)),
    ] {
        rows.push(Row {
            part: 1,
            name: name.into(),
            reported: Some(REPORTED_PART1),
            seeds: Seeds::recorded(&run.key(), &run.config, &data.photographs)?,
        });
    }
    let digits = [
        (2, Protocol::Report, &data.mnist),
        (2, Protocol::Clean, &data.mnist),
        (3, Protocol::Report, &data.mislabelled),
        (3, Protocol::Stages(Stages::SixThreeAll), &data.mislabelled),
    ];
    for (part, protocol, dataset) in digits {
        for head in Head::ALL {
            for init in Init::ALL {
                let run = DigitRun::new(part, protocol, head, init, 0);
                let as_reported = protocol == Protocol::Report;
                let reported = reported_last(part, head, init).filter(|_| as_reported);
                rows.push(Row {
                    part,
                    name: format!(
                        "{}, {} start, {}",
                        head.name(),
                        init.name(),
                        protocol.name()
                    ),
                    reported: reported.map(|epoch| epoch.val_accuracy),
                    seeds: Seeds::recorded(&run.key(), &run.config, dataset)?,
                });
            }
        }
    }
    Ok(rows)
}
