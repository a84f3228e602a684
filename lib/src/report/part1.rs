//! Part 1: how drawings are preprocessed, what reads them, and how well.

use std::{borrow::Borrow, path::PathBuf};

use super::{
    THE_REPORT, compare, each_percent, few, listed, mean_percent, never_made, or_none, or_zero,
    p_value, points, reference_2021, span, spelled, table, val_accuracy,
};
use crate::{
    Result,
    data::Handwritten,
    display::{
        Axis, Cell, Html, LineChart, RowChart, Show, Table, format_count, format_number,
        format_signed, note, number, percent, stack,
    },
    eval::{
        Evaluation,
        statistics::{
            Interval, PairedDifference, difference_of_splits, holm, mean, mean_of_splits,
            prediction_interval, wilson,
        },
    },
    files::project_root,
    study::{
        AVERAGED, COPIES, Experiment, LOOKALIKES, OTHERS, OfficialTest, Origin, RunResult,
        SELECTION, Seeds, TOGETHER, accuracy_with,
    },
    train::{Epoch, History},
};

/// Where notebook 1 writes the images as a table.
pub fn table_path() -> PathBuf {
    project_root().join("data/processed/dataset1-28x28.csv")
}

/// Validation accuracies of several ways, each under its seeds, with the 2021 report's.
pub fn compare_seeds(ways: &[(impl AsRef<str>, impl Borrow<Seeds>)]) -> Result<Html> {
    compare_by("network", ways)
}

/// The same; `column` says what the ways are.
fn compare_by(column: &str, ways: &[(impl AsRef<str>, impl Borrow<Seeds>)]) -> Result<Html> {
    let line = (THE_REPORT, reference_2021::PART1.val_accuracy);
    compare("Validation accuracy after the last epoch", column, ways, &[line])
}

/// Whether a run in a notebook went as the record of its seed says.
pub fn repeats(history: &History, seeds: &Seeds, seed: u64) -> Html {
    let of_seed = seeds.runs.iter().find(|run| run.seed == seed);
    let (Some(last), Some(run)) = (history.epochs.last(), of_seed) else {
        return super::left_out(&seeds.left_out);
    };
    let figures = |epoch: &Epoch| [epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy];
    let pairs = history.epochs.iter().zip(&run.epochs);
    let differs = pairs.filter(|(here, there)| figures(here) != figures(there));
    let verdict = match (differs.count(), history.epochs.len() == run.epochs.len()) {
        (0, true) => "the losses and accuracies of all epochs are equal to the last bit".into(),
        (0, false) => format!(
            "the epochs that both have are equal; there are {} here and {} in the record",
            history.epochs.len(),
            run.epochs.len()
        ),
        (differing, _) => format!(
            "{differing} of {} epochs differ, because of a different configuration, different data \
             or a different kind of processor (the record is from {})",
            history.epochs.len(),
            run.environment.cpu
        ),
    };
    note(&format!(
        "Validation accuracy is {:.4} here and {:.4} in the record; {verdict}.",
        last.val_accuracy,
        run.epochs.last().map_or(f64::NAN, |last| last.val_accuracy)
    ))
}

/// The size of a difference of shares in points, and its interval: `1.85` and `−0.34 to 4.04` for
/// −0.0185 as for 0.0185, where words say which is higher.
fn sized(gain: &PairedDifference, decimals: usize) -> [String; 2] {
    let Interval { low, high } = gain.interval;
    let (scale, interval) = match gain.mean < 0.0 {
        true => (-100.0, Interval { low: high, high: low }),
        false => (100.0, gain.interval),
    };
    [format_number(gain.mean * scale, decimals), span(interval, scale, decimals)]
}

/// `Context raises accuracy by 1.85 (−0.34 to 4.04) points for writers seen in training, and by 2.89
/// (1.56 to 4.23) points for writers never seen.`; nothing where there is no difference.
fn changes(what: &str, gains: impl IntoIterator<Item = (String, PairedDifference)>) -> String {
    let (mut words, mut before) = (String::new(), "");
    for (whose, gain) in gains {
        let verb = if gain.mean < 0.0 { "lowers" } else { "raises" };
        words += &match before {
            "" => format!("{what} {verb} accuracy"),
            same if same == verb => ", and".into(),
            _ => format!(", and {verb} it"),
        };
        let [size, interval] = sized(&gain, 2);
        words += &format!(" by {size} ({interval}) points for {whose}{}", or_zero(&gain));
        before = verb;
    }
    if !words.is_empty() {
        words.push('.');
    }
    words
}

