//! Notebook 5: the audit of dataset 3.

use ndarray::Array3;

use crate::{
    data::Samples,
    display::{
        Cell, Gallery, Html, Picture, Show, Table, Tile, format_count, format_number, no_number,
        note, number, stack,
    },
    report::{from_to, p_value, spelled, table},
    study::Audit,
};

/// How much differences are brightened to be seen.
const BRIGHTER: u8 = 8;
/// From this p-value on, labels count as evenly spread.
const EVEN: f64 = 0.01;

/// What was found of the images.
impl Show for Audit {
    fn show(&self) -> Html {
        let (own, next) = (self.differences(), self.runner_up_differences());
        let largest = own.iter().copied().fold(0.0, f64::max);
        let nearer = self.times_as_far().into_iter().fold(f64::INFINITY, f64::min);
        let mut rows: Vec<(&str, Cell)> = vec![
            ("images", self.len().into()),
            ("nearest original has the same number", self.in_place().into()),
            ("distinct originals found", self.distinct().into()),
            ("mean difference from the original (grey levels of 255)", number(mean(&own), 2)),
            ("largest difference from the original", number(largest, 2)),
            ("mean difference from the second nearest original", number(mean(&next), 2)),
            ("the second nearest is at least this many times as far away", number(nearer, 2)),
        ];
        if let Some(jpeg) = self.compression {
            let same = format!("{} of {}", jpeg.identical, jpeg.images);
            let same = Cell::Value(same, Some(jpeg.identical as f64));
            let quality = usize::from(jpeg.quality);
            rows.extend([
                ("JPEG quality that explains the difference best", quality.into()),
                ("difference left after that (grey levels)", number(jpeg.left, 3)),
                ("images then identical in every pixel", same),
            ]);
        }
        let rows = rows.into_iter().map(|(name, cell)| [name.into(), cell]);
        let title = format!(
            "{} of {} images are nearest to the MNIST training image of the same number",
            format_count(self.in_place()),
            format_count(self.len())
        );
        let table = Table::new(title, ["measure", "found"]).rows(rows);
        stack(&[&table, &self.dataset, &self.originals])
    }
}

impl Audit {
    /// Mean absolute pixel difference between each image and its original.
    pub fn differences(&self) -> Vec<f64> {
        self.matches.iter().map(|m| m.mean_difference()).collect()
    }

    /// The same to the second nearest original, for the images where it was searched for.
    pub fn runner_up_differences(&self) -> Vec<f64> {
        let found = self.runners_up.iter();
        found.map(|(_, next)| next.mean_difference()).collect()
    }

    /// For the same images: how many times as far the second nearest is as the nearest.
    pub fn times_as_far(&self) -> Vec<f64> {
        let found = self.runners_up.iter();
        let own = |i: usize| f64::from(self.matches[i].distance.max(1));
        found.map(|(i, next)| f64::from(next.distance) / own(*i)).collect()
    }

    /// What the second nearest originals show.
    pub fn runners_up_in_words(&self, originals: &Samples) -> String {
        let mut by_digit = vec![Vec::new(); self.classes.len()];
        for (i, next) in &self.runners_up {
            by_digit[self.truth[*i]].push(next.mean_difference());
        }
        let closest = (0..by_digit.len()).filter(|k| !by_digit[*k].is_empty());
        let closest = closest.min_by(|a, b| mean(&by_digit[*a]).total_cmp(&mean(&by_digit[*b])));
        let same = self.runners_up.iter();
        let same = same.filter(|(i, next)| originals.labels[next.index] == self.truth[*i]);
        format!(
            "The second nearest shows the same digit for {} of {} images. It is closest on \
             average for the digit {}.",
            same.count(),
            format_count(self.runners_up.len()),
            closest.map_or("–", |k| &self.classes[k])
        )
    }

    /// `n` originals, what dataset 3 has of them, and what differs. The title says by how much.
    pub fn pairs(&self, dataset3: &Samples, originals: &Samples, n: usize) -> Gallery {
        let step = (self.len() / n.max(1)).max(1);
        let shown = (0..self.len()).step_by(step).take(n);
        let differences = shown.clone().map(|i| self.matches[i].mean_difference());
        let differences: Vec<f64> = differences.collect();
        let differences = from_to(&differences, |levels| format_number(levels, 1));
        let tiles = shown.map(|i| {
            let index = self.matches[i].index;
            let (original, image) = (originals.image(index), dataset3.image(i));
            let difference = Array3::from_shape_fn(image.dim(), |at| {
                original[at].abs_diff(image[at]).saturating_mul(BRIGHTER)
            });
            let name = dataset3.names.get(i).cloned().unwrap_or_default();
            let words = format!(
                "MNIST {index}, a {}; in folder {}",
                self.classes[self.truth[i]], self.classes[self.given[i]]
            );
            Tile::new(Picture::new(original, 2), name, words)
                .then(Picture::new(image, 2))
                .then(Picture::new(difference.view(), 2))
        });
        let title = format!(
            "These images differ from their originals by {} of 255 grey levels a pixel: original, \
             image of dataset 3, difference ({BRIGHTER} times brighter)",
            differences.unwrap_or_default()
        );
        Gallery::new(title, tiles)
    }

