//! The study's network.

use dfdx::{
    nn::{BuildModule, ModuleVisitor, TensorCollection, TensorOptions},
    shapes::{Dtype, Rank2},
    tensor::{Cpu, Storage, Tensor},
    tensor_ops::Device,
};
use ndarray::Array2;

use super::{
    Adam, Batch, Classifier, Linear, Objective, Step, TensorMut, TensorRef, VggBlock,
    dense_head::{self, Drop},
    init,
    kernels::{
        lanes::flat,
        view::{slice, values_mut},
    },
    summary::Summary,
    trunk::{FLAT, Gradients, Network},
    vgg_block::{HalfValues, block_tensors, block_tensors_mut},
};
use crate::{Error, Result, data::SIDE};

/// Dense units of the head *original*, whose dropout is 0.5.
pub const ORIGINAL: usize = 1000;
/// Dense units of the head *experimental*, whose dropout is 0.7.
pub const EXPERIMENTAL: usize = 500;

/// The network with the head *original*: 1000 dense units, dropout 0.5.
pub type OriginalCnn<const CLASSES: usize, const FEATURES: usize = 0> =
    CharCnn<ORIGINAL, CLASSES, FEATURES>;
/// The network with the head *experimental*: 500 dense units, dropout 0.7.
pub type ExperimentalCnn<const CLASSES: usize, const FEATURES: usize = 0> =
    CharCnn<EXPERIMENTAL, CLASSES, FEATURES>;

/// Classifies grey images of 28 x 28 pixels.
///
/// Two [`VggBlock`]s (32 and 64 channels), flattened to 3136 values; a dense layer
/// of `HIDDEN` units with ReLU and dropout; a dense layer of `CLASSES` logits.
/// `FEATURES` numbers beside the image reach the first dense layer, by weights of their own,
/// which is the same as appending them to the 3136 values.
///
/// Equivalent in PyTorch:
/// ```python
/// Sequential(Conv2d(1, 32, 3, padding=1), BatchNorm2d(32), ReLU(),
///            Conv2d(32, 32, 3, padding=1), BatchNorm2d(32), ReLU(), MaxPool2d(2),
///            Conv2d(32, 64, 3, padding=1), BatchNorm2d(64), ReLU(),
///            Conv2d(64, 64, 3, padding=1), BatchNorm2d(64), ReLU(), MaxPool2d(2),
///            Flatten(), Linear(3136, HIDDEN), ReLU(), Dropout(p), Linear(HIDDEN, CLASSES))
/// ```
///
/// ```
/// use glyphs::nn::{Adam, Batch, CharCnn, Classifier, CrossEntropy};
///
/// let mut model: CharCnn<500, 10> = CharCnn::new(1);
/// let images = vec![0.5; 2 * 28 * 28];
/// let batch = Batch { len: 2, images: &images, features: &[] };
/// let mut adam = Adam::new(1e-3);
/// let step = model.train_step(batch, &CrossEntropy::new(&[3, 7]), &mut adam).unwrap();
/// assert_eq!(step.logits.dim(), (2, 10));
/// assert_eq!(model.logits(batch).unwrap().dim(), (2, 10));
/// ```
#[derive(Clone, Debug)]
pub struct CharCnn<
    const HIDDEN: usize,
    const CLASSES: usize,
    const FEATURES: usize = 0,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    block1: VggBlock<1, 32, E, D>,
    block2: VggBlock<32, 64, E, D>,
    hidden: Linear<FLAT, HIDDEN, E, D>,
    features: Tensor<Rank2<HIDDEN, FEATURES>, E, D>,
    output: Linear<HIDDEN, CLASSES, E, D>,
    dropout: f32,
    seed: u64,
    freeze_trunk: bool,
    batch_norm: bool,
}

