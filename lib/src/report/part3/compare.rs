//! The four runs under all seeds, beside those of the 2021 report.

use super::{
    BELOW_CHANCE, all_learned, below_chance, constant_answer, digits_of_share, fullest_folders,
    is_silent, nothing_learned, taken_up,
};
use crate::{
    Result,
    data::Samples,
    display::{Axis, Cell, Html, RowChart, ScatterChart, Table, number, percent, stack},
    report::{
        columns, compare, network_name,
        reference_2021::{self, ReportedEpoch},
    },
    study::{Grid, RunResult, Seeds, networks},
    train::Epoch,
};

/// What two networks would show: one that learned nothing, and one that learned all that
/// evenly wrong labels can tell.
pub fn expectations() -> Table {
    let header = columns(
        "a network that … | loss on the labels (nats) | labels predicted | test: most likely digit \
         is right | test: least likely digit is right | confidence",
    );
    Table::new("What to expect", header)
        .row([
            "learned nothing: every digit 1/10".into(),
            number(nothing_learned(), 3),
            percent(0.1),
            percent(0.1),
            percent(0.1),
            number(0.1, 3),
        ])
        .row([
            "learned all: the true digit 0, the others 1/9".into(),
            number(all_learned(), 3),
            percent(1.0 / 9.0),
            percent(0.0),
            percent(1.0),
            number(1.0 / 9.0, 3),
        ])
}

/// Test accuracy after the last epoch, beside the 2021 report's.
pub fn accuracies(grid: &Grid) -> Result<Html> {
    let title = format!(
        "{} of {} runs end below {:.0} %, half of what guessing gets",
        grid.all().filter(|run| below_chance(run)).count(),
        grid.all().count(),
        100.0 * BELOW_CHANCE
    );
    let ways: Vec<(String, &Seeds)> = (grid.iter())
        .map(|(head, init, seeds)| (network_name(head, init), seeds))
        .collect();
    let reported = grid.iter().map(|(head, init, _)| {
        let last = reference_2021::last(3, head, init);
        last.map(|epoch| epoch.val_accuracy)
    });
    compare(
        &title,
        &ways,
        &reported.collect::<Vec<_>>(),
        &[("guessing", 0.1)],
    )
}

/// The same number of an epoch of ours and of one of the 2021 report.
type Measure = (fn(&Epoch) -> f64, fn(&ReportedEpoch) -> f64);

/// Every epoch, mean over the seeds, beside the 2021 report's.
pub fn epochs(grid: &Grid) -> Table {
    let header = columns(
        "head | start | epoch | loss | report | accuracy | report | val. loss | report | \
         val. accuracy | report",
    );
    let measures: [Measure; 4] = [
        (|e| e.loss, |e| e.loss),
        (|e| e.accuracy, |e| e.accuracy),
        (|e| e.val_loss, |e| e.val_loss),
        (|e| e.val_accuracy, |e| e.val_accuracy),
    ];
    let title = "Each epoch, mean of the seeds, beside the 2021 report's";
    let mut table = Table::new(title, header);
    for (head, init, seeds) in grid.iter() {
        let count = seeds.runs.iter().map(|run| run.epochs.len()).max();
        for epoch in 0..count.unwrap_or(0) {
            let mut cells: Vec<Cell> =
                vec![head.name().into(), init.name().into(), (epoch + 1).into()];
            for (ours, theirs) in measures {
                let mean = grid.mean(head, init, |run| run.epochs.get(epoch).map(ours));
                let stated = reference_2021::epochs(3, head, init).get(epoch).map(theirs);
                cells.push(number(mean.map_or(f64::NAN, |mean| mean.mean), 4));
                cells.push(number(stated.unwrap_or(f64::NAN), 4));
            }
            table = table.row(cells);
        }
    }
    table
}

fn least_likely(run: &RunResult) -> Option<f64> {
    run.metric("least_likely_accuracy")
}