/// What averaging predictions over distorted copies of an image gains, from the records that
/// have it.
pub fn compare_averaging(ways: &[(&str, &Seeds)]) -> Result<Html> {
    let what = format!("Averaging over {COPIES} distorted copies");
    let columns = "network | image as it is | averaged | gain and 95 % interval (points) | seeds";
    let mut table = table(&what, columns);
    let mut gains = Vec::new();
    for (name, seeds) in ways {
        let averaged = seeds.values(|run| run.metric(AVERAGED));
        let as_is = seeds.values(|run| run.metric(AVERAGED).and(val_accuracy(run)));
        if averaged.is_empty() {
            continue;
        }
        let gain = difference_of_splits(&averaged, &as_is, seeds.overlap()).ok();
        gains.extend(gain.map(|gain| (format!("“{name}”"), gain)));
        table = table.row([
            (*name).into(),
            mean_percent(&as_is),
            mean_percent(&averaged),
            points(gain),
            averaged.len().into(),
        ]);
    }
    let tested = gains.len();
    let helped = gains.iter().filter(|(_, gain)| gain.interval.low > 0.0).count();
    let harmed = gains.iter().filter(|(_, gain)| gain.interval.high < 0.0).count();
    let title = match (helped, harmed) {
        _ if tested == 0 => return Ok(stack(&[&table, &never_made()])),
        (0, 0) => format!("{what} makes no difference beyond chance"),
        (helped, 0) if helped == tested => format!("{what} raises accuracy"),
        (0, harmed) if harmed == tested => format!("{what} lowers accuracy"),
        _ => format!("Of {tested} networks, averaging helps {helped} and harms {harmed}"),
    };
    Ok(stack(&[&table.titled(title), &note(&changes("Averaging", gains))]))
}

/// The ways of preprocessing, each under the 2021 report's training.
pub fn compare_preprocessing(drawings: &Handwritten) -> Result<Html> {
    compare_by("preprocessing", &preprocessing(drawings)?)
}

fn preprocessing(drawings: &Handwritten) -> Result<Vec<(String, Seeds)>> {
    Seeds::of_each(Experiment::part1_preprocessing(0), &drawings.provenance)
}

/// Which way of preprocessing is best on seed 0, and by how much over all seeds.
pub fn preprocessing_finding(drawings: &Handwritten) -> Result<Html> {
    let ways = preprocessing(drawings)?;
    let of_seed_0 = |seeds: &Seeds| val_accuracy(seeds.runs.iter().find(|run| run.seed == 0)?);
    let best = (ways.iter())
        .filter_map(|(name, seeds)| Some((name, seeds, of_seed_0(seeds)?)))
        // The first of equals.
        .reduce(|best, way| if way.2 > best.2 { way } else { best });
    let Some((best, seeds, accuracy)) = best else {
        return Ok(never_made());
    };
    let mut words = format!(
        "On seed 0, “{best}” has the highest validation accuracy, {:.1} %.",
        accuracy * 100.0
    );
    let (first, squeezed) = &ways[0];
    let gain = seeds.difference(squeezed, val_accuracy, seeds.overlap());
    if let Some(gain) = gain.filter(|_| best != first) {
        let verdict = match gain.interval.contains(0.0) {
            true => ", so it is unclear whether it is better",
            false => "",
        };
        let [size, interval] = sized(&gain, 1);
        let higher = if gain.mean < 0.0 { "lower" } else { "higher" };
        words += &format!(
            " Over {} seeds its mean is {size} points {higher} than that of “{first}” (95 % \
             interval {interval}){verdict}.",
            gain.n
        );
    }
    Ok(note(&words))
}

