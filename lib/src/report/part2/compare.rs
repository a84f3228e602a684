//! Random against pretrained, measure by measure.

use std::collections::BTreeSet;

use super::{
    head_start::without_head_start,
    measures::{Gain, MEASURES, curve, gains, steps_to},
    sentences,
};
use crate::{
    Result,
    data::{Mnist, Provenance},
    display::{
        Axis, Cell, Html, LineChart, RowChart, Show, format_count, format_p, format_signed,
        no_number, note, number, percent, row, stack,
    },
    eval::statistics::{Interval, KaplanMeier, PairedDifference, Time},
    report::{
        accuracy, by_holm, compare, compare_under, corrected, difference, few, from_to, head_title,
        left_out, listed, mean_percent, named, network_name, never_made, p_value, points,
        points_in_words, reference_2021, span, spelled, table,
    },
    study::{
        DEPTHS, EnsembleResult, Experiment, Grid, Head, Init, RATES, RunResult, Seeds, TAKEN,
        UNLIMITED, best_rate, networks, tried_rates,
    },
};

/// Accuracies whose first time of being reached counts as convergence.
const GOALS: [f64; 4] = [0.95, 0.97, 0.98, 0.99];

/// Accuracy along the training of one head, both starts, all seeds, with the three epochs of
/// the 2021 report.
pub fn curves(grid: &Grid, head: Head) -> Html {
    let title = format!("{}: {}", head_title(head), sooner(grid, head, 0.98));
    let steps = Axis::new("step (batch of 100)").from(0.0);
    let shares = Axis::percent("accuracy (lower values drawn at 90 %)").from(0.9).to(1.0);
    let mut chart = LineChart::new(title, steps, shares);
    for init in Init::ALL {
        let runs = grid.runs(head, init).iter().map(curve);
        chart = chart.seeds(init.name(), runs);
    }
    for init in Init::ALL {
        let epochs = reference_2021::epochs(2, head, init).iter().enumerate();
        let points = epochs.map(|(i, epoch)| (600.0 * (i + 1) as f64, epoch.val_accuracy));
        chart = chart.dots(format!("the 2021 report, {}", init.name()), points);
    }
    chart.show()
}

/// How soon each network reaches each goal, and whether pretraining changes that.
pub fn convergence(grid: &Grid) -> Result<Html> {
    let mut table = table(
        "Steps until accuracy first reaches a goal",
        "goal | head | start | reached | median steps | mean difference, pretrained − random (steps)",
    );
    let goals = GOALS.into_iter();
    for (goal, (head, init)) in goals.flat_map(|goal| networks().map(move |n| (goal, n))) {
        let runs = grid.runs(head, init);
        let steps = times(runs, goal);
        if steps.is_empty() {
            continue;
        }
        let there = steps.iter().filter(|time| !time.is_censored()).count();
        table = table.row([
            Cell::Value(format!("{:.0} %", 100.0 * goal), Some(goal)),
            head.name().into(),
            init.name().into(),
            format!("{there} of {}", steps.len()).into(),
            median(&steps)?,
            match init {
                Init::Random => "–".into(),
                Init::Pretrained => step_gain(grid, head, goal),
            },
        ]);
    }
    let table = table.titled(fewer_steps(grid));
    let chart = |goal: f64| -> Result<LineChart> {
        let of_all: Vec<Time> = (grid.all().filter_map(|run| steps_to(goal, run))).collect();
        let reached = of_all.iter().filter(|time| !time.is_censored()).count();
        let (all, percent) = (of_all.len(), goal * 100.0);
        let halves = [Init::Pretrained, Init::Random].map(|init| half_by(grid, init, goal));
        let title = match halves {
            [Some(pretrained), Some(random)] => format!(
                "Half of the pretrained runs reach {percent} % by step {pretrained}, half of the \
                 others by step {random}"
            ),
            [Some(pretrained), None] => {
                format!("Half of the pretrained runs reach {percent} % by step {pretrained}")
            }
            [None, Some(random)] => {
                format!("Half of the runs from a random start reach {percent} % by step {random}")
            }
            [None, None] => format!("{reached} of {all} runs reach {percent} %"),
        };
        let share = Axis::percent("share of runs").from(0.0).to(1.0);
        let mut chart = LineChart::new(title, Axis::new("step").from(0.0), share);
        for (head, init, seeds) in grid.iter() {
            let steps = times(&seeds.runs, goal);
            if !steps.is_empty() {
                let label = network_name(head, init);
                chart = chart.reached(label, &KaplanMeier::new(&steps)?);
            }
        }
        Ok(chart)
    };
    let charts = row(&[&chart(0.98)?, &chart(0.99)?]);
    let words = Head::ALL.map(|head| {
        let [near, far] = [0.98, 0.99].map(|goal| sooner(grid, head, goal));
        format!("{}: {near}; {far}.", head_title(head))
    });
    let words = note(&format!(
        "{} The median is the first step by which half of the runs are there. A step takes equally \
         long from either start: the computations are the same.",
        words.join(" ")
    ));
    Ok(stack(&[&charts, &table, &left_out(&grid.left_out()), &words]))
}

