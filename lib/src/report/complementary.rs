//! Notebook 7: learning digits from labels that say what an image is not.

use super::{accuracy, candidates, compare, never_made, span, val_accuracy};
use crate::{
    Result,
    data::Provenance,
    display::{Cell, Html, format_signed, note, number, percent, stack},
    eval::statistics::{mean, paired_difference},
    study::{DIVISIONS, Experiment, Head, Init, RunResult, SEEDS, Seeds, Trained},
    train::Complementary,
};

/// What others reach on this task, with where it stands.
const ELSEWHERE: [(&str, f64); 2] = [
    ("published, multi-layer perceptron", 0.939),
    ("best answer known to this task", 0.961),
];

const RISK: super::Measure = ("risk on held-out images (nats)", risk, nats);
const ESTIMATE: super::Measure = ("accuracy estimated on them", val_accuracy, percent);
const TEST: super::Measure = ("MNIST test accuracy (not used)", accuracy, percent);

fn risk(run: &RunResult) -> Option<f64> {
    run.metric("held_out_risk")
}

fn nats(value: f64) -> Cell {
    number(value, 4)
}

fn random_start() -> Experiment {
    Experiment::mislabelled(Head::Original, Init::Random, 0)
}

/// The losses, each on seed 0 from a random start: what chooses among them is the risk on
/// held-out images, which needs their complementary labels alone.
pub fn compare_losses(dataset: &Provenance) -> Result<Html> {
    let losses =
        Complementary::ALL.map(|loss| (loss.title().into(), random_start().complementary(loss)));
    let title = "Six losses, 3 epochs each, seed 0";
    let (table, rated) = candidates(title, losses.into(), &[0], dataset, &[RISK, ESTIMATE, TEST])?;
    let best = rated.iter().min_by(|a, b| a.1[0].total_cmp(&b.1[0]));
    Ok(best.map_or_else(never_made, |(name, values)| {
        let choice = format!(
            "The lowest risk on held-out images, {:.4} nats, is that of {name}. (A network that \
             knew every digit for certain would reach ln 9 = 2.1972; one that knows nothing stays \
             at ln 10 = 2.3026.)",
            values[0]
        );
        stack(&[&table, &note(&choice)])
    }))
}

/// Nine epochs divided in several ways, from a random start: what chooses among them is the
/// accuracy estimated from held-out complementary labels, over the seeds that all of them
/// were run under.
pub fn compare_stages(dataset: &Provenance) -> Result<Html> {
    let divisions = DIVISIONS.map(|(forward, own, confidence)| {
        let run = random_start().self_training(forward, own, confidence);
        (words(forward, own, confidence), run)
    });
    let title = "Nine epochs, divided in five ways, mean of the seeds that all were run under";
    let measures = [ESTIMATE, RISK, TEST];
    let (table, rated) = candidates(title, divisions.into(), &SEEDS, dataset, &measures)?;
    let best = rated.iter().max_by(|a, b| a.1[0].total_cmp(&b.1[0]));
    Ok(best.map_or_else(never_made, |(name, values)| {
        let choice = format!(
            "The highest accuracy estimated without true labels, {:.2} %, is that of {name}.",
            values[0] * 100.0
        );
        stack(&[&table, &note(&choice)])
    }))
}

/// E.g. `6 epochs under the forward loss, 3 on own predictions above 0.9`.
fn words(forward: usize, own: usize, confidence: f32) -> String {
    let own = match (own, confidence) {
        (0, _) => "none on own predictions".into(),
        (own, 0.0) => format!("{own} on all own predictions"),
        _ => format!("{own} on own predictions above {confidence}"),
    };
    format!("{forward} epochs under the forward loss, {own}")
}

fn start(trained: &Trained) -> String {
    format!("{} start", trained.experiment.init.name())
}

/// Both starts over all seeds, with what others reach.
pub fn accuracies(runs: &[&Trained]) -> Result<Html> {
    let seeds = runs.iter().map(|trained| Seeds::beside(trained));
    let seeds: Vec<Seeds> = seeds.collect::<Result<_>>()?;
    let ways: Vec<(String, &Seeds)> = runs.iter().map(|run| start(run)).zip(&seeds).collect();
    let title = "Accuracy on the MNIST test set, learned from wrong labels alone";
    compare(title, &ways, &ELSEWHERE)
}

/// Whether the second stage helped, judged by complementary labels alone, and what both
/// stages reached, in words.
pub fn finding(runs: &[&Trained]) -> Result<Html> {
    let (mut first, mut second, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for trained in runs {
        for run in Seeds::beside(trained)?.runs {
            if let Some((a, b)) = both_stages(&run) {
                first.push(a);
                second.push(b);
            }
            tests.extend(run.test_accuracy);
        }
    }
    let mut words = format!(
        "Learned from dataset 3 alone, without one label that is meant to be right, the networks \
         classify {:.2} % of the MNIST test set correctly (mean of {} runs).",
        mean(&tests)?.mean * 100.0,
        tests.len()
    );
    if let Ok(gain) = paired_difference(&second, &first) {
        words += &format!(
            " By held-out complementary labels alone, the second stage changed the estimated \
             accuracy by {} points (95 % interval {}, {} runs).",
            format_signed(gain.mean * 100.0, 2),
            span(gain.interval, 100.0, 2),
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
