//! A network ready for training: any stack of layers.

use std::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

use dfdx::{shapes::Const, tensor::Cpu};
use ndarray::Array2;

use crate::{
    Batch, Builder, Classifier, Error, Objective, Optimizer, Result, Signature, Step, TensorMut,
    TensorRef,
    kernels::{
        amx,
        buffer::{F32x16, flat},
    },
    layers::{Layer, tape::uniform_values},
    plan::{
        Activation, Backward, Context, Folded, Gradient, NetworkTensor, backward_dense, evaluate,
        forward, outputs, pack, running_statistics,
        spec::{Init, LayerKind, LayerSpec},
        stage::{Stage, Work, fuse},
    },
    shape::{Dims, Image, SampleShape},
    summary::Summary,
    threads::{join, on_threads},
};

/// A network of the layers that its type names, on samples of the shape `In`.
///
/// The compiler checks that each layer takes what the one before it gives. At creation the layers
/// are lowered into a plan that fuses what can run as one pass, so that freely composed layers
/// are as fast as blocks written by hand.
///
/// ```
/// use dfdx_conv::{Adam, Batch, CrossEntropy, Classifier, Network, layers::*};
///
/// type LeNet5 = (
///     (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),  // 28 x 28 -> 14 x 14
///     (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d), // -> 7 x 7
///     (Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 10>),
/// );
/// let mut model: Network<LeNet5> = Network::new(1);
/// let images = vec![0.5; 2 * 28 * 28];
/// let batch = Batch { len: 2, images: &images, features: &[] };
/// let step = model.train_step(batch, &CrossEntropy::new(&[3, 7]), &mut Adam::new(1e-3)).unwrap();
/// assert_eq!(step.logits.dim(), (2, 10));
/// println!("{}", model.summary());
/// ```
///
/// Images of another shape are named by the second parameter:
///
/// ```
/// use dfdx_conv::{Network, layers::*, shape::Image};
///
/// type Small = (Conv2d<3, 8>, ReLU, GlobalAvgPool2d, Linear<8, 4>);
/// let model: Network<Small, Image<3, 56, 40>> = Network::new(1);
/// ```
///
/// Layers that do not fit do not compile; the message names both shapes:
///
/// ```compile_fail,E0277
/// use dfdx_conv::{Network, layers::*};
///
/// type Wrong = (Conv2d<1, 8>, ReLU, Conv2d<16, 8>, GlobalAvgPool2d);
/// let model: Network<Wrong> = Network::new(1);
/// ```
pub struct Network<M, In = Image<1, 28, 28>> {
    network: DynNetwork,
    layers: PhantomData<fn() -> (M, In)>,
}

/// A network whose shapes are known at run time; what a [`Network`] dereferences to.
#[derive(Clone, Debug)]
pub struct DynNetwork {
    input: Dims,
    layers: Vec<LayerSpec>,
    stages: Vec<Stage>,
    tensors: Tensors,
    seed: u64,
    /// Whether evaluation computes in bf16.
    bf16: bool,
}

/// A network's tensors, and what evaluation has made of them. Whoever may change them makes that
/// be forgotten.
#[derive(Clone, Debug)]
struct Tensors {
    all: Vec<NetworkTensor>,
    folded: OnceLock<Arc<Vec<Folded>>>,
}

impl Deref for Tensors {
    type Target = [NetworkTensor];

    fn deref(&self) -> &[NetworkTensor] {
        &self.all
    }
}

impl DerefMut for Tensors {
    fn deref_mut(&mut self) -> &mut [NetworkTensor] {
        self.folded.take();
        &mut self.all
    }
}

/// Samples that go through a network at once in evaluation: so many rows of a matrix product,
/// whose weights are packed once for them. A multiple of the rows of its tiles.
const CHUNK: usize = 504;

impl<M, In, const CLASSES: usize> Network<M, In>
where
    In: SampleShape,
    M: Layer<In, Output = (Const<CLASSES>,)>,
{
    /// Random weights (PyTorch's defaults) from `seed`, which also determines every dropout mask.
    ///
    /// # Panics
    /// Where a layer of your own gives two of its parts one name, or its `lower` adds layers that
    /// do not fit its input and `Output`; where linear layers take different numbers of features;
    /// where a size is 0, or no memory could hold a tensor.
    pub fn new(seed: u64) -> Self {
        let mut layers = Builder::new(In::DIMS);
        layers.unnamed::<M, In>();
        let network = DynNetwork::new(layers, seed);
        let network = network.unwrap_or_else(|error| panic!("no network: {error}"));
        Self { network, layers: PhantomData }
    }
}

impl<M, In> Network<M, In> {
    /// Without the type.
    pub fn into_dyn(self) -> DynNetwork {
        self.network
    }
}