/// At how many goals pretraining saves steps or costs some, by intervals that leave out 0.
fn fewer_steps(grid: &Grid) -> String {
    let gains = GOALS.into_iter().flat_map(|goal| Head::ALL.map(|head| (goal, head)));
    let gains = gains.filter_map(|(goal, head)| grid.gain(head, steps_in_all(goal)));
    let gains: Vec<PairedDifference> = gains.collect();
    let fewer = gains.iter().filter(|gain| gain.interval.high < 0.0).count();
    let more = gains.iter().filter(|gain| gain.interval.low > 0.0).count();
    let comparisons = match gains.len() {
        0 => return "Steps until accuracy first reaches a goal".into(),
        all if fewer == all => format!("all {} comparisons", spelled(all)),
        all => format!("{} of {} comparisons, more in {}", few(fewer), spelled(all), few(more)),
    };
    format!(
        "Pretrained networks need fewer steps in {comparisons} (95 % intervals, not corrected for the \
         number of comparisons)"
    )
}

/// Steps to a goal, or for a run that did not get there the step at which it ended.
fn steps_in_all(goal: f64) -> impl Fn(&RunResult) -> Option<f64> {
    move |run| steps_to(goal, run).map(Time::value)
}

/// Of [`MEASURES`], the one of this goal.
fn steps_name(goal: f64) -> String {
    format!("steps to {} %", goal * 100.0)
}

/// How much sooner pretrained networks reach a goal, in words; by Holm's p over all [`MEASURES`],
/// of which it is one.
fn sooner(grid: &Grid, head: Head, goal: f64) -> String {
    let percent = format!("{} %", goal * 100.0);
    let measure = steps_name(goal);
    let gains = gains(grid);
    match gains.iter().find(|gain| gain.0 == head && gain.1.name == measure) {
        Some((.., Some(gain), p)) if *p < 0.05 => {
            let ended = ended(grid, head, goal, gain.mean);
            format!(
                "pretrained networks reach {percent} {:.0} steps {}{}",
                gain.mean.abs(),
                if gain.mean < 0.0 { "sooner" } else { "later" },
                ended.map_or(String::new(), |words| format!(" ({words})"))
            )
        }
        gain => {
            let reason = gain.and_then(|gain| gain.2.as_ref()).map_or("", by_holm);
            format!("{reason}it is unclear whether pretrained networks reach {percent} sooner")
        }
    }
}

fn times(runs: &[RunResult], goal: f64) -> Vec<Time> {
    runs.iter().filter_map(|run| steps_to(goal, run)).collect()
}

/// By which step half of the runs from this start reach a goal, from the head that is first to the
/// last; none where half of the runs of some head do not.
fn half_by(grid: &Grid, init: Init, goal: f64) -> Option<String> {
    let of_heads = Head::ALL.map(|head| times(grid.runs(head, init), goal));
    let of_heads = of_heads.iter().filter(|times| !times.is_empty());
    let medians = of_heads.map(|times| KaplanMeier::new(times).ok()?.median());
    let medians: Vec<f64> = medians.collect::<Option<Vec<f64>>>()?;
    from_to(&medians, |step| format_count(step as usize))
}

/// Median of times of which some are censored (Kaplan and Meier); where fewer than half of
/// the runs got there, only a lower bound is known.
fn median(times: &[Time]) -> Result<Cell> {
    let last = times.iter().map(|time| time.value()).fold(0.0, f64::max);
    Ok(match KaplanMeier::new(times)?.median() {
        Some(median) => number(median, 0),
        None => format!("over {}", format_count(last as usize)).into(),
    })
}