impl<const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize> TensorCollection<f32, Cpu>
    for CharCnn<HIDDEN, CLASSES, FEATURES>
{
    type To<E2: Dtype, D2: Device<E2>> = CharCnn<HIDDEN, CLASSES, FEATURES, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, Cpu>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let features = TensorOptions::reset_with(|t| init::uniform(t, FEATURES.max(1)));
        visitor.visit_fields(
            (
                Self::module("block1", |s| &s.block1, |s| &mut s.block1),
                Self::module("block2", |s| &s.block2, |s| &mut s.block2),
                Self::module("hidden", |s| &s.hidden, |s| &mut s.hidden),
                Self::tensor(
                    "features.weight",
                    |s| &s.features,
                    |s| &mut s.features,
                    features,
                ),
                Self::module("output", |s| &s.output, |s| &mut s.output),
            ),
            |(block1, block2, hidden, features, output)| CharCnn {
                block1,
                block2,
                hidden,
                features,
                output,
                dropout: default_dropout(HIDDEN),
                seed: 0,
                freeze_trunk: false,
                batch_norm: true,
            },
        )
    }
}

fn default_dropout(hidden: usize) -> f32 {
    if hidden == EXPERIMENTAL { 0.7 } else { 0.5 }
}

impl<const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize>
    CharCnn<HIDDEN, CLASSES, FEATURES>
{
    /// Random weights (PyTorch's defaults) from `seed`, which also decides on every
    /// dropout mask. Dropout is 0.7 for 500 units, and 0.5 for all others.
    pub fn new(seed: u64) -> Self {
        let device = Cpu::seed_from_u64(seed);
        Self {
            seed,
            ..Self::build(&device)
        }
    }

    /// With another probability of dropout, at least 0 and below 1.
    ///
    /// # Errors
    /// Where `p` is outside of that.
    pub fn with_dropout(self, p: f32) -> Result<Self> {
        if !(0.0..1.0).contains(&p) {
            return Err(Error::argument(
                format!("a dropout of {p} leaves nothing to learn from"),
                "use a probability of at least 0 and below 1",
            ));
        }
        Ok(Self { dropout: p, ..self })
    }

    /// Without batch normalisation, to see what it does: its tensors stay where they are, and
    /// have no part in anything.
    pub fn without_batch_norm(self) -> Self {
        Self {
            batch_norm: false,
            ..self
        }
    }

    pub fn dropout(&self) -> f32 {
        self.dropout
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Takes over the trunk and the first dense layer (with its features) of a network
    /// with the same head, however many classes it tells apart. The output layer stays.
    pub fn transfer_from<const OTHER: usize>(&mut self, other: &CharCnn<HIDDEN, OTHER, FEATURES>) {
        for to in self.tensors_mut() {
            if to.name.starts_with("output.") {
                continue;
            }
            if let Some(from) = other
                .tensors()
                .into_iter()
                .find(|from| from.name == to.name)
            {
                to.values.copy_from_slice(from.values);
            }
        }
    }

    /// Every layer with its output's shape, its parameters and its arithmetic.
    pub fn summary(&self) -> Summary {
        let name = format!("CharCnn<{HIDDEN}, {CLASSES}, {FEATURES}>");
        Summary::of_char_cnn(name, HIDDEN, CLASSES, FEATURES, self.dropout)
    }

    fn with_network<R>(&self, run: impl FnOnce(&Network) -> R) -> R {
        let blocks: [[HalfValues; 2]; 2] = [self.block1.values(), self.block2.values()];
        let mut network = Network {
            blocks: blocks
                .each_ref()
                .map(|halves| halves.each_ref().map(HalfValues::half)),
            head: dense_head::Head {
                hidden_weight: slice(&self.hidden.weight),
                hidden_bias: slice(&self.hidden.bias),
                features_weight: slice(&self.features),
                output_weight: slice(&self.output.weight),
                output_bias: slice(&self.output.bias),
            },
        };
        if !self.batch_norm {
            for half in network.blocks.iter_mut().flatten() {
                *half = half.without_norm();
            }
        }
        run(&network)
    }
}

impl<const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize> Classifier
    for CharCnn<HIDDEN, CLASSES, FEATURES>
{
    fn num_classes(&self) -> usize {
        CLASSES
    }

    fn num_features(&self) -> usize {
        FEATURES
    }

    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        adam: &mut Adam,
    ) -> Result<Step> {
        check(&batch, FEATURES)?;
        let drop = Drop {
            p: self.dropout,
            seed: self.seed,
            step: adam.step,
        };
        Ok(on_threads(|| {
            let pass = self.with_network(|network| {
                training_pass(network, batch, objective, drop, self.freeze_trunk)
            });
            if let Some([statistics1, statistics2]) =
                pass.statistics.as_ref().filter(|_| self.batch_norm)
            {
                self.block1.update_statistics(statistics1);
                self.block2.update_statistics(statistics2);
            }
            let batch_norm = self.batch_norm;
            update(adam, self.tensors_mut(), &pass.gradients, batch_norm);
            pass.step
        }))
    }

    fn freeze_trunk(&mut self, freeze: bool) {
        self.freeze_trunk = freeze;
    }

    fn logits(&self, batch: Batch) -> Result<Array2<f32>> {
        check(&batch, FEATURES)?;
        let logits = self
            .with_network(|network| on_threads(|| network.logits(batch.images, batch.features)));
        Ok(array(batch.len, CLASSES, logits))
    }

    fn activations(&self, batch: Batch) -> Result<Vec<(String, Array2<f32>)>> {
        check(&batch, FEATURES)?;
        let layers = self.with_network(|n| n.activations(batch.images, batch.features));
        let named = layers.into_iter().map(|(name, units, values)| {
            let values = array(batch.len, units, values);
            (name.to_owned(), values)
        });
        Ok(named.collect())
    }

    fn tensors(&self) -> Vec<TensorRef<'_>> {
        let mut tensors = Vec::new();
        block_tensors("block1", &self.block1, &mut tensors);
        block_tensors("block2", &self.block2, &mut tensors);
        let mut add = |name: &str, shape: &[usize], values| {
            tensors.push(TensorRef {
                name: name.to_owned(),
                shape: shape.to_vec(),
                values,
            });
        };
        add("hidden.weight", &[HIDDEN, FLAT], slice(&self.hidden.weight));
        add("hidden.bias", &[HIDDEN], slice(&self.hidden.bias));
        if FEATURES > 0 {
            add(
                "features.weight",
                &[HIDDEN, FEATURES],
                slice(&self.features),
            );
        }
        add(
            "output.weight",
            &[CLASSES, HIDDEN],
            slice(&self.output.weight),
        );
        add("output.bias", &[CLASSES], slice(&self.output.bias));
        tensors
    }

    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        let mut tensors = Vec::new();
        block_tensors_mut("block1", &mut self.block1, &mut tensors);
        block_tensors_mut("block2", &mut self.block2, &mut tensors);
        let mut add = |name: &str, shape: &[usize], values| {
            tensors.push(TensorMut {
                name: name.to_owned(),
                shape: shape.to_vec(),
                values,
            });
        };
        add(
            "hidden.weight",
            &[HIDDEN, FLAT],
            values_mut(&mut self.hidden.weight),
        );
        add("hidden.bias", &[HIDDEN], values_mut(&mut self.hidden.bias));
        if FEATURES > 0 {
            add(
                "features.weight",
                &[HIDDEN, FEATURES],
                values_mut(&mut self.features),
            );
        }
        add(
            "output.weight",
            &[CLASSES, HIDDEN],
            values_mut(&mut self.output.weight),
        );
        add("output.bias", &[CLASSES], values_mut(&mut self.output.bias));
        tensors
    }
}

