//! The techniques of the example `trials`.

use code::{Beside, Distilled, Learner, MeanTeacher, Mutual, SharpnessAware, Technique, Usual};
use glyphs::{
    image::Augment,
    nn::{
        Adam, Batch, Builder, Classifier, CrossEntropy, DynNetwork, Ensemble, Objective,
        log_softmax, shape::Dims,
    },
};
use ndarray::Array2;

#[path = "../../examples/trials/techniques.rs"]
mod code;

const CLASSES: usize = 3;
const LABELS: [usize; 4] = [0, 2, 1, 2];

fn network(seed: u64) -> DynNetwork {
    let mut layers = Builder::new(Dims::Image { channels: 1, height: 6, width: 6 });
    layers.vgg_block(4, true);
    layers.flatten();
    layers.dropout(0.5);
    layers.linear(CLASSES, 0);
    DynNetwork::new(layers, seed).unwrap()
}

fn images() -> Vec<f32> {
    (0..4 * 36).map(|i| (i as f32 * 0.7).sin().abs()).collect()
}

/// A network after three steps, and the losses of the steps.
fn trained(technique: impl Technique + 'static) -> (Learner, Vec<f32>) {
    let mut learner = Learner { network: network(1), technique: Box::new(technique) };
    let mut adam = Adam::new(1e-2);
    let images = images();
    let batch = Batch { len: 4, images: &images, features: &[] };
    let mut losses = Vec::new();
    for _ in 0..3 {
        let step = learner.train_step(batch, &CrossEntropy::new(&LABELS), &mut adam).unwrap();
        losses.push(step.loss);
    }
    (learner, losses)
}

fn weights(network: &DynNetwork) -> Vec<f32> {
    network.tensors().iter().flat_map(|tensor| tensor.values.to_vec()).collect()
}

/// Without what is its own, each technique trains as usual, to the last bit.
#[test]
fn a_technique_of_no_strength_is_the_usual_step() {
    let (usual, losses) = trained(Usual);
    let alone = |learner: &Learner| weights(&learner.network);
    let (uphill, of_uphill) = trained(SharpnessAware { rho: 0.0 });
    assert_eq!((alone(&uphill), &of_uphill), (alone(&usual), &losses));
    let teachers = Ensemble::new(vec![Box::new(network(2))]).unwrap();
    assert_eq!(alone(&trained(Distilled { teachers, share: 0.0 }).0), alone(&usual));
    let other = network(2);
    let optimizer = Adam::new(1e-2);
    assert_eq!(
        alone(&trained(Mutual { other, optimizer, agreement: 0.0, ramp: 1 }).0),
        alone(&usual)
    );
    let teacher = MeanTeacher {
        teacher: network(1),
        decay: 0.0,
        agreement: 0.0,
        ramp: 1,
        augment: Augment::none(),
    };
    let (averaged, _) = trained(teacher);
    assert_eq!(alone(&averaged), alone(&usual));
    // An average that remembers nothing is the network itself.
    let judged = averaged.technique.judged(&averaged.network);
    assert_eq!(weights(judged), alone(&usual));
}

#[test]
fn a_technique_of_some_strength_trains_another_network() {
    let usual = weights(&trained(Usual).0.network);
    let teachers = Ensemble::new(vec![Box::new(network(2))]).unwrap();
    let agreement = 1.0;
    let others = [
        trained(SharpnessAware { rho: 0.1 }),
        trained(Distilled { teachers, share: 0.5 }),
        trained(Mutual { other: network(2), optimizer: Adam::new(1e-2), agreement, ramp: 1 }),
    ];
    for (learner, losses) in others {
        assert!(losses.iter().all(|loss| loss.is_finite()));
        assert_ne!(weights(&learner.network), usual);
    }
}

/// Half the cross-entropy to labels, and a share of that to another network's probabilities.
#[test]
fn the_gradient_beside_another_network_is_that_of_its_loss() {
    let logits = Array2::from_shape_fn((4, CLASSES), |(i, k)| (i as f32 - 1.5 * k as f32).sin());
    let targets = logits.mapv(|z| 1.0 - 2.0 * z);
    let labels = CrossEntropy::new(&LABELS);
    let both = Beside { objective: &labels, by: 0.5, targets: &targets, share: 0.7 };
    let mut gradient = Array2::zeros(logits.raw_dim());
    let loss = both.loss(logits.view(), gradient.view_mut());
    let mut unused = gradient.clone();
    let q = log_softmax(targets.view()).mapv(f64::exp);
    let entropy = -(q * log_softmax(logits.view())).sum() / 4.0;
    let expected = 0.5 * f64::from(labels.loss(logits.view(), unused.view_mut())) + 0.7 * entropy;
    assert!((f64::from(loss) - expected).abs() < 1e-6, "{loss} and {expected}");
    for index in ndarray::indices(logits.raw_dim()) {
        let mut at = |shift: f32| {
            let mut moved = logits.clone();
            moved[index] += shift;
            f64::from(both.loss(moved.view(), unused.view_mut()))
        };
        let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
        assert!((slope - f64::from(gradient[index])).abs() < 2e-4, "{index:?}: {slope}");
    }
}