/// What ours was chosen from: means over the folds of a cross-validation, and the difference
/// from ours, fold by fold. The folds' training parts overlap, so the interval is Nadeau and
/// Bengio's ("Inference for the generalization error", Machine Learning 52, 2003).
pub fn compare_candidates(drawings: &Handwritten) -> Result<Html> {
    let mut tried = Vec::new();
    for (name, run) in Experiment::part1_candidates() {
        let seeds = Seeds::recorded_under(&SELECTION, &run, &drawings.provenance)?;
        if seeds.runs.len() == SELECTION.len() {
            tried.push((name, seeds));
        }
    }
    let Some((_, ours)) = tried.first().filter(|(name, _)| *name == "ours") else {
        return Ok(never_made());
    };
    let gain = |(_, seeds): &(_, Seeds)| seeds.difference(ours, val_accuracy, seeds.overlap());
    let gains: Vec<_> = tried[1..].iter().filter_map(gain).collect();
    let corrected = holm(&gains.iter().map(|gain| gain.p).collect::<Vec<_>>());
    let others = gains.into_iter().map(Some).zip(corrected);
    let compared = std::iter::once((None, f64::NAN)).chain(others);
    let columns = "variant | validation accuracy | loss | minus ours (points) | p (Holm) | folds";
    let mut table = table("Five-fold cross-validation", columns);
    let (mut better, mut worse) = (Vec::new(), Vec::new());
    for ((name, seeds), (gain, p)) in tried.iter().zip(compared) {
        match gain.filter(|_| p < 0.05) {
            Some(gain) if gain.mean > 0.0 => better.push(*name),
            Some(_) => worse.push(*name),
            None => (),
        }
        let losses = seeds.values(|run| Some(run.epochs.last()?.val_loss));
        table = table.row([
            (*name).into(),
            mean_percent(&seeds.values(val_accuracy)),
            number(mean(&losses)?.mean, 4),
            points(gain),
            p_value(p),
            seeds.runs.len().into(),
        ]);
    }
    let all = tried.len() - 1;
    let is_better = match better.len() {
        0 => format!("None of {all} alternatives is"),
        1 => format!("One of {all} alternatives is"),
        several => format!("{several} of {all} alternatives are"),
    };
    let is_worse = match worse.len() {
        0 => "none is".into(),
        1 => "one is".into(),
        several => format!("{} are", spelled(several)),
    };
    let table =
        table.titled(format!("{is_better} significantly better than ours; {is_worse} worse"));
    let words = format!(
        "Significantly better than ours (Holm's p below 0.05): {}. Significantly worse: {}.",
        or_none(&better),
        or_none(&worse)
    );
    Ok(stack(&[&table, &note(&words)]))
}

