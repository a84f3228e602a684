//! Part 2's measures and displays on runs made up here.

use glyphs::data::Samples;
use glyphs::display::{Html, Show};
use glyphs::eval::statistics::{Interval, PairedDifference, Time, difference_of_splits};
use glyphs::report::claims::{Records, Verdict, claims, verdicts};
use glyphs::report::part2::measures::{MEASURES, steps_to};
use glyphs::report::{part1, part2};
use glyphs::study::{
    Audit, Experiment, Grid, Head, Init, OTHERS, RunResult, Seeds, accuracy_with, experiments,
    networks,
};
use glyphs::train::{Config, CurvePoint, Epoch};
use ndarray::Array4;

use super::records::provenance;

/// A run whose accuracy rises in a straight line from 0.9 to `end` over 1,800 steps.
fn record(head: Head, init: Init, seed: u64, end: f64) -> RunResult {
    let height = |step: usize| 0.9 + (end - 0.9) * step as f64 / 1800.0;
    let epoch = |k: usize| Epoch {
        loss: 0.1,
        accuracy: height(600 * k) - 0.01,
        val_loss: 0.05,
        val_accuracy: height(600 * k),
        lr: 1e-3,
        seconds: 25.0,
    };
    let point = |k: usize| CurvePoint {
        step: 20 * k,
        seconds: 0.8 * k as f64,
        val_accuracy: height(20 * k),
    };
    let mut run = RunResult {
        epochs: (1..=3).map(epoch).collect(),
        curve: (1..=90).map(point).collect(),
        test_accuracy: Some(end),
        ..super::records::record(Experiment::mnist(head, init, seed))
    };
    let mut keep = |name: &str, value: f64| run.metrics.insert(name.into(), value);
    keep("test_loss", 0.05);
    keep("train_accuracy", end + 0.002);
    keep("ece", 0.003);
    for digit in 0..10 {
        keep(&format!("recall_{digit}"), end - 0.001 * f64::from(digit));
    }
    run
}

/// Pretrained ends 0.004 above random, a little more or less by seed.
fn grid(random: u64, pretrained: u64) -> Grid {
    let cell = |head: Head, init: Init| {
        let end = |seed: u64| match init {
            Init::Random => 0.985 + 0.0001 * seed as f64,
            Init::Pretrained => 0.989 + 0.0002 * seed as f64,
        };
        let seeds = match init {
            Init::Random => random,
            Init::Pretrained => pretrained,
        };
        let runs = (0..seeds).map(|seed| record(head, init, seed, end(seed)));
        let seeds = Seeds { runs: runs.collect(), left_out: Vec::new() };
        (head, init, seeds)
    };
    Grid(networks().map(|(head, init)| cell(head, init)).collect())
}

fn value(name: &str, run: &RunResult) -> f64 {
    let measure = MEASURES.iter().find(|measure| measure.name == name);
    (measure.expect("a measure of this name").value)(run).expect("the run has it")
}

#[test]
fn measures_are_what_they_say() {
    let run = record(Head::Original, Init::Random, 0, 0.99);
    // 0.9 + 0.09 s / 1800 ≥ 0.98 from step 1600 on.
    assert_eq!(steps_to(0.98, &run), Some(Time::Reached(1600.0)));
    assert_eq!(steps_to(0.995, &run), Some(Time::Censored(1800.0)));
    assert_eq!(value("steps to 98 %", &run), 1600.0);
    // The mean of a straight line is its middle, from step 20 to 1,800.
    let middle = 0.9 + 0.09 * 910.0 / 1800.0;
    assert!((value("mean accuracy along the curve (%)", &run) - middle).abs() < 1e-9);
    assert!((value("overfitting gap (training − test, points)", &run) - 0.002).abs() < 1e-9);
    assert!((value("lowest recall of a digit (%)", &run) - 0.981).abs() < 1e-9);
    assert_eq!(value("largest fall between two epochs (points)", &run), 0.0);
    // Evenly spaced points of the last 30: sd = step · sqrt((n² - 1) / 12 · n / (n - 1)).
    let sd = 0.001 * ((900.0_f64 - 1.0) / 12.0 * 30.0 / 29.0).sqrt();
    assert!((value("standard deviation along the last epoch (points)", &run) - sd).abs() < 1e-9);
}