impl DynNetwork {
    /// As [`Network::new`].
    ///
    /// # Errors
    /// Where a layer does not take what the one before it gives, or the last gives no vector;
    /// where two layers with weights have the same name; where linear layers take different numbers
    /// of features; where a size is 0, or no memory could hold a tensor.
    pub fn new(layers: Builder, seed: u64) -> Result<Self> {
        let (input, layers) = layers.finish()?;
        let device = Cpu::seed_from_u64(seed);
        let mut tensors = Vec::new();
        for layer in layers.iter().flat_map(LayerSpec::flattened) {
            let mut of_module = match &layer.kind {
                LayerKind::OnTape(module) => module.tensors(&device),
                _ => Vec::new(),
            }
            .into_iter();
            for spec in &layer.tensors {
                let len = spec.shape.iter().product();
                let values = match spec.init {
                    Init::Uniform { fan_in } => uniform_values(&device, len, fan_in),
                    Init::Constant(value) => vec![value; len],
                    Init::OfModule => {
                        (of_module.next()).map_or(vec![0.0; len], |(_, values)| values)
                    }
                };
                tensors.push(NetworkTensor {
                    name: spec.name.clone(),
                    shape: spec.shape.clone(),
                    values,
                    trainable: spec.trainable,
                    frozen: false,
                });
            }
        }
        let tensors = Tensors { all: tensors, folded: OnceLock::new() };
        Ok(Self { input, stages: fuse(&layers, false), layers, tensors, seed, bf16: false })
    }

    /// Every layer with its output's shape, its parameters and its arithmetic.
    pub fn summary(&self) -> Summary {
        let layers = self.layers.iter().flat_map(LayerSpec::flattened);
        Summary { layers: layers.cloned().collect() }
    }

    /// From now on evaluation ([`Classifier::logits`]) rounds what it multiplies to bf16, and still
    /// adds with 32 bits, where the processor has AMX: in convolutions with a stride of 1 whose
    /// input channels are a multiple of 16, and, for 32 samples or more, in dense layers, without
    /// their auxiliary features. All else stays as it is: training, and [`Classifier::activations`].
    ///
    /// Returns whether this processor and system (Linux, x86-64) have it; elsewhere nothing changes.
    pub fn evaluate_in_bf16(&mut self, wanted: bool) -> bool {
        self.bf16 = wanted;
        self.tensors.folded.take();
        amx::available()
    }

    /// From now on training leaves the layers of these names as they are, and no others: their
    /// parameters get no update, and batch normalisation uses and keeps its running statistics.
    /// A name stands for all layers within it: `block1` for `block1.conv1` and the rest. Dropout
    /// goes on, and so does what a module on dfdx's tape does in training, such as normalising by
    /// the batch.
    ///
    /// # Errors
    /// Where no layer with tensors has such a name. A tensor's is refused: batch normalisation is
    /// frozen as a whole or not at all.
    pub fn freeze(&mut self, layers: &[&str]) -> Result<()> {
        let within = self.within(layers)?;
        for (at, tensor) in self.tensors.iter_mut().enumerate() {
            tensor.frozen = within.contains(&at);
        }
        Ok(())
    }

    /// The names of the tensors that training leaves as they are, see [`DynNetwork::freeze`].
    pub fn frozen(&self) -> Vec<&str> {
        let frozen = self.tensors.iter().filter(|tensor| tensor.frozen);
        frozen.map(|tensor| tensor.name.as_str()).collect()
    }

    /// Takes over the weights and running statistics of the layers of these names.
    ///
    /// # Errors
    /// Where one of the networks has no such layer, or has it with other shapes; nothing is
    /// changed then.
    pub fn transfer_from(&mut self, other: &dyn Classifier, layers: &[&str]) -> Result<()> {
        let others = other.tensors();
        let mut copies = Vec::new();
        for at in self.within(layers)? {
            let NetworkTensor { name, shape, .. } = &self.tensors[at];
            let Some(from) = others.iter().find(|from| from.name == *name) else {
                let problem = format!("the other network has no tensor {name}");
                return Err(Error::argument(problem, "name layers that both have"));
            };
            if from.shape != *shape {
                let problem = format!("{name} is {:?} there and {shape:?} here", from.shape);
                return Err(Error::argument(problem, "name layers of the same shape"));
            }
            copies.push((at, from.values));
        }
        for (at, values) in copies {
            self.tensors[at].values.copy_from_slice(values);
        }
        Ok(())
    }

    /// The indices of the tensors of these layers, and of those within them.
    fn within(&self, layers: &[&str]) -> Result<Vec<usize>> {
        let mut within = Vec::new();
        for layer in layers {
            let path = format!("{}.", layer.trim_end_matches('.'));
            let before = within.len();
            let is_within = |at: &usize| self.tensors[*at].name.starts_with(&path);
            within.extend((0..self.tensors.len()).filter(is_within));
            if within.len() == before {
                let names: Vec<&str> = self.tensors.iter().map(|t| t.name.as_str()).collect();
                return Err(Error::argument(
                    format!("no layer with weights is named {layer}"),
                    format!("for a tensor, name its layer; the tensors are {}", names.join(", ")),
                ));
            }
        }
        Ok(within)
    }

