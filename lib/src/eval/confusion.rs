//! Which classes are taken for which.

use ndarray::{Array2, Axis};
use polars::prelude::{Column, DataFrame};

use super::evaluation::Evaluation;
use crate::Result;
use crate::dataframe::dataframe;

/// How often each class was predicted for each true class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// `(classes, classes)`: row is the truth, column the prediction.
    pub counts: Array2<usize>,
    pub classes: Vec<String>,
}

/// Two classes, one taken for the other.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusedPair {
    pub truth: String,
    pub prediction: String,
    /// How many images of `truth` were taken for `prediction`.
    pub count: usize,
    /// Number of images of `truth`.
    pub support: usize,
    /// Positions of the images in the evaluated samples.
    pub indices: Vec<usize>,
}

/// Pairs in falling order of their count.
#[derive(Clone, Debug, PartialEq)]
pub struct MostConfused(pub Vec<ConfusedPair>);

/// The scores of one class. With TP the images of the class that were
/// recognised, FP the images of others that were taken for it, and FN its own
/// that were not recognised:
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScore {
    pub class: String,
    /// TP / (TP + FP); 0 where the class was never predicted.
    pub precision: f64,
    /// TP / (TP + FN); 0 where there is no image of the class.
    pub recall: f64,
    /// 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 where undefined.
    pub f1: f64,
    /// TP + FN, the number of images of the class.
    pub support: usize,
}

/// One score per class, in label order.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScores(pub Vec<ClassScore>);

impl ConfusionMatrix {
    /// Of `truth` and `other` (predictions, or another labelling) over the same items.
    ///
    /// # Panics
    /// Where an index is not below `classes.len()`.
    pub fn new(truth: &[usize], other: &[usize], classes: &[String]) -> Self {
        let mut counts = Array2::zeros((classes.len(), classes.len()));
        for (&t, &o) in truth.iter().zip(other) {
            counts[[t, o]] += 1;
        }
        let classes = classes.to_vec();
        Self { counts, classes }
    }

    /// Share of the total that lies on the diagonal, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        ratio(self.counts.diag().sum(), self.counts.sum())
    }

    /// One row per cell: `truth` and `prediction` (class names) and their `count`, in label
    /// order.
    pub fn dataframe(&self) -> Result<DataFrame> {
        let cells = || self.counts.indexed_iter();
        let named = |class: fn((usize, usize)) -> usize| {
            let names = cells().map(|(at, _)| self.classes[class(at)].as_str());
            names.collect::<Vec<&str>>()
        };
        let counts: Vec<u64> = cells().map(|(_, &count)| count as u64).collect();
        dataframe(vec![
            Column::new("truth".into(), named(|at| at.0)),
            Column::new("prediction".into(), named(|at| at.1)),
            Column::new("count".into(), counts),
        ])
    }

    pub fn per_class(&self) -> ClassScores {
        let predicted = self.counts.sum_axis(Axis(0));
        let support = self.counts.sum_axis(Axis(1));
        let score = |(k, class): (usize, &String)| {
            let hits = self.counts[[k, k]];
            ClassScore {
                class: class.clone(),
                precision: ratio(hits, predicted[k]),
                recall: ratio(hits, support[k]),
                f1: ratio(2 * hits, predicted[k] + support[k]),
                support: support[k],
            }
        };
        ClassScores(self.classes.iter().enumerate().map(score).collect())
    }
}

impl ClassScores {
    /// Mean F1 over the classes, each counted alike.
    pub fn macro_f1(&self) -> f64 {
        self.0.iter().map(|score| score.f1).sum::<f64>() / self.0.len() as f64
    }
}

impl Evaluation {
    pub fn confusion(&self) -> ConfusionMatrix {
        ConfusionMatrix::new(&self.labels, &self.predictions(), &self.classes)
    }

    pub fn per_class(&self) -> ClassScores {
        self.confusion().per_class()
    }

    /// The `n` most frequent confusions; equals in label order.
    pub fn most_confused(&self, n: usize) -> MostConfused {
        let (matrix, predictions) = (self.confusion(), self.predictions());
        let wrong = |&((t, p), &count): &((usize, usize), &usize)| t != p && count > 0;
        let mut cells: Vec<_> = matrix.counts.indexed_iter().filter(wrong).collect();
        cells.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        cells.truncate(n);
        let pair = |((t, p), &count): ((usize, usize), &usize)| ConfusedPair {
            truth: matrix.classes[t].clone(),
            prediction: matrix.classes[p].clone(),
            count,
            support: matrix.counts.row(t).sum(),
            indices: (0..self.len())
                .filter(|&i| self.labels[i] == t && predictions[i] == p)
                .collect(),
        };
        MostConfused(cells.into_iter().map(pair).collect())
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    // 0 of 0 is 0.
    part as f64 / whole.max(1) as f64
}
