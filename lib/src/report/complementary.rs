//! Notebook 7: learning digits from labels that say what an image is not.

use super::{
    accuracy, compare, compare_under, difference, mean_percent, never_made, or_zero, points, table,
    val_accuracy,
};
use crate::{
    Result,
    data::Provenance,
    display::{
        Axis, Html, LineChart, RowChart, format_counted, format_number, note, number, percent,
        percent_interval, stack,
    },
    eval::statistics::{Estimate, mean},
    study::{
        DIVISIONS, Division, Experiment, Head, Init, RELABELLED, RunResult, Seeds, TAKEN,
        TriedDivision, UNLIMITED, simplest_division, tried_divisions,
    },
    train::Complementary,
};

fn random_start() -> Experiment {
    Experiment::mislabelled(Head::Original, Init::Random, 0)
}

/// The losses, each on seed 0 from a random start. The choice among them is by the risk on
/// held-out images, which needs only their complementary labels.
pub fn compare_losses(dataset: &Provenance) -> Result<Html> {
    let mut tried = Vec::new();
    for loss in Complementary::ALL {
        let seeds = Seeds::recorded_under(&[0], &random_start().complementary(loss), dataset)?;
        if let Some(run) = seeds.runs.first() {
            let found = [run.metric("held_out_risk"), val_accuracy(run), accuracy(run)];
            tried.push((loss.title(), found.map(|value| value.unwrap_or(f64::NAN))));
        }
    }
    let lowest = tried.iter().min_by(|a, b| a.1[0].total_cmp(&b.1[0]));
    // The first of equals.
    let highest = tried.iter().min_by(|a, b| b.1[1].total_cmp(&a.1[1]));
    let (Some((name, [risk, ..])), Some((other, [_, estimate, _]))) = (lowest, highest) else {
        return Ok(never_made());
    };
    let rows = tried.iter().map(|&(title, [risk, estimate, test])| {
        [title.into(), number(risk, 4), percent(estimate), percent(test)]
    });
    let columns = " | risk on held-out images (nats) | accuracy estimated from them | \
                   MNIST test accuracy (not used)";
    let title =
        format!("After three epochs on seed 0, the risk on held-out images is lowest for: {name}");
    let table = table(title, columns).rows(rows);
    let choice = format!(
        "Lowest risk on held-out images: {name}, {risk:.4} nats. (If no label were right, a network \
         certain of every digit would reach ln 9 = 2.1972; one that gives every digit the same \
         probability has ln 10 = 2.3026.) Highest estimated accuracy: {other}, {:.2} %.",
        100.0 * estimate
    );
    Ok(stack(&[&table, &note(&choice)]))
}

/// Several schedules of nine epochs, from a random start, and which one the rule takes.
pub fn compare_stages(dataset: &Provenance) -> Result<Html> {
    let tried = tried_divisions(dataset)?;
    let Some(taken) = simplest_division(&tried) else {
        return Ok(never_made());
    };
    let (best, others): (Vec<&TriedDivision>, Vec<&TriedDivision>) =
        tried.iter().partition(|tried| tried.behind.mean == 0.0);
    let close = others.iter().filter(|other| other.behind.interval.contains(0.0)).count();
    let rows = tried.iter().map(|TriedDivision { division, seeds, behind }| {
        [
            words(division).into(),
            mean_percent(&seeds.values(val_accuracy)),
            points((behind.mean != 0.0).then_some(*behind)),
            mean_percent(&seeds.values(accuracy)),
            seeds.runs.len().into(),
        ]
    });
    let title = format!(
        "Of nine epochs, {close} of {} other schedules cannot be told apart from the one with the \
         highest estimate",
        others.len()
    );
    let columns = "schedule | accuracy estimated without true labels | \
                   minus the highest (points) | MNIST test accuracy (not used) | seeds";
    let table = table(title, columns).rows(rows);
    let best = words(best.last().map_or(&taken, |best| &best.division));
    let taken = words(&taken);
    let mut words = match best == taken {
        true => format!("The highest estimate is that of {best}, which is taken."),
        false => format!(
            "The highest estimate is that of {best}. The simplest schedule that cannot be told \
             apart from it is {taken}."
        ),
    };
    let (complete, all) = (tried.len(), DIVISIONS.len());
    if complete < all {
        words += &format!(" The rule needs all {all} schedules; {complete} of them were run.");
    }
    Ok(stack(&[&table, &note(&words)]))
}

