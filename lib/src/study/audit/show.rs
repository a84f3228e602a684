//! The audit as its notebook shows it.

use ndarray::Array3;

use super::Audit;
use crate::{
    Result,
    data::Samples,
    display::{
        Axis, Cell, Gallery, Histogram, Html, Picture, Show, Table, Tile, format_count, note,
        number, row, stack,
    },
    eval::{
        ConfusionMatrix,
        statistics::{TestResult, holm},
    },
};

/// How much differences are brightened to be seen.
const BRIGHTER: u8 = 8;

/// What was found of the images.
impl Show for Audit {
    fn show(&self) -> Html {
        let mut table = Table::new("Where the images come from", ["", "found"])
            .row(["images".into(), self.len().into()])
            .row([
                "nearest to the original of the same number".into(),
                self.in_place().into(),
            ])
            .row(["different originals found".into(), self.distinct().into()])
            .row([
                "mean difference from the original (grey levels of 255)".into(),
                number(mean(&self.differences()), 2),
            ])
            .row([
                "largest difference from the original".into(),
                number(self.differences().into_iter().fold(0.0, f64::max), 2),
            ])
            .row([
                "mean difference from the next similar original".into(),
                number(mean(&self.runner_up_differences()), 2),
            ])
            .row([
                "the next is this many times as far, at the least".into(),
                number(smallest(&self.times_as_far()), 2),
            ]);
        if let Some(jpeg) = self.compression {
            table = table
                .row([
                    "JPEG quality that explains the difference best".into(),
                    usize::from(jpeg.quality).into(),
                ])
                .row([
                    "difference that is left then (grey levels)".into(),
                    number(jpeg.left, 3),
                ])
                .row([
                    format!("the same in every pixel then, of {}", jpeg.images).into(),
                    jpeg.identical.into(),
                ]);
        }
        stack(&[&table, &self.dataset, &self.originals])
    }
}

impl Audit {
    /// Mean absolute difference of a pixel between each image and its original.
    pub fn differences(&self) -> Vec<f64> {
        self.matches.iter().map(|m| m.mean_difference()).collect()
    }

    /// The same to the original that comes second, for those where it was looked for.
    pub fn runner_up_differences(&self) -> Vec<f64> {
        let found = self.runners_up.iter();
        found.map(|(_, next)| next.mean_difference()).collect()
    }

    /// For the same: how many times as far the second is as the first.
    pub fn times_as_far(&self) -> Vec<f64> {
        let found = self.runners_up.iter();
        let ratio = |own: u32, next: u32| f64::from(next) / f64::from(own.max(1));
        found
            .map(|(i, next)| ratio(self.matches[*i].distance, next.distance))
            .collect()
    }