#[test]
fn starts_are_paired_by_seed() {
    let gain = grid(5, 5).gain(Head::Original, |run| run.test_accuracy);
    let gain = gain.expect("five pairs");
    assert_eq!(gain.n, 5);
    assert!((gain.mean - 0.0042).abs() < 1e-9, "{gain:?}");
    assert!(grid(1, 1).gain(Head::Original, |run| run.test_accuracy).is_none());
}

#[test]
fn every_display_holds_with_five_seeds_with_one_and_with_none() {
    // Where dataset 1 is a stand-in, the published runs that start from the real one are left out.
    for (random, pretrained) in [(5, 5), (1, 1), (0, 0), (5, 1), (5, 0)] {
        let grid = grid(random, pretrained);
        let shown = [
            part2::curves(&grid, Head::Original),
            part2::convergence(&grid).show(),
            part2::quality(&grid),
            part2::quality_finding(&grid, &provenance()).show(),
            part2::compare_starts(&grid, "starts").show(),
            part2::little_data(&[(100, &grid), (1_000, &grid)]),
            part2::weights_moved(&grid, Head::Original),
        ];
        for html in shown {
            let page = html.html();
            assert!(!page.contains("NaN") && !page.contains(">inf"), "{}", html.text());
            assert!(!page.contains("could not be drawn"), "{}", html.text());
        }
    }
    let words = part2::quality_finding(&grid(5, 5), &provenance()).unwrap().text().to_string();
    assert!(words.contains("their test accuracy is 0.42 points higher (p"), "{words}");
    assert!(words.contains("they reach 98 % ") && words.contains(" steps sooner (p"), "{words}");
    assert!(!words.contains("head start"), "no run of the control is on made-up data: {words}");
}

/// A run that never got there counts up to its end, which shortens a lead on it.
#[test]
fn a_lead_on_runs_that_never_got_there_is_understated() {
    let counts = "; a run that never got there counts as 1,800 steps";
    let shown = |grid: &Grid| part2::convergence(grid).unwrap().text().to_string();
    // No run reaches 99 %, and no start is ahead.
    let both = shown(&grid(5, 5));
    assert!(both.contains(counts) && !both.contains("understated"), "{both}");
    let mut one = grid(5, 5);
    for (.., seeds) in one.0.iter_mut().filter(|cell| cell.1 == Init::Pretrained) {
        for run in &mut seeds.runs {
            run.curve[49].val_accuracy = 0.99;
        }
    }
    let words = format!("−800 (−800 to −800){counts}, so the difference is understated");
    assert!(shown(&one).contains(&words), "{}", shown(&one));
}

/// Ours alone is a line in the chart, and the words say from how many drawings on context helps.
#[test]
fn context_is_compared_with_ours_alone() {
    let run = |experiment: Experiment| {
        let last = record(Head::Original, Init::Random, 0, 0.9).epochs.pop();
        RunResult { epochs: last.into_iter().collect(), ..super::records::record(experiment) }
    };
    let seeds = |runs: Vec<RunResult>| Seeds { runs, left_out: Vec::new() };
    let alone = seeds((0..3).map(|seed| run(Experiment::part1_ours(seed))).collect());
    let in_context = (0..3).map(|seed| {
        let mut run = run(Experiment::part1_ours(seed).in_context());
        for n in OTHERS {
            run.metrics.insert(accuracy_with(n), 0.88 + 0.015 * n.min(2) as f64);
        }
        run
    });
    let in_context = seeds(in_context.collect());
    let shown = part1::context_curve(&[("them", &alone, &in_context)]).unwrap();
    let words = "the network in context is 2.00 (2.00 to 2.00) points less accurate for them, \
                 and its mean is higher with two or more (by more than chance with two or more).";
    assert!(shown.text().contains(words), "{}", shown.text());
    assert!(shown.html().contains("ours alone, them: from 0.90"), "{}", shown.html());
}

