//! Networks: what is refused, what is named, what is frozen.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, ZerosTensor},
};
use dfdx_conv::{
    Adam, Batch, Builder, Classifier, CrossEntropy, DynNetwork, Network, Optimizer, Sgd,
    layers::*,
    shape::{Dims, Features, Image},
};

use crate::reference::{
    self, error,
    networks::{Recorder, char_cnn, parameters, shaken},
    noise, wide,
};

type LeNet5 = (
    (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),
    (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d),
    (Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 10>),
);

/// The mask of a step is that of the network's seed and the step: the loss of one network can be
/// asked for again and again.
#[test]
fn dropout_between_convolutions() {
    type Dropped = (
        (Conv2d<1, 16>, BatchNorm2d<16>, ReLU, MaxPool2d, Dropout<25>),
        (Conv2d<16, 16>, ReLU, Dropout<25>, Flatten<336>),
        (Linear<336, 40>, ReLU, Dropout, Linear<40, 10>),
    );
    let model = Network::<Dropped, Image<1, 14, 6>>::new(3).into_dyn();
    let (images, labels) = (noise(8 * 84, 1), [0, 1, 2, 3, 4, 5, 6, 7]);
    let batch = Batch { len: 8, images: &images, features: &[] };
    let objective = CrossEntropy::new(&labels);
    let run = |model: &DynNetwork| {
        let mut recorder = Recorder::default();
        let mut model = model.clone();
        let step = model.train_step(batch, &objective, &mut recorder).unwrap();
        (step, recorder.gradients)
    };
    let (step, gradients) = run(&model);
    assert_eq!(step.logits, run(&model).0.logits);
    assert_ne!(step.logits, model.logits(batch).unwrap());
    for (tensor, gradient) in gradients {
        let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if length == 0.0 {
            continue; // a bias that batch normalisation takes away
        }
        let moved = |epsilon: f64| {
            let mut model = model.clone();
            let mut tensors = model.tensors_mut().into_iter();
            let values = tensors.find(|t| t.name == tensor).unwrap().values;
            for (value, direction) in values.iter_mut().zip(&gradient) {
                *value += (epsilon * direction / length) as f32;
            }
            drop(tensors);
            f64::from(run(&model).0.loss)
        };
        // In single precision: the step is large, and so is the tolerance.
        let expected = (moved(2e-3) - moved(-2e-3)) / 4e-3;
        let found = (length - expected).abs() / length;
        assert!(found < 0.05, "{tensor}: {length} instead of {expected}");
    }
}

/// Long sums and many rows are worked out in parts: the mean over a hundred and fifty copies of
/// two images has the gradients of the two.
#[test]
fn a_large_batch_of_copies_has_the_gradients_of_a_small_one() {
    let (images, features, labels) = (noise(2 * 784, 1), noise(2 * 2, 2), [3, 6]);
    let of = |copies: usize| {
        let mut model = shaken(char_cnn(130, 7, 2, 0.0, 5));
        let (images, features) = (images.repeat(copies), features.repeat(copies));
        let batch = Batch { len: 2 * copies, images: &images, features: &features };
        let mut recorder = Recorder::default();
        let labels = labels.repeat(copies);
        let objective = CrossEntropy::new(&labels);
        model.train_step(batch, &objective, &mut recorder).unwrap();
        recorder.gradients
    };
    let few = of(1);
    for (name, many) in of(150) {
        let many: Vec<f32> = many.iter().map(|&g| g as f32).collect();
        let found = error(&many, &few[&name]);
        assert!(found < 1e-4, "{name}: {found:e}");
    }
}

fn batch(len: usize, images: &[f32]) -> Batch<'_> {
    Batch { len, images, features: &[] }
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let mut model: Network<LeNet5> = Network::new(1);
    let images = noise(2 * 784, 1);
    let mut adam = Adam::new(1e-3);
    for (len, images, says) in [
        (0, &images[..0], "no images"),
        (3, &images[..], "3 images has 1568 pixels"),
        // Times 784 it is 0, where the product wraps.
        (1 << 60, &images[..0], "images has 0 pixels"),
    ] {
        let error = model.logits(batch(len, images)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        let objective = CrossEntropy::new(&[]);
        let step = model.train_step(batch(len, images), &objective, &mut adam);
        assert!(step.is_err());
        assert!(model.activations(batch(len, images)).is_err());
    }
    let mut with_features = batch(2, &images);
    with_features.features = &images[..4];
    assert!(model.logits(with_features).is_err());
    assert_eq!(adam.state.step, 0);
}

