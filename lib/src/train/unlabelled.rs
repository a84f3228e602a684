//! Learning from images without labels, beside few that have one.

use ndarray::{ArrayView2, ArrayViewMut2, s};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::Samples,
    eval::argmax,
    image::Augment,
    nn::{
        self, Batch, Classifier, CrossEntropy, LayerSpec, Objective, Optimizer, Signature, Step,
        TensorMut, TensorRef, log_softmax,
    },
    train::{
        Config, History, ModelCheckpoint,
        batches::{Buffer, check_shape, shuffled},
        fit::Run,
    },
};

/// How a network learns from images without labels (FixMatch: K. Sohn et al., "FixMatch:
/// Simplifying semi-supervised learning with consistency and confidence", NeurIPS 2020).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixMatch {
    /// How many of them in each step.
    pub images: usize,
    /// Those that the network reads, as they are, with more probability than this, 0 to 1, are
    /// learned from, distorted.
    pub confidence: f32,
}

/// As [`fit_resumable`](super::fit_resumable), learning from images without labels too, as
/// [`Config::unlabelled`] says. Loss and accuracy of the history are those of the images with
/// labels. No label of `unlabelled` is looked at. The caller sees to it that no other process makes
/// the same run.
///
/// # Errors
/// As [`fit`](super::fit()); where the configuration does not say how, or the images have another
/// shape.
pub fn fit_with_unlabelled(
    model: &mut dyn Classifier,
    train: &Samples,
    unlabelled: &Samples,
    valid: &Samples,
    config: &Config,
    checkpoint: &ModelCheckpoint,
) -> Result<History> {
    check_shape(model, unlabelled)?;
    let Some(how) = config.unlabelled.filter(|_| !unlabelled.is_empty()) else {
        let problem = "no images without labels, or nothing that says how to learn from them";
        return Err(Error::argument(problem, "set `Config::unlabelled`, or call `fit_resumable`"));
    };
    let mut learner = Learner {
        as_they_are: Buffer::of(model),
        distorted: Buffer::of(model),
        model,
        unlabelled,
        how,
        config,
        order: (0, Vec::new()),
    };
    Ok(Run::new(&mut learner, train, valid, config)?.go(Some(checkpoint))?.history)
}

/// A network whose training step takes images without labels as well.
struct Learner<'a> {
    model: &'a mut dyn Classifier,
    unlabelled: &'a Samples,
    how: FixMatch,
    config: &'a Config,
    as_they_are: Buffer,
    distorted: Buffer,
    /// In which order they come in a pass over all, and the number of that pass, from 1.
    order: (u64, Vec<usize>),
}

impl Learner<'_> {
    /// The images of one step, in the order of the pass that it belongs to.
    fn chosen(&mut self, step: u64) -> &[usize] {
        let (len, each) = (self.unlabelled.len(), self.how.images.clamp(1, self.unlabelled.len()));
        let steps = (len / each) as u64;
        let pass = 1 + step / steps;
        if self.order.0 != pass {
            self.order = (pass, shuffled(len, !self.config.seed, pass));
        }
        let first = (step % steps) as usize * each;
        &self.order.1[first..first + each]
    }

    /// Fills `distorted` with the images of this step that the network is sure of, and returns what
    /// it takes them for.
    fn read(&mut self, step: u64) -> nn::Result<Vec<usize>> {
        let chosen = self.chosen(step).to_vec();
        let stream = (!self.config.seed, step);
        self.as_they_are.fill(self.unlabelled, &chosen, &Augment::none(), stream);
        let logits = self.model.logits(self.as_they_are.batch())?;
        let log_p = log_softmax(logits.view());
        let read = logits.outer_iter().map(argmax).enumerate();
        let sure = read.filter(|&(i, class)| log_p[[i, class]].exp() > self.how.confidence.into());
        let (images, classes): (Vec<usize>, Vec<usize>) =
            sure.map(|(i, class)| (chosen[i], class)).unzip();
        self.distorted.fill(self.unlabelled, &images, &self.config.augment, stream);
        Ok(classes)
    }
}

impl Classifier for Learner<'_> {
    fn signature(&self) -> Signature {
        self.model.signature()
    }

    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> nn::Result<Step> {
        let classes = self.read(optimizer.state().step)?;
        let others = self.distorted.batch();
        let images = [batch.images, others.images].concat();
        let features = [batch.features, others.features].concat();
        let all = Batch { len: batch.len + others.len, images: &images, features: &features };
        let joined = Joined {
            objective,
            len: batch.len,
            classes: &classes,
            // The mean is over all images of the step, also those that it is not sure of.
            share: classes.len() as f32 / self.how.images as f32,
        };
        let step = self.model.train_step(all, &joined, optimizer)?;
        Ok(Step { loss: step.loss, logits: step.logits.slice(s![..batch.len, ..]).to_owned() })
    }

    fn logits(&self, batch: Batch) -> nn::Result<ndarray::Array2<f32>> {
        self.model.logits(batch)
    }

    fn layers(&self) -> &[LayerSpec] {
        self.model.layers()
    }

    fn tensors(&self) -> Vec<TensorRef<'_>> {
        self.model.tensors()
    }

    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        self.model.tensors_mut()
    }
}

/// The objective of the first `len` images, and the cross-entropy of the others for `classes`, of
/// whose gradient a `share` is taken. The loss is that of the first.
struct Joined<'a> {
    objective: &'a dyn Objective,
    len: usize,
    classes: &'a [usize],
    share: f32,
}

impl Objective for Joined<'_> {
    fn check(&self, len: usize, classes: usize) -> nn::Result<()> {
        self.objective.check(self.len.min(len), classes)
    }

    fn loss(&self, logits: ArrayView2<f32>, gradient: ArrayViewMut2<f32>) -> f32 {
        let (first, others) = logits.split_at(ndarray::Axis(0), self.len);
        let (of_first, mut of_others) = gradient.split_at(ndarray::Axis(0), self.len);
        if !self.classes.is_empty() {
            CrossEntropy::new(self.classes).loss(others, of_others.view_mut());
            of_others *= self.share;
        }
        self.objective.loss(first, of_first)
    }
}
