//! From a network's type, or from calls, to its layers as data.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use dfdx::tensor::Cpu;

use super::{
    layer::Layer,
    spec::{Init, LayerKind, LayerSpec, TensorSpec},
    tape::TapeLayer,
};
use crate::{
    Error, Result,
    shape::{Dims, SampleShape},
};

/// Collects the layers of a network. Layers lower themselves into it, see [`Layer`]; a network
/// whose sizes are known at run time only is written by its methods:
///
/// ```
/// use dfdx_conv::{Builder, DynNetwork, shape::Dims};
///
/// let mut layers = Builder::new(Dims::Image { channels: 1, height: 28, width: 28 });
/// layers.conv2d(8, 5, 1);
/// layers.relu();
/// layers.max_pool2d();
/// layers.flatten();
/// layers.linear(10, 0);
/// let model = DynNetwork::new(layers, 1).unwrap();
/// assert_eq!(model.summary().parameters(), 8 * 25 + 8 + 8 * 14 * 14 * 10 + 10);
/// ```
///
/// A layer that does not take what the one before it gives is noted, and refused by
/// [`DynNetwork::new`](crate::DynNetwork::new).
#[derive(Debug)]
pub struct Builder {
    path: Vec<String>,
    /// What the names of unnamed layers begin with: within a residual, its name and its path's.
    prefix: String,
    input: Dims,
    dims: Dims,
    layers: Vec<LayerSpec>,
    problem: Option<Error>,
}

impl Builder {
    /// No layers yet; `input` is the shape of one sample.
    pub fn new(input: Dims) -> Self {
        Self {
            path: Vec::new(),
            prefix: String::new(),
            input,
            dims: input,
            layers: Vec::new(),
            problem: None,
        }
    }

    /// Adds the layers of `L`, a part named `name` of what is being lowered.
    pub fn layer<L: Layer<In>, In: SampleShape>(&mut self, name: &str) {
        self.named(name, |builder| builder.unnamed::<L, In>());
    }

    /// As [`Builder::layer`], under the name of what is being lowered.
    pub fn unnamed<L: Layer<In>, In: SampleShape>(&mut self) {
        self.expect(In::DIMS);
        L::lower(self);
        self.expect(L::Output::DIMS);
    }

    /// Runs `add` with `name` as part of the layers' names.
    pub fn named(&mut self, name: &str, add: impl FnOnce(&mut Self)) {
        self.path.push(name.into());
        add(self);
        self.path.pop();
    }

    /// Convolution with "same" padding, and a bias. `kernel` is odd, `stride` is 1 or 2.
    pub fn conv2d(&mut self, outputs: usize, kernel: usize, stride: usize) {
        let Some((channels, height, width)) = self.image() else { return };
        if kernel.is_multiple_of(2) || !(1..=2).contains(&stride) {
            let problem = format!("a kernel of {kernel} pixels with a stride of {stride}");
            self.refuse(problem, "take a kernel of odd size, and a stride of 1 or 2");
            return;
        }
        let fan_in = channels.saturating_mul(kernel).saturating_mul(kernel);
        let uniform = Init::Uniform { fan_in };
        let shape = vec![outputs, channels, kernel, kernel];
        let tensors = vec![
            self.tensor("weight", shape, uniform),
            self.tensor("bias", vec![outputs], uniform),
        ];
        let output = Dims::image(outputs, height.div_ceil(stride), width.div_ceil(stride));
        self.push(LayerKind::Conv2d { kernel, stride }, output, tensors);
    }

    /// Batch normalisation of each channel.
    pub fn batch_norm2d(&mut self) {
        let Some((channels, ..)) = self.image() else { return };
        let shape = vec![channels];
        let statistic = |tensor| TensorSpec { trainable: false, ..tensor };
        let (zero, one) = (Init::Constant(0.0), Init::Constant(1.0));
        let tensors = vec![
            self.tensor("weight", shape.clone(), one),
            self.tensor("bias", shape.clone(), zero),
            statistic(self.tensor("running_mean", shape.clone(), zero)),
            statistic(self.tensor("running_var", shape, one)),
        ];
        self.push(LayerKind::BatchNorm2d, self.dims, tensors);
    }

    /// `max(0, x)` of images or vectors.
    pub fn relu(&mut self) {
        self.push(LayerKind::ReLU, self.dims, Vec::new());
    }