#[test]
fn labels_that_do_not_fit_change_nothing() {
    let mut model: Network<LeNet5> = Network::new(1);
    let before = parameters(&*model);
    let images = noise(2 * 784, 1);
    let mut adam = Adam::new(1e-3);
    for (labels, says) in
        [(&[3, 10][..], "a label of 10 for 10 classes"), (&[3], "1 labels for 2 images")]
    {
        let step = model.train_step(batch(2, &images), &CrossEntropy::new(labels), &mut adam);
        let error = step.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(adam.state.step, 0);
        assert_eq!(parameters(&*model), before);
    }
}

#[test]
fn activations_are_named_after_their_layers() {
    let model = shaken(char_cnn(20, 7, 0, 0.5, 5));
    let images = noise(3 * 784, 1);
    let layers = model.activations(batch(3, &images)).unwrap();
    let found: Vec<(&str, (usize, usize))> =
        layers.iter().map(|(name, values)| (name.as_str(), values.dim())).collect();
    let expected = [
        ("block1.conv1", (3, 25088)),
        ("block1.conv2", (3, 25088)),
        ("block1.pool", (3, 6272)),
        ("block2.conv1", (3, 12544)),
        ("block2.conv2", (3, 12544)),
        ("block2.pool", (3, 3136)),
        ("hidden", (3, 20)),
        ("output", (3, 7)),
    ];
    assert_eq!(found, expected);
    // Each layer against the reference, in the order (channel, row, column).
    let p = parameters(&model);
    let x = reference::Maps { n: 3, c: 1, h: 28, w: 28, values: wide(&images) };
    let block1 = reference::block(&p, "block1", &x, false);
    let block2 = reference::block(&p, "block2", &block1, false);
    assert!(error(layers[2].1.as_slice().unwrap(), &block1.values) < 1e-5);
    assert!(error(layers[5].1.as_slice().unwrap(), &block2.values) < 1e-5);
}

/// 30 steps on four images.
fn learns(model: &mut dyn Classifier, optimizer: &mut dyn Optimizer) {
    let images = noise(4 * model.signature().input.len(), 1);
    let objective = CrossEntropy::new(&[1, 2, 3, 4]);
    let mut losses = Vec::new();
    for _ in 0..30 {
        let step = model.train_step(batch(4, &images), &objective, optimizer);
        losses.push(step.unwrap().loss);
    }
    assert!(losses[29] < 0.8 * losses[0], "{losses:?}");
}

#[test]
fn frozen_layers_stay_and_the_others_learn() {
    for (frozen, optimizer) in [
        (&["block1", "block2"][..], true),
        (&["block1.bn1"], false),
        (&["block2", "hidden"], true),
        (&["output", "block1.conv2."], false),
    ] {
        let mut model = shaken(char_cnn(20, 7, 0, 0.5, 1));
        model.freeze(frozen).unwrap();
        let before = parameters(&model);
        match optimizer {
            true => learns(&mut model, &mut Adam::new(1e-2)),
            false => learns(&mut model, &mut Sgd::new(0.01, 0.9)),
        }
        for (name, after) in parameters(&model) {
            let within = frozen.iter().any(|layer| name.starts_with(layer));
            // Batch normalisation takes the bias before it away.
            let ineffective = name.contains(".conv") && name.ends_with("bias");
            let kept = within || (ineffective && !frozen.contains(&"block1.bn1"));
            let kept = kept || (ineffective && !name.starts_with("block1.conv1"));
            assert_eq!(before[&name] == after, kept, "{frozen:?}: {name}");
        }
    }
    let mut model: Network<LeNet5> = Network::new(1);
    let error = model.freeze(&["conv1"]).unwrap_err().to_string();
    assert!(error.contains("conv1") && error.contains("0.0.weight"), "{error}");
}