/// Paired difference in steps, with a word on runs that did not get there.
fn step_gain(grid: &Grid, head: Head, goal: f64) -> Cell {
    let Some(gain) = grid.gain(head, steps_in_all(goal)) else {
        return "unknown from one seed".into();
    };
    let ended = ended(grid, head, goal, gain.mean);
    let ended = ended.map_or(String::new(), |words| format!("; {words}"));
    format!("{}{ended}", difference(&gain, 1.0, 0)).into()
}

/// What a run that never got there counts as in a difference in steps with this `mean`; none where
/// all did. If all such runs are of the slower start, the true difference is larger.
fn ended(grid: &Grid, head: Head, goal: f64, mean: f64) -> Option<String> {
    let [random, pretrained] = Init::ALL.map(|init| last_step(grid.runs(head, init), goal));
    let understated = match (random, pretrained) {
        (Some(_), None) => mean < 0.0,
        (None, Some(_)) => mean > 0.0,
        _ => false,
    };
    let steps = format_count(random.or(pretrained)? as usize);
    let so = if understated { ", so the difference is understated" } else { "" };
    Some(format!("a run that never got there counts as {steps} steps{so}"))
}

/// The step at which runs ended that did not reach the goal, if there are any.
fn last_step<'a>(runs: impl IntoIterator<Item = &'a RunResult>, goal: f64) -> Option<f64> {
    let times = runs.into_iter().filter_map(|run| steps_to(goal, run));
    times.filter(|time| time.is_censored()).map(Time::value).reduce(f64::max)
}

/// Every measure of both heads: the means, and pretrained minus random with its interval,
/// effect size, and p-values corrected for the number of comparisons (Holm, 1979).
pub fn quality(grid: &Grid) -> Html {
    let all = gains(grid);
    let mut table = table(
        "Pretrained − random, paired by seed",
        "head | measure | random | pretrained | difference | 95 % interval | d_z | p | p (Holm)",
    );
    for (head, measure, gain, corrected) in &all {
        let shown = |init| match grid.mean(*head, init, measure.value) {
            Some(estimate) => number(estimate.mean * measure.scale, measure.decimals),
            None => no_number(),
        };
        let mut cells: Vec<Cell> = vec![head.name().into(), measure.name.into()];
        cells.extend(Init::ALL.map(shown));
        match gain {
            Some(gain) => cells.extend([
                number(gain.mean * measure.scale, measure.decimals),
                span(gain.interval, measure.scale, measure.decimals).into(),
                number(gain.d_z, 2),
                p_value(gain.p),
                p_value(*corrected),
            ]),
            None => cells.extend((0..5).map(|_| no_number())),
        }
        table = table.row(cells);
    }
    let (known, certain) = (
        all.iter().filter(|gain| gain.2.is_some()).count(),
        all.iter().filter(|gain| gain.3 < 0.05).count(),
    );
    let left_out = left_out(&grid.left_out());
    if known == 0 {
        let words = "One seed alone has no interval: `make full` runs the others.";
        return stack(&[&note(words), &table, &left_out]);
    }
    let table = table.titled(format!(
        "Pretrained − random, paired by seed: after Holm's correction, {certain} of {known} differences \
         are more than chance can explain"
    ));
    let [original, experimental] = Head::ALL.map(|head| forest(&all, head));
    let drawn = MEASURES.iter().filter(|measure| measure.scale == 100.0).count();
    let mut words = format!(
        "The charts show {} of the {} measures; the other {} are not percentages. Holm's \
         correction applies to the counts in their titles, not to the intervals drawn.",
        spelled(drawn),
        spelled(MEASURES.len()),
        spelled(MEASURES.len() - drawn)
    );
    if let Some(steps) = last_step(grid.all(), 0.99) {
        let steps = format_count(steps as usize);
        words += &format!(" A run that never reached a goal counts as {steps} steps.");
    }
    stack(&[&row(&[&original, &experimental]), &table, &left_out, &note(&words)])
}

