//! Ways of training that wrap a network: [`fit`](glyphs::train::fit()) asks a [`Classifier`] for
//! its step, and does not know what the step does.

use std::collections::BTreeMap;

use glyphs::{
    image::Augment,
    ndarray::{Array2, ArrayView2, ArrayView3, ArrayViewMut2, Zip},
    nn::{
        Adam, Batch, Classifier, DynNetwork, Ensemble, Objective, Optimizer, OptimizerState,
        Result, Signature, Step, log_softmax, shape::Dims,
    },
};

/// What a training step is given.
pub struct Given<'a> {
    pub batch: Batch<'a>,
    pub objective: &'a dyn Objective,
    pub optimizer: &'a mut dyn Optimizer,
}

/// What happens in a training step, in place of the usual.
pub trait Technique: Send + Sync {
    fn step(&mut self, network: &mut DynNetwork, given: Given) -> Result<Step>;

    /// The network that is judged.
    fn judged<'a>(&'a self, network: &'a DynNetwork) -> &'a DynNetwork {
        network
    }
}

/// A network that learns by a technique.
pub struct Learner {
    pub network: DynNetwork,
    pub technique: Box<dyn Technique>,
}

impl Classifier for Learner {
    fn signature(&self) -> Signature {
        self.network.signature()
    }

    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Step> {
        self.technique.step(&mut self.network, Given { batch, objective, optimizer })
    }

    fn logits(&self, batch: Batch) -> Result<Array2<f32>> {
        self.technique.judged(&self.network).logits(batch)
    }
}

/// The usual step.
pub struct Usual;

impl Technique for Usual {
    fn step(&mut self, network: &mut DynNetwork, given: Given) -> Result<Step> {
        network.train_step(given.batch, given.objective, given.optimizer)
    }
}

/// Sharpness-aware minimisation: the gradient is taken where the loss is highest, a step of
/// length `rho` uphill (P. Foret, A. Kleiner, H. Mobahi and B. Neyshabur, "Sharpness-aware
/// minimization for efficiently improving generalization", ICLR 2021).
pub struct SharpnessAware {
    pub rho: f32,
}

impl Technique for SharpnessAware {
    fn step(&mut self, network: &mut DynNetwork, given: Given) -> Result<Step> {
        let Given { batch, objective, optimizer } = given;
        let mut uphill = Gradients::beside(optimizer);
        let step = network.train_step(batch, objective, &mut uphill)?;
        // With the running statistics of this pass alone.
        let before: Vec<Vec<f32>> =
            network.tensors().iter().map(|tensor| tensor.values.to_vec()).collect();
        let length = uphill.norm().max(f32::MIN_POSITIVE);
        for tensor in network.tensors_mut() {
            if let Some(gradient) = uphill.by_name.get(&tensor.name) {
                let pairs = tensor.values.iter_mut().zip(gradient);
                pairs.for_each(|(value, slope)| *value += self.rho / length * slope);
            }
        }
        let mut there = Gradients::beside(optimizer);
        network.train_step(batch, objective, &mut there)?;
        optimizer.begin_step();
        for (tensor, before) in network.tensors_mut().into_iter().zip(before) {
            tensor.values.copy_from_slice(&before);
            if let Some(gradient) = there.by_name.get(&tensor.name) {
                optimizer.update_tensor(&tensor.name, &tensor.shape, tensor.values, gradient);
            }
        }
        Ok(step)
    }
}

/// An optimiser that changes nothing and keeps the gradients.
struct Gradients {
    state: OptimizerState,
    by_name: BTreeMap<String, Vec<f32>>,
}

impl Gradients {
    /// At the same step, so that dropout leaves out the same units.
    fn beside(optimizer: &dyn Optimizer) -> Self {
        let mut state = OptimizerState::new(0.0, &[]);
        state.step = optimizer.state().step;
        Self { state, by_name: BTreeMap::new() }
    }

    fn norm(&self) -> f32 {
        let squares = self.by_name.values().flatten().map(|&slope| f64::from(slope).powi(2));
        squares.sum::<f64>().sqrt() as f32
    }
}

impl Optimizer for Gradients {
    fn update_tensor(&mut self, name: &str, _: &[usize], _: &mut [f32], gradient: &[f32]) {
        self.by_name.insert(name.into(), gradient.to_vec());
    }

    fn state(&self) -> &OptimizerState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut OptimizerState {
        &mut self.state
    }
}

/// Learns from an ensemble's probabilities, of the same distorted images, as much as from the
/// labels (G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015).
pub struct Distilled {
    pub teachers: Ensemble,
    /// Share of the ensemble's probabilities in what is learned.
    pub share: f64,
}

impl Technique for Distilled {
    fn step(&mut self, network: &mut DynNetwork, given: Given) -> Result<Step> {
        let Given { batch, objective, optimizer } = given;
        let targets = self.teachers.logits(batch)?;
        let both = Beside { objective, by: 1.0 - self.share, targets: &targets, share: self.share };
        network.train_step(batch, &both, optimizer)
    }
}

