//! [`Evaluation`]: what a network said about a set of labelled images.

use ndarray::{Array2, ArrayView1, Axis};
use polars::prelude::{Column, DataFrame};

use crate::data::{Provenance, Samples};
use crate::dataframe::dataframe;
use crate::{Result, error::ensure};
use dfdx_conv::argmax;

/// A network's probabilities for labelled images, and where the images came from.
///
/// The images themselves are not kept: [`Mistake::index`] and the like point
/// into the samples that were evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// `(n, classes)`, rows sum to 1.
    pub probabilities: Array2<f32>,
    /// Cross-entropy of each image in nats, −ln p(label), taken from the logits,
    /// so that it stays finite where the probability rounds to 0.
    pub losses: Vec<f64>,
    /// `n` indices into `classes`.
    pub labels: Vec<usize>,
    pub classes: Vec<String>,
    pub provenance: Provenance,
}

/// One image whose prediction is not its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Position in the evaluated samples.
    pub index: usize,
    /// Class names.
    pub truth: String,
    pub prediction: String,
    /// Probability of the prediction, and of the truth, 0 to 1.
    pub confidence: f64,
    pub truth_probability: f64,
}

impl Evaluation {
    /// From logits `(n, classes)`, one row per sample of `samples`.
    ///
    /// # Errors
    /// Where the shapes disagree, `samples` is empty, a label is no class, or a logit is not finite.
    pub fn new(mut logits: Array2<f32>, samples: &Samples) -> Result<Self> {
        check(&logits, &samples.labels, &samples.classes)?;
        let rows = logits.axis_iter_mut(Axis(0)).zip(&samples.labels);
        let losses = rows.map(|(mut row, &label)| {
            let log_sum = log_sum_exp(row.view());
            let loss = log_sum - f64::from(row[label]);
            row.mapv_inplace(|logit| (f64::from(logit) - log_sum).exp() as f32);
            loss
        });
        Ok(Self {
            losses: losses.collect(),
            probabilities: logits,
            labels: samples.labels.clone(),
            classes: samples.classes.clone(),
            provenance: samples.provenance.clone(),
        })
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The most probable class of each image; the first of equals.
    pub fn predictions(&self) -> Vec<usize> {
        self.probabilities.rows().into_iter().map(argmax).collect()
    }

    /// The probability of each prediction, 0 to 1.
    pub fn confidence(&self) -> Vec<f64> {
        let rows = self.probabilities.rows().into_iter();
        rows.map(|row| f64::from(row[argmax(row)])).collect()
    }

    /// Whether each prediction is its label.
    pub fn correct(&self) -> Vec<bool> {
        let predictions = self.predictions().into_iter();
        let pairs = predictions.zip(&self.labels);
        pairs.map(|(found, label)| found == *label).collect()
    }

    /// Share of predictions that are the label, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.top_k_accuracy(1)
    }

    /// Share of images whose label is among the `k` most probable classes, 0 to 1.
    pub fn top_k_accuracy(&self, k: usize) -> f64 {
        let rows = self.probabilities.rows().into_iter().zip(&self.labels);
        let hits = rows.filter(|(row, label)| rank(*row, **label) < k);
        hits.count() as f64 / self.len() as f64
    }

    /// The least probable class of each image; the last of equals.
    pub fn least_likely(&self) -> Vec<usize> {
        let worst = |row: ArrayView1<f32>| {
            let worse = |worst: usize, i: usize| if row[i] <= row[worst] { i } else { worst };
            (0..row.len()).fold(0, worse)
        };
        self.probabilities.rows().into_iter().map(worst).collect()
    }

    /// Share of images whose label is the least probable class, 0 to 1: what a network has
    /// learned from labels that are wrong.
    pub fn least_likely_accuracy(&self) -> f64 {
        1.0 - self.top_k_accuracy(self.classes.len() - 1)
    }

    /// Mean cross-entropy in nats.
    pub fn loss(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.len() as f64
    }

    /// One row per image: `label` and `prediction` (class names), `confidence` (0 to 1),
    /// `loss` (nats) and whether it is `correct`.
    pub fn dataframe(&self) -> Result<DataFrame> {
        let name = |&class: &usize| self.classes[class].as_str();
        let named = |classes: &[usize]| classes.iter().map(name).collect::<Vec<&str>>();
        dataframe(vec![
            Column::new("label".into(), named(&self.labels)),
            Column::new("prediction".into(), named(&self.predictions())),
            Column::new("confidence".into(), self.confidence()),
            Column::new("loss".into(), &self.losses),
            Column::new("correct".into(), self.correct()),
        ])
    }

    /// The images whose prediction is not their label, the most confident first.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let rows = self.probabilities.rows().into_iter().zip(&self.labels);
        let mistake = |(index, (row, &label)): (usize, (ArrayView1<f32>, &usize))| {
            let prediction = argmax(row);
            (prediction != label).then(|| Mistake {
                index,
                truth: self.classes[label].clone(),
                prediction: self.classes[prediction].clone(),
                confidence: f64::from(row[prediction]),
                truth_probability: f64::from(row[label]),
            })
        };
        let mut mistakes: Vec<Mistake> = rows.enumerate().filter_map(mistake).collect();
        mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        mistakes
    }
}

fn check(logits: &Array2<f32>, labels: &[usize], classes: &[String]) -> Result<()> {
    let (shape, n, k) = (logits.dim(), labels.len(), classes.len());
    let problem = || "there is nothing to evaluate: no samples";
    ensure(n > 0, problem, "pass at least one image")?;
    ensure(
        shape == (n, k),
        || format!("logits have shape {shape:?}, but there are {n} labels and {k} classes"),
        "evaluate a network on samples of the classes that it was made for",
    )?;
    for (i, (row, &label)) in logits.rows().into_iter().zip(labels).enumerate() {
        let problem = || format!("label {label} of sample {i} is not below {k} classes");
        ensure(label < k, problem, "number labels from 0")?;
        ensure(
            row.iter().all(|logit| logit.is_finite()),
            || format!("the logits of sample {i} are not finite"),
            "the network has diverged; train it with a lower learning rate",
        )?;
    }
    Ok(())
}

fn log_sum_exp(row: ArrayView1<f32>) -> f64 {
    let max = row.fold(f32::NEG_INFINITY, |max, &x| max.max(x));
    let sum: f64 = row.iter().map(|&x| f64::from(x - max).exp()).sum();
    f64::from(max) + sum.ln()
}

/// Number of classes placed before `label`; equals count by their order, as in [`argmax`].
fn rank(row: ArrayView1<f32>, label: usize) -> usize {
    let p = row[label];
    let is_before = |&(i, &q): &(usize, &f32)| q > p || (q == p && i < label);
    row.iter().enumerate().filter(is_before).count()
}
