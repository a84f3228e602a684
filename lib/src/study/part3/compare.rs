//! The four runs under all seeds, beside the original's.

use super::{
    BELOW_CHANCE, all_learned, below_chance, constant_answer, digits_of_share, fullest_folders,
    is_silent, networks, nothing_learned, taken_up,
};
use crate::{
    data::Samples,
    display::{Axis, Cell, Html, RowChart, ScatterChart, Table, number, percent, stack},
    study::{Grid, ReportedEpoch, RunResult, digits::network_name, reported, reported_last},
    train::Epoch,
};

/// What two networks would show: one that learned nothing, and one that learned all that
/// evenly wrong labels can tell.
pub fn expectations() -> Table {
    let columns = [
        "a network that …",
        "loss on the labels (nats)",
        "labels predicted",
        "test: most likely digit is right",
        "test: least likely digit is right",
        "confidence",
    ];
    Table::new("What to expect", columns)
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

/// Test accuracy after the last epoch, beside the original's.
pub fn accuracies(grid: &Grid) -> Html {
    let all: Vec<&RunResult> = grid.iter().flat_map(|(_, _, seeds)| &seeds.runs).collect();
    let title = format!(
        "{} of {} runs end below {:.0} %, half of what guessing gets",
        all.iter().filter(|run| below_chance(run)).count(),
        all.len(),
        100.0 * BELOW_CHANCE
    );
    let mut chart = RowChart::bars(title, Axis::percent("accuracy, MNIST test set"))
        .series("this project, mean of the seeds");
    let columns = [
        "head",
        "start",
        "mean",
        "the report",
        "seeds",
        "each seed (%)",
    ];
    let mut table = Table::new("Accuracy after the last epoch", columns);
    for (head, init, seeds) in grid.iter() {
        let Some(estimate) = grid.mean(head, init, last_accuracy) else {
            continue;
        };
        chart = chart.estimate(network_name(head, init), &estimate);
        let each = seeds.values(last_accuracy).into_iter();
        let each: Vec<String> = each.map(|value| format!("{:.2}", 100.0 * value)).collect();
        table = table.row([
            head.name().into(),
            init.name().into(),
            percent(estimate.mean),
            percent(reported_last(3, head, init).map_or(f64::NAN, |last| last.val_accuracy)),
            estimate.n.into(),
            each.join("  ").into(),
        ]);
    }
    chart = chart.series("the report, one run");
    for (head, init, _) in grid.iter() {
        if let Some(last) = reported_last(3, head, init) {
            chart = chart.value(network_name(head, init), last.val_accuracy);
        }
    }
    stack(&[&chart.reference("guessing", 0.1), &table, &grid.left_out()])
}

fn last_accuracy(run: &RunResult) -> Option<f64> {
    Some(run.last()?.val_accuracy)
}

/// The same number of an epoch of ours and of one of the original.
type Measure = (fn(&Epoch) -> f64, fn(&ReportedEpoch) -> f64);

/// Every epoch, mean over the seeds, beside the original's.
pub fn epochs(grid: &Grid) -> Table {
    let columns = [
        "head",
        "start",
        "epoch",
        "loss",
        "report",
        "accuracy",
        "report",
        "val. loss",
        "report",
        "val. accuracy",
        "report",
    ];
    let measures: [Measure; 4] = [
        (|e| e.loss, |e| e.loss),
        (|e| e.accuracy, |e| e.accuracy),
        (|e| e.val_loss, |e| e.val_loss),
        (|e| e.val_accuracy, |e| e.val_accuracy),
    ];
    let mut table = Table::new(
        "Each epoch, mean of the seeds, beside the report's",
        columns,
    );
    for (head, init, seeds) in grid.iter() {
        let count = seeds.runs.iter().map(|run| run.epochs.len()).max();
        for epoch in 0..count.unwrap_or(0) {
            let mut cells: Vec<Cell> =
                vec![head.name().into(), init.name().into(), (epoch + 1).into()];
            for (ours, theirs) in measures {
                let mean = grid.mean(head, init, |run| run.epochs.get(epoch).map(ours));
                let stated = reported(3, head, init).get(epoch).map(theirs);
                cells.push(number(mean.map_or(f64::NAN, |mean| mean.mean), 4));
                cells.push(number(stated.unwrap_or(f64::NAN), 4));
            }
            table = table.row(cells);
        }
    }
    table
}

/// Loss on the given labels against how often the most and the least likely digit are the
/// right one, a dot a run.
pub fn avoidance(grid: &Grid) -> ScatterChart {
    let points = |value: fn(&RunResult) -> Option<f64>| -> Vec<(f64, f64)> {
        let runs = grid.iter().flat_map(|(_, _, seeds)| &seeds.runs);
        runs.filter_map(|run| run.metric("train_loss").zip(value(run)))
            .collect()
    };
    let most = points(|run| run.test_accuracy);
    let least = points(|run| run.metric("least_likely_accuracy"));
    let title = match slope(&most) > 0.0 && slope(&least) < 0.0 {
        true => "The lower the loss, the less likely the truth is held to be",
        false => "Loss on the given labels, and which digit is right",
    };
    ScatterChart::new(
        title,
        Axis::new("loss on training images and their given labels (nats)"),
        Axis::percent("share of the MNIST test set")
            .from(0.0)
            .to(1.0),
    )
    .points("the most likely digit is the right one", most)
    .points("the least likely digit is the right one", least)
}

/// By the sign of it; 0 for less than three points.
fn slope(points: &[(f64, f64)]) -> f64 {
    if points.len() < 3 {
        return 0.0;
    }
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / points.len() as f64;
    let x = mean(&mut points.iter().map(|point| point.0));
    let y = mean(&mut points.iter().map(|point| point.1));
    points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum()
}

/// What each network has learned, means over the seeds.
pub fn learned(grid: &Grid) -> Html {
    let columns = [
        "head",
        "start",
        "loss on given labels (nats)",
        "of what they tell",
        "most likely digit right",
        "least likely digit right",
        "confidence",
        "loss on true labels (nats)",
        "runs with one answer",
        "runs with a silent dense layer",
    ];
    let mut table = Table::new("What was learned, means of the seeds", columns);
    let axis = Axis::percent("least likely digit is the right one").to(1.0);
    let mut chart = RowChart::bars(learned_title(grid), axis);
    for (head, init, seeds) in grid.iter() {
        if seeds.runs.is_empty() {
            continue;
        }
        let mean = |value: &dyn Fn(&RunResult) -> Option<f64>| {
            grid.mean(head, init, value)
                .map_or(f64::NAN, |estimate| estimate.mean)
        };
        if let Some(estimate) = grid.mean(head, init, |run| run.metric("least_likely_accuracy")) {
            chart = chart.estimate(network_name(head, init), &estimate);
        }
        let silent = seeds.runs.iter().filter(|run| is_silent(run));
        let one_answer = seeds
            .runs
            .iter()
            .filter(|run| constant_answer(run).is_some());
        table = table.row([
            head.name().into(),
            init.name().into(),
            number(mean(&|run| run.metric("train_loss")), 4),
            percent(mean(&taken_up)),
            percent(mean(&|run| run.test_accuracy)),
            percent(mean(&|run| run.metric("least_likely_accuracy"))),
            number(mean(&|run| run.metric("mean_confidence")), 4),
            number(mean(&|run| run.metric("test_loss")), 3),
            Cell::Number(format!("{} of {}", one_answer.count(), seeds.runs.len())),
            Cell::Number(format!("{} of {}", silent.count(), seeds.runs.len())),
        ]);
    }
    stack(&[&chart.reference("guessing", 0.1), &table])
}

fn learned_title(grid: &Grid) -> String {
    let runs = grid.iter().flat_map(|(_, _, seeds)| &seeds.runs);
    match runs
        .filter_map(|run| run.metric("least_likely_accuracy"))
        .max_by(f64::total_cmp)
    {
        Some(best) => format!(
            "Read from the other end, the best network is right {:.1} % of the time",
            100.0 * best
        ),
        None => "Least likely digit".into(),
    }
}

/// Which digit's share of `test` each accuracy of the original is, if any, and how full
/// that digit's folder in `dataset3` is.
pub fn answers_in_report(dataset3: &Samples, test: &Samples) -> Table {
    let columns = [
        "head",
        "start",
        "epoch",
        "val. accuracy",
        "is the share of digit",
        "images in its folder",
        "by size of ten",
    ];
    let (counts, fullest) = (dataset3.class_counts(), fullest_folders(dataset3));
    let mut table = Table::new("The report's accuracies", columns);
    for (head, init) in networks() {
        for (epoch, reported) in reported(3, head, init).iter().enumerate() {
            let digit = digits_of_share(reported.val_accuracy, test)
                .into_iter()
                .next();
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
