//! Random against pretrained, measure by measure.

use crate::{
    Result,
    display::{
        Axis, Cell, Html, LineChart, RowChart, Show, Table, format_number, format_p, format_signed,
        no_number, note, number, percent, percent_interval, row, stack,
    },
    eval::statistics::{KaplanMeier, PairedDifference, Time, holm},
    study::{
        Grid, Head, Init, RunResult,
        digits::network_name,
        part2::measures::{MEASURES, curve, seconds_to, steps_to},
        reported,
        seeds::never_made,
    },
};

/// Accuracies whose first time of being reached counts as convergence.
const GOALS: [f64; 4] = [0.95, 0.97, 0.98, 0.99];

/// Accuracy along the training of one head, both starts, all seeds, with the original's
/// three epochs.
pub fn curves(grid: &Grid, head: Head) -> Html {
    let title = format!("{}: accuracy along the training", head.name());
    let steps = Axis::new("step (batch of 100)").from(0.0);
    let mut chart = LineChart::new(title, steps, Axis::percent("accuracy").from(0.9).to(1.0));
    for init in Init::ALL {
        let runs = grid.runs(head, init).iter().map(curve);
        chart = chart.seeds(init.name(), runs);
    }
    for init in Init::ALL {
        let epochs = reported(2, head, init).iter().enumerate();
        let points = epochs.map(|(i, epoch)| (600.0 * (i + 1) as f64, epoch.val_accuracy));
        chart = chart.curve(format!("the report, {}", init.name()), points);
    }
    chart.show()
}

/// How soon each network reaches each goal, and whether pretraining changes that.
pub fn convergence(grid: &Grid) -> Result<Html> {
    let mut table = Table::new(
        "Steps and seconds to a first accuracy of …",
        [
            "goal",
            "head",
            "start",
            "there",
            "median steps",
            "median seconds",
            "pretrained − random (steps)",
        ],
    );
    for goal in GOALS {
        for head in Head::ALL {
            for init in Init::ALL {
                let runs = grid.runs(head, init);
                let (steps, seconds) = (times(runs, goal, steps_to), times(runs, goal, seconds_to));
                if steps.is_empty() {
                    continue;
                }
                let there = steps.iter().filter(|time| !time.is_censored()).count();
                let difference = match init {
                    Init::Random => "".into(),
                    Init::Pretrained => step_gain(grid, head, goal),
                };
                table = table.row([
                    percent(goal),
                    head.name().into(),
                    init.name().into(),
                    format!("{there} of {}", steps.len()).into(),
                    median(&steps, 0)?,
                    median(&seconds, 1)?,
                    difference,
                ]);
            }
        }
    }
    let mut charts = Vec::new();
    for goal in [0.98, 0.99] {
        let title = format!("Share of runs that have reached {} %", goal * 100.0);
        let share = Axis::percent("runs").from(0.0).to(1.0);
        let mut chart = LineChart::new(title, Axis::new("step").from(0.0), share);
        for (head, init, seeds) in grid.iter() {
            let steps = times(&seeds.runs, goal, steps_to);
            if !steps.is_empty() {
                let label = network_name(head, init);
                chart = chart.reached(label, &KaplanMeier::new(&steps)?);
            }
        }
        charts.push(chart);
    }
    let charts: Vec<&dyn Show> = charts.iter().map(|chart| chart as &dyn Show).collect();
    Ok(stack(&[&row(&charts), &table, &grid.left_out()]))
}

fn times(runs: &[RunResult], goal: f64, time: fn(f64, &RunResult) -> Option<Time>) -> Vec<Time> {
    runs.iter().filter_map(|run| time(goal, run)).collect()
}

/// Median of times of which some are censored (Kaplan and Meier); where fewer than half of
/// the runs got there, only a lower bound is known.
fn median(times: &[Time], decimals: usize) -> Result<Cell> {
    let last = times.iter().map(|time| time.value()).fold(0.0, f64::max);
    Ok(match KaplanMeier::new(times)?.median() {
        Some(median) => number(median, decimals),
        None => format!("over {last:.decimals$}").into(),
    })
}

/// Paired difference in steps. A run that did not get there counts with the step at which
/// it ended, so the difference is then a lower bound, and marked.
fn step_gain(grid: &Grid, head: Head, goal: f64) -> Cell {
    let steps = |run: &RunResult| steps_to(goal, run).map(Time::value);
    let all = Init::ALL.map(|init| times(grid.runs(head, init), goal, steps_to));
    let censored = all.iter().flatten().any(|time| time.is_censored());
    let Some(gain) = grid.gain(head, steps) else {
        return "one seed cannot say".into();
    };
    let [mean, low, high] =
        [gain.mean, gain.interval.low, gain.interval.high].map(|steps| format_number(steps, 0));
    let ended = if censored {
        ", with runs that ended before"
    } else {
        ""
    };
    format!("{mean} ({low} to {high}), {}{ended}", format_p(gain.p)).into()
}

