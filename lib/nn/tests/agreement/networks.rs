//! Networks that a reader may write, each against its f64 twin: outputs, and every gradient by
//! finite differences.

use dfdx::nn::modules::{GeneralizedResidual, Residual};
use dfdx_conv::{
    Batch, Classifier, CrossEntropy, DynNetwork, Instructions, Network,
    layers::*,
    shape::{Dims, Image, Vector},
};

use crate::{
    each_instruction_set,
    reference::{
        self, Maps, Parameters, error,
        networks::{Recorder, char_cnn, parameters, shaken},
        noise, wide,
    },
};

type LeNet5 = (
    (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),
    (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d),
    (Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 10>),
);
type Mlp = (Flatten<784>, Linear<784, 50>, ReLU, Linear<50, 20>, ReLU, Linear<20, 10>);
type ThreeBlocks<const IN: usize, const FLAT: usize> =
    (VggBlock<IN, 8>, VggBlock<8, 16>, VggBlock<16, 32>, Flatten<FLAT>, Linear<FLAT, 10>);
type ResNet = (
    (Conv2d<1, 16>, BatchNorm2d<16>, ReLU),
    Residual<(Conv2d<16, 16>, BatchNorm2d<16>, ReLU, Conv2d<16, 16>, BatchNorm2d<16>)>,
    ReLU,
    GeneralizedResidual<
        (Conv2d<16, 24, 3, 2>, BatchNorm2d<24>, ReLU, Conv2d<24, 24>, BatchNorm2d<24>),
        (Conv2d<16, 24, 1, 2>, BatchNorm2d<24>),
    >,
    ReLU,
    (GlobalAvgPool2d, Linear<24, 10>),
);
type Averages =
    (Conv2d<2, 5, 3>, ReLU, AvgPool2d, Conv2d<5, 18, 3>, AvgPool2d, Flatten<108>, Linear<108, 10>);
/// In an unusual order: normalised before all, ReLU before normalisation, pooling without either.
type Unusual = (
    BatchNorm2d<1>,
    (Conv2d<1, 4>, ReLU, BatchNorm2d<4>),
    (Conv2d<4, 20>, MaxPool2d),
    (MaxPool2d, BatchNorm2d<20>, ReLU),
    (Flatten<60>, ReLU, Linear<60, 12>),
    (Residual<(Linear<12, 12>, ReLU)>, ReLU, Linear<12, 10>),
);
/// Odd sizes: 13 x 9 -> 6 x 4 -> 3 x 2.
type Odd = (
    Conv2d<1, 16>,
    BatchNorm2d<16>,
    ReLU,
    MaxPool2d,
    Conv2d<16, 32, 3, 2>,
    BatchNorm2d<32>,
    ReLU,
    Flatten<192>,
    Linear<192, 10>,
);
type Strided = (
    Conv2d<1, 16, 5, 2>,
    BatchNorm2d<16>,
    ReLU,
    Conv2d<16, 16, 3, 2>,
    BatchNorm2d<16>,
    ReLU,
    MaxPool2d,
    Flatten<48>,
    Linear<48, 10>,
);
type OfDfdx = (
    Conv2d<1, 4>,
    dfdx::nn::modules::Tanh,
    MaxPool2d,
    Flatten<168>,
    Linear<168, 12>,
    OnTape<dfdx::nn::builders::LayerNorm1D<12>>,
    Linear<12, 10>,
);

fn maps(n: usize, dims: Dims, values: Vec<f64>) -> Maps {
    let (c, h, w) = match dims {
        Dims::Image { channels, height, width } => (channels, height, width),
        Dims::Vector(len) => (len, 1, 1),
    };
    Maps { n, c, h, w, values }
}

