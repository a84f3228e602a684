//! A drawing beside others of the same hand.

use ndarray::{Axis, concatenate};
use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64;

use crate::{Result, data::Samples, error::ensure};

/// How far a few drawings are believed: with `n` others, their mean counts `n / (n + 4)`, the
/// mean of all hands the rest (shrinkage: W. James and C. Stein, "Estimation with quadratic
/// loss", 1961). 4 is about what one hand's drawings vary among themselves over what hands
/// differ by, on dataset 1.
pub const SHRINKAGE: f32 = 4.0;

/// Which other drawings are the context of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    All,
    /// At most so many, drawn at random with this seed.
    Few(usize, u64),
}

impl Samples {
    /// The same samples with twice the auxiliary features: each drawing's own, and its own less
    /// the mean of other drawings by the same writer. What is small for one hand is large for
    /// another.
    ///
    /// No label is looked at, neither a drawing's own nor another's.
    ///
    /// # Errors
    /// Where the samples do not name their writers, or have no features.
    ///
    /// ```
    /// # use glyphs::{data::Samples, image::Others, ndarray::{Array4, arr2}};
    /// let mut samples = Samples::new("two hands", Array4::zeros((3, 1, 28, 28)), vec![0, 1, 0], ["o", "O"])?;
    /// samples.writers = vec![7, 7, 9];
    /// samples.features = arr2(&[[1.0], [6.0], [3.0]]);
    /// let in_context = samples.in_context(Others::All)?;
    /// // Of one other drawing a fifth is believed; writer 9 has no other.
    /// let expected = [[1.0, 1.0 - 6.0 / 5.0], [6.0, 6.0 - 1.0 / 5.0], [3.0, 3.0]];
    /// assert!((in_context.features - arr2(&expected)).iter().all(|x| x.abs() < 1e-6));
    /// # Ok::<(), glyphs::Error>(())
    /// ```
    pub fn in_context(&self, others: Others) -> Result<Self> {
        let remedy = "use preprocessed drawings that name their writers";
        let is_named = self.writers.len() == self.len();
        ensure(is_named, || "the samples do not say who wrote them", remedy)?;
        ensure(self.features.ncols() > 0, || "the samples have no auxiliary features", remedy)?;
        let mut relative = self.features.clone();
        for (index, mut row) in relative.outer_iter_mut().enumerate() {
            let same_hand =
                |&other: &usize| other != index && self.writers[other] == self.writers[index];
            let mut chosen: Vec<usize> = (0..self.len()).filter(same_hand).collect();
            if let Others::Few(n, seed) = others {
                let mut rng = Pcg64::seed_from_u64(seed ^ (index as u64) << 32);
                chosen.shuffle(&mut rng);
                chosen.truncate(n);
            }
            let weight = 1.0 / (chosen.len() as f32 + SHRINKAGE);
            for other in chosen {
                row.scaled_add(-weight, &self.features.row(other));
            }
        }
        let features = concatenate![Axis(1), self.features, relative];
        Ok(Self { features, ..self.clone() })
    }
}