/// A teacher whose weights are a moving average of the network's; the network is asked to agree
/// with what the teacher says of other distortions of the same images (A. Tarvainen and H. Valpola,
/// "Mean teachers are better role models", NIPS 2017). The teacher is judged.
pub struct MeanTeacher {
    pub teacher: DynNetwork,
    pub decay: f32,
    /// Weight of the agreement, reached after so many steps; 0 for the average alone.
    pub agreement: f64,
    pub ramp: u64,
    /// On top of the distortions that the network sees.
    pub augment: Augment,
}

impl MeanTeacher {
    fn targets(&self, batch: Batch, step: u64) -> Result<Array2<f32>> {
        let Dims::Image { channels, height, width } = self.teacher.signature().input else {
            return self.teacher.logits(batch);
        };
        let mut images = vec![0.0; batch.images.len()];
        let size = channels * height * width;
        for (i, (image, out)) in
            batch.images.chunks_exact(size).zip(images.chunks_exact_mut(size)).enumerate()
        {
            let image = ArrayView3::from_shape((channels, height, width), image);
            let image = image.expect("an image of the batch");
            self.augment.apply(image, out, !0, step, i as u64);
        }
        self.teacher.logits(Batch { images: &images, ..batch })
    }
}

impl Technique for MeanTeacher {
    fn step(&mut self, network: &mut DynNetwork, given: Given) -> Result<Step> {
        let Given { batch, objective, optimizer } = given;
        let at = optimizer.state().step;
        let step = if self.agreement > 0.0 {
            let targets = self.targets(batch, at)?;
            let share = self.agreement * ramp(at, self.ramp);
            let both = Beside { objective, by: 1.0, targets: &targets, share };
            network.train_step(batch, &both, optimizer)?
        } else {
            network.train_step(batch, objective, optimizer)?
        };
        // Short at first, or the average would remember the random weights.
        let decay = self.decay.min((1 + at) as f32 / (10 + at) as f32);
        for (average, now) in self.teacher.tensors_mut().into_iter().zip(network.tensors()) {
            let pairs = average.values.iter_mut().zip(now.values);
            pairs.for_each(|(average, now)| *average = decay * *average + (1.0 - decay) * now);
        }
        Ok(step)
    }

    fn judged<'a>(&'a self, _: &'a DynNetwork) -> &'a DynNetwork {
        &self.teacher
    }
}

/// Two networks that learn from the labels and from each other's probabilities (Y. Zhang,
/// T. Xiang, T. M. Hospedales and H. Lu, "Deep mutual learning", CVPR 2018). One is judged.
pub struct Mutual {
    pub other: DynNetwork,
    pub optimizer: Adam,
    /// Weight of the other's probabilities, reached after so many steps.
    pub agreement: f64,
    pub ramp: u64,
}

impl Technique for Mutual {
    fn step(&mut self, network: &mut DynNetwork, given: Given) -> Result<Step> {
        let Given { batch, objective, optimizer } = given;
        let share = self.agreement * ramp(optimizer.state().step, self.ramp);
        let by_network = network.logits(batch)?;
        let by_other = self.other.logits(batch)?;
        let beside = |targets| Beside { objective, by: 1.0, targets, share };
        self.optimizer.state_mut().learning_rate = optimizer.state().learning_rate;
        self.other.train_step(batch, &beside(&by_network), &mut self.optimizer)?;
        network.train_step(batch, &beside(&by_other), optimizer)
    }
}

/// From 0 to 1 along a straight line.
fn ramp(step: u64, steps: u64) -> f64 {
    (step as f64 / steps.max(1) as f64).min(1.0)
}

/// `by` times an objective, and `share` times the cross-entropy to another network's probabilities.
pub struct Beside<'a> {
    pub objective: &'a dyn Objective,
    pub by: f64,
    /// Logits of the other network.
    pub targets: &'a Array2<f32>,
    pub share: f64,
}

impl Objective for Beside<'_> {
    fn check(&self, len: usize, classes: usize) -> Result<()> {
        self.objective.check(len, classes)
    }

    fn loss(&self, logits: ArrayView2<f32>, mut gradient: ArrayViewMut2<f32>) -> f32 {
        let loss = f64::from(self.objective.loss(logits, gradient.view_mut()));
        let log_p = log_softmax(logits);
        let q = log_softmax(self.targets.view()).mapv_into(f64::exp);
        let n = logits.nrows() as f64;
        let entropy = -(&q * &log_p).sum() / n;
        Zip::from(&mut gradient).and(&log_p).and(&q).for_each(|slope, log_p, q| {
            let soft = self.share * (log_p.exp() - q) / n;
            *slope = (self.by * f64::from(*slope) + soft) as f32;
        });
        (self.by * loss + self.share * entropy) as f32
    }
}