/// The gains of one head that are shares, in percentage points.
fn forest(all: &[Gain], head: Head) -> RowChart {
    let shares = || all.iter().filter(|gain| gain.0 == head && gain.1.scale == 100.0);
    let title = format!(
        "{}: after Holm's correction, pretraining changes {} of these {} measures by more than \
         chance",
        head_title(head),
        few(shares().filter(|gain| gain.3 < 0.05).count()),
        spelled(shares().count())
    );
    let axis = Axis::new("pretrained − random (percentage points)");
    let mut chart = RowChart::forest(title, axis, 0.0);
    for (_, measure, gain, _) in shares() {
        if let Some(gain) = gain {
            let [low, high] = [gain.interval.low, gain.interval.high].map(|x| x * 100.0);
            let interval = Some(Interval { low, high });
            chart = chart.value_with(measure.short(), gain.mean * 100.0, interval);
        }
    }
    chart
}

/// Which of the measures differ after correction, in words, and what is left of it without a head
/// start.
pub fn quality_finding(grid: &Grid, mnist: &Provenance) -> Result<Html> {
    let all = gains(grid);
    let known = all.iter().filter(|gain| gain.2.is_some()).count();
    if known == 0 {
        return Ok(note("One seed alone cannot say whether pretraining helps."));
    }
    let mut sentences = vec![format!("{known} comparisons were made; the p-values are Holm's.")];
    for head in Head::ALL {
        let certain: Vec<String> = (all.iter())
            .filter(|(h, .., p)| *h == head && *p < 0.05)
            .filter_map(|(_, measure, gain, p)| {
                let mean = gain.as_ref()?.mean;
                let goal = GOALS.iter().find(|goal| measure.name == steps_name(**goal));
                let ended = goal.and_then(|goal| ended(grid, head, *goal, mean));
                let ended = ended.map_or(String::new(), |words| format!("; {words}"));
                Some(format!("{} ({}{ended})", measure.change_in_words(mean), format_p(*p)))
            })
            .collect();
        let (name, certain) = (head.name(), certain.join("; "));
        sentences.push(match certain.as_str() {
            "" => format!("With the {name} head, no measure differs by more than chance."),
            certain => format!("Pretrained networks with the {name} head: {certain}."),
        });
    }
    sentences.extend(without_head_start(mnist)?);
    Ok(note(&sentences.join(" ")))
}

/// Test accuracy of random and pretrained starts under one protocol.
pub fn compare_starts(grid: &Grid, what: &str) -> Result<Html> {
    if grid.is_empty() {
        return Ok(never_made());
    }
    let effects = sentences::effects(&[grid], accuracy).concat();
    let title = sentences::title(&effects, "test accuracy");
    let chart = compare_under(&title, what, "network", &named(grid), &[])?;
    let words = sentences::sentence("Over the seeds", &effects, "test accuracy");
    Ok(stack(&[&chart, &note(&words)]))
}

/// Test accuracy by the number of different training images.
pub fn little_data(grids: &[(usize, &Grid)]) -> Html {
    if grids.iter().all(|(_, grid)| grid.is_empty()) {
        return never_made();
    }
    let row = |head: Head, (n, grid): &(usize, &Grid)| {
        let of = |init| grid.runs(head, init).iter().filter_map(accuracy);
        let [random, pretrained] = Init::ALL.map(|init| of(init).collect::<Vec<f64>>());
        let both = grid.seeds(head, Init::Pretrained).zip(grid.seeds(head, Init::Random));
        let pairs = both.into_iter().flat_map(|(one, other)| one.pairs(other, accuracy));
        let gains: Vec<f64> = pairs.map(|(one, other)| 100.0 * (one - other)).collect();
        let ends = [f64::min, f64::max].map(|end| gains.iter().copied().reduce(end));
        [
            (*n).into(),
            head.name().into(),
            mean_percent(&random),
            mean_percent(&pretrained),
            points(grid.gain(head, accuracy)),
            match ends.map(|end| end.map(|gain| format_signed(gain, 2))) {
                [Some(low), Some(high)] => format!("{low} to {high}").into(),
                _ => "–".into(),
            },
        ]
    };
    let rows = Head::ALL.into_iter().filter(|head| {
        let mut grids = grids.iter();
        grids.any(|(_, grid)| sentences::heads(grid).any(|other| other == *head))
    });
    let rows = rows.flat_map(|head| grids.iter().map(move |few| row(head, few)));
    let columns =
        "images | head | random | pretrained | pretrained − random (points) | range over the seeds";
    let table = table("Test accuracy after training on few images", columns);
    let of_each: Vec<&Grid> = grids.iter().map(|(_, grid)| *grid).collect();
    let effects = sentences::effects(&of_each, accuracy);
    let table = match sentences::count(&effects, "test accuracy") {
        Some(count) => table.titled(format!("With few images, {count}")),
        None => table,
    };
    let effects = effects.into_iter().zip(grids);
    let words = effects.filter(|(effects, _)| !effects.is_empty()).map(|(effects, (n, _))| {
        let images = format!("With {} images", format_count(*n));
        sentences::sentence(&images, &effects, "test accuracy")
    });
    let words: Vec<String> = words.collect();
    stack(&[&table.rows(rows), &note(&words.join(" "))])
}