#[test]
fn layers_are_frozen_as_a_whole() {
    let mut model: Network<LeNet5> = Network::new(1);
    for tensor in ["0.1.running_mean", "0.0.weight."] {
        let error = model.freeze(&["1", tensor]).unwrap_err().to_string();
        assert!(error.contains(tensor) && error.contains("name its layer"), "{error}");
        assert!(model.frozen().is_empty());
    }
    model.freeze(&["0.0", "2.1"]).unwrap();
    assert_eq!(model.frozen(), ["0.0.weight", "0.0.bias", "2.1.weight", "2.1.bias"]);
    model.freeze(&[]).unwrap();
    assert!(model.frozen().is_empty());
}

/// A module whose output does not depend on its input.
#[derive(Default)]
struct Zeros;

impl ZeroSizedModule for Zeros {}
impl NonMutableModule for Zeros {}

impl<const N: usize, T: Tape<f32, Cpu>> Module<Features<N, T>> for Zeros {
    type Output = Features<N, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Features<N, T>) -> Result<Self::Output, CpuError> {
        let (x, tape) = x.split_tape();
        let y: Features<N> = Cpu::default().try_zeros_like(&x)?;
        Ok(y.put_tape(tape))
    }
}

#[test]
fn a_module_of_dfdx_without_a_gradient_passes_on_0() {
    type Cut = (Flatten<784>, Linear<784, 6>, OnTape<Zeros>, Linear<6, 5>);
    let mut model: Network<Cut> = Network::new(1);
    let before = parameters(&*model);
    let images = noise(4 * 784, 1);
    let objective = CrossEntropy::new(&[1, 2, 3, 4]);
    model.train_step(batch(4, &images), &objective, &mut Sgd::new(0.1, 0.0)).unwrap();
    for (name, after) in parameters(&*model) {
        // Nor have weights a gradient whose input is 0.
        assert_eq!(before[&name] == after, name != "3.bias", "{name}");
    }
}

/// What a unit's loss saw of it is what its gradient goes back through.
#[test]
fn dropout_on_the_tape_has_one_mask_in_a_step() {
    type Dropped = (Flatten<784>, Linear<784, 64>, OnTape<Dropout>, Linear<64, 5>);
    let mut model: Network<Dropped> = Network::new(1);
    let images = noise(784, 1);
    for _ in 0..3 {
        let before = parameters(&*model);
        let objective = CrossEntropy::new(&[2]);
        model.train_step(batch(1, &images), &objective, &mut Sgd::new(0.1, 0.0)).unwrap();
        let after = parameters(&*model);
        let [weight, bias] = ["3.weight", "1.bias"].map(|name| (&before[name], &after[name]));
        let is_kept =
            |unit| (0..5).any(|row: usize| weight.0[64 * row + unit] != weight.1[64 * row + unit]);
        let kept: Vec<bool> = (0..64).map(is_kept).collect();
        assert!(kept.contains(&true) && kept.contains(&false));
        assert!((0..64).all(|unit: usize| kept[unit] == (bias.0[unit] != bias.1[unit])));
    }
}

#[test]
fn a_frozen_module_of_dfdx_stays() {
    type Norm = OnTape<dfdx::nn::builders::BatchNorm2D<4>>;
    let mut model = Network::<(Conv2d<1, 4>, Norm, ReLU, GlobalAvgPool2d, Linear<4, 5>)>::new(1);
    for frozen in [&["1"][..], &["0", "1"]] {
        model.freeze(frozen).unwrap();
        let before = parameters(&*model);
        let images = noise(4 * 784, 1);
        let objective = CrossEntropy::new(&[1, 2, 3, 4]);
        model.train_step(batch(4, &images), &objective, &mut Sgd::new(0.1, 0.0)).unwrap();
        for (name, after) in parameters(&*model) {
            let kept = frozen.iter().any(|layer| name.starts_with(layer));
            assert_eq!(before[&name] == after, kept, "{frozen:?}: {name}");
        }
    }
}