    /// The largest of each 2 x 2 pixels; an odd last row or column is dropped.
    pub fn max_pool2d(&mut self) {
        self.pool(LayerKind::MaxPool2d);
    }

    /// The mean of each 2 x 2 pixels; an odd last row or column is dropped.
    pub fn avg_pool2d(&mut self) {
        self.pool(LayerKind::AvgPool2d);
    }

    /// The layers of [`VggBlock`](crate::layers::VggBlock), which has batch normalisation.
    pub fn vgg_block(&mut self, outputs: usize, has_norm: bool) {
        for half in ["1", "2"] {
            self.named(&format!("conv{half}"), |layers| layers.conv2d(outputs, 3, 1));
            if has_norm {
                self.named(&format!("bn{half}"), Self::batch_norm2d);
            }
            self.named(&format!("relu{half}"), Self::relu);
        }
        self.named("pool", Self::max_pool2d);
    }

    /// The mean of each channel: from images to a vector.
    pub fn global_avg_pool2d(&mut self) {
        let Some((channels, ..)) = self.image() else { return };
        self.push(LayerKind::GlobalAvgPool2d, Dims::Vector(channels), Vec::new());
    }

    /// In training, sets each value to 0 with probability `p`, at least 0 and less than 1.
    pub fn dropout(&mut self, p: f32) {
        if !(0.0..1.0).contains(&p) {
            self.refuse(format!("a dropout of {p}"), "take at least 0 and less than 1");
            return;
        }
        self.push(LayerKind::Dropout { p }, self.dims, Vec::new());
    }

    /// From images to a vector, in the order (channel, row, column).
    pub fn flatten(&mut self) {
        self.push(LayerKind::Flatten, Dims::Vector(self.dims.len()), Vec::new());
    }

    /// Fully connected; with `features` auxiliary features of each sample beside its input.
    pub fn linear(&mut self, outputs: usize, features: usize) {
        let Dims::Vector(inputs) = self.dims else {
            let problem = format!("a linear layer after images of {}", self.dims);
            self.refuse(problem, "flatten the images before it");
            return;
        };
        let uniform = Init::Uniform { fan_in: inputs };
        let mut tensors = vec![
            self.tensor("weight", vec![outputs, inputs], uniform),
            self.tensor("bias", vec![outputs], uniform),
        ];
        if features > 0 {
            let init = Init::Uniform { fan_in: features };
            tensors.push(self.tensor("features.weight", vec![outputs, features], init));
        }
        self.push(LayerKind::Linear { features }, Dims::Vector(outputs), tensors);
    }

    /// The sum of two paths from the same input; one that adds no layer hands its input on.
    /// Unnamed layers of the residual `1` are `1.f.0`, `1.f.1` and so on, those of its shortcut
    /// `1.r.0` and so on.
    pub fn residual(&mut self, main: impl FnOnce(&mut Self), shortcut: impl FnOnce(&mut Self)) {
        let input = self.dims;
        let name = self.name();
        let outer = std::mem::replace(&mut self.prefix, format!("{name}.f."));
        let before = std::mem::take(&mut self.layers);
        main(self);
        let output = self.dims;
        let main = std::mem::take(&mut self.layers);
        self.dims = input;
        self.prefix = format!("{name}.r.");
        shortcut(self);
        self.prefix = outer;
        let shortcut = std::mem::replace(&mut self.layers, before);
        self.expect(output);
        self.dims = input;
        self.push(LayerKind::Residual { main, shortcut }, output, Vec::new());
    }

    /// Gives a tensor that was added another name. Returns whether there is one of that name.
    pub fn rename(&mut self, tensor: &str, name: &str) -> bool {
        rename(&mut self.layers, tensor, name)
    }

    pub(crate) fn on_tape(&mut self, layer: Arc<dyn TapeLayer>, output: Dims) {
        let tensors = layer.tensors(&Cpu::default()).into_iter();
        let tensors = tensors.map(|(tensor, _)| TensorSpec {
            name: format!("{}.{}", self.name(), tensor.name),
            ..tensor
        });
        let tensors = tensors.collect();
        self.push(LayerKind::OnTape(layer), output, tensors);
    }

    /// The shape of one sample that comes in.
    pub fn input(&self) -> Dims {
        self.input
    }

    /// What was built.
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// Whether a layer cannot run.
    pub(crate) fn is_refused(&self) -> bool {
        self.problem.is_some()
    }