/// Test accuracy by how many of the convolutions are carried over, on 1,000 images.
pub fn compare_depths(mnist: &Provenance) -> Result<Html> {
    let run = |init| Experiment::mnist(Head::Original, init, 0).few(1_000);
    let mut runs = vec![("none".to_string(), run(Init::Random))];
    for depth in DEPTHS {
        let name = match depth.0 {
            1 => "the first convolution".into(),
            n => format!("the first {} convolutions", spelled(n)),
        };
        runs.push((name, run(Init::Pretrained).carrying_over(depth)));
    }
    runs.push(("all convolutions and the dense layer".into(), run(Init::Pretrained)));
    let what = "Test accuracy after 300 steps, by what is carried over";
    let ways = Seeds::of_each(runs, mnist)?;
    let shown = compare(what, "carried over", &ways, &[])?;
    let Some(((_, none), others)) = ways.split_first() else {
        return Ok(shown);
    };
    let gains = others.iter().map(|(_, seeds)| seeds.difference(none, accuracy, 0.0));
    let gains: Vec<Option<PairedDifference>> = gains.collect();
    let p = corrected(gains.iter().map(Option::as_ref));
    let (mut certain, mut unclear) = (Vec::new(), Vec::new());
    for (((name, _), gain), p) in others.iter().zip(&gains).zip(p) {
        if let Some(gain) = gain {
            let group = if p < 0.05 { &mut certain } else { &mut unclear };
            group.push(format!("“{name}” ({})", points_in_words(gain)));
        }
    }
    let mut words = Vec::new();
    if !certain.is_empty() {
        words.push(format!(
            "The difference from carrying over nothing is more than chance for {}.",
            listed(&certain, "and")
        ));
    }
    if !unclear.is_empty() {
        words.push(format!(
            "The difference from carrying over nothing may be chance for {}.",
            listed(&unclear, "and")
        ));
    }
    if words.is_empty() {
        return Ok(shown);
    }
    words.push(
        "More than chance means that Holm's p is below 0.05; the intervals are not corrected. The \
         runs that carry over nothing or everything are also under “Little data”, where they are \
         corrected among other comparisons."
            .into(),
    );
    Ok(stack(&[&shown, &note(&words.join(" "))]))
}

/// What the study's network reaches on MNIST in thirty epochs of distorted images, beside shorter
/// training: single networks, and five whose probabilities are averaged.
pub fn thirty_epochs(mnist: &Mnist) -> Result<Html> {
    let run = Experiment::true_labels(UNLIMITED.epochs(), 0);
    let seeds = Seeds::recorded(&run, &mnist.train.provenance)?;
    if seeds.runs.is_empty() {
        return Ok(never_made());
    }
    let three = Experiment::mnist(Head::Original, Init::Random, 0);
    let shorter = [
        ("three epochs", three.clone()),
        ("three epochs, one cycle", three.clean()),
        ("nine epochs, distorted", Experiment::true_labels(TAKEN.epochs(), 0)),
    ];
    let mut ways = Seeds::of_each(shorter, &mnist.train.provenance)?;
    let mean = |seeds: &Seeds| seeds.mean(accuracy).map_or(f64::NAN, |of| 100.0 * of.mean);
    let title = format!(
        "Three epochs reach {:.2} %, with one cycle {:.2} %, and thirty epochs of distorted images \
         {:.2} %",
        mean(&ways[0].1),
        mean(&ways[1].1),
        mean(&seeds)
    );
    let gain = seeds.difference(&ways[1].1, accuracy, 0.0);
    ways.push(("thirty epochs, distorted".into(), seeds));
    let together = EnsembleResult::of(&run, &mnist.test)?;
    let averaged = together.as_ref().map(|together| ("five averaged", together.accuracy));
    let averaged: Vec<(&str, f64)> = averaged.into_iter().collect();
    let single = compare_under(&title, "Test accuracy", "training", &ways, &averaged)?;
    let gain = gain.map_or(String::new(), |gain| {
        let more = "Thirty epochs of distorted images minus three with one cycle:";
        format!("{more} {} points. ", difference(&gain, 100.0, 2))
    });
    let words = match together {
        Some(together) => format!(
            "Averaging the probabilities of {} networks of the last kind classifies {:.2} % of {} test \
             images correctly.",
            spelled(together.runs.len()),
            100.0 * together.accuracy,
            format_count(together.dataset.count)
        ),
        None => {
            "Their averaged probabilities were never computed: `make full` trains these networks."
                .into()
        }
    };
    Ok(stack(&[&single, &note(&(gain + &words))]))
}

