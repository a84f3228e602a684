//! Networks and an optimiser that several tests use.

use dfdx_conv::{Builder, Classifier, DynNetwork, Optimizer, OptimizerState, shape::Dims};

use crate::reference::{Parameters, noise, wide};

/// A network of the study, by numbers.
pub fn char_cnn(
    hidden: usize,
    classes: usize,
    features: usize,
    dropout: f32,
    seed: u64,
) -> DynNetwork {
    let mut layers = Builder::new(Dims::Image { channels: 1, height: 28, width: 28 });
    for (block, channels) in [("block1", 32), ("block2", 64)] {
        layers.named(block, |layers| layers.vgg_block(channels, true));
    }
    layers.named("flatten", Builder::flatten);
    layers.named("hidden", |layers| layers.linear(hidden, features));
    layers.named("relu", Builder::relu);
    layers.named("dropout", |layers| layers.dropout(dropout));
    layers.named("output", |layers| layers.linear(classes, 0));
    DynNetwork::new(layers, seed).unwrap()
}

/// Weights that are nowhere special: batch normalisation's start at 1 and 0.
pub fn shaken(mut model: DynNetwork) -> DynNetwork {
    for (i, tensor) in model.tensors_mut().into_iter().enumerate() {
        let noise = noise(tensor.values.len(), 5 + i as u64);
        let values = tensor.values.iter_mut().zip(noise);
        if tensor.shape.len() == 1 {
            values.for_each(|(value, noise)| *value += 0.3 * noise);
        }
    }
    model
}

pub fn parameters(model: &dyn Classifier) -> Parameters {
    let tensors = model.tensors().into_iter();
    tensors.map(|t| (t.name, wide(t.values))).collect()
}

/// Keeps gradients, and changes nothing.
pub struct Recorder {
    pub gradients: Parameters,
    state: OptimizerState,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { gradients: Parameters::default(), state: OptimizerState::new(0.0, &[]) }
    }
}

impl Optimizer for Recorder {
    fn update_tensor(&mut self, name: &str, shape: &[usize], values: &mut [f32], gradient: &[f32]) {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        assert_eq!(gradient.len(), values.len());
        self.gradients.insert(name.into(), wide(gradient));
    }

    fn state(&self) -> &OptimizerState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut OptimizerState {
        &mut self.state
    }
}