/// E.g. `6 epochs with the forward loss, 3 on its predictions above 0.9`.
fn words(division: &Division) -> String {
    let first = format!("{} epochs with the forward loss", division.forward);
    let Some(own) = division.own else {
        return first;
    };
    let which = match (own.confidence > 0.0, own.copies) {
        (true, _) => format!("its predictions with a probability above {}", own.confidence),
        (_, 0) => "all its predictions".into(),
        (_, copies) => format!("all its predictions, averaged over {copies} distorted copies"),
    };
    let again = match own.rounds {
        0 | 1 => String::new(),
        rounds => format!(", and {} on new predictions", own.epochs * (rounds - 1)),
    };
    format!("{first}, {} on {which}{again}", own.epochs)
}

/// What not knowing costs: the same network and training under true labels, and without the
/// limit of nine epochs.
pub fn price_of_not_knowing(mislabelled: &Provenance, mnist: &Provenance) -> Result<Html> {
    let (mut ways, mut prices) = (Vec::new(), Vec::new());
    for division in [TAKEN, UNLIMITED] {
        let (epochs, run) = (division.epochs(), random_start());
        let known = Seeds::recorded(&Experiment::true_labels(epochs, 0), mnist)?;
        let unknown = Seeds::recorded(&run.divided(division), mislabelled)?;
        if let Some(cost) = known.difference(&unknown, accuracy, 0.0) {
            let (points, or_zero) = (difference(&cost, 100.0, 2), or_zero(&cost));
            prices.push(format!("{points} points after {epochs} epochs{or_zero}"));
        }
        ways.push((format!("{epochs} epochs, wrong labels"), unknown));
        ways.push((format!("{epochs} epochs, true labels"), known));
    }
    let title = match prices.is_empty() {
        true => "Learned from wrong labels, and from true ones".into(),
        false => format!("The price of not knowing the labels: {}", prices.join("; ")),
    };
    let shown = compare_under(&title, "Accuracy on the MNIST test set", &ways, &[])?;
    if prices.is_empty() {
        return Ok(shown);
    }
    let words = "True minus wrong labels, paired by seed, with 95 % intervals. The images of \
                 dataset 3 are MNIST's compressed as JPEG, so the price includes what compression \
                 costs.";
    Ok(stack(&[&shown, &note(words)]))
}

/// How accuracy falls if some labels are right after all, or the wrong ones not uniform.
pub fn compare_labels(mnist: &Provenance) -> Result<Html> {
    let mut ways = Vec::new();
    for (right, uneven) in RELABELLED {
        let name = match uneven {
            true => "no label right, wrong ones not uniform (2 to 1)".into(),
            false if right == 0.0 => "no label right".into(),
            false => format!("{:.0} % of labels right", 100.0 * right),
        };
        let run = Experiment::relabelled(right, uneven, 0);
        ways.push((name, Seeds::recorded(&run, mnist)?));
    }
    let what = "Accuracy on the MNIST test set, learned from wrong labels made here";
    let reached = RELABELLED.iter().zip(&ways).filter_map(|((right, uneven), (_, seeds))| {
        let mean = seeds.mean(accuracy).filter(|_| !uneven)?.mean;
        Some((format!("{:.0}", 100.0 * right), format!("{:.1}", 100.0 * mean)))
    });
    let (shares, accuracies): (Vec<_>, Vec<_>) = reached.unzip();
    let title = format!(
        "With {} % of the labels right: {} % of test images classified correctly",
        shares.join(", "),
        accuracies.join(", ")
    );
    let shown = compare_under(&title, what, &ways, &[])?;
    let words = "Where wrong labels are not uniform, the chances of the nine digits fall in a line \
                 from 2 to 1.";
    Ok(stack(&[&shown, &note(words)]))
}

