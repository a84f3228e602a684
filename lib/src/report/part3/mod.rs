//! Part 3: the four networks trained on dataset 3's given labels, as we read the 2021 report, and
//! judged by the MNIST test set.

mod compare;
mod findings;

pub use compare::{accuracies, answers_in_report, avoidance, confusions, learned, outcome};
pub use findings::findings;

use std::path::PathBuf;

use crate::{data::Samples, files::project_root, study::RunResult};

/// An accuracy below this is below chance: half of what guessing gets.
const BELOW_CHANCE: f64 = 0.05;
/// Recall that a digit has when it is the answer to (almost) everything, and that the
/// others then lack.
const ALWAYS: f64 = 0.99;

/// Where notebook 5 writes the images as a table.
pub fn table_path() -> PathBuf {
    project_root().join("data/processed/dataset3-28x28.csv")
}

/// Cross-entropy in nats of a network that knows nothing of ten equally likely labels.
pub fn nothing_learned() -> f64 {
    10_f64.ln()
}

/// The least cross-entropy in nats against labels of which nine are equally likely and
/// the true one never occurs.
pub fn all_learned() -> f64 {
    9_f64.ln()
}

/// How far the loss on the given labels came from [`nothing_learned`] (0) to
/// [`all_learned`] (1).
pub fn taken_up(run: &RunResult) -> Option<f64> {
    let loss = run.metric("train_loss")?;
    Some((nothing_learned() - loss) / (nothing_learned() - all_learned()))
}

/// The digit that a network answers whatever it sees, where there is one.
pub fn constant_answer(run: &RunResult) -> Option<usize> {
    let recalls = (0..10).map(|digit| run.metric(&format!("recall_{digit}")));
    let recalls = recalls.collect::<Option<Vec<f64>>>()?;
    let digit = recalls.iter().position(|&recall| recall >= ALWAYS)?;
    let missed = recalls.iter().filter(|&&recall| recall <= 1.0 - ALWAYS);
    (missed.count() + 1 == recalls.len()).then_some(digit)
}

/// Whether each digit's images all got the right answer, or none did: with a [`constant_answer`],
/// whether every image got it.
fn all_or_none(run: &RunResult) -> bool {
    let mut recalls = (0..10).filter_map(|digit| run.metric(&format!("recall_{digit}")));
    recalls.all(|recall| recall == 0.0 || recall == 1.0)
}

/// Whether the dense layer says the same about every image, as it does once all its units
/// are 0: the similarity (CKA) of its features before and after training is then undefined.
pub fn is_silent(run: &RunResult) -> bool {
    let compared = run.metrics.keys().any(|name| name.starts_with("cka_"));
    compared && run.metric("cka_hidden").is_none()
}

/// The digits whose share of `test` is `accuracy` to the four decimals that the
/// 2021 report prints: what a network scores that gives one answer to everything.
pub fn digits_of_share(accuracy: f64, test: &Samples) -> Vec<usize> {
    let counts = test.class_counts().into_iter().enumerate();
    let same = |count: usize| (count as f64 / test.len() as f64 - accuracy).abs() < 0.5e-4;
    counts.filter_map(|(digit, n)| same(n).then_some(digit)).collect()
}

/// Digits by the size of their folder, the fullest first.
pub fn fullest_folders(dataset3: &Samples) -> Vec<usize> {
    let counts = dataset3.class_counts();
    let mut digits: Vec<usize> = (0..counts.len()).collect();
    digits.sort_by_key(|&digit| std::cmp::Reverse(counts[digit]));
    digits
}

fn below_chance(run: &RunResult) -> bool {
    run.test_accuracy.is_some_and(|share| share < BELOW_CHANCE)
}