/// Every measure of both heads: the means, and pretrained minus random with its interval,
/// effect size, and p-values corrected for the number of comparisons (Holm, 1979).
pub fn quality(grid: &Grid) -> Html {
    let all = gains(grid);
    let mut charts = Vec::new();
    let mut table = Table::new(
        "Pretrained − random, paired by seed",
        [
            "head",
            "measure",
            "random",
            "pretrained",
            "difference",
            "95 % interval",
            "d_z",
            "p",
            "p (Holm)",
        ],
    );
    for head in Head::ALL {
        let mut chart = RowChart::forest(
            format!("{}: pretrained − random", head.name()),
            Axis::new("percentage points"),
            0.0,
        );
        for (measure, gain, corrected) in (all.iter())
            .filter(|(h, ..)| *h == head)
            .map(|(_, m, g, p)| (&MEASURES[*m], g, p))
        {
            let shown = |init| match grid.mean(head, init, measure.value) {
                Some(estimate) => number(estimate.mean * measure.scale, measure.decimals),
                None => "".into(),
            };
            let mut cells = vec![
                head.name().into(),
                measure.name.into(),
                shown(Init::Random),
                shown(Init::Pretrained),
            ];
            match gain {
                Some(gain) => {
                    let (low, high) = (gain.interval.low, gain.interval.high);
                    let scaled = |x: f64| x * measure.scale;
                    let written = |x: f64| format_number(scaled(x), measure.decimals);
                    cells.extend([
                        number(scaled(gain.mean), measure.decimals),
                        format!("{} to {}", written(low), written(high)).into(),
                        number(gain.d_z, 2),
                        p_value(gain.p),
                        p_value(*corrected),
                    ]);
                    if measure.scale == 100.0 {
                        let interval = crate::eval::statistics::Interval {
                            low: scaled(low),
                            high: scaled(high),
                        };
                        chart = chart.value_with(measure.short, scaled(gain.mean), Some(interval));
                    }
                }
                None => cells.extend((0..5).map(|_| no_number())),
            }
            table = table.row(cells);
        }
        charts.push(chart);
    }
    let table_alone = all.iter().all(|(.., gain, _)| gain.is_none());
    if table_alone {
        let word = note("One seed alone has no interval: `make full` runs the others.");
        return stack(&[&table, &word, &grid.left_out()]);
    }
    let charts: Vec<&dyn Show> = charts.iter().map(|chart| chart as &dyn Show).collect();
    stack(&[&row(&charts), &table, &grid.left_out()])
}

fn p_value(p: f64) -> Cell {
    match p < 0.001 {
        true => Cell::Number("< 0.001".into()),
        false => number(p, 3),
    }
}

type Gain = (Head, usize, Option<PairedDifference>, f64);

/// Each head's gain in each measure, with Holm's p-value over all of them.
fn gains(grid: &Grid) -> Vec<Gain> {
    let mut all: Vec<Gain> = Vec::new();
    for head in Head::ALL {
        for (index, measure) in MEASURES.iter().enumerate() {
            all.push((head, index, grid.gain(head, measure.value), f64::NAN));
        }
    }
    let known: Vec<f64> = all.iter().filter_map(|g| Some(g.2.as_ref()?.p)).collect();
    let with_gain = all.iter_mut().filter(|gain| gain.2.is_some());
    for (gain, p) in with_gain.zip(holm(&known)) {
        gain.3 = p;
    }
    all
}

/// Which of the measures differ after correction, in words.
pub fn quality_finding(grid: &Grid) -> Html {
    let all = gains(grid);
    let known = all.iter().filter(|gain| gain.2.is_some()).count();
    if known == 0 {
        return note("One seed alone cannot say whether pretraining helps.");
    }
    let mut sentences = vec![format!(
        "{known} comparisons were made; the p-values below are Holm's."
    )];
    for head in Head::ALL {
        let certain: Vec<String> = (all.iter())
            .filter(|(h, .., p)| *h == head && *p < 0.05)
            .filter_map(|(_, index, gain, p)| {
                let (measure, gain) = (&MEASURES[*index], gain.as_ref()?);
                let better = (gain.mean > 0.0) == measure.more_is_better;
                Some(format!(
                    "{} is {} ({}, {})",
                    measure.name,
                    if better { "better" } else { "worse" },
                    format_signed(gain.mean * measure.scale, measure.decimals),
                    format_p(*p)
                ))
            })
            .collect();
        sentences.push(match certain.is_empty() {
            true => format!(
                "For the head {}, no measure differs beyond chance.",
                head.name()
            ),
            false => format!(
                "For the head {}, with pretraining: {}.",
                head.name(),
                certain.join("; ")
            ),
        });
    }
    note(&sentences.join(" "))
}