/// Whether other layers are frozen or not.
#[test]
fn freezing_leaves_dropout_on() {
    type Dropped = (Flatten<784>, Linear<784, 20>, ReLU, Dropout, Linear<20, 10>);
    type Between = (Dropout, Flatten<784>, Linear<784, 20>, ReLU, Linear<20, 10>);
    type Within = (Flatten<784>, Residual<(Dropout, Linear<784, 784>)>, Linear<784, 10>);
    let models = [
        (Network::<Dropped>::new(1).into_dyn(), "1"),
        (Network::<Between>::new(1).into_dyn(), "2"),
        (Network::<Within>::new(1).into_dyn(), "1"),
    ];
    let images = noise(4 * 784, 1);
    for (model, frozen) in models {
        let logits = |names: &[&str]| {
            let mut model = model.clone();
            model.freeze(names).unwrap();
            let objective = CrossEntropy::new(&[1, 2, 3, 4]);
            model.train_step(batch(4, &images), &objective, &mut Adam::new(1e-3)).unwrap().logits
        };
        assert_eq!(logits(&[frozen]), logits(&[]));
        assert_ne!(logits(&[frozen]), model.logits(batch(4, &images)).unwrap());
    }
}

/// What freezing does to batch normalisation in the middle of a network is what evaluation does.
#[test]
fn gradients_pass_through_frozen_layers() {
    let mut model = shaken(Network::<LeNet5>::new(2).into_dyn());
    model.freeze(&["1"]).unwrap();
    learns(&mut model, &mut Adam::new(1e-2));
    // All of it frozen but the first convolution.
    model.freeze(&["0.1", "1", "2"]).unwrap();
    learns(&mut model, &mut Adam::new(1e-2));
}

#[test]
fn named_layers_are_transferred() {
    let digits = shaken(char_cnn(20, 10, 0, 0.5, 1));
    let mut letters = char_cnn(20, 26, 0, 0.5, 2);
    let named = ["block1", "block2", "hidden"];
    letters.transfer_from(&digits, &named).unwrap();
    let (from, to) = (parameters(&digits), parameters(&letters));
    for (name, values) in &to {
        assert_eq!(from[name] == *values, !name.starts_with("output."), "{name}");
    }
    let error = letters.transfer_from(&digits, &["hidden", "output"]);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("output.weight") && error.contains("[26, 20]"), "{error}");
    assert_eq!(parameters(&letters), to);
}

#[test]
fn the_summary_counts_what_there_is() {
    let model = char_cnn(1000, 10, 0, 0.5, 1);
    let summary = model.summary();
    let tensors = model.tensors();
    let trained = tensors.iter().filter(|t| !t.name.contains("running_"));
    let count: usize = trained.map(|t| t.values.len()).sum();
    assert_eq!(summary.parameters(), count);
    assert_eq!(summary.parameters(), 3_212_386);
    // The convolutions and dense layers alone: 42.8 million.
    assert!((42_000_000..44_000_000).contains(&summary.operations()));
    let text = summary.to_string();
    assert!(text.contains("64 x 7 x 7") && text.contains("3,212,386"), "{text}");
    let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
}

#[test]
fn a_wide_summary_keeps_its_columns_apart() {
    use dfdx::nn::builders::{LayerNorm1D, Tanh};
    type Long = OnTape<(LayerNorm1D<784>, Tanh, LayerNorm1D<784>)>;
    let text = Network::<(Flatten<784>, Long, Linear<784, 5>)>::new(1).summary().to_string();
    assert!(text.contains("LayerNorm1D<784>)  784"), "{text}");
    let name = "layer".repeat(5);
    let mut layers = Builder::new(Dims::Vector(4));
    layers.named(&name, |layers| layers.linear(3, 0));
    let named = DynNetwork::new(layers, 1).unwrap().summary().to_string();
    assert!(named.contains(&format!("{name}  Linear")), "{named}");
    for text in [text, named] {
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
    }
}