/// Loss on the given labels against how often the most and the least likely digit are the
/// right one, a dot a run.
pub fn avoidance(grid: &Grid) -> ScatterChart {
    let points = |value: fn(&RunResult) -> Option<f64>| -> Vec<(f64, f64)> {
        let pairs = grid
            .all()
            .map(|run| run.metric("train_loss").zip(value(run)));
        pairs.flatten().collect()
    };
    let share = Axis::percent("share of the MNIST test set")
        .from(0.0)
        .to(1.0);
    ScatterChart::new(
        "Loss on the given labels, and which digit is right",
        Axis::new("loss on training images and their given labels (nats)"),
        share,
    )
    .points(
        "the most likely digit is the right one",
        points(|run| run.test_accuracy),
    )
    .points(
        "the least likely digit is the right one",
        points(least_likely),
    )
}

/// What each network has learned, means over the seeds.
pub fn learned(grid: &Grid) -> Html {
    let header = columns(
        "head | start | loss on given labels (nats) | of what they tell | most likely digit right | \
         least likely digit right | confidence | loss on true labels (nats) | runs with one answer | \
         runs with a silent dense layer",
    );
    let mut table = Table::new("What was learned, means of the seeds", header);
    let title = match grid.all().filter_map(least_likely).max_by(f64::total_cmp) {
        Some(best) => format!(
            "Read from the other end, the best network is right {:.1} % of the time",
            100.0 * best
        ),
        None => "Least likely digit".into(),
    };
    let axis = Axis::percent("least likely digit is the right one").to(1.0);
    let mut chart = RowChart::bars(title, axis);
    for (head, init, seeds) in grid.iter().filter(|(.., seeds)| !seeds.runs.is_empty()) {
        let mean = |value: &dyn Fn(&RunResult) -> Option<f64>| {
            let estimate = grid.mean(head, init, value);
            estimate.map_or(f64::NAN, |estimate| estimate.mean)
        };
        if let Some(estimate) = grid.mean(head, init, least_likely) {
            chart = chart.estimate(network_name(head, init), &estimate);
        }
        let count = |is: fn(&RunResult) -> bool| {
            let found = seeds.runs.iter().filter(|run| is(run)).count();
            Cell::Number(format!("{found} of {}", seeds.runs.len()))
        };
        table = table.row([
            head.name().into(),
            init.name().into(),
            number(mean(&|run| run.metric("train_loss")), 4),
            percent(mean(&taken_up)),
            percent(mean(&|run| run.test_accuracy)),
            percent(mean(&least_likely)),
            number(mean(&|run| run.metric("mean_confidence")), 4),
            number(mean(&|run| run.metric("test_loss")), 3),
            count(|run| constant_answer(run).is_some()),
            count(is_silent),
        ]);
    }
    stack(&[&chart.reference("guessing", 0.1), &table])
}

/// Which digit's share of `test` each accuracy of the 2021 report is, if any, and how full
/// that digit's folder in `dataset3` is.
pub fn answers_in_report(dataset3: &Samples, test: &Samples) -> Table {
    let header = columns(
        "head | start | epoch | val. accuracy | is the share of digit | images in its folder | \
         by size of ten",
    );
    let (counts, fullest) = (dataset3.class_counts(), fullest_folders(dataset3));
    let mut table = Table::new("The accuracies of the 2021 report", header);
    for (head, init) in networks() {
        for (epoch, reported) in reference_2021::epochs(3, head, init).iter().enumerate() {
            let digit = digits_of_share(reported.val_accuracy, test)
                .first()
                .copied();
            let rank = |digit: usize| fullest.iter().position(|other| *other == digit);
            let mut cells: Vec<Cell> = vec![
                head.name().into(),
                init.name().into(),
                (epoch + 1).into(),
                number(reported.val_accuracy, 4),
            ];
            cells.extend(match digit.and_then(|digit| Some((digit, rank(digit)?))) {
                Some((digit, rank)) => [
                    digit.to_string().into(),
                    counts[digit].into(),
                    format!("{}.", rank + 1).into(),
                ],
                None => ["none".into(), number(f64::NAN, 0), "".into()],
            });
            table = table.row(cells);
        }
    }
    table
}
