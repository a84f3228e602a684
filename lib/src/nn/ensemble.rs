//! Ensembles: networks whose probabilities are averaged.

use dfdx_conv::{
    Batch, Classifier, Error, Objective, Optimizer, Result, Signature, Step, log_softmax,
};
use ndarray::Array2;

/// Finished networks whose probabilities are averaged (L. K. Hansen and P. Salamon, "Neural
/// network ensembles", IEEE Transactions on Pattern Analysis and Machine Intelligence 12, 1990).
pub struct Ensemble {
    members: Vec<Box<dyn Classifier>>,
}

impl Ensemble {
    /// # Errors
    /// Where there is no network, or one takes other images or has other classes.
    pub fn new(members: Vec<Box<dyn Classifier>>) -> Result<Self> {
        let signatures = || members.iter().map(|member| member.signature());
        if members.is_empty() || signatures().any(|one| Some(one) != signatures().next()) {
            return Err(Error::argument(
                "an ensemble of no networks, or of networks for different images or classes",
                "pass networks of one kind, at least one",
            ));
        }
        Ok(Self { members })
    }
}

impl Classifier for Ensemble {
    fn signature(&self) -> Signature {
        self.members[0].signature()
    }

    fn train_step(&mut self, _: Batch, _: &dyn Objective, _: &mut dyn Optimizer) -> Result<Step> {
        Err(Error::argument("an ensemble does not learn", "train its networks one by one"))
    }

    /// Logarithms of the mean probabilities.
    fn logits(&self, batch: Batch) -> Result<Array2<f32>> {
        let mut mean = Array2::<f64>::zeros((batch.len, self.num_classes()));
        for member in &self.members {
            mean += &log_softmax(member.logits(batch)?.view()).mapv_into(f64::exp);
        }
        mean /= self.members.len() as f64;
        Ok(mean.mapv(|p| p.max(f64::MIN_POSITIVE).ln() as f32))
    }
}