/// PyTorch's rule, in the words of its documentation.
#[test]
fn sgd_with_momentum_is_pytorchs() {
    for nesterov in [false, true] {
        let mut sgd = Sgd::new(0.1, 0.9);
        sgd.nesterov = nesterov;
        sgd.weight_decay = 0.01;
        let mut values = [1.0f32, -2.0];
        let (mut expected, mut velocity) = ([1.0f64, -2.0], [0.0f64; 2]);
        for step in 0..4 {
            let gradient = [0.5 - step as f32, 0.25];
            sgd.begin_step();
            sgd.update_tensor("p", &[2], &mut values, &gradient);
            for i in 0..2 {
                let g = f64::from(gradient[i]) + 0.01 * expected[i];
                velocity[i] = if step == 0 { g } else { 0.9 * velocity[i] + g };
                let direction = if nesterov { g + 0.9 * velocity[i] } else { velocity[i] };
                expected[i] -= 0.1 * direction;
            }
        }
        assert!(error(&values, &expected) < 1e-6, "{values:?} {expected:?}");
    }
}

/// Where the processor has AMX the logits are those of 32 bits to bf16's three decimals; elsewhere
/// to the last bit. One image and many go different ways.
#[test]
fn evaluation_in_bf16_is_near() {
    let features = 6;
    let mut model = shaken(char_cnn(120, 62, features, 0.5, 1));
    for len in [1, 33, 600] {
        let (images, aside) = (noise(len * 784, 2), noise(len * features, 3));
        let batch = Batch { len, images: &images, features: &aside };
        model.evaluate_in_bf16(false);
        let exact = model.logits(batch).unwrap();
        let is_here = model.evaluate_in_bf16(true);
        let near = model.logits(batch).unwrap();
        let scale = exact.iter().fold(0.0f32, |most, z| most.max(z.abs()));
        let most = (&near - &exact).iter().fold(0.0f32, |most, d| most.max(d.abs()));
        assert_eq!(most > 0.0, is_here, "{len} images");
        assert!(most < 0.02 * scale, "{len} images: {most} of {scale}");
    }
}

/// Evaluation keeps what it has made of the weights, until they change, in whatever way.
#[test]
fn logits_are_those_of_the_newest_weights() {
    let other = shaken(Network::<LeNet5>::new(4).into_dyn());
    let mut model = Network::<LeNet5>::new(3).into_dyn();
    let (images, labels) = (noise(8 * 784, 1), [0, 1, 2, 3, 4, 5, 6, 7]);
    let batch = Batch { len: 8, images: &images, features: &[] };
    type Change<'a> = &'a dyn Fn(&mut DynNetwork);
    let changes: [Change; 4] = [
        &|model| {
            let objective = CrossEntropy::new(&labels);
            model.train_step(batch, &objective, &mut Adam::new(1e-2)).unwrap();
        },
        &|model| model.tensors_mut()[0].values.fill(0.5),
        &|model| model.transfer_from(&other, &["0", "1"]).unwrap(),
        &|model| *model = other.clone(),
    ];
    for change in changes {
        let before = model.logits(batch).unwrap();
        change(&mut model);
        let after = model.logits(batch).unwrap();
        assert_ne!(before, after);
        assert_eq!(after, model.logits(batch).unwrap());
        // A network that has evaluated nothing yet.
        let mut fresh = Network::<LeNet5>::new(5).into_dyn();
        fresh.transfer_from(&model, &["0", "1", "2"]).unwrap();
        assert_eq!(after, fresh.logits(batch).unwrap());
    }
}

#[test]
fn a_state_of_another_network_is_refused() {
    let mut state = Adam::new(1e-3).state;
    assert!(state.restore("third.w", &[2], &[0.0; 2]).is_err());
    assert!(state.restore("first.w", &[3], &[0.0; 2]).is_err());
    assert!(state.tensors().is_empty());
    state.restore("first.w", &[2], &[1.0; 2]).unwrap();
    assert!(state.restore("second.w", &[3], &[1.0; 3]).is_err());
    assert_eq!(state.tensors()[1].values, [0.0; 2]);
}