/// Both starts over all seeds.
pub fn accuracies(random: &Seeds, pretrained: &Seeds) -> Result<Html> {
    let ways = [("random start", random), ("pretrained start", pretrained)];
    compare("Accuracy on the MNIST test set, learned from wrong labels", &ways, &[])
}

/// Accuracy by epoch, estimated from held-out complementary labels.
pub fn curves(random: &Seeds) -> Html {
    if random.runs.is_empty() {
        return never_made();
    }
    let curve = |run: &RunResult| -> Vec<(f64, f64)> {
        let epochs = run.epochs.iter().enumerate();
        epochs.map(|(i, epoch)| ((i + 1) as f64, epoch.val_accuracy)).collect()
    };
    let [ends, reached] = [val_accuracy, accuracy]
        .map(|of| random.mean(of).map_or(f64::NAN, |estimate| 100.0 * estimate.mean));
    let title = format!("Estimated accuracy ends at {ends:.2} %, the mean of all seeds");
    let estimated = Axis::percent("accuracy estimated from wrong labels");
    let chart = LineChart::new(title, Axis::new("epoch").from(0.0), estimated);
    let chart = chart.seeds("random start", random.runs.iter().map(curve));
    let words = format!(
        "On the MNIST test set the same networks classify {reached:.2} % correctly: {} points \
         {} than estimated.",
        format_number((reached - ends).abs(), 2),
        if reached < ends { "less" } else { "more" }
    );
    stack(&[&chart, &note(&words)])
}

/// How many of each digit's images are read as that digit, and how far confidence is from accuracy.
pub fn weak_points(random: &Seeds) -> Result<Html> {
    if random.runs.is_empty() {
        return Ok(never_made());
    }
    let recall = |digit: usize| random.values(|run| run.metric(&format!("recall_{digit}")));
    let recalls = (0..10).map(|digit| Ok((digit, mean(&recall(digit))?)));
    let mut recalls = recalls.collect::<Result<Vec<(usize, Estimate)>>>()?;
    recalls.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let (hardest, easiest) = (&recalls[0], &recalls[recalls.len() - 1]);
    let title = format!(
        "Lowest recall: {:.2} %, for digit {}; highest: {:.2} %, for digit {}",
        100.0 * hardest.1.mean,
        hardest.0,
        100.0 * easiest.1.mean,
        easiest.0
    );
    let mut chart = RowChart::dots(title, Axis::percent("recall"));
    for (digit, estimate) in &recalls {
        chart = chart.estimate(digit.to_string(), estimate);
    }
    let share = |value: &dyn Fn(&RunResult) -> Option<f64>| {
        random.mean(value).map_or(f64::NAN, |estimate| 100.0 * estimate.mean)
    };
    let words = format!(
        "Mean confidence is {:.2} %, accuracy {:.2} %, and the expected calibration error {:.2} \
         points: means of {}.",
        share(&|run| run.metric("mean_confidence")),
        share(&accuracy),
        share(&|run| run.metric("ece")),
        format_counted(random.runs.len(), "seed")
    );
    Ok(stack(&[&chart, &note(&words)]))
}

/// What each start reached, in words. The pretrained one has seen right labels, those of the
/// drawn digits.
pub fn finding(random: &Seeds, pretrained: &Seeds) -> Result<Html> {
    let mut sentences = Vec::new();
    let both = [(Init::Random, random), (Init::Pretrained, pretrained)];
    for (init, seeds) in both.iter().filter(|(_, seeds)| !seeds.runs.is_empty()) {
        let estimate = mean(&seeds.values(accuracy))?;
        let learned = match init {
            Init::Random => "dataset 3 alone, without one label that is supposed to be right,",
            Init::Pretrained => "dataset 3, after the drawn digits with their right labels,",
        };
        sentences.push(format!(
            "A network that learns from {learned} classifies {:.2} % of the MNIST test set \
             correctly ({}, {}).",
            estimate.mean * 100.0,
            percent_interval(&estimate),
            format_counted(estimate.n, "seed")
        ));
    }
    match sentences.as_slice() {
        [] => Ok(never_made()),
        sentences => Ok(note(&sentences.join(" "))),
    }
}