fn check(batch: &Batch, features: usize) -> Result<()> {
    if batch.len == 0 {
        return Err(Error::argument(
            "a batch of no images",
            "give at least one image",
        ));
    }
    for (what, given, each) in [
        ("pixels", batch.images.len(), SIDE * SIDE),
        ("features", batch.features.len(), features),
    ] {
        if given != batch.len * each {
            return Err(Error::argument(
                format!("a batch of {} images has {given} {what}", batch.len),
                format!("give {each} {what} an image, {} in all", batch.len * each),
            ));
        }
    }
    Ok(())
}

fn array(rows: usize, columns: usize, values: Vec<f32>) -> Array2<f32> {
    let mut array = Array2::zeros((rows, columns));
    for (to, from) in array.iter_mut().zip(values) {
        *to = from;
    }
    array
}

/// Runs `work` on one of rayon's threads. Every parallel loop in it begins at once, where one of
/// another thread would wake up rayon's, sleep until the last is done, and be woken up itself.
fn on_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// Batch mean and variance of each half of a block, without the loan of what they came from.
type BlockStatistics = [super::fused::Statistics; 2];

struct Pass {
    step: Step,
    gradients: Gradients,
    statistics: Option<[BlockStatistics; 2]>,
}

fn training_pass(
    network: &Network,
    batch: Batch,
    objective: &dyn Objective,
    drop: Drop,
    freeze_trunk: bool,
) -> Pass {
    let classes = network.head.output_bias.len();
    let forward = network.forward(batch.images, batch.features, drop, freeze_trunk);
    let statistics =
        (forward.statistics()).map(|blocks| blocks.map(|halves| halves.map(Clone::clone)));
    let logits = array(batch.len, classes, forward.logits.clone());
    let mut dlogits = Array2::zeros((batch.len, classes));
    let loss = objective.loss(logits.view(), dlogits.view_mut());
    let dlogits = dlogits.as_slice().unwrap_or_default();
    let gradients = network.backward(batch.images, batch.features, forward, dlogits);
    Pass {
        step: Step { loss, logits },
        gradients,
        statistics,
    }
}

