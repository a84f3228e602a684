//! The four runs under all seeds, the one that a notebook has just made, and what the 2021 report
//! says of its own.

use std::collections::BTreeSet;

use super::{
    BELOW_CHANCE, below_chance, constant_answer, digits_of_share, findings::span, fullest_folders,
    is_silent, nothing_learned, taken_up,
};
use crate::{
    Result,
    data::Samples,
    display::{
        Axis, Cell, Html, LineChart, Show, format_count, no_number, note, number, percent, row,
        stack,
    },
    eval::ConfusionMatrix,
    report::{
        accuracy, compare_under, head_title, listed, named, network_name, reference_2021, spelled,
        table,
    },
    study::{Grid, Head, Init, RunResult, Seeds, Trained, networks},
};

/// Test accuracy after the last epoch.
pub fn accuracies(grid: &Grid) -> Result<Html> {
    let title = format!(
        "Of {} runs, {} end below {:.0} %, half of what guessing gets",
        grid.all().count(),
        grid.all().filter(|run| below_chance(run)).count(),
        100.0 * BELOW_CHANCE
    );
    let what = "Accuracy on the MNIST test set";
    let shown = compare_under(&title, what, "network", &named(grid), &[("guessing", 0.1)])?;
    let each = grid.iter().filter(|(.., seeds)| !seeds.runs.is_empty());
    let each = each.map(|(head, init, seeds)| {
        let below = seeds.runs.iter().filter(|run| below_chance(run)).count();
        format!("{below} of {} ({})", seeds.runs.len(), network_name(head, init))
    });
    let each: Vec<String> = each.collect();
    match each.as_slice() {
        [] => Ok(shown),
        each => {
            let words = format!(
                "Of the runs of each network, {} end below {:.0} %.",
                listed(each, "and"),
                100.0 * BELOW_CHANCE
            );
            Ok(stack(&[&shown, &note(&words)]))
        }
    }
}

fn least_likely(run: &RunResult) -> Option<f64> {
    run.metric("least_likely_accuracy")
}

/// Loss on the given labels against how often the most and the least likely digit are the
/// right one, one dot per run; and whether they follow it.
pub fn avoidance(grid: &Grid) -> Html {
    let points = |value: fn(&RunResult) -> Option<f64>| {
        grid.all().filter_map(move |run| run.metric("train_loss").zip(value(run)))
    };
    let learned = |run: &&RunResult| taken_up(run).is_some_and(|share| share > 0.5);
    let (near, far): (Vec<_>, Vec<_>) = grid.all().partition(learned);
    let right = |runs: &[&RunResult]| span(runs, 100.0, 1, least_likely);
    let title = match (near.as_slice(), far.as_slice()) {
        ([], far) => format!(
            "The least likely digit is right for {} %; every loss is nearer to ln 10 than to ln 9",
            right(far)
        ),
        (near, []) => format!(
            "The least likely digit is right for {} %; every loss is nearer to ln 9 than to ln 10",
            right(near)
        ),
        (near, far) => format!(
            "The least likely digit is right for {} % where the loss is nearer to ln 9 than to \
             ln 10, and for {} % elsewhere",
            right(near),
            right(far)
        ),
    };
    let loss = Axis::new("loss on training images and their given labels (nats)");
    let share = Axis::percent("share of the MNIST test set");
    let chart = LineChart::new(title, loss, share.from(0.0).to(1.0))
        .dots("the most likely digit is right", points(accuracy))
        .dots("the least likely digit is right", points(least_likely));
    match follows_loss(grid) {
        Some(words) => stack(&[&chart, &note(&words)]),
        None => chart.show(),
    }
}