    fn context<'a>(&'a self, batch: Batch<'a>, step: u64) -> Context<'a> {
        Context { tensors: &self.tensors, batch, seed: self.seed, step }
    }

    /// Stages at the beginning that training leaves as they are, and runs as evaluation does: up
    /// to the last of them that has tensors.
    fn frozen_stages(&self) -> usize {
        let is_frozen = |stage: &&Stage| {
            !stage.differs_in_training()
                && self.tensors[stage.tensors.clone()].iter().all(|tensor| tensor.frozen)
        };
        let frozen = &self.stages[..self.stages.iter().take_while(is_frozen).count()];
        let last = frozen.iter().rposition(|stage| !stage.tensors.is_empty());
        last.map_or(0, |last| last + 1)
    }

    /// What evaluation needs of the weights: computed once, until they change. Two threads may do
    /// so at once: none waits for another, which may be one that it has to help.
    fn folded(&self) -> Arc<Vec<Folded>> {
        if let Some(folded) = self.tensors.folded.get() {
            return folded.clone();
        }
        let none = Batch { len: 0, images: &[], features: &[] };
        let bf16 = self.bf16 && amx::available();
        let folded = Arc::new(Folded::new(&self.stages, &self.context(none, 0), bf16));
        _ = self.tensors.folded.set(folded.clone());
        folded
    }

    /// One step, on the thread that asks.
    fn step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Step> {
        let frozen = self.frozen_stages();
        let is_dense = |stage: &Stage| matches!(stage.work, Work::Dense(_));
        let dense = self.stages.iter().rev().take_while(|s| is_dense(s)).count();
        let dense = (self.stages.len() - dense).max(frozen);
        let (trunk, head) = (&self.stages[frozen..dense], &self.stages[dense..]);

        // Forward.
        let context = self.context(batch, optimizer.state().step);
        let folded = Folded::new(&self.stages[..frozen], &context, false);
        let input =
            evaluate(&self.stages[..frozen], &folded, &context, Activation::input(self.input))?;
        let mut trunk_steps = forward(trunk, &context, &input)?;
        let moved = running_statistics(trunk, &trunk_steps, &context);
        let flat = match (trunk.last().map(|last| &last.work), trunk_steps.last_mut()) {
            // The backward pass through it does not look at what it made.
            (Some(Work::Flatten), Some(step)) => {
                let dims = Activation::input(step.out.dims);
                std::mem::replace(&mut step.out, dims)
            }
            (_, Some(step)) => step.out.done(&context),
            (_, None) => input.done(&context),
        };
        let head_steps = forward(head, &context, &flat)?;
        let output = head_steps.last().map_or(&flat, |step| &step.out);
        let classes = self.signature().classes;
        let logits = output.rows(&context).into_owned();
        let logits = array(batch.len, classes, logits)?;
        let mut dlogits = Array2::zeros((batch.len, classes));
        let loss = objective.loss(logits.view(), dlogits.view_mut());

        // Back through the dense layers; the gradients of their tensors are put off.
        let dy = pack(dlogits.as_slice().unwrap_or_default(), Dims::Vector(classes));
        let mut dy = Some(Gradient::from(dy));
        let learns = trunk.iter().any(|stage| !stage.tensors.is_empty());
        let mut deferred = Vec::new();
        for (i, (stage, step)) in head.iter().zip(&head_steps).enumerate().rev() {
            if let (Work::Dense(stage), Some(gradient)) = (&stage.work, dy.take()) {
                let x = if i > 0 { &head_steps[i - 1].out } else { &flat };
                let wants_dx = i > 0 || learns;
                let (put_off, dx) = backward_dense(stage, step, &context, x, gradient, wants_dx);
                deferred.push(put_off);
                dy = dx;
            }
        }

        // Back through the trunk, while the head learns: its update waits for memory where the
        // trunk waits for arithmetic.
        optimizer.begin_step();
        let first = head.first().map_or(self.tensors.len(), |stage| stage.tensors.start);
        let (seed, step) = (context.seed, context.step);
        let (of_trunk, of_head) = self.tensors.split_at_mut(first);
        let through_trunk = || {
            let context = Context { tensors: of_trunk, batch, seed, step };
            let mut back = Backward::new(&context);
            if let Some(dy) = dy.filter(|_| learns) {
                back.through(trunk, trunk_steps, &input, dy, false)?;
            }
            Ok(back.gradients)
        };
        let update_head = || {
            for deferred in deferred {
                deferred.each(batch, |tensor, values| {
                    of_head[tensor - first].update(optimizer, &values)
                });
            }
        };
        let gradients = join(through_trunk, update_head)?;

        for (tensor, values) in gradients.values {
            of_trunk[tensor].update(optimizer, &values);
        }
        for (tensor, values) in moved.into_iter().chain(gradients.updated) {
            of_trunk[tensor].values = values;
        }
        Ok(Step { loss, logits })
    }
}