/// What the 2021 report's training may have been, each reading beside the report's log, at the
/// epoch that the log is of: means of the seeds. A reading has to be near in loss as well as in
/// accuracy.
pub fn compare_readings(drawings: &Handwritten) -> Result<Html> {
    let epoch = reference_2021::PART1_EPOCH;
    let mut table = table(
        format!("Epoch {epoch} in the 2021 report's log, and training that may have produced it"),
        "reading | training accuracy | validation accuracy | one more run (%, 95 % interval) | \
         gap (points) | validation loss | halvings of the rate | seeds",
    );
    let reported = *reference_2021::PART1;
    let row = |name: &str, means: [f64; 4], one_more: Option<Interval>, seeds: Cell| {
        let [accuracy, val_accuracy, val_loss, halvings] = means;
        let gap = (accuracy - val_accuracy) * 100.0;
        [
            name.into(),
            percent(accuracy),
            percent(val_accuracy),
            one_more.map_or("–".into(), |interval| span(interval, 100.0, 1).into()),
            number(gap, 1),
            number(val_loss, 3),
            number(halvings, 1),
            seeds,
        ]
    };
    let log =
        [reported.accuracy, reported.val_accuracy, reported.val_loss, reference_2021::HALVINGS];
    table = table.row(row(THE_REPORT, log, None, "one run".into()));
    let mut tried = Vec::new();
    for (name, run) in Experiment::part1_readings(0) {
        let seeds = Seeds::recorded(&run, &drawings.provenance)?;
        if seeds.runs.is_empty() {
            continue;
        }
        let rate = f64::from(run.config.learning_rate);
        let of = |value: &dyn Fn(&Epoch) -> f64| {
            let found = seeds.mean(|run| run.epochs.get(epoch - 1).map(value));
            found.map_or(f64::NAN, |estimate| estimate.mean)
        };
        let means = [
            of(&|epoch| epoch.accuracy),
            of(&|epoch| epoch.val_accuracy),
            of(&|epoch| epoch.val_loss),
            of(&|epoch| (rate / epoch.lr).log2()),
        ];
        let one_more = of_one_more_run(&seeds, |run| Some(run.epochs.get(epoch - 1)?.val_accuracy));
        table = table.row(row(name, means, one_more, seeds.runs.len().into()));
        let away = |i: usize| ((means[i] - log[i]) / log[i]).abs();
        tried.push((name, means, away(0) + away(1) + away(2), one_more));
    }
    let Some((nearest, means, ..)) = tried.iter().min_by(|a, b| a.2.total_cmp(&b.2)) else {
        return Ok(never_made());
    };
    let table =
        table.titled(format!("Closest to epoch {epoch} of the 2021 report's log: {nearest}"));
    let judged = || tried.iter().filter_map(|(.., one_more)| *one_more);
    let within = judged().filter(|one_more| one_more.contains(log[1])).count();
    let excludes = few(judged().count() - within);
    let reach = match judged().count() {
        0 => "One seed alone has no prediction interval".into(),
        judged => format!(
            "The log's {:.1} % lies within the 95 % prediction interval of one more run for \
             {within} of {judged} readings, so accuracy alone excludes {excludes}",
            100.0 * log[1]
        ),
    };
    let words = format!(
        "The closest reading has the smallest sum of relative differences in training accuracy, \
         validation accuracy and validation loss. Its gap between the two accuracies is {:.1} \
         points, the log's {:.1}; it halves the rate {:.1} times, the log {:.0} times. {reach}.",
        100.0 * (means[0] - means[1]),
        100.0 * (log[0] - log[1]),
        means[3],
        log[3]
    );
    Ok(stack(&[&table, &note(&words)]))
}