/// Whether accuracy follows the loss, between the runs that end below chance and the others, and
/// among the former, pair by pair.
fn follows_loss(grid: &Grid) -> Option<String> {
    let (below, others): (Vec<&RunResult>, Vec<&RunResult>) =
        grid.all().partition(|run| below_chance(run));
    let measured = below
        .iter()
        .filter_map(|run| Some((run.metric("train_loss")?, accuracy(run)?, least_likely(run)?)));
    let measured: Vec<(f64, f64, f64)> = measured.collect();
    // The lower loss first.
    let pairs = measured.iter().flat_map(|a| measured.iter().map(move |b| (a, b)));
    let pairs: Vec<_> = pairs.filter(|(a, b)| a.0 < b.0).collect();
    let all = pairs.len();
    let lower = pairs.iter().filter(|(a, b)| a.1 < b.1).count();
    let likelier = pairs.iter().filter(|(a, b)| a.2 > b.2).count();
    let loss = |runs: &[&RunResult]| span(runs, 1.0, 3, |run| run.metric("train_loss"));
    let verdict = match (likelier == all, lower == all) {
        (true, true) => ": both follow the loss without exception",
        (true, false) => {
            ": the least likely digit follows the loss without exception, accuracy does not"
        }
        _ => "",
    };
    (all > 0 && !others.is_empty()).then(|| {
        format!(
            "The runs that end below {:.0} % have a loss of {} nats, the others of {}. Of {all} pairs \
             of the former, the run with the lower loss has its least likely digit right more often in \
             {likelier}, and the lower accuracy in {lower}{verdict}.",
            100.0 * BELOW_CHANCE,
            loss(&below),
            loss(&others)
        )
    })
}