/// What a cell shows that ends in the value itself.
#[test]
fn runs_and_settings_are_tables() {
    let grid = grid(5, 1);
    let (_, _, seeds) = grid.iter().next().unwrap();
    for (shown, rows) in [(seeds.show(), 5), (grid.show(), 12)] {
        assert_eq!(shown.text().matches("report").count(), rows, "{}", shown.text());
    }
    let run = Experiment::part1_ours(0);
    let words = run.show().text().to_string();
    for row in [
        "Ours, seed 0: 60 epochs in batches of 32",
        "cropped to the ink, which fills 24 of 28 pixels",
        "90 % training, 10 % validation, at random",
        "rotation up to 10°, scale and shear up to 10 %, shift up to 1.5 pixels, elastic",
        "cross-entropy, labels smoothed by 0.1",
        "one cycle, 30 % of it warm-up",
    ] {
        assert!(words.contains(row), "{words}");
    }
    assert!(!words.contains("frozen") && !words.contains("MNIST"), "{words}");
    let plain = Config::default().show().text().to_string();
    assert!(plain.contains("learning rate") && !plain.contains("distortions"), "{plain}");
    // No run of the study shows the name of a field or of a tensor, but its record's.
    for run in experiments() {
        let words = run.experiment.show().text().replace(&run.name, "");
        assert!(!words.contains('_') && !words.contains("conv1"), "{words}");
    }
}

/// Runs in two groups have no interval that describes them, nor has a lead on them.
#[test]
fn nothing_is_compared_with_runs_in_two_groups() {
    let grid = grid(5, 5);
    let mut both: Vec<Seeds> = grid.iter().map(|(.., seeds)| seeds.clone()).take(2).collect();
    let text = |both: &[Seeds]| {
        let shown = part1::compare_seeds(&[("a", &both[0]), ("b", &both[1])]);
        shown.unwrap().text().to_string()
    };
    assert!(text(&both).contains("“b” leads “a” by 0.4"), "{}", text(&both));
    for (run, accuracy) in both[0].runs.iter_mut().zip([0.011, 0.1, 0.012, 0.101, 0.01]) {
        run.test_accuracy = Some(accuracy);
    }
    assert!(text(&both).contains("leads"), "elsewhere two groups are chance");
    both[0].runs[0].part = 3;
    let apart = text(&both);
    assert!(apart.contains("two groups, of 3 and 2 runs"), "{apart}");
    assert!(!apart.contains("lead") && !apart.contains("more than chance"), "{apart}");
}

/// A title says what the runs show, and that it is unclear where they do not.
#[test]
fn titles_are_what_the_runs_show() {
    let title = |html: Html| html.text().lines().next().unwrap_or_default().to_string();
    for (seeds, sooner, effect) in [
        (
            5,
            "Original head: pretrained networks reach 98 %",
            "Pretraining raises test accuracy with both heads",
        ),
        (
            1,
            "Original head: it is unclear whether pretrained networks reach 98 % sooner",
            "One seed alone cannot say whether pretraining changes test accuracy",
        ),
    ] {
        let grid = grid(seeds, seeds);
        let curves = title(part2::curves(&grid, Head::Original));
        assert!(curves.starts_with(sooner), "{curves}");
        assert_eq!(curves.ends_with("steps sooner"), seeds == 5, "{curves}");
        let starts = title(part2::compare_starts(&grid, "starts").unwrap());
        assert_eq!(starts, effect);
        let both: Vec<&Seeds> = grid.iter().map(|(.., seeds)| seeds).take(2).collect();
        let highest = title(part1::compare_seeds(&[("a", both[0]), ("b", both[1])]).unwrap());
        assert!(highest.starts_with("“b” has the highest mean, 98.9"), "{highest}");
        let [apart, ahead] =
            ["but its lead over “a” may be chance", "ahead of “a” by more than chance"]
                .map(|words| highest.contains(words));
        assert_eq!([apart, ahead], [seeds == 1, seeds == 5], "{highest}");
    }
}