    /// Input and layers of a classifier.
    pub(crate) fn finish(self) -> Result<(Dims, Vec<LayerSpec>)> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if let Dims::Image { .. } = self.dims {
            let problem = format!("the network ends in images of {}", self.dims);
            return Err(Error::argument(problem, "flatten or pool them, and end in a vector"));
        }
        let layers: Vec<_> = self.layers.iter().flat_map(LayerSpec::flattened).collect();
        let features = layers.iter().filter_map(|layer| match layer.kind {
            LayerKind::Linear { features } if features > 0 => Some(features),
            _ => None,
        });
        let features: BTreeSet<usize> = features.collect();
        if features.len() > 1 {
            let problem = format!("linear layers with {features:?} auxiliary features");
            return Err(Error::argument(problem, "let all take the same number of them, or none"));
        }
        let mut names = HashSet::new();
        let mut tensors = layers.into_iter().flat_map(|layer| &layer.tensors);
        if let Some(twice) = tensors.find(|tensor| !names.insert(tensor.name.as_str())) {
            let problem = format!("two tensors are named {}", twice.name);
            return Err(Error::argument(problem, "give each layer a name of its own"));
        }
        Ok((self.input, self.layers))
    }

    fn push(&mut self, kind: LayerKind, output: Dims, tensors: Vec<TensorSpec>) {
        if self.dims.is_empty() || output.is_empty() {
            let problem = format!("from {} to {output} numbers", self.dims);
            self.refuse(problem, "let every size be at least 1");
        }
        let is_too_large = |tensor: &&TensorSpec| {
            let mut sizes = tensor.shape.iter();
            let len = sizes.try_fold(1usize, |len, size| len.checked_mul(*size));
            len.is_none_or(|len| len > MOST)
        };
        // The kernels take the number of values from the sizes: it must not wrap.
        if let Some(tensor) = tensors.iter().find(is_too_large) {
            let problem = format!("{} of the shape {:?}", tensor.name, tensor.shape);
            self.refuse(problem, "let every tensor fit into memory");
        }
        let layer = LayerSpec { name: self.name(), kind, input: self.dims, output, tensors };
        self.layers.push(layer);
        self.dims = output;
    }

    fn tensor(&self, name: &str, shape: Vec<usize>, init: Init) -> TensorSpec {
        TensorSpec { name: format!("{}.{name}", self.name()), shape, init, trainable: true }
    }

    fn name(&self) -> String {
        match self.path.is_empty() {
            true => format!("{}{}", self.prefix, self.layers.len()),
            false => self.path.join("."),
        }
    }

    /// Channels, height and width; for vectors, notes the problem and returns `None`.
    fn image(&mut self) -> Option<(usize, usize, usize)> {
        if let Dims::Vector(len) = self.dims {
            self.refuse(format!("a layer for images after a vector of {len}"), ORDER);
            return None;
        }
        Some(self.dims.sizes())
    }

    fn pool(&mut self, kind: LayerKind) {
        let Some((channels, height, width)) = self.image() else { return };
        if height < 2 || width < 2 {
            let problem = format!("pooling of {height} x {width} pixels");
            self.refuse(problem, "pool images of at least 2 x 2 pixels");
            return;
        }
        self.push(kind, Dims::image(channels, height / 2, width / 2), Vec::new());
    }

    fn expect(&mut self, dims: Dims) {
        if self.dims != dims {
            self.refuse(format!("{} where {dims} are expected", self.dims), ORDER);
        }
    }

    /// The first problem is the one that matters.
    fn refuse(&mut self, problem: String, remedy: &str) {
        let problem = format!("layer {}: {problem}", self.name());
        self.problem.get_or_insert_with(|| Error::argument(problem, remedy));
    }
}

/// Values of the largest tensor that an allocation can hold.
const MOST: usize = isize::MAX as usize / size_of::<f32>();

/// The remedy where two layers do not fit.
const ORDER: &str = "let each layer take what the one before it gives";

/// As [`Builder::rename`], in `layers` and those within them.
fn rename(layers: &mut [LayerSpec], tensor: &str, name: &str) -> bool {
    layers.iter_mut().any(|layer| {
        if let LayerKind::Residual { main, shortcut } = &mut layer.kind {
            return rename(main, tensor, name) || rename(shortcut, tensor, name);
        }
        let found = layer.tensors.iter_mut().find(|found| found.name == tensor);
        found.map(|found| found.name = name.into()).is_some()
    })
}