/// Accuracy by the number of the writer's other drawings that are given as context, each of `ways`
/// read alone and in context.
pub fn context_curve(ways: &[(&str, &Seeds, &Seeds)]) -> Result<Html> {
    let others = Axis::new("other drawings of the same hand").from(0.0);
    let [none, .., all] = OTHERS;
    let at = |seeds: &Seeds, n: usize| seeds.values(|run| run.metric(&accuracy_with(n)));
    let mean_at = |seeds: &Seeds, n: usize| Some(100.0 * mean(&at(seeds, n)).ok()?.mean);
    let ends = ways.iter().filter_map(|(name, _, seeds)| {
        Some((*name, [mean_at(seeds, none)?, mean_at(seeds, FEW)?, mean_at(seeds, all)?]))
    });
    let ends: Vec<(&str, [f64; 3])> = ends.collect();
    let verb = match ends.iter().filter(|(_, [without, _, beside])| beside > without).count() {
        0 => "falls",
        rises if rises == ends.len() => "rises",
        _ => "goes",
    };
    let each = (ends.iter()).map(|(name, [without, _, beside])| {
        format!("from {without:.1} to {beside:.1} % for {name}")
    });
    let title = match each.collect::<Vec<_>>().as_slice() {
        [] => "Accuracy by the number of other drawings".into(),
        each => format!("With {all} other drawings, accuracy {verb} {}", listed(each, "and")),
    };
    let mut chart = LineChart::new(title, others, Axis::percent("validation accuracy"));
    let header = std::iter::once("others").chain(ways.iter().map(|(name, ..)| *name));
    let mut table = Table::new("Validation accuracy by the number of other drawings", header);
    for n in OTHERS {
        let cells = ways.iter().map(|(.., seeds)| mean_percent(&at(seeds, n)));
        table = table.row([n.into()].into_iter().chain(cells));
    }
    for (name, _, seeds) in ways {
        let curve = |run: &RunResult| {
            let points = OTHERS.iter();
            let point = |&n: &usize| Some((n as f64, run.metric(&accuracy_with(n))?));
            points.filter_map(point).collect()
        };
        chart = chart.seeds(*name, seeds.runs.iter().map(curve));
    }
    // Of a few other drawings, and of all.
    let gains = ends
        .iter()
        .map(|(name, [without, few, beside])| (*name, [few - without, beside - without]));
    let gains: Vec<(&str, [f64; 2])> = gains.collect();
    if gains.is_empty() {
        return Ok(stack(&[&chart, &table]));
    }
    let all_gain = gains.iter().all(|(_, [_, of_all])| *of_all > 0.0);
    let each = gains.iter().enumerate().map(|(i, (name, gains))| match all_gain {
        true => {
            let [few, of_all] = gains.map(|gain| format_number(gain, 1));
            match i {
                0 => format!("{few} of the {of_all} points that all {all} bring for {name}"),
                _ => format!("{few} of {of_all} points for {name}"),
            }
        }
        false => {
            let [few, of_all] = gains.map(|gain| format_signed(gain, 1));
            format!("{few} of {of_all} points for {name}")
        }
    });
    let each = listed(&each.collect::<Vec<_>>(), "and");
    let mut words = match all_gain {
        true => format!("The first {} other drawings bring {each}.", spelled(FEW)),
        false => format!(
            "Of the change that {all} other drawings make, the first {} account for {each}.",
            spelled(FEW)
        ),
    };
    let mut beside_alone = Vec::new();
    for (name, alone_seeds, seeds) in ways {
        let gain = |n: usize| {
            // A run that reads drawings alone has one accuracy.
            let beside =
                |run: &RunResult| run.metric(&accuracy_with(n)).or_else(|| val_accuracy(run));
            seeds.difference(alone_seeds, beside, alone_seeds.overlap())
        };
        let (Some(gap), Some(alone)) = (gain(none), alone_seeds.mean(val_accuracy)) else {
            continue;
        };
        let ends = [none, all].map(|n| (n as f64, alone.mean));
        chart = chart.curve(format!("ours alone, {name}"), ends);
        let is_above = |n: usize| mean_at(seeds, n).is_some_and(|at| at > 100.0 * alone.mean);
        let is_certain = |n: usize| gain(n).is_some_and(|gain| gain.interval.low > 0.0);
        let is_less = gap.mean < 0.0;
        let above = match OTHERS.iter().rev().take_while(|n| is_above(**n)).last() {
            Some(0) => ", and its mean stays ahead with more".into(),
            Some(n) => format!(", and its mean is higher with {} or more", spelled(*n)),
            None => format!(", and its mean is not higher even with {all}"),
        };
        let certain = match OTHERS.iter().rev().take_while(|n| is_certain(**n)).last() {
            Some(n) => format!(" (by more than chance with {} or more)", spelled(*n)),
            None => " (never by more than chance)".into(),
        };
        let [size, interval] = sized(&gap, 2);
        let how = if is_less { "less" } else { "more" };
        beside_alone
            .push(format!("{size} ({interval}) points {how} accurate for {name}{above}{certain}"));
    }
    if !beside_alone.is_empty() {
        words += &format!(
            " Ours reads each drawing alone; without any other drawing, the network in context is \
             {}. These 95 % intervals are not corrected for the number of comparisons.",
            beside_alone.join("; it is ")
        );
    }
    Ok(stack(&[&chart, &table, &note(&words)]))
}

/// A number of other drawings, among [`OTHERS`], whose effect is set beside that of all.
const FEW: usize = 5;

