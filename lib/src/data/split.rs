//! Parts of a set of samples: splits, subsets, classes.

use ndarray::Axis;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::samples::Samples;
use crate::{Error, Result, error::ensure};

impl Samples {
    /// Shuffles with `seed` and cuts: the first part has `fraction` of the samples
    /// (rounded to the nearest count), the second the others. The same seed gives the
    /// same split on every machine.
    pub fn split(&self, fraction: f64, seed: u64) -> (Self, Self) {
        let indices = shuffled(self.len(), seed);
        let (first, second) = indices.split_at(share(self.len(), fraction));
        (self.select(first), self.select(second))
    }

    /// As [`Samples::split`], but no writer is in both parts: whole writers are dealt
    /// to the first part until it has `fraction` of the samples, as nearly as writers allow.
    ///
    /// # Errors
    /// Where the samples do not name their writers, or so few that all are in one part.
    pub fn split_by_writer(&self, fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let mut writers = self.writers.clone();
        writers.sort_unstable();
        writers.dedup();
        let problem = || format!("{} has {} writers", self.provenance.name, writers.len());
        ensure(writers.len() > 1, problem, "use `split` instead")?;
        let order = shuffled(writers.len(), seed);
        let goal = share(self.len(), fraction);
        let (mut dealt, mut first_writers) = (0, Vec::new());
        for writer in order.into_iter().map(|i| writers[i]) {
            let count = self.writers.iter().filter(|&&w| w == writer).count();
            // A writer who would overshoot by more than is missing stays out.
            if dealt < goal && (dealt + count).abs_diff(goal) <= goal - dealt {
                dealt += count;
                first_writers.push(writer);
            }
        }
        let problem = || format!("all {} writers are in one part", writers.len());
        let is_split = (1..writers.len()).contains(&first_writers.len());
        ensure(is_split, problem, "choose another fraction, or use `split` instead")?;
        let order = shuffled(self.len(), seed);
        let (first, second): (Vec<usize>, Vec<usize>) =
            order.iter().partition(|&&i| first_writers.contains(&self.writers[i]));
        Ok((self.select(&first), self.select(&second)))
    }

    /// Cross-validation: shuffled (always the same way) and dealt into `folds` parts, of which number
    /// `fold` modulo `folds` is for validation and the others for training: (training, validation).
    pub fn fold(&self, folds: usize, fold: u64) -> (Self, Self) {
        let order = shuffled(self.len(), 0);
        let folds = folds.max(1);
        let is_held_out = |place: usize| place % folds == (fold % folds as u64) as usize;
        let kept = |held_out: bool| -> Vec<usize> {
            let places = (0..self.len()).filter(|&place| is_held_out(place) == held_out);
            places.map(|place| order[place]).collect()
        };
        (self.select(&kept(false)), self.select(&kept(true)))
    }

    /// The samples of `classes` (indices below the number of classes), which get the
    /// labels 0, 1, … in the order given.
    pub fn filter_classes(&self, classes: &[usize]) -> Self {
        let new = |label: usize| classes.iter().position(|&class| class == label);
        let mut samples = self.part((0..self.len()).filter(|&i| new(self.labels[i]).is_some()));
        let labels = samples.labels.iter().filter_map(|&label| new(label));
        samples.labels = labels.collect();
        let names = classes.iter().filter_map(|&class| self.classes.get(class));
        samples.classes = names.cloned().collect();
        samples
    }

    /// As [`Samples::select`], under a provenance that counts what is left.
    fn part(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let mut samples = self.select(&indices.into_iter().collect::<Vec<_>>());
        samples.provenance.count = samples.len();
        samples
    }

    /// The samples of the first ten classes: the digits.
    pub fn digits(&self) -> Self {
        self.filter_classes(&(0..10.min(self.classes.len())).collect::<Vec<_>>())
    }

    /// `n` samples (all where there are fewer), evenly spread over the set.
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        self.part((0..n).map(|i| i * self.len() / n))
    }

    /// `n` samples of each class (all where there are fewer), evenly spread over its
    /// samples; the order stays.
    pub fn take_per_class(&self, n: usize) -> Self {
        self.part(spread_per_class(&self.labels, n))
    }

    /// The same samples, repeated `times` times.
    pub fn repeat(&self, times: usize) -> Self {
        let n = self.len();
        self.select(&(0..n * times).map(|i| i % n).collect::<Vec<_>>())
    }

    /// Appends other samples of the same classes and shape. Writers and names are kept where both
    /// have them; one stand-in makes all a stand-in.
    ///
    /// # Errors
    /// Where their images have another shape or number of features.
    pub(crate) fn extend(&mut self, other: &Self) -> Result<()> {
        let apart = |_| Error::argument("images of two shapes", "preprocess both alike");
        self.images.append(Axis(0), other.images.view()).map_err(apart)?;
        self.features.append(Axis(0), other.features.view()).map_err(apart)?;
        self.labels.extend(&other.labels);
        append(&mut self.writers, &other.writers);
        append(&mut self.names, &other.names);
        self.provenance.synthetic |= other.provenance.synthetic;
        Ok(())
    }

    /// Number of samples of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        counts(&self.labels, self.classes.len())
    }
}

/// Both one after the other; nothing where one has nothing.
fn append<T: Clone>(values: &mut Vec<T>, others: &[T]) {
    match others.is_empty() || values.is_empty() {
        true => values.clear(),
        false => values.extend_from_slice(others),
    }
}

/// How often each label below `classes` occurs.
pub(crate) fn counts(labels: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels.iter().for_each(|&label| counts[label] += 1);
    counts
}

/// Positions of `n` items of each label (all where there are fewer), evenly spread.
pub(crate) fn spread_per_class(labels: &[usize], n: usize) -> Vec<usize> {
    let counts = counts(labels, labels.iter().max().map_or(0, |&label| label + 1));
    let mut seen = vec![0; counts.len()];
    let kept = labels.iter().enumerate().filter(|&(_, &label)| {
        let (i, count) = (seen[label], counts[label]);
        seen[label] += 1;
        // Keeps the i-th of `count` where floor(i n / count) steps up to the next.
        n >= count || i * n / count < (i + 1) * n / count
    });
    kept.map(|(position, _)| position).collect()
}

fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..n).collect();
    indices.shuffle(&mut Pcg64::seed_from_u64(seed));
    indices
}

fn share(count: usize, fraction: f64) -> usize {
    (count as f64 * fraction.clamp(0.0, 1.0)).round() as usize
}