/// Compares with the reference, some layers frozen: evaluation, loss, and the gradient of every
/// other parameter.
fn agrees(name: &str, model: DynNetwork, frozen: &[&str]) {
    let mut model = shaken(model);
    model.freeze(frozen).unwrap();
    let is_frozen = |name: &str| {
        let within = |rest: &str| rest.is_empty() || rest.starts_with('.');
        (frozen.iter()).any(|layer| name.strip_prefix(layer).is_some_and(within))
    };
    let signature = model.signature();
    let n = 3;
    let images = noise(n * signature.input.len(), 1);
    let features = noise(n * signature.features, 2);
    let labels: Vec<usize> = (0..n).map(|i| (i * 4 + 3) % signature.classes).collect();
    let batch = Batch { len: n, images: &images, features: &features };
    let x = maps(n, signature.input, wide(&images));
    let layers = model.layers().to_vec();
    let logits_of = |p: &Parameters, training: &dyn Fn(&str) -> bool| {
        reference::network(&layers, p, x.clone(), &wide(&features), training).values
    };
    let evaluated = |p: &Parameters| logits_of(p, &|_| false);
    let trained = |p: &Parameters| logits_of(p, &|layer| !is_frozen(layer));
    let p = parameters(&model);
    let logits = model.logits(batch).unwrap();
    let found = error(logits.as_slice().unwrap(), &evaluated(&p));
    let name = format!("{name} with {:?}", Instructions::current());
    assert!(found < 1e-5, "{name}: evaluation {found:e}");
    let last = model.activations(batch).unwrap().pop().unwrap().1;
    let found = error(last.as_slice().unwrap(), &evaluated(&p));
    assert!(found < 1e-5, "{name}: activations {found:e}");

    let loss_of = |p: &Parameters| reference::cross_entropy(&trained(p), &labels);
    let mut recorder = Recorder::default();
    let objective = CrossEntropy::new(&labels);
    let step = model.train_step(batch, &objective, &mut recorder).unwrap();
    let expected = loss_of(&p);
    let found = (f64::from(step.loss) - expected).abs() / expected;
    assert!(found < 1e-5, "{name}: loss {found:e}");
    for (tensor, gradient) in &recorder.gradients {
        let scale = gradient.iter().fold(1e-3f64, |a, b| a.max(b.abs()));
        // A random direction checks all values at once, a single one its place.
        let everywhere = wide(&noise(gradient.len(), 9));
        let mut one = vec![0.0; gradient.len()];
        one[7919 % gradient.len()] = 1.0;
        for direction in [everywhere, one] {
            let moved = |epsilon: f64| {
                let mut p = p.clone();
                let values = p.get_mut(tensor).unwrap().iter_mut();
                values.zip(&direction).for_each(|(v, d)| *v += epsilon * d);
                loss_of(&p)
            };
            // A small step: a larger one takes some unit across the corner of its ReLU.
            let expected = (moved(1e-7) - moved(-1e-7)) / 2e-7;
            let found: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            let found = (found - expected).abs() / (scale * length);
            assert!(found < 1e-4, "{name}: gradient of {tensor}: {found:e}");
        }
    }
    let learn = p.keys().filter(|t| !t.contains("running_") && !is_frozen(t));
    assert!(learn.eq(recorder.gradients.keys()), "{name}");
    for (tensor, after) in parameters(&model) {
        let kept = !tensor.contains("running_") || is_frozen(&tensor);
        assert_eq!(p[&tensor] == after, kept, "{name}: {tensor}");
    }
}

fn on_every_instruction_set(name: &str, model: impl Fn() -> DynNetwork) {
    each_instruction_set(|| agrees(name, model(), &[]));
}

macro_rules! networks {
    ($($test:ident: $layers:ty, $input:ty;)*) => {
        $(
            #[test]
            fn $test() {
                on_every_instruction_set(stringify!($layers), || {
                    Network::<$layers, $input>::new(5).into_dyn()
                });
            }
        )*
    };
}

networks! {
    lenet: LeNet5, Image<1, 28, 28>;
    perceptron: Mlp, Image<1, 28, 28>;
    vectors: (Linear<7, 9>, ReLU, Linear<9, 10>), Vector<7>;
    three_blocks_of_32: ThreeBlocks<3, 512>, Image<3, 32, 32>;
    three_blocks_of_56: ThreeBlocks<1, 1568>, Image<1, 56, 56>;
    skip_connections: ResNet, Image<1, 12, 10>;
    average_pooling: Averages, Image<2, 12, 8>;
    unusual_orders: Unusual, Image<1, 12, 4>;
    odd_sizes: Odd, Image<1, 13, 9>;
    strides: Strided, Image<1, 26, 9>;
    modules_of_dfdx: OfDfdx, Image<1, 12, 14>;
}

#[test]
fn the_networks_of_the_study() {
    on_every_instruction_set("char_cnn", || char_cnn(20, 7, 2, 0.0, 5));
}

/// Weights in bf16 are kept, and go on to be used with AMX, where there is AMX.
#[test]
fn other_instructions_after_an_evaluation_in_bf16() {
    each_instruction_set(|| {
        let these = Instructions::current();
        let mut model = shaken(char_cnn(20, 7, 0, 0.0, 5));
        model.evaluate_in_bf16(true);
        let images = noise(33 * 784, 1);
        let batch = Batch { len: 33, images: &images, features: &[] };
        let before = wide(model.logits(batch).unwrap().as_slice().unwrap());
        for others in Instructions::available() {
            assert!(others.force());
            let after = model.logits(batch).unwrap();
            let found = error(after.as_slice().unwrap(), &before);
            assert!(found < 1e-2, "{these:?}, then {others:?}: {found:e}");
        }
        assert!(these.force());
    });
}

/// Frozen batch normalisation uses and keeps its running statistics: at the beginning of a
/// network, after a convolution that learns, with layers that learn on both sides, by itself, and
/// in a skip connection.
#[test]
fn frozen_layers() {
    each_instruction_set(|| {
        let lenet = || Network::<LeNet5>::new(5).into_dyn();
        for frozen in [&["0"][..], &["0.1"], &["1"], &["1.1", "2.1"], &["0", "1.0"]] {
            agrees(&format!("{frozen:?} of LeNet5"), lenet(), frozen);
        }
        let unusual = || Network::<Unusual, Image<1, 12, 4>>::new(5).into_dyn();
        for frozen in [&["0"][..], &["1.2"], &["3"], &["0", "1", "2"]] {
            agrees(&format!("{frozen:?} of Unusual"), unusual(), frozen);
        }
        let resnet = || Network::<ResNet, Image<1, 12, 10>>::new(5).into_dyn();
        for frozen in [&["1"][..], &["1.0.1", "3.r"], &["0.1", "3.f.4"]] {
            agrees(&format!("{frozen:?} of ResNet"), resnet(), frozen);
        }
    });
}