/// A lead that one comparison would call more than chance may be chance among two.
#[test]
fn leads_are_corrected_for_their_number() {
    let grid = grid(5, 5);
    let (_, _, seeds) = grid.iter().next().unwrap();
    let ending_at = |accuracies: [f64; 5]| {
        let mut seeds = seeds.clone();
        for (run, accuracy) in seeds.runs.iter_mut().zip(accuracies) {
            run.test_accuracy = Some(accuracy);
        }
        seeds
    };
    let low = ending_at([0.985; 5]);
    // p is 0.03.
    let high = ending_at([-2.6, -1.3, 0.0, 1.3, 2.6].map(|far| 0.9892 + 0.0014 * far));
    let text = |ways: &[(&str, &Seeds)]| part1::compare_seeds(ways).unwrap().text().to_string();
    let one = text(&[("a", &low), ("b", &high)]);
    assert!(one.contains("ahead of “a” by more than chance"), "{one}");
    let two = text(&[("a", &low), ("b", &high), ("c", &low)]);
    assert!(two.contains("but its leads over “a” and “c” may be chance"), "{two}");
    assert!(two.contains("The title uses Holm's correction"), "{two}");
}

/// What both heads show is said once; where an interval leaves out 0 and the verdict does not
/// follow it, the correction is named.
#[test]
fn verdicts_of_both_heads_are_one_clause_and_name_the_correction() {
    let text = |html: Html| html.text().to_string();
    let (alike, grids) = (grid(5, 5), [(100, &grid(5, 5)), (1_000, &grid(5, 5))]);
    let words = text(part2::little_data(&grids));
    let once = "With 100 images, pretraining raises test accuracy with both heads (original: +0.42";
    assert!(words.contains(once), "{words}");
    // A gain of 0.42 points that varies by so much: p is 0.03, and above 0.05 for two of them.
    let runs = alike.iter().map(|(head, init, seeds)| {
        let mut seeds = seeds.clone();
        for (run, far) in seeds.runs.iter_mut().zip([-2.6, -1.3, 0.0, 1.3, 2.6]) {
            let gain = 0.0042 + 0.0014 * far;
            run.test_accuracy = Some(if init == Init::Random { 0.985 } else { 0.985 + gain });
        }
        (head, init, seeds)
    });
    let uncertain = Grid(runs.collect());
    let gain = uncertain.gain(Head::Original, |run| run.test_accuracy).expect("five pairs");
    assert!(!gain.interval.contains(0.0) && 0.025 < gain.p && gain.p < 0.05, "{gain:?}");
    let shown = text(part2::compare_starts(&uncertain, "starts").unwrap());
    let title = "Pretraining makes no detectable difference to test accuracy with either head";
    assert!(shown.starts_with(title), "{shown}");
    let reason = "Over the seeds, after Holm's correction, it is unclear whether pretraining \
                  changes test accuracy with either head (original: +0.42";
    assert!(shown.contains(reason), "{shown}");
}

/// Many changes are counted, not listed.
#[test]
fn changes_are_counted() {
    let words = part2::recall(&grid(5, 5)).text().to_string();
    let counted = "Pretraining raises recall in ten of ten digits with the original head (by +0.42 points) \
                   and in ten of ten digits with the experimental head (by +0.42 points)";
    assert!(words.contains(counted), "{words}");
    let none = part2::recall(&grid(1, 1)).text().to_string();
    assert!(none.contains("One seed alone"), "{none}");
}

#[test]
fn the_output_layer_alone_is_made_anew() {
    let words = part2::carried_over().text().to_string();
    // 3,212,386 parameters in all, 10 · 1000 + 10 of them in the output layer.
    assert!(words.contains("3,202,376 of 3,212,386"), "{words}");
}

/// One row per run, every measure a column.
#[test]
fn runs_become_a_data_frame() {
    let grid = grid(5, 3);
    let table = grid.dataframe().unwrap();
    assert_eq!(table.height(), 16);
    let accuracy = table.column("test_accuracy").unwrap().f64().unwrap();
    let expected: Vec<Option<f64>> = grid.all().map(|run| run.test_accuracy).collect();
    assert_eq!(accuracy.iter().collect::<Vec<_>>(), expected);
    assert_eq!(table.column("recall_9").unwrap().null_count(), 0);
    assert_eq!(Seeds::default().dataframe().unwrap().height(), 0);
}

fn interval(low: f64, high: f64) -> PairedDifference {
    let whole = difference_of_splits(&[low, high], &[0.0, 0.0], 0.0).unwrap();
    PairedDifference { interval: Interval { low, high }, ..whole }
}

