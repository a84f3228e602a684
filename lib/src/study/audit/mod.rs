//! What dataset 3 is made of: each of its images matched to the MNIST training image that
//! it comes from, so that the digit on it is known. For this audit alone: nothing is
//! trained on, chosen by, or stopped by the true labels found here.

mod jpeg;
mod nearest;

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::{
    Result,
    data::{Provenance, SIDE, Samples},
    error::ensure,
    eval::{
        ConfusionMatrix,
        statistics::{TestResult, chi_square},
    },
};

pub use jpeg::Compression;
pub use nearest::{Match, Nearest};

/// Images whose second-nearest original is looked for, too.
const SAMPLE: usize = 500;
/// Rounds of proportional fitting; on a full table each gains more than a decimal digit.
const FITTING_ROUNDS: usize = 50;
const PIXELS: usize = SIDE * SIDE;

/// Images under given labels beside the originals that they were found to come from.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The nearest original of each image, by position.
    pub matches: Vec<Match>,
    /// Of some images, evenly spread: (position, the nearest original but one).
    pub runners_up: Vec<(usize, Match)>,
    /// What JPEG did to them, as far as it can be told.
    pub compression: Option<Compression>,
    /// Label given to each image.
    pub given: Vec<usize>,
    /// Label of its original.
    pub truth: Vec<usize>,
    pub classes: Vec<String>,
    pub dataset: Provenance,
    pub originals: Provenance,
}

impl Audit {
    /// Looks for the original of every image of `dataset3` among all of `originals`.
    ///
    /// That both are in the same order is only a guess that makes the search short: the
    /// match is the nearest of all, wherever it is.
    ///
    /// # Errors
    /// Where there are no originals, or the classes are others.
    pub fn of(dataset3: &Samples, originals: &Samples) -> Result<Self> {
        let fits = |of: &Samples| !of.is_empty() && of.image_shape() == [1, SIDE, SIDE];
        let [n, classes] = [dataset3.len(), dataset3.classes.len()];
        let [others, in_classes] = [originals.len(), originals.classes.len()];
        ensure(
            fits(dataset3) && fits(originals) && dataset3.classes == originals.classes,
            || format!("audit of {n} images in {classes} classes against {others} in {in_classes}"),
            "pass images and originals of 28 x 28 and of the same classes, at least one of each",
        )?;
        let nearest = Nearest::among(&originals.images);
        let pixels = nearest::flat(&dataset3.images);
        let images: Vec<&[u8]> = pixels.chunks_exact(PIXELS).collect();
        let matches: Vec<Match> = (images.par_iter().enumerate())
            .filter_map(|(i, image)| nearest.to(image, Some(i), None))
            .collect();
        let step = (images.len() / SAMPLE).max(1);
        let sample: Vec<usize> = (0..images.len()).step_by(step).take(SAMPLE).collect();
        let runners_up = (sample.par_iter())
            .filter_map(|&i| Some((i, nearest.to(images[i], None, Some(matches[i].index))?)))
            .collect();
        Ok(Self {
            compression: Compression::between(&images, &originals.images, &matches),
            given: dataset3.labels.clone(),
            truth: matches.iter().map(|m| originals.labels[m.index]).collect(),
            matches,
            runners_up,
            classes: dataset3.classes.clone(),
            dataset: dataset3.provenance.clone(),
            originals: originals.provenance.clone(),
        })
    }

    pub fn len(&self) -> usize {
        self.matches.len()
    }

    pub fn is_empty(&self) -> bool {
        self.matches.is_empty()
    }

    /// How many images are nearest to the original of the same position.
    pub fn in_place(&self) -> usize {
        let positions = self.matches.iter().enumerate();
        positions.filter(|(i, found)| found.index == *i).count()
    }

    /// How many different originals were found.
    pub fn distinct(&self) -> usize {
        let mut indices: Vec<usize> = self.matches.iter().map(|m| m.index).collect();
        indices.sort_unstable();
        indices.dedup();
        indices.len()
    }

    /// Row is the true digit, column the label given.
    pub fn matrix(&self) -> ConfusionMatrix {
        ConfusionMatrix::new(&self.truth, &self.given, &self.classes)
    }

    /// How many labels are right after all.
    pub fn right(&self) -> usize {
        self.matrix().counts.diag().sum()
    }

    /// Asked of all digits at once: as many images of each digit are wrong as were found,
    /// and each wrong label is equally likely (Pearson's χ²). χ² and degrees of freedom are
    /// those of the digits added up.
    pub fn uniform(&self) -> Result<TestResult> {
        let mut rows = self.wrong_by_digit();
        rows.retain(|wrong| wrong.iter().sum::<usize>() > 0);
        let expected = rows.iter().flat_map(|wrong| {
            let mean = wrong.iter().sum::<usize>() as f64 / wrong.len() as f64;
            vec![mean; wrong.len()]
        });
        let freedom = rows.iter().map(|wrong| wrong.len() - 1).sum();
        chi_square(&rows.concat(), &expected.collect::<Vec<_>>(), freedom)
    }

    /// Given how full each folder is, does the wrong label still depend on the digit?
    /// Quasi-independence: the table without its diagonal, expected counts fitted to its
    /// margins (L. A. Goodman, JASA 1968).
    pub fn independent(&self) -> Result<TestResult> {
        let k = self.classes.len();
        let mut counts = self.matrix().counts.mapv(|count| count as f64);
        counts.diag_mut().fill(0.0);
        let (of_rows, of_columns) = (counts.sum_axis(Axis(1)), counts.sum_axis(Axis(0)));
        let mut fitted = Array2::<f64>::ones((k, k));
        fitted.diag_mut().fill(0.0);
        for _ in 0..FITTING_ROUNDS {
            let sums = fitted.sum_axis(Axis(0));
            fitted *= &(&of_columns / &sums);
            for (mut row, wanted) in fitted.rows_mut().into_iter().zip(&of_rows) {
                let sum: f64 = row.iter().sum();
                row *= wanted / sum;
            }
        }
        let off_diagonal = fitted.indexed_iter().filter(|((t, g), _)| t != g);
        let expected: Vec<f64> = off_diagonal.map(|(_, &count)| count).collect();
        let freedom = ((k - 1) * (k - 1)).saturating_sub(k);
        chi_square(&self.wrong_by_digit().concat(), &expected, freedom)
    }

    /// What a given label tells about the digit, in bits (mutual information), of the
    /// log2(10) = 3.32 that a right one tells.
    pub fn information(&self) -> f64 {
        let counts = self.matrix().counts;
        let total = self.len() as f64;
        let (rows, columns) = (counts.sum_axis(Axis(1)), counts.sum_axis(Axis(0)));
        let cells = counts.indexed_iter().filter(|(_, count)| **count > 0);
        cells
            .map(|((t, g), &count)| {
                let share = count as f64 / total;
                share * (share * total * total / (rows[t] * columns[g]) as f64).log2()
            })
            .sum()
    }

    /// For each true digit the counts of its wrong labels, in order.
    fn wrong_by_digit(&self) -> Vec<Vec<usize>> {
        let counts = self.matrix().counts;
        let rows = counts.rows().into_iter().enumerate();
        rows.map(|(t, row)| {
            let labels = row.iter().enumerate().filter(|(g, _)| *g != t);
            labels.map(|(_, &count)| count).collect()
        })
        .collect()
    }
}