    /// True digit by given label, and how many of the first `shown` images of each folder show
    /// its digit.
    pub fn labels(&self, shown: usize) -> Html {
        let (right, all) = (format_count(self.right()), format_count(self.len()));
        let chart = self.matrix().chart(format!("{right} of {all} labels are right"));
        let (mut seen, mut first, mut right_of_first) = (vec![0; self.classes.len()], 0, 0);
        for (&given, &truth) in self.given.iter().zip(&self.truth) {
            seen[given] += 1;
            if seen[given] <= shown {
                first += 1;
                right_of_first += usize::from(given == truth);
            }
        }
        let words = format!(
            "On the diagonal are the labels that are right after all: {right} of {all}, {}. Of the \
             {first} images shown at the beginning, the first {} of each folder, {} the digit of \
             its folder.",
            self.right_by_digit(),
            spelled(shown),
            match right_of_first {
                0 => "none shows".into(),
                1 => "one shows".into(),
                n => format!("{} show", spelled(n)),
            }
        );
        stack(&[&chart.axes("digit in the image", "folder"), &note(&words)])
    }

    /// Whether the wrong labels are evenly spread.
    pub fn uniformity(&self) -> Html {
        let independent = "given how full each folder is, the label does not depend on the digit";
        let rows = [
            ("every wrong label is equally likely", self.uniform()),
            (independent, self.independent()),
        ];
        let rows = rows.map(|(name, test)| match test {
            Ok(test) => [
                name.into(),
                number(test.statistic, 1),
                test.degrees_of_freedom.into(),
                p_value(test.p),
            ],
            Err(_) => [name.into(), no_number(), no_number(), no_number()],
        });
        let columns = "assumption | χ² | degrees of freedom | p";
        let caption = match self.uniform() {
            Ok(test) if test.p >= EVEN => "No wrong label is detectably likelier than the others",
            Ok(_) => "Some wrong labels are likelier than others",
            Err(_) => "Too few labels to say whether all are equally likely",
        };
        let table = table(caption, columns).rows(rows);
        let (Ok(uniform), Ok(independent)) = (self.uniform(), self.independent()) else {
            return table.show();
        };
        let chance = |p: f64| match p < 0.001 {
            true => "below 0.001".into(),
            false => format!("of {p:.3}"),
        };
        let verdict = match (uniform.p >= EVEN, independent.p >= EVEN) {
            (true, true) => "Neither assumption is rejected",
            (true, false) => "Only the second assumption is rejected",
            (false, true) => "Only the first assumption is rejected",
            (false, false) => "Both assumptions are rejected",
        };
        let words = format!(
            "If every wrong label were equally likely, χ² would be {:.1} or more with a probability \
             {}; if the label depended on the sizes of the folders alone, {:.1} or more with a \
             probability {}. {verdict} at the {:.0} % level.",
            uniform.statistic,
            chance(uniform.p),
            independent.statistic,
            chance(independent.p),
            100.0 * EVEN
        );
        stack(&[&table, &note(&words)])
    }

    /// What is different about dataset 3, with the numbers of this audit.
    pub fn in_words(&self) -> String {
        let (n, in_place, right) = (self.len(), self.in_place(), self.right());
        let images = match in_place == n {
            true => format!(
                "The images are not what is different: all {} are MNIST training images, in the \
                 same order, each once",
                format_count(n)
            ),
            false => format!(
                "Of the {} images, {} are nearest to the MNIST training image of the same \
                 number, and {} distinct originals were found",
                format_count(n),
                format_count(in_place),
                format_count(self.distinct())
            ),
        };
        let jpeg = match self.compression {
            Some(jpeg) => format!(
                ", saved as JPEG, most likely of quality {} (which changed pixels by {:.1} grey levels of 255 \
                 on average; the second nearest original is {:.1} away)",
                jpeg.quality,
                mean(&self.differences()),
                mean(&self.runner_up_differences())
            ),
            None => String::new(),
        };
        let even = match self.uniform() {
            Ok(test) if test.p >= EVEN => {
                format!(
                    "spread over the nine others as evenly as chance would spread them ({test})"
                )
            }
            Ok(test) => format!("not evenly spread over the nine others ({test})"),
            Err(_) => "too few to say how they are spread".into(),
        };
        let share = right as f64 / n.max(1) as f64;
        let purpose = match share < 0.5 / self.classes.len() as f64 {
            true => {
                " Of labels drawn at random, one in ten would be right: these seem to be wrong on purpose."
            }
            false => "",
        };
        format!(
            "{images}{jpeg}. The labels are what is different: {} of {} ({:.2} %) name the digit \
             in the image, {}; the rest are {even}.{purpose} A label of dataset 3 says what an \
             image is not. That is {:.2} bits about its digit, where a right label gives {:.2}.",
            format_count(right),
            format_count(n),
            100.0 * share,
            self.right_by_digit(),
            self.information(),
            (self.classes.len() as f64).log2()
        )
    }

    fn right_by_digit(&self) -> String {
        let right = self.matrix().counts.diag().to_vec();
        match (right.iter().min(), right.iter().max()) {
            (Some(low), Some(high)) if low == high => format!("exactly {low} of each digit"),
            (Some(low), Some(high)) => format!("{low} to {high} of each digit"),
            _ => "none".into(),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
