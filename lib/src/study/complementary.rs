//! Notebook 7 as it shows itself: learning digits from labels that say what an image is not.

use crate::{
    Result,
    data::Provenance,
    display::{
        Axis, Html, LineChart, RowChart, Show, Table, format_number, format_signed, note, number,
        percent, percent_interval, row, stack,
    },
    eval::statistics::{mean, paired_difference},
    study::{
        DigitRun, Head, Init, Protocol, RunResult, SEEDS, Seeds, Stages, TrainedDigits,
        seeds::never_made,
    },
    train::Complementary,
};

/// What others reach on this task, with where it stands.
const ELSEWHERE: [(&str, f64); 2] = [
    ("published, multi-layer perceptron", 0.939),
    ("best answer known to this task", 0.961),
];

/// The losses, each on seed 0 from a random start: what chooses among them is the risk on
/// held-out images, which needs their complementary labels alone.
pub fn compare_losses(dataset: &Provenance) -> Result<Html> {
    let mut table = Table::new(
        "Six losses, 3 epochs each, seed 0",
        [
            "loss",
            "risk on held-out images (nats)",
            "accuracy estimated on them",
            "MNIST test accuracy (not used)",
        ],
    );
    let mut chart = RowChart::bars(
        "MNIST test accuracy after 3 epochs (not used to choose)",
        Axis::percent("accuracy").to(1.0),
    );
    let mut best: Option<(f64, &str)> = None;
    for loss in Complementary::ALL {
        let protocol = Protocol::Complementary(loss);
        let run = DigitRun::new(3, protocol, Head::Original, Init::Random, 0);
        let Some(record) = run.key().load()? else {
            continue;
        };
        if record.differs_from(&run.config, dataset, None).is_some() {
            continue;
        }
        let name = loss.title();
        let risk = record.metric("held_out_risk").unwrap_or(f64::NAN);
        if best.is_none_or(|(lowest, _)| risk < lowest) {
            best = Some((risk, name));
        }
        let estimated = record.last().map_or(f64::NAN, |epoch| epoch.val_accuracy);
        let test = record.test_accuracy.unwrap_or(f64::NAN);
        table = table.row([
            name.into(),
            number(risk, 4),
            percent(estimated),
            percent(test),
        ]);
        chart = chart.value(name, test);
    }
    let Some((risk, name)) = best else {
        return Ok(never_made());
    };
    let choice = note(&format!(
        "The lowest risk on held-out images, {risk:.4} nats, is that of {name}. (A network that \
         knew every digit for certain would reach ln 9 = 2.1972; one that knows nothing stays at \
         ln 10 = 2.3026.)"
    ));
    Ok(stack(&[&table, &chart, &choice]))
}

/// Nine epochs divided in several ways, from a random start: what chooses among them is the
/// accuracy estimated from held-out complementary labels, over the seeds that all of them
/// were run under.
pub fn compare_stages(dataset: &Provenance) -> Result<Html> {
    let mut candidates = Vec::new();
    for stages in Stages::ALL {
        let protocol = Protocol::Stages(stages);
        let run = DigitRun::new(3, protocol, Head::Original, Init::Random, 0);
        let seeds = Seeds::recorded(&run.key(), &run.config, dataset)?;
        candidates.push((stages, seeds.runs));
    }
    let seeds: Vec<u64> = (SEEDS.into_iter())
        .filter(|seed| {
            (candidates.iter()).all(|(_, runs)| runs.iter().any(|run| run.seed == *seed))
        })
        .collect();
    if seeds.is_empty() {
        return Ok(never_made());
    }
    let mut table = Table::new(
        format!(
            "Nine epochs, divided in {} ways, mean of {} seeds",
            Stages::ALL.len(),
            seeds.len()
        ),
        [
            "division",
            "accuracy estimated on held-out images",
            "risk on them (nats)",
            "MNIST test accuracy (not used)",
        ],
    );
    let mut rows = Vec::new();
    for (stages, mut runs) in candidates {
        runs.retain(|run| seeds.contains(&run.seed));
        let over_seeds = |value: &dyn Fn(&RunResult) -> Option<f64>| -> Result<f64> {
            let values: Vec<f64> = runs.iter().filter_map(value).collect();
            Ok(mean(&values)?.mean)
        };
        let estimated = over_seeds(&|run| Some(run.last()?.val_accuracy))?;
        let name = words(stages);
        table = table.row([
            name.as_str().into(),
            percent(estimated),
            number(over_seeds(&|run| run.metric("held_out_risk"))?, 4),
            percent(over_seeds(&|run| run.test_accuracy)?),
        ]);
        rows.push((estimated, name));
    }
    let Some((estimated, name)) = rows.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Ok(never_made());
    };
    let choice = note(&format!(
        "The highest accuracy estimated without true labels, {:.2} %, is that of {name}.",
        estimated * 100.0
    ));
    Ok(stack(&[&table, &choice]))
}