#[test]
fn a_claim_holds_does_not_or_cannot_be_told() {
    use Verdict::*;
    for (mean, p, verdict) in [
        (0.2, 0.01, Holds),
        (-0.2, 0.01, DoesNotHold),
        (0.2, 0.06, CannotBeTold),
        (-0.2, f64::NAN, CannotBeTold),
    ] {
        assert_eq!(Verdict::of_difference(mean, p), verdict);
    }
    for (low, high, verdict) in
        [(-0.001, 0.0015, Holds), (-0.01, 0.002, CannotBeTold), (0.01, 0.02, DoesNotHold)]
    {
        assert_eq!(Verdict::of_equality(&interval(low, high)), verdict);
    }
    for (yes, n, verdict) in
        [(5, 5, Holds), (0, 5, DoesNotHold), (3, 5, CannotBeTold), (4, 4, CannotBeTold)]
    {
        assert_eq!(Verdict::of_cases(yes, n), verdict);
    }
}

/// Without drawings and labels, but for three of dataset 3: a zero among two in folder 0.
fn records(mnist: Grid) -> Records {
    let nothing = Samples::new("none", Array4::zeros((0, 1, 1, 1)), vec![], ["0", "1"]).unwrap();
    Records {
        reading: Seeds::default(),
        alone: Seeds::default(),
        in_context: Seeds::default(),
        strangers: Default::default(),
        mnist,
        from_next: Default::default(),
        mislabelled: Grid(Vec::new()),
        pretraining_plain: Default::default(),
        rates: [0.99, 0.991, 0.992, 0.99],
        longer: Seeds::default(),
        audit: Audit {
            matches: Vec::new(),
            runners_up: Vec::new(),
            compression: None,
            given: vec![0, 0, 1],
            truth: vec![0, 1, 0],
            classes: nothing.classes,
            dataset: nothing.provenance.clone(),
            originals: nothing.provenance,
        },
        people: Vec::new(),
    }
}

/// Every claim has its line; what no run can tell says why.
#[test]
fn claims_are_held_against_the_records() {
    let html = claims(&records(grid(5, 5)));
    let text = html.text().to_string();
    assert!(text.contains("no person has read these drawings"), "{text}");
    assert!(text.contains("never run on this data"), "{text}");
    let line = text.lines().find(|line| line.contains("1 of its 2 images are zeros"));
    assert!(has_cell(line.unwrap(), "does not hold"), "{text}");
    let line = text.lines().find(|line| line.contains("pretrained networks outperform"));
    assert!(line.unwrap().contains("+0.44") || line.unwrap().contains("+0.4"), "{text}");
    assert!(has_cell(line.unwrap(), "holds"), "{text}");
    let found = verdicts(&records(grid(5, 5))).text().to_string();
    let (hold, fail) = found.split_once("These do not:").unwrap();
    assert!(hold.contains("pretrained networks outperform"), "{found}");
    assert!(fail.contains("Folder 0 has every digit but 0"), "{found}");
}

/// Whether a table's line, as text, has a cell of these words.
fn has_cell(line: &str, words: &str) -> bool {
    line.split("  ").any(|cell| cell.trim() == words)
}

/// Validation loss that only falls speaks against overfitting.
#[test]
fn overfitting_can_be_denied() {
    let mut grid = grid(5, 5);
    let runs = grid.iter().map(|(head, init, seeds)| {
        let mut seeds = seeds.clone();
        for run in &mut seeds.runs {
            for (epoch, loss) in run.epochs.iter_mut().zip([0.3, 0.2, 0.1]) {
                epoch.val_loss = loss + 0.001 * run.seed as f64 * loss;
            }
        }
        (head, init, seeds)
    });
    grid = Grid(runs.collect());
    let html = claims(&records(grid));
    let text = html.text().to_string();
    let line = text.lines().find(|line| line.contains("head overfits"));
    assert!(has_cell(line.unwrap(), "does not hold"), "{text}");
}

#[test]
fn the_worst_digit_is_named_with_its_run() {
    let words = part2::lowest_recall(&grid(3, 2)).text().to_string();
    let expected = "97.6 % of the 9s (random start, seed 0) and 98.0 % of the 9s (pretrained start, \
                    seed 0)";
    assert!(words.contains(expected), "{words}");
    assert_eq!(part2::lowest_recall(&grid(0, 0)).text().to_string(), "");
}
