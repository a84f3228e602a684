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
    dense_head::{self, Drop, HeadGradient},
    init,
    kernels::{
        lanes::flat,
        update::AdamFactors,
        view::{slice, values_mut},
    },
    summary::Summary,
    threads::on_threads,
    trunk::{FLAT, Network, Trunk, TrunkGradient},
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
        let blocks = [self.block1.values(), self.block2.values()];
        run(&Network {
            trunk: trunk(&blocks, self.batch_norm),
            head: dense_head::Head {
                hidden_weight: slice(&self.hidden.weight),
                hidden_bias: slice(&self.hidden.bias),
                features_weight: slice(&self.features),
                output_weight: slice(&self.output.weight),
                output_bias: slice(&self.output.bias),
            },
        })
    }

    /// One step, on the thread that asks.
    fn step(&mut self, batch: Batch, objective: &dyn Objective, adam: &mut Adam) -> Step {
        let drop = Drop {
            p: self.dropout,
            seed: self.seed,
            step: adam.step,
        };
        let forward = self.with_network(|network| {
            network.forward(batch.images, batch.features, drop, self.freeze_trunk)
        });
        let logits = array(batch.len, CLASSES, forward.logits.clone());
        let mut dlogits = Array2::zeros((batch.len, CLASSES));
        let loss = objective.loss(logits.view(), dlogits.view_mut());
        let dlogits = dlogits.as_slice().unwrap_or_default();
        let through = self.with_network(|network| forward.backward_head(&network.head, dlogits));
        let statistics = (forward.statistics()).filter(|_| self.batch_norm);
        let statistics = statistics.map(|blocks| blocks.map(|halves| halves.map(Clone::clone)));

        let factors = adam.begin();
        let Self {
            block1,
            block2,
            hidden,
            features,
            output,
            batch_norm,
            ..
        } = self;
        let blocks = [block1.values(), block2.values()];
        let gradient = forward.backward_trunk(
            trunk(&blocks, *batch_norm),
            batch,
            dlogits,
            through,
            |gradient| {
                let mut tensors = Vec::new();
                head_tensors_mut(hidden, features, output, &mut tensors);
                update(adam, factors, tensors, |name| gradient.get(name));
            },
        );
        if let Some(gradient) = gradient {
            let mut tensors = Vec::new();
            block_tensors_mut("block1", block1, &mut tensors);
            block_tensors_mut("block2", block2, &mut tensors);
            update(adam, factors, tensors, |name| {
                trunk_gradient(&gradient, name, *batch_norm)
            });
        }
        if let Some([statistics1, statistics2]) = statistics {
            block1.update_statistics(&statistics1);
            block2.update_statistics(&statistics2);
        }
        Step { loss, logits }
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
        Ok(on_threads(|| self.step(batch, objective, adam)))
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
        head_tensors_mut(
            &mut self.hidden,
            &mut self.features,
            &mut self.output,
            &mut tensors,
        );
        tensors
    }
}

fn head_tensors_mut<'a, const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize>(
    hidden: &'a mut Linear<FLAT, HIDDEN>,
    features: &'a mut Tensor<Rank2<HIDDEN, FEATURES>, f32, Cpu>,
    output: &'a mut Linear<HIDDEN, CLASSES>,
    tensors: &mut Vec<TensorMut<'a>>,
) {
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
        values_mut(&mut hidden.weight),
    );
    add("hidden.bias", &[HIDDEN], values_mut(&mut hidden.bias));
    if FEATURES > 0 {
        add("features.weight", &[HIDDEN, FEATURES], values_mut(features));
    }
    add(
        "output.weight",
        &[CLASSES, HIDDEN],
        values_mut(&mut output.weight),
    );
    add("output.bias", &[CLASSES], values_mut(&mut output.bias));
}

fn trunk<'a>(blocks: &'a [[HalfValues<'a>; 2]; 2], batch_norm: bool) -> Trunk<'a> {
    Trunk(blocks.each_ref().map(|halves| {
        halves.each_ref().map(|half| {
            if batch_norm {
                half.half()
            } else {
                half.half().without_norm()
            }
        })
    }))
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

/// One step of Adam for the parameters that have a gradient, by their names.
fn update<'a>(
    adam: &mut Adam,
    factors: AdamFactors,
    parameters: Vec<TensorMut>,
    gradient: impl Fn(&str) -> Option<&'a [f32]>,
) {
    for parameter in parameters {
        if let Some(gradient) = gradient(&parameter.name) {
            let len = parameter.values.len();
            adam.update_one(factors, parameter, &gradient[..len]);
        }
    }
}

impl HeadGradient {
    fn get(&self, name: &str) -> Option<&[f32]> {
        match name {
            "hidden.weight" => Some(flat(&self.hidden_weight)),
            "hidden.bias" => Some(&self.hidden_bias),
            "features.weight" => Some(&self.features_weight),
            "output.weight" => Some(&self.output_weight),
            "output.bias" => Some(&self.output_bias),
            _ => None,
        }
    }
}

/// None for running statistics, and the biases that batch normalisation makes ineffective.
fn trunk_gradient<'a>(
    [block1, block2]: &'a TrunkGradient,
    name: &str,
    batch_norm: bool,
) -> Option<&'a [f32]> {
    let (block, name) = name.split_once('.')?;
    let [half1, half2] = if block == "block1" { block1 } else { block2 };
    match name {
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