/// E.g. `6 epochs under the forward loss, 3 on own predictions above 0.9`.
fn words(stages: Stages) -> String {
    let (forward, own) = stages.division();
    let own = own.map_or("none on own predictions".into(), |own| {
        match own.confidence {
            0.0 => format!("{} on all own predictions", own.epochs),
            sure => format!("{} on own predictions above {sure}", own.epochs),
        }
    });
    format!("{forward} epochs under the forward loss, {own}")
}

/// Accuracy estimated on held-out images, by epoch, through both stages.
pub fn stages(runs: &[&TrainedDigits]) -> Html {
    let mut chart = LineChart::new(
        "Accuracy estimated from held-out complementary labels",
        Axis::new("epoch"),
        Axis::percent("estimated accuracy"),
    );
    for trained in runs {
        let epochs = trained.history.epochs.iter().enumerate();
        let points = epochs.map(|(i, epoch)| ((i + 1) as f64, epoch.val_accuracy));
        chart = chart.curve(format!("{} start", trained.run.init.name()), points);
    }
    let mut blocks = vec![chart.show()];
    blocks.extend(runs.iter().map(|trained| trained.origin()));
    let blocks: Vec<&dyn Show> = blocks.iter().map(|block| block as &dyn Show).collect();
    stack(&blocks)
}

/// Both starts over all seeds, with what others reach.
pub fn accuracies(runs: &[&TrainedDigits]) -> Result<Html> {
    let mut table = Table::new(
        "Accuracy on the MNIST test set, learned from wrong labels alone",
        ["start", "mean", "95 % interval", "seeds", "each seed (%)"],
    );
    let mut chart = RowChart::bars(
        "Accuracy on the MNIST test set",
        Axis::percent("accuracy").to(1.0),
    );
    for trained in runs {
        let seeds = Seeds::beside(&trained.result)?;
        let values = seeds.values(|run| run.test_accuracy);
        let estimate = mean(&values)?;
        let each: Vec<String> = (values.iter())
            .map(|v| format!("{:.2}", v * 100.0))
            .collect();
        let name = format!("{} start", trained.run.init.name());
        chart = chart.estimate(name.clone(), &estimate);
        table = table.row([
            name.into(),
            percent(estimate.mean),
            percent_interval(&estimate).into(),
            estimate.n.into(),
            each.join("  ").into(),
        ]);
    }
    for (name, accuracy) in ELSEWHERE {
        chart = chart.value(name, accuracy);
        table = table.row([
            name.into(),
            percent(accuracy),
            "".into(),
            "".into(),
            "".into(),
        ]);
    }
    Ok(stack(&[&row(&[&chart]), &table]))
}

/// Whether the second stage helped, judged by complementary labels alone, and what both
/// stages reached, in words.
pub fn finding(runs: &[&TrainedDigits]) -> Result<Html> {
    let (mut first, mut second, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for trained in runs {
        let seeds = Seeds::beside(&trained.result)?;
        for run in &seeds.runs {
            if let Some((a, b)) = both_stages(run) {
                first.push(a);
                second.push(b);
            }
            tests.extend(run.test_accuracy);
        }
    }
    let reached = mean(&tests)?;
    let mut words = format!(
        "Learned from dataset 3 alone, without one label that is meant to be right, the networks \
         read {:.2} % of the MNIST test set (mean of {} runs).",
        reached.mean * 100.0,
        tests.len()
    );
    if let Ok(gain) = paired_difference(&second, &first) {
        words += &format!(
            " By held-out complementary labels alone, the second stage changed the estimated \
             accuracy by {} points (95 % interval {} to {}, {} runs).",
            format_signed(gain.mean * 100.0, 2),
            format_number(gain.interval.low * 100.0, 2),
            format_number(gain.interval.high * 100.0, 2),
            gain.n
        );
    }
    Ok(note(&words))
}

/// Estimated accuracy after the first and after the second stage.
fn both_stages(run: &RunResult) -> Option<(f64, f64)> {
    let first = run.epochs.get(run.config.epochs - 1)?;
    let last = run.last()?;
    (run.epochs.len() > run.config.epochs).then_some((first.val_accuracy, last.val_accuracy))
}