/// Accuracy on held-out images by the peak of the learning rate, for each start by itself.
pub fn compare_rates(mnist: &Provenance) -> Result<Html> {
    let [low, .., high] = RATES;
    let columns =
        format!("head | start | {} | best | used", RATES.map(|r| r.to_string()).join(" | "));
    let mut table = table("Accuracy on held-out images, by peak learning rate", &columns);
    let mut held_out = 0.0;
    let (mut bests, mut highest) = (Vec::new(), Vec::new());
    let (mut agree, mut leads, mut within) = (0, Vec::new(), 0);
    let all = networks().count();
    for (head, init) in networks() {
        let run = Experiment::mnist(head, init, 0);
        let mut cells: Vec<Cell> = vec![head.name().into(), init.name().into()];
        let reached = tried_rates(&run, mnist)?;
        let Some(best) = best_rate(reached) else {
            return Ok(never_made());
        };
        cells.extend(reached.map(percent));
        let clean = run.clean();
        let used = clean.config.learning_rate;
        agree += usize::from(best == used);
        bests.push(best);
        held_out = clean.split.held_out(mnist.count);
        let mut mistakes = reached.map(|accuracy| ((1.0 - accuracy) * held_out).round());
        let least = mistakes.into_iter().fold(f64::INFINITY, f64::min);
        let at_best = RATES.iter().zip(mistakes).filter(|(_, mistakes)| *mistakes == least);
        let at_best: Vec<String> = at_best.map(|(rate, _)| rate.to_string()).collect();
        let tie = if at_best.len() > 1 { " (a tie)" } else { "" };
        highest.push(format!("{}{tie}", listed(&at_best, "or")));
        mistakes.sort_by(f64::total_cmp);
        let lead = mistakes[1] - mistakes[0];
        leads.push(lead as usize);
        // If each made its mistakes by itself; on the same images they differ by less.
        within += usize::from(lead < 2.0 * (mistakes[0] + mistakes[1]).sqrt());
        cells.extend([best.to_string().into(), used.to_string().into()]);
        table = table.row(cells);
    }
    let rates: BTreeSet<&String> = highest.iter().collect();
    let of_rate = rates.into_iter().map(|rate| {
        let networks = highest.iter().filter(|other| *other == rate).count();
        format!("{rate} for {networks} of {all} networks")
    });
    let table = table.titled(format!(
        "On one seed, accuracy on held-out images is highest at a peak learning rate of {}",
        listed(&of_rate.collect::<Vec<_>>(), "and")
    ));
    let used = match agree == all {
        true => format!("All {} networks use", spelled(all)),
        false => format!("{agree} of {all} networks use"),
    };
    let (least, most) = (leads.iter().min(), leads.iter().max());
    let (least, most) = (least.unwrap_or(&0), most.unwrap_or(&0));
    let lead = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let for_some = match within == all {
        true => String::new(),
        false => format!(" for {within} of {all} networks"),
    };
    let edges = [(low, "lowest", "lower"), (high, "highest", "higher")].map(
        |(rate, end, beyond)| match bests.iter().filter(|best| **best == rate).count() {
            0 => String::new(),
            networks => format!(
                " For {networks} of {all} networks the best rate is the {end} tried, so a {beyond} \
                 one may be better."
            ),
        },
    );
    let words = format!(
        "{used} the best of the {} rates{}. On one seed it leads by {lead} of {} images, which is \
         within chance (two standard deviations){for_some}.{}",
        spelled(RATES.len()),
        if *least == 0 { ", the lower one in a tie" } else { "" },
        format_count(held_out.round() as usize),
        edges.concat()
    );
    Ok(stack(&[&table, &note(&words)]))
}