/// Parameters, running statistics and gradients lie in the same order, that of `tensors_mut`.
fn update(adam: &mut Adam, tensors: Vec<TensorMut>, gradients: &Gradients, batch_norm: bool) {
    let factors = adam.begin();
    for tensor in tensors {
        if let Some(gradient) = gradients.get(&tensor.name, batch_norm) {
            let len = tensor.values.len();
            adam.update_one(factors, tensor, &gradient[..len]);
        }
    }
}

impl Gradients {
    /// By the parameter's name; none for running statistics, frozen parameters, and the biases
    /// that batch normalisation makes ineffective.
    fn get(&self, name: &str, batch_norm: bool) -> Option<&[f32]> {
        if let Some((block, rest)) = name.split_once('.').filter(|(b, _)| b.starts_with("block")) {
            let [block1, block2] = self.trunk.as_ref()?;
            let [half1, half2] = if block == "block1" { block1 } else { block2 };
            return match rest {
                "conv1.weight" => Some(&half1.weight),
                "conv2.weight" => Some(&half2.weight),
                "conv1.bias" if !batch_norm => Some(&half1.beta),
                "conv2.bias" if !batch_norm => Some(&half2.beta),
                _ if !batch_norm => None,
                "bn1.weight" => Some(&half1.gamma),
                "bn1.bias" => Some(&half1.beta),
                "bn2.weight" => Some(&half2.gamma),
                "bn2.bias" => Some(&half2.beta),
                _ => None,
            };
        }
        match name {
            "hidden.weight" => Some(flat(&self.head.hidden_weight)),
            "hidden.bias" => Some(&self.head.hidden_bias),
            "features.weight" => Some(&self.head.features_weight),
            "output.weight" => Some(&self.head.output_weight),
            "output.bias" => Some(&self.head.output_bias),
            _ => None,
        }
    }
}

/// A network of the study by numbers that are known at run time only: `hidden` is
/// [`ORIGINAL`] or [`EXPERIMENTAL`], `classes` 10 or 62, `features` 0, or 6 with 62 classes.
///
/// # Errors
/// Any other numbers: each network is a type of its own, compiled in advance.
pub fn char_cnn(
    hidden: usize,
    classes: usize,
    features: usize,
    seed: u64,
) -> Result<Box<dyn Classifier>> {
    Ok(match (hidden, classes, features) {
        (ORIGINAL, 10, 0) => Box::new(OriginalCnn::<10>::new(seed)),
        (ORIGINAL, 62, 0) => Box::new(OriginalCnn::<62>::new(seed)),
        (ORIGINAL, 62, 6) => Box::new(OriginalCnn::<62, 6>::new(seed)),
        (EXPERIMENTAL, 10, 0) => Box::new(ExperimentalCnn::<10>::new(seed)),
        (EXPERIMENTAL, 62, 0) => Box::new(ExperimentalCnn::<62>::new(seed)),
        (EXPERIMENTAL, 62, 6) => Box::new(ExperimentalCnn::<62, 6>::new(seed)),
        _ => {
            return Err(Error::argument(
                format!(
                    "no network with {hidden} dense units, {classes} classes and {features} \
                     features was compiled"
                ),
                "use 1000 or 500 units, 10 or 62 classes, and no features, or 6 with 62 classes",
            ));
        }
    })
}