#[test]
fn an_optimiser_refuses_a_second_network() {
    let optimisers: [Box<dyn Optimizer>; 2] =
        [Box::new(Adam::new(1e-3)), Box::new(Sgd::new(0.1, 0.9))];
    for mut optimizer in optimisers {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for shape in [[2, 3], [4, 3]] {
                let len = shape[0] * shape[1];
                optimizer.begin_step();
                optimizer.update_tensor("0.weight", &shape, &mut vec![0.0; len], &vec![0.0; len]);
            }
        }));
        let panic = panic.unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        for word in ["0.weight is [2, 3]", "is [4, 3]", "a new optimiser for each network"] {
            assert!(message.contains(word), "{message}");
        }
    }
}

#[test]
fn layers_that_cannot_run_are_refused_with_a_remedy() {
    type Add = fn(&mut Builder);
    let image = Dims::image(1, 8, 8);
    let cases: [(Dims, Add, &str); 10] = [
        (Dims::Vector(4), |l| [2, 5].into_iter().for_each(|f| l.linear(3, f)), "same number"),
        (Dims::Vector(4), |l| l.linear(0, 0), "at least 1"),
        (Dims::Vector(0), |l| l.linear(3, 0), "at least 1"),
        (Dims::image(1, 0, 8), Builder::global_avg_pool2d, "at least 1"),
        (image, |l| l.conv2d(0, 3, 1), "at least 1"),
        (image, |l| l.conv2d(4, 2, 1), "odd size"),
        // The number of weights wraps to 1, and to 0.
        (image, |l| l.conv2d(1, usize::MAX, 1), "fit into memory"),
        (Dims::Vector(1 << 32), |l| l.linear(1 << 32, 0), "fit into memory"),
        (image, |l| l.linear(4, 0), "flatten"),
        (Dims::Vector(4), |l| l.dropout(1.0), "less than 1"),
    ];
    for (input, add, remedy) in cases {
        let mut layers = Builder::new(input);
        add(&mut layers);
        let error = DynNetwork::new(layers, 1).unwrap_err().to_string();
        assert!(error.contains(remedy), "{error}");
    }
}

#[test]
fn a_tensor_within_a_residual_is_renamed() {
    let mut layers = Builder::new(Dims::Vector(4));
    layers.residual(|main| main.named("main", |layers| layers.linear(4, 0)), |_| {});
    assert!(layers.rename("main.weight", "matrix"));
    assert!(!layers.rename("main.weight", "matrix"));
    let model = DynNetwork::new(layers, 1).unwrap();
    assert_eq!(model.tensors()[0].name, "matrix");
    assert_eq!(model.summary().operations(), 2 * 16 + 4);
}

#[test]
fn unnamed_layers_within_a_residual_have_names_of_their_own() {
    let mut layers = Builder::new(Dims::image(4, 8, 8));
    layers.conv2d(4, 3, 1);
    layers.residual(
        |main| {
            main.conv2d(4, 3, 1);
            main.residual(Builder::batch_norm2d, |_| {});
        },
        |shortcut| shortcut.conv2d(4, 1, 1),
    );
    layers.global_avg_pool2d();
    layers.linear(3, 0);
    let mut model = DynNetwork::new(layers, 1).unwrap();
    let names: Vec<String> = model.tensors().into_iter().map(|tensor| tensor.name).collect();
    let weights: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".weight")).collect();
    assert_eq!(weights, ["0", "1.f.0", "1.f.1.f.0", "1.r.0", "3"]);
    model.freeze(&["1.f"]).unwrap();
    assert_eq!(model.frozen().len(), 2 + 4);
}

#[test]
fn two_tensors_of_one_name_are_refused() {
    let mut layers = Builder::new(Dims::Vector(4));
    layers.named("twins", |layers| {
        layers.linear(4, 0);
        layers.linear(2, 0);
    });
    let error = DynNetwork::new(layers, 1).unwrap_err().to_string();
    assert!(error.contains("twins.weight") && error.contains("of its own"), "{error}");
}