/// Recall of each digit, mean over the seeds.
pub fn recall(grid: &Grid) -> Html {
    let mut chart = RowChart::layers(
        "Recall of each digit, mean over the seeds",
        Axis::percent("recall"),
    );
    for (head, init, seeds) in grid.iter() {
        if seeds.runs.is_empty() {
            continue;
        }
        chart = chart.series(network_name(head, init));
        for digit in 0..10 {
            let name = format!("recall_{digit}");
            if let Some(estimate) = grid.mean(head, init, |run| run.metric(&name)) {
                chart = chart.value(digit.to_string(), estimate.mean);
            }
        }
    }
    chart.show()
}

/// Test accuracy of random and pretrained starts under one protocol.
pub fn compare_starts(grid: &Grid, title: &str) -> Html {
    if grid.iter().all(|(_, _, seeds)| seeds.runs.is_empty()) {
        return never_made();
    }
    let accuracy = |run: &RunResult| run.test_accuracy;
    let mut table = Table::new(
        title,
        [
            "head",
            "start",
            "mean",
            "95 % interval",
            "seeds",
            "pretrained − random (points)",
        ],
    );
    let mut chart = RowChart::bars(title, Axis::percent("test accuracy"));
    for (head, init, seeds) in grid.iter() {
        let Some(estimate) = grid.mean(head, init, accuracy) else {
            continue;
        };
        chart = chart.estimate(network_name(head, init), &estimate);
        table = table.row([
            head.name().into(),
            init.name().into(),
            percent(estimate.mean),
            percent_interval(&estimate).into(),
            seeds.runs.len().into(),
            match init {
                Init::Random => "".into(),
                Init::Pretrained => points(grid.gain(head, accuracy)),
            },
        ]);
    }
    stack(&[&chart, &table, &grid.left_out()])
}

/// Test accuracy by the number of different training images.
pub fn little_data(grids: &[(usize, &Grid)]) -> Html {
    let mut table = Table::new(
        "Test accuracy after 300 steps on few images",
        [
            "images",
            "head",
            "random",
            "pretrained",
            "pretrained − random (points)",
        ],
    );
    let images = Axis::new("different training images").log();
    let mut chart = LineChart::new(
        "What pretraining is worth when data are few",
        images,
        Axis::percent("test accuracy"),
    );
    for head in Head::ALL {
        for init in Init::ALL {
            let seed_line = |seed: u64| -> Vec<(f64, f64)> {
                (grids.iter())
                    .filter_map(|(n, grid)| {
                        let run = grid.runs(head, init).iter().find(|run| run.seed == seed)?;
                        Some((*n as f64, run.test_accuracy?))
                    })
                    .collect()
            };
            let lines: Vec<_> = crate::study::SEEDS.map(seed_line).into();
            let lines: Vec<_> = lines.into_iter().filter(|l| !l.is_empty()).collect();
            if !lines.is_empty() {
                chart = chart.seeds(network_name(head, init), lines);
            }
        }
        for (n, grid) in grids {
            let mean = |init| match grid.mean(head, init, |run| run.test_accuracy) {
                Some(estimate) => percent(estimate.mean),
                None => "".into(),
            };
            table = table.row([
                (*n).into(),
                head.name().into(),
                mean(Init::Random),
                mean(Init::Pretrained),
                points(grid.gain(head, |run| run.test_accuracy)),
            ]);
        }
    }
    let none = grids
        .iter()
        .all(|(_, grid)| grid.iter().all(|cell| cell.2.runs.is_empty()));
    if none {
        return never_made();
    }
    stack(&[&chart, &table])
}

/// A difference of shares in percentage points, with its interval.
pub(super) fn points(gain: Option<PairedDifference>) -> Cell {
    let Some(gain) = gain else {
        return "–".into();
    };
    let [mean, low, high] = [gain.mean, gain.interval.low, gain.interval.high].map(|x| x * 100.0);
    let (low, high) = (format_number(low, 2), format_number(high, 2));
    format!("{} ({low} to {high})", format_signed(mean, 2)).into()
}