/// How well the finished networks read the official test set, if it was there.
pub fn official_test() -> Result<Html> {
    let Some(test) = OfficialTest::load()? else {
        return Ok(note(
            "The official test set has not been published, or is not on this machine. Once it is \
             in data/raw or $GLYPHS_DATA, `make official-test` reads it once, with these networks \
             as they are.",
        ));
    };
    let columns = "protocol | accuracy | look-alikes as one | networks | each (%)";
    let mut table = table("The official test set", columns);
    let alone = ["ours", "ours-in-context", "photographs"].map(String::from);
    let together = alone.clone().map(|protocol| protocol + TOGETHER);
    let mut reached = Vec::new();
    for protocol in alone.into_iter().chain(together) {
        let judged = (test.networks.iter()).filter(|network| network.protocol == protocol);
        let (accuracies, merged): (Vec<f64>, Vec<f64>) =
            judged.map(|network| (network.accuracy, network.merged_accuracy)).unzip();
        let Ok(mean) = mean(&accuracies) else {
            continue;
        };
        let protocol = protocol.replace('-', " ");
        reached.push(format!("{:.2} % ({protocol})", 100.0 * mean.mean));
        table = table.row([
            protocol.into(),
            mean_percent(&accuracies),
            mean_percent(&merged),
            accuracies.len().into(),
            each_percent(&accuracies),
        ]);
    }
    let files = || test.networks.iter().filter_map(|network| network.file.as_ref());
    let all = files().count();
    let published = files().filter(|file| file.origin == Origin::Published).count();
    let same = test.networks.iter().filter(|network| network.is_published == Some(true)).count();
    let mut words = format!(
        "{published} of these {all} networks are the published ones, with dense weights in 8 bits."
    );
    if published < all {
        words += &format!(
            " Of the {} that were trained here, {same} have, bit for bit, the weights that the \
             published records name.",
            all - published
        );
    }
    if !test.left_out.is_empty() {
        words += &format!(
            " {} more were left out, being neither published nor here.",
            test.left_out.len()
        );
    }
    let weights = note(&words);
    let reached = format!("Classified correctly: {}", listed(&reached, "and"));
    Ok(stack(&[&test.dataset, &table.titled(reached), &weights]))
}

/// Seeds on which some choices for ours were made.
const TRIED: [u64; 2] = [0, 1];

/// What the writer's other drawings change, each of `ways` read alone and in context.
fn gain_of_context(ways: &[(&str, &Seeds, &Seeds)]) -> String {
    let gains = ways.iter().filter_map(|(whose, alone, context)| {
        let gain = context.difference(alone, val_accuracy, alone.overlap())?;
        Some((whose.to_string(), gain))
    });
    let words = changes("Context", gains);
    if words.is_empty() { words } else { format!(" {words}") }
}

/// Where the accuracy of one more run, its `value`, falls in 95 of 100 cases. A few seeds can vary by
/// less than chance in the images held out explains, so the variance is at least that of a binomial
/// share, plus that of the mean. None for fewer than two seeds.
fn of_one_more_run(seeds: &Seeds, value: impl Fn(&RunResult) -> Option<f64>) -> Option<Interval> {
    let values = seeds.values(value);
    let half = |interval: Interval| (interval.high - interval.low) / 2.0;
    let estimate = mean_of_splits(&values, seeds.overlap()).ok()?;
    let (mean, of_mean) = (estimate.mean, half(estimate.interval?));
    let of_images = 1.96 * (mean * (1.0 - mean) / held_out(seeds)?).sqrt();
    let half = of_images.hypot(of_mean).max(half(prediction_interval(&values).ok()?));
    Some(Interval { low: mean - half, high: (mean + half).min(1.0) })
}

/// Images on which each run is judged.
fn held_out(seeds: &Seeds) -> Option<f64> {
    let run = seeds.runs.first()?;
    Some(run.setup.split.held_out(run.dataset.count))
}

/// How often the right character is among the best answers, as it is and with look-alikes as one.
///
/// # Errors
/// Never for results of this study.
pub fn best_answers(result: &Evaluation) -> Result<Html> {
    let group = |class: usize| {
        let name = result.classes[class].as_str();
        LOOKALIKES.iter().position(|group| group.classes.contains(name))
    };
    let same = |a: usize, b: usize| a == b;
    let alike = |a: usize, b: usize| a == b || (group(a).is_some() && group(a) == group(b));
    // The place of the first answer that counts as right, for each drawing.
    let places = |is_right: &dyn Fn(usize, usize) -> bool| -> Vec<Option<usize>> {
        let rows = result.probabilities.rows().into_iter().zip(&result.labels);
        let place = rows.map(|(row, label)| {
            let mut classes: Vec<usize> = (0..row.len()).collect();
            classes.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
            classes.iter().position(|class| is_right(*class, *label))
        });
        place.collect()
    };
    let title = format!(
        "The right character is among the three best answers for {}",
        of_drawings(result.top_k_accuracy(3), result)
    );
    let mut chart = RowChart::dots(title, Axis::percent("share of the drawings"));
    let mut of_best = Vec::new();
    for (name, places) in [("as they are", places(&same)), ("look-alikes as one", places(&alike))] {
        chart = chart.series(name);
        for (answers, n) in [("the best answer", 1), ("the two best", 2), ("the three best", 3)] {
            let found = places.iter().filter(|place| place.is_some_and(|place| place < n)).count();
            let share = found as f64 / result.len() as f64;
            chart = chart.value_with(answers, share, Some(wilson(found, result.len())?));
            if n < 3 {
                of_best.push(of_drawings(share, result));
            }
        }
    }
    let [best, two, best_alike, two_alike] = of_best.as_slice() else {
        return Ok(chart.show());
    };
    let words = format!(
        "The best answer is right for {best}, and one of the two best for {two}; with look-alikes as \
         one, for {best_alike} and for {two_alike}."
    );
    Ok(stack(&[&chart, &note(&words)]))
}