    /// `n` originals, what dataset 3 has of them, and what differs.
    pub fn pairs(&self, dataset3: &Samples, originals: &Samples, n: usize) -> Gallery {
        let step = (self.len() / n.max(1)).max(1);
        let tiles = (0..self.len()).step_by(step).take(n).map(|i| {
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
        let title = format!("Original, image of dataset 3, difference ({BRIGHTER} times brighter)");
        Gallery::new(title, tiles)
    }

    /// How far images are from their originals, and from the next most similar ones.
    pub fn distances(&self) -> Histogram {
        let (first, second) = (self.differences(), self.runner_up_differences());
        let times = self.times_as_far();
        let title = format!(
            "The next original is {:.1} times as far on average, and {:.1} times at the least",
            mean(&times),
            smallest(&times)
        );
        let axis = Axis::new("mean absolute difference (grey levels of 255)").from(0.0);
        Histogram::new(title, axis, 60)
            .values("the nearest original", &first)
            .values(format!("the next, for {} images", second.len()), &second)
            .shares()
    }

    /// True digit by given label.
    pub fn labels(&self) -> Html {
        let matrix = self.matrix();
        let title = format!(
            "{} of {} labels are right",
            format_count(self.right()),
            format_count(self.len())
        );
        matrix
            .chart(title)
            .axes("digit on the image", "folder that it is in")
            .show()
    }

    /// How many images each folder holds, how many of them rightly, and one of each digit
    /// in it.
    pub fn folders(&self, dataset3: &Samples) -> Table {
        self.sheets(dataset3, 2)
    }

    fn sheets(&self, dataset3: &Samples, zoom: usize) -> Table {
        let ConfusionMatrix { counts, classes } = self.matrix();
        let blank = Array3::zeros(dataset3.image_shape());
        let rows = classes.iter().enumerate().map(|(folder, name)| {
            let held = counts.column(folder);
            let strip = (0..classes.len()).map(|digit| {
                let found =
                    (0..self.len()).find(|&i| self.given[i] == folder && self.truth[i] == digit);
                match found {
                    Some(i) => dataset3.image(i),
                    None => blank.view(),
                }
            });
            let words = format!("folder {name}: one image of each digit");
            [
                name.as_str().into(),
                held.sum().into(),
                held[folder].into(),
                Picture::strip(strip, zoom).block(&words).into(),
            ]
        });
        let columns = [
            "folder",
            "images",
            "of its digit",
            "one of each digit, 0 to 9",
        ];
        Table::new("Each folder holds every digit", columns).rows(rows)
    }

    /// Are the wrong labels evenly spread?
    pub fn uniformity(&self) -> Html {
        let tests = self.uniform_by_digit();
        let p: Vec<f64> = (tests.iter())
            .map(|test| test.map_or(f64::NAN, |test| test.p))
            .collect();
        let adjusted = holm(&p);
        let counts = self.matrix().counts;
        let rows = tests.iter().enumerate().map(|(digit, test)| {
            let wrong = counts.row(digit).sum() - counts[[digit, digit]];
            let others = || {
                let labels = counts.row(digit).into_iter().enumerate();
                labels
                    .filter(move |(label, _)| *label != digit)
                    .map(|(_, count)| *count)
            };
            let (fewest, most) = (others().min().unwrap_or(0), others().max().unwrap_or(0));
            let mut cells: Vec<Cell> = vec![
                self.classes[digit].as_str().into(),
                counts[[digit, digit]].into(),
                wrong.into(),
                format!("{fewest}–{most}").into(),
            ];
            cells.extend(test_cells(test.as_ref(), adjusted[digit]));
            cells
        });
        let columns = [
            "digit",
            "rightly labelled",
            "wrongly labelled",
            "in each of the other folders",
            "χ²",
            "degrees of freedom",
            "p",
            "p, corrected for ten tests",
        ];
        let table = Table::new("Is every wrong label equally likely?", columns).rows(rows);
        let all = |name: &str, test: Result<TestResult>| {
            let mut cells: Vec<Cell> = vec![name.into()];
            cells.extend(test_cells(test.ok().as_ref(), f64::NAN).into_iter().take(3));
            cells
        };
        let overall = Table::new("All digits at once", ["", "χ²", "degrees of freedom", "p"])
            .row(all("every wrong label is equally likely", self.uniform()))
            .row(all(
                "given how full each folder is, the label does not depend on the digit",
                self.independent(),
            ));
        stack(&[&table, &overall])
    }

    /// The answer, as one paragraph and one picture.
    pub fn what_is_different(&self, dataset3: &Samples) -> Html {
        let picture = row(&[&self.labels(), &self.sheets(dataset3, 1)]);
        stack(&[&note(&self.in_words()), &picture])
    }

    /// What is different about dataset 3, with the numbers of this audit.
    pub fn in_words(&self) -> String {
        let (n, in_place, right) = (self.len(), self.in_place(), self.right());
        let images = match in_place == n {
            true => format!(
                "The images are not what is different: all {} are MNIST training images, in their \
                 order, each once",
                format_count(n)
            ),
            false => format!(
                "Of the {} images, {} are nearest to the MNIST training image of the same \
                 number, and {} different ones were found",
                format_count(n),
                format_count(in_place),
                format_count(self.distinct())
            ),
        };
        let jpeg = match self.compression {
            Some(jpeg) => format!(
                ", saved as JPEG of quality {} (which moved a pixel by {:.1} grey levels of 255 \
                 on average; the next most similar original is {:.1} away)",
                jpeg.quality,
                mean(&self.differences()),
                mean(&self.runner_up_differences())
            ),
            None => String::new(),
        };
        let even = match self.uniform() {
            Ok(test) if test.p >= 0.01 => {
                format!("spread over the nine others as evenly as chance would do it ({test})")
            }
            Ok(test) => format!("not evenly spread over the nine others ({test})"),
            Err(_) => "too few to say how they are spread".into(),
        };
        let share = right as f64 / n.max(1) as f64;
        let purpose = match share < 0.5 / self.classes.len() as f64 {
            true => " Drawn blindly, one in ten would be right: these were made wrong on purpose.",
            false => "",
        };
        format!(
            "{images}{jpeg}. The labels are: {} of {} ({:.2} %) name the digit on the image, {}; \
             the rest are {even}.{purpose} A label of dataset 3 says what an image is not. That is \
             {:.2} bits about its digit, where a right label tells {:.2}.",
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

fn test_cells(test: Option<&TestResult>, adjusted: f64) -> Vec<Cell> {
    let Some(test) = test else {
        return vec![number(f64::NAN, 1); 4];
    };
    vec![
        number(test.statistic, 1),
        test.degrees_of_freedom.into(),
        number(test.p, 3),
        number(adjusted, 3),
    ]
}

fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
