//! How results of `eval` are shown when they are the last line of a cell.

use crate::data::Samples;
use crate::eval::statistics::wilson;
use crate::eval::{Calibration, ClassScores, ConfusionMatrix, Evaluation, Merged};

use super::chart::{Axis, LineChart};
use super::gallery::{Gallery, Tile};
use super::html::{Html, Show, stack};
use super::picture::Picture;
use super::table::{Cell, Table, bar, number};
use super::{format_count, format_counted};

/// The bins of a reliability diagram where the caller does not say (Guo et al. 2017).
const BINS: usize = 15;

impl Show for Evaluation {
    fn show(&self) -> Html {
        let correct = self.correct().into_iter().filter(|hit| *hit).count();
        let interval = wilson(correct, self.len())
            .map_or(String::new(), |i| i.to_string().replace(' ', "\u{a0}"));
        let ece = self.calibration(BINS).map_or(f64::NAN, |found| found.ece);
        let mut rows = vec![
            ("accuracy", number(self.accuracy(), 4), interval.as_str()),
            ("cross-entropy (nats)", number(self.loss(), 4), "–"),
            ("macro F1", number(self.per_class().macro_f1(), 4), "–"),
            ("calibration error (ECE)", number(ece, 4), "–"),
            ("images", self.len().into(), "–"),
        ];
        if self.classes.len() > 10 {
            let top = number(self.top_k_accuracy(3), 4);
            rows.insert(2, ("accuracy of the top 3", top, "–"));
        }
        let rows = rows.into_iter();
        let rows = rows.map(|(name, value, interval)| [name.into(), value, interval.into()]);
        let title = format!(
            "{} of {} images classified correctly",
            format_count(correct),
            format_count(self.len())
        );
        let table = Table::new(title, ["measure", "value", "95 % interval"]).rows(rows);
        stack(&[&table, &self.provenance])
    }
}

impl Evaluation {
    /// Accuracy on the rest when the predictions with the least confidence are refused, by the
    /// share that is refused, up to nine tenths of all (C. Chow, "On optimum recognition error
    /// and reject tradeoff", IEEE Transactions on Information Theory 16, 1970). The title says
    /// what refusing a tenth does.
    pub fn refusal(&self) -> LineChart {
        let (confidence, correct) = (self.confidence(), self.correct());
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|&a, &b| confidence[b].total_cmp(&confidence[a]));
        let mut hits = 0;
        let accuracies = order.iter().enumerate().map(|(i, &image)| {
            hits += usize::from(correct[image]);
            hits as f64 / (i + 1) as f64
        });
        let accuracies: Vec<f64> = accuracies.collect();
        let at = |percent: usize| {
            let read = (self.len() * (100 - percent)).div_ceil(100).max(1);
            accuracies.get(read - 1).copied().unwrap_or(f64::NAN)
        };
        let [before, after] = [at(0), at(10)].map(|share| format!("{:.1}", 100.0 * share));
        let changes = if at(10) > at(0) { "raises" } else { "lowers" };
        let title = match before == after {
            true => format!("Refusing the least certain tenth leaves accuracy at {before} %"),
            false => format!(
                "Refusing the least certain tenth {changes} accuracy from {before} to {after} %"
            ),
        };
        let refused = Axis::percent("share refused").from(0.0);
        let points = (0..=90).map(|percent| (percent as f64 / 100.0, at(percent)));
        LineChart::new(title, refused, Axis::percent("accuracy on the rest")).curve("", points)
    }
}

impl Show for ConfusionMatrix {
    fn show(&self) -> Html {
        let (right, total) = (self.counts.diag().sum(), self.counts.sum());
        let [right, total] = [right, total].map(format_count);
        self.chart(format!("{right} of {total} classified correctly")).show()
    }
}

impl Calibration {
    /// The reliability diagram: the share of correct predictions against confidence, one dot per
    /// bin, with Wilson's interval. `of` says whose it is; the title adds what it shows.
    pub fn chart(&self, of: &str) -> LineChart {
        let [confidence, accuracy] = [self.confidence, self.accuracy].map(|share| 100.0 * share);
        let title = format!("{of}: mean confidence {confidence:.1} %, accuracy {accuracy:.1} %");
        let shares = |name: &str| Axis::percent(name).from(0.0).to(1.0);
        let bins = self.bins.iter().filter(|bin| bin.count > 0).map(|bin| {
            let correct = (bin.accuracy * bin.count as f64).round() as usize;
            let interval = wilson(correct, bin.count).ok();
            (bin.confidence, bin.accuracy, interval)
        });
        LineChart::new(title, shares("confidence"), shares("correct"))
            .dots_with_intervals("a bin with its 95 % interval", bins)
            .curve("perfectly calibrated", [(0.0, 0.0), (1.0, 1.0)])
    }
}

impl Show for ClassScores {
    fn show(&self) -> Html {
        let columns = ["class", "precision", "recall", "F1", "images"];
        let rows = self.0.iter().map(|score| {
            [
                score.class.as_str().into(),
                tenths(score.precision),
                tenths(score.recall),
                bar(score.f1),
                score.support.into(),
            ]
        });
        let caption = format!("{} classes, macro F1 {:.4}", self.0.len(), self.macro_f1());
        Table::new(caption, columns).rows(rows).show()
    }
}

impl Show for Merged {
    fn show(&self) -> Html {
        let columns = "counted as one | mistakes between them | images | why they look alike";
        let rows = self.groups.iter().map(|group| {
            let names: Vec<String> = group.lookalike.classes.chars().map(String::from).collect();
            [
                names.join(" ").into(),
                group.mistakes.into(),
                group.support.into(),
                group.lookalike.reason.into(),
            ]
        });
        let [before, after] = [self.accuracy_before, self.accuracy].map(|share| 100.0 * share);
        let caption = format!(
            "Accuracy {before:.1} %, and {after:.1} % when look-alikes count as one: {} of {} \
             mistakes remain",
            self.mistakes, self.mistakes_before
        );
        Table::new(caption, columns.split(" | ")).rows(rows).show()
    }
}

/// Classes, counts and provenance, with the first images of each class.
impl Show for Samples {
    fn show(&self) -> Html {
        let counts = self.class_counts();
        let title = format!(
            "{} images of {} classes, {} images each",
            format_count(self.len()),
            self.classes.len(),
            range(&counts)
        );
        let tiles = self.classes.iter().zip(counts).enumerate();
        let tiles = tiles.map(|(k, (class, count))| {
            let images = (0..self.len()).filter(|&i| self.labels[i] == k).take(7);
            let strip = Picture::strip(images.map(|i| self.image(i)), 1);
            Tile::new(strip, class, format_counted(count, "image"))
        });
        stack(&[&Gallery::new(title, tiles), &self.provenance])
    }
}

/// A share as percentage with the decimals of [`bar`].
fn tenths(share: f64) -> Cell {
    Cell::Value(format!("{:.1} %", share * 100.0), Some(share))
}

/// `40`, or `38 to 40`.
pub(super) fn range(counts: &[usize]) -> String {
    match (counts.iter().min(), counts.iter().max()) {
        (Some(&low), Some(&high)) if low < high => {
            format!("{} to {}", format_count(low), format_count(high))
        }
        (low, _) => format_count(*low.unwrap_or(&0)),
    }
}