/// What each network has learned, a mean over the runs that learned to avoid the right digit and
/// one over the others: a mean of both would be near neither.
pub fn learned(grid: &Grid) -> Html {
    let mut table = table(
        "What was learned",
        "head | start | runs | loss on given labels (nats) | share of their information learned | most likely digit right | \
         least likely digit right | confidence | loss on true labels (nats) | runs with one answer | \
         runs with a silent dense layer",
    );
    let both = |(head, init, seeds): (Head, Init, &Seeds)| {
        let (below, others) = seeds.runs.iter().cloned().partition(below_chance);
        [below, others].map(|runs| (head, init, Seeds { runs, left_out: Vec::new() }))
    };
    let rows = grid.iter().flat_map(both).filter(|(.., seeds)| !seeds.runs.is_empty());
    for (head, init, seeds) in rows {
        let mean = |value: &dyn Fn(&RunResult) -> Option<f64>| {
            seeds.mean(value).map_or(f64::NAN, |estimate| estimate.mean)
        };
        let count = |is: fn(&RunResult) -> bool| {
            let found = seeds.runs.iter().filter(|run| is(run)).count();
            Cell::Value(format!("{found} of {}", seeds.runs.len()), Some(found as f64))
        };
        table = table.row([
            head.name().into(),
            init.name().into(),
            seeds.runs.len().into(),
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
    let (below, others): (Vec<&RunResult>, Vec<&RunResult>) =
        grid.all().partition(|run| below_chance(run));
    let threshold = 100.0 * BELOW_CHANCE;
    let table = table.titled(format!(
        "Of {} runs, {} end below {threshold:.0} %: means over these, and over the others",
        below.len() + others.len(),
        below.len()
    ));
    let share = |runs: &[&RunResult]| span(runs, 100.0, 1, taken_up);
    let words = match (below.as_slice(), others.as_slice()) {
        ([], []) => return table.show(),
        (all, []) | ([], all) => format!("All runs learned {} %", share(all)),
        (below, others) => format!(
            "The runs below {threshold:.0} % learned {} %, the others {} %",
            share(below),
            share(others)
        ),
    };
    let words = format!("{words} of the information in their labels.");
    stack(&[&table, &note(&words)])
}

/// The chart of a run's training; in words, where it ends, and where the 2021 report's run did.
pub fn outcome(trained: &Trained) -> Html {
    let (head, init) = (trained.experiment.head, trained.experiment.init);
    let evaluation = &trained.evaluation;
    let reported = match reference_2021::last(3, head, init) {
        Some(last) => format!(" (the report's run: {:.2} %)", 100.0 * last.val_accuracy),
        None => String::new(),
    };
    let words = format!(
        "After the last epoch, the most likely digit is right for {:.2} % of the test \
         images{reported}, and the least likely one for {:.2} %. The loss on their true labels is \
         {:.3} nats; that of a network that gives every digit the same probability is {:.3}.",
        100.0 * evaluation.accuracy(),
        100.0 * evaluation.least_likely_accuracy(),
        evaluation.loss(),
        nothing_learned()
    );
    stack(&[&trained.chart(), &note(&words)])
}

/// Digit by answer, and digit by the answer thought least likely.
pub fn confusions(trained: &Trained) -> Html {
    let evaluation = &trained.evaluation;
    let (head, init) = (head_title(trained.experiment.head), trained.experiment.init.name());
    let title = |end: &str, accuracy: f64| {
        let share = 100.0 * accuracy;
        format!(
            "{head}, {init} start: the {end} likely digit is right for {share:.1} % of the images"
        )
    };
    let most = (evaluation.confusion())
        .chart(title("most", evaluation.accuracy()))
        .axes("digit", "most likely digit");
    let (labels, answers) = (&evaluation.labels, evaluation.least_likely());
    let least = ConfusionMatrix::new(labels, &answers, &evaluation.classes)
        .chart(title("least", evaluation.least_likely_accuracy()))
        .axes("digit", "least likely digit");
    let kinds = |digits: Vec<usize>| digits.into_iter().collect::<BTreeSet<usize>>().len();
    let given = match kinds(evaluation.predictions()) {
        1 => "the same answer each time".into(),
        n => format!("{} different answers", spelled(n)),
    };
    let avoided = match kinds(answers) {
        1 => "is always the same".into(),
        n => format!("is one of {}", spelled(n)),
    };
    let words = format!(
        "For {} test images, the network gives {given} (left); the digit that it considers least \
         likely {avoided} (right).",
        format_count(evaluation.len())
    );
    stack(&[&row(&[&most, &least]), &note(&words)])
}

/// Which digit's share of `test` each accuracy of the 2021 report is, if any, and how full
/// that digit's folder in `dataset3` is.
pub fn answers_in_report(dataset3: &Samples, test: &Samples) -> Html {
    let (counts, fullest) = (dataset3.class_counts(), fullest_folders(dataset3));
    let (mut of_one_digit, mut of_fullest, mut all, mut rows) = (0, 0, 0, Vec::new());
    for (head, init) in networks() {
        for (epoch, reported) in reference_2021::epochs(3, head, init).iter().enumerate() {
            let digit = digits_of_share(reported.val_accuracy, test).into_iter().next();
            all += 1;
            of_one_digit += usize::from(digit.is_some());
            let rank = |digit: usize| fullest.iter().position(|other| *other == digit);
            let is_fullest = digit.and_then(rank).is_some_and(|rank| rank < 2);
            of_fullest += usize::from(is_fullest);
            let mut cells: Vec<Cell> = vec![
                head.name().into(),
                init.name().into(),
                (epoch + 1).into(),
                number(reported.val_accuracy, 4),
            ];
            cells.extend(match digit.and_then(|digit| Some((digit, rank(digit)?))) {
                Some((digit, rank)) => {
                    [digit.to_string().into(), counts[digit].into(), (rank + 1).into()]
                }
                None => ["none".into(), no_number(), no_number()],
            });
            rows.push(cells);
        }
    }
    let caption = format!(
        "{of_one_digit} of {all} accuracies in the 2021 report are exactly the share of one digit"
    );
    let columns = "head | start | epoch | val. accuracy | share of digit | images in its folder | \
                   rank of the folder by size";
    let of_fullest = match of_fullest {
        0 => "none is".into(),
        1 => "one is".into(),
        n => format!("{} are", spelled(n)),
    };
    let words = format!(
        "Of these accuracies, {of_fullest} the share of a digit whose folder is one of the two fullest."
    );
    stack(&[&table(caption, columns).rows(rows), &note(&words)])
}