/// `all 248 drawings`, or `97.18 % of the drawings`
fn of_drawings(share: f64, result: &Evaluation) -> String {
    match share == 1.0 {
        true => format!("all {} drawings", format_count(result.len())),
        false => format!("{:.2} % of the drawings", 100.0 * share),
    }
}

/// The answers to the questions of notebook 2, each from the numbers of its runs; `in_context` are
/// names of writers' groups, whose drawings were read alone and in context.
pub fn findings(
    baseline: &Seeds,
    ours: &Seeds,
    in_context: &[(&str, &Seeds, &Seeds)],
    seed0: &Evaluation,
) -> Result<Html> {
    let reported = reference_2021::PART1.val_accuracy;
    let (right, of) = reference_2021::PART1_IMAGES;
    let own = wilson(right, of)?;
    let baseline = match mean(&baseline.values(val_accuracy)) {
        Ok(before) => format!("the baseline reaches {:.2} % and ", before.mean * 100.0),
        Err(_) => String::new(),
    };
    let after = mean(&ours.values(val_accuracy))?;
    let untried = |run: &RunResult| val_accuracy(run).filter(|_| !TRIED.contains(&run.seed));
    let untried = match ours.mean(untried) {
        Some(rest) => format!(
            "; {:.2} % without seeds 0 and 1, on which some choices were made",
            100.0 * rest.mean
        ),
        None => String::new(),
    };
    let merged = seed0.merged(&LOOKALIKES)?;
    let mean_of = |metric: &str| {
        let mean = ours.mean(|run| run.metric(metric));
        mean.map_or(f64::NAN, |mean| 100.0 * mean.mean)
    };
    let compared = match (of_one_more_run(ours, val_accuracy), held_out(ours)) {
        (Some(interval), Some(images)) => {
            let verdict = match own.contains(after.mean) {
                true => "includes the mean of ours, so this single run cannot show which is better",
                false if after.mean > own.high => "lies below the mean of ours: the two differ",
                false => "lies above the mean of ours: the two differ",
            };
            format!(
                "A further run of ours is expected to reach {} % on {images:.0} other images (95 % \
                 prediction interval, from the spread of the seeds and the chance in so few \
                 images). The Wilson interval of the report's run, {right} of {of} images, is {} \
                 %. It {verdict}.",
                span(interval, 100.0, 1),
                span(own, 100.0, 1)
            )
        }
        _ => "One seed alone cannot say whether the difference is due to chance.".into(),
    };
    Ok(note(&format!(
        "The 2021 report's run classified {:.2} % of its validation images correctly. Here \
         {baseline}ours reaches {:.2} % (means of the seeds{untried}). {compared}{} Of the {} \
         mistakes of seed 0, {} are between look-alikes; if these count as one character, \
         {:.2} % are classified correctly ({:.2} % under seed 0). The right character is among the \
         three most likely for {:.2} % (means of the seeds; {:.2} % under seed 0).",
        reported * 100.0,
        after.mean * 100.0,
        gain_of_context(in_context),
        merged.mistakes_before,
        merged.mistakes_before - merged.mistakes,
        mean_of("merged_accuracy"),
        merged.accuracy * 100.0,
        mean_of("top_3_accuracy"),
        seed0.top_k_accuracy(3) * 100.0
    )))
}