impl NetworkTensor {
    fn update(&mut self, optimizer: &mut dyn Optimizer, gradient: &[F32x16]) {
        if self.trainable && !self.frozen {
            let gradient = &flat(gradient)[..self.values.len()];
            optimizer.update_tensor(&self.name, &self.shape, &mut self.values, gradient);
        }
    }
}

impl Classifier for DynNetwork {
    fn signature(&self) -> Signature {
        let of_layer = |layer: &LayerSpec| match layer.kind {
            LayerKind::Linear { features } => features,
            _ => 0,
        };
        let layers = self.layers.iter().flat_map(LayerSpec::flattened);
        Signature {
            input: self.input,
            features: layers.map(of_layer).max().unwrap_or(0),
            classes: self.layers.last().map_or(self.input, |l| l.output).len(),
        }
    }

    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Step> {
        let signature = self.signature();
        signature.check(&batch)?;
        objective.check(batch.len, signature.classes)?;
        on_threads(|| self.step(batch, objective, optimizer))
    }

    fn logits(&self, batch: Batch) -> Result<Array2<f32>> {
        let signature = self.signature();
        signature.check(&batch)?;
        let mut logits = Vec::with_capacity(batch.len * signature.classes);
        on_threads(|| {
            let folded = self.folded();
            for from in (0..batch.len).step_by(CHUNK) {
                let to = (from + CHUNK).min(batch.len);
                let (pixels, features) = (signature.input.len(), signature.features);
                let part = Batch {
                    len: to - from,
                    images: &batch.images[from * pixels..to * pixels],
                    features: &batch.features[from * features..to * features],
                };
                let context = self.context(part, 0);
                let input = Activation::input(self.input);
                let out = evaluate(&self.stages, &folded, &context, input)?;
                logits.extend_from_slice(&out.rows(&context));
            }
            Ok(())
        })?;
        array(batch.len, signature.classes, logits)
    }

    fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    fn tensors(&self) -> Vec<TensorRef<'_>> {
        let each = self.tensors.iter().map(|tensor| TensorRef {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            values: &tensor.values,
        });
        each.collect()
    }

    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        let each = self.tensors.iter_mut().map(|tensor| TensorMut {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            values: &mut tensor.values,
        });
        each.collect()
    }

    fn activations(&self, batch: Batch) -> Result<Vec<(String, Array2<f32>)>> {
        self.signature().check(&batch)?;
        let context = self.context(batch, 0);
        let stages = fuse(&self.layers, true);
        let outputs = on_threads(|| outputs(&stages, &context, self.input))?;
        let named = outputs.into_iter().map(|(name, values)| {
            let units = values.len() / batch.len;
            Ok((name, array(batch.len, units, values)?))
        });
        named.collect()
    }
}

fn array(rows: usize, columns: usize, values: Vec<f32>) -> Result<Array2<f32>> {
    Array2::from_shape_vec((rows, columns), values)
        .map_err(|error| Error::argument(error.to_string(), "report this"))
}

impl<M, In> Classifier for Network<M, In> {
    fn signature(&self) -> Signature {
        self.network.signature()
    }

    fn train_step(
        &mut self,
        batch: Batch,
        objective: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> Result<Step> {
        self.network.train_step(batch, objective, optimizer)
    }

    fn logits(&self, batch: Batch) -> Result<Array2<f32>> {
        self.network.logits(batch)
    }

    fn layers(&self) -> &[LayerSpec] {
        self.network.layers()
    }

    fn tensors(&self) -> Vec<TensorRef<'_>> {
        self.network.tensors()
    }

    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        self.network.tensors_mut()
    }

    fn activations(&self, batch: Batch) -> Result<Vec<(String, Array2<f32>)>> {
        self.network.activations(batch)
    }
}

impl<M, In> Deref for Network<M, In> {
    type Target = DynNetwork;

    fn deref(&self) -> &DynNetwork {
        &self.network
    }
}

impl<M, In> DerefMut for Network<M, In> {
    fn deref_mut(&mut self) -> &mut DynNetwork {
        &mut self.network
    }
}

impl<M, In> Clone for Network<M, In> {
    fn clone(&self) -> Self {
        Self { network: self.network.clone(), layers: PhantomData }
    }
}

/// Its summary.
impl<M, In> fmt::Debug for Network<M, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.network.summary(), f)
    }
}
