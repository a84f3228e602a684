//! Notebook 7: learning digits from labels that say what an image is not.

use super::{
    accuracy, capitalised, compare, compare_under, difference, listed, mean_percent, never_made,
    or_zero, points, spelled, table, val_accuracy,
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
    let (mut tried, mut epochs) = (Vec::new(), 0);
    for loss in Complementary::ALL {
        let seeds = Seeds::recorded_under(&[0], &random_start().complementary(loss), dataset)?;
        if let Some(run) = seeds.runs.first() {
            epochs = run.epochs.len();
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
    let columns = "loss | risk on held-out images (nats) | accuracy estimated from them | \
                   MNIST test accuracy (not used)";
    let title = format!(
        "{} has the lowest risk on held-out images ({} epochs, seed 0)",
        capitalised(name.split_once(" (").map_or(*name, |(name, _)| name)),
        spelled(epochs)
    );
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
    let schedules = format!("{} other nine-epoch schedules", spelled(others.len()));
    let apart = "told apart from the one with the highest estimate";
    let title = match close {
        _ if others.len() < 2 => "Nine-epoch schedules by their estimated accuracy".into(),
        0 => format!("All {schedules} can be {apart}"),
        _ if close == others.len() => format!("None of the {schedules} can be {apart}"),
        _ => format!("{} of the {schedules} cannot be {apart}", capitalised(&spelled(close))),
    };
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
    let mut always_costs = true;
    for division in [TAKEN, UNLIMITED] {
        let (epochs, run) = (division.epochs(), random_start());
        let known = Seeds::recorded(&Experiment::true_labels(epochs, 0), mnist)?;
        let unknown = Seeds::recorded(&run.divided(division), mislabelled)?;
        if let Some(cost) = known.difference(&unknown, accuracy, 0.0) {
            let (points, or_zero) = (difference(&cost, 100.0, 2), or_zero(&cost));
            let mean = format_number(100.0 * cost.mean, 2);
            // In the title, and in the words below it.
            prices.push((
                match prices.is_empty() {
                    true => format!("{mean} points after {epochs} epochs"),
                    false => format!("{mean} after {epochs}"),
                },
                format!("{points} points after {epochs} epochs{or_zero}"),
            ));
            always_costs &= cost.interval.low > 0.0;
        }
        ways.push((format!("{epochs} epochs, wrong labels"), unknown));
        ways.push((format!("{epochs} epochs, true labels"), known));
    }
    let (in_title, in_words): (Vec<String>, Vec<String>) = prices.into_iter().unzip();
    let title = match in_title.as_slice() {
        [] => "Learned from wrong labels, and from true ones".into(),
        prices if always_costs => {
            format!("Wrong labels and compressed images cost {}", listed(prices, "and"))
        }
        prices => format!("True minus wrong labels: {}", listed(prices, "and")),
    };
    let shown = compare_under(&title, "Accuracy on the MNIST test set", "training", &ways, &[])?;
    if in_words.is_empty() {
        return Ok(shown);
    }
    let words = format!(
        "True minus wrong labels, paired by seed, with 95 % intervals: {}. The images of dataset 3 \
         are MNIST's compressed as JPEG, so the price includes what compression costs.",
        in_words.join("; ")
    );
    Ok(stack(&[&shown, &note(&words)]))
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
        Some((100.0 * *right, *uneven, 100.0 * seeds.mean(accuracy)?.mean))
    });
    let reached: Vec<(f64, bool, f64)> = reached.collect();
    let even: Vec<(f64, f64)> = (reached.iter())
        .filter(|(_, uneven, _)| !uneven)
        .map(|&(right, _, accuracy)| (right, accuracy))
        .collect();
    let each = even.iter().map(|(right, accuracy)| match *right == 0.0 {
        true => format!("{accuracy:.1} % with none"),
        false => format!("{accuracy:.1} % with {right:.0} %"),
    });
    let each = each.collect::<Vec<_>>().join(", ");
    let falls = even.windows(2).all(|pair| pair[1].1 < pair[0].1);
    let title = match falls && even.len() > 1 {
        true => format!("Right labels spoil it: {each}"),
        false => format!("Accuracy by the share of right labels: {each}"),
    };
    let shown = compare_under(&title, what, "labels", &ways, &[])?;
    let mut words = String::from(
        "Where wrong labels are not uniform, the chances of the nine digits fall linearly from 2 \
         to 1",
    );
    let of_none = |wanted: bool| {
        let mut reached = reached.iter();
        reached.find_map(|&(right, uneven, accuracy)| {
            (right == 0.0 && uneven == wanted).then_some(accuracy)
        })
    };
    if let Some((uneven, even)) = of_none(true).zip(of_none(false)) {
        words += &format!(
            ": {uneven:.1} % of the test images are then classified correctly, and {even:.1} % \
             where they are uniform"
        );
    }
    Ok(stack(&[&shown, &note(&format!("{words}."))]))
}

/// Both starts over all seeds.
pub fn accuracies(random: &Seeds, pretrained: &Seeds) -> Result<Html> {
    let ways = [("random start", random), ("pretrained start", pretrained)];
    compare("Accuracy on the MNIST test set, learned from wrong labels", "start", &ways, &[])
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
         {} than estimated. (A label that is right after all counts as nine mistakes in the \
         estimate; notebook 5 counts them.)",
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
            Init::Random => {
                "learns from dataset 3 alone, without a single label that is meant to be right,"
            }
            Init::Pretrained => {
                "learns first from the drawn digits, with their right labels, and then from dataset 3"
            }
        };
        sentences.push(format!(
            "A network that {learned} classifies {:.2} % of the MNIST test set correctly ({}, {}).",
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
