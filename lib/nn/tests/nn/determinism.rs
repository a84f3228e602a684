//! The number of threads, an interruption, and a repetition change no bit.

use dfdx_conv::{
    Adam, Batch, Classifier, CrossEntropy, DynNetwork, Optimizer, Sgd, TensorRef, layers::Dropout,
};
use rayon::ThreadPoolBuilder;

use crate::reference::{networks::char_cnn, noise};

const LEN: usize = 37;

fn network(seed: u64) -> DynNetwork {
    char_cnn(50, 10, 0, 0.5, seed)
}

fn train(model: &mut dyn Classifier, optimizer: &mut dyn Optimizer, steps: std::ops::Range<u64>) {
    for step in steps {
        let images = noise(LEN * 784, step);
        let labels: Vec<usize> = (0..LEN).map(|i| (i * 3 + step as usize) % 10).collect();
        let batch = Batch { len: LEN, images: &images, features: &[] };
        model.train_step(batch, &CrossEntropy::new(&labels), optimizer).unwrap();
    }
}

fn bits(tensors: &[TensorRef]) -> Vec<(String, Vec<u32>)> {
    let bits = |t: &TensorRef| t.values.iter().map(|v| v.to_bits()).collect();
    tensors.iter().map(|t| (t.name.clone(), bits(t))).collect()
}

fn trained(threads: usize) -> Vec<(String, Vec<u32>)> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut model = network(3);
        train(&mut model, &mut Adam::new(1e-3), 0..3);
        bits(&model.tensors())
    })
}

#[test]
fn one_two_and_four_threads() {
    let one = trained(1);
    assert!(one == trained(2), "2 threads");
    assert!(one == trained(4), "4 threads");
}

#[test]
fn evaluation_with_one_two_and_four_threads() {
    let model = network(3);
    let images = noise(LEN * 784, 1);
    let logits = |images: &[f32]| {
        let batch = Batch { len: images.len() / 784, images, features: &[] };
        let logits = model.logits(batch).unwrap();
        logits.iter().map(|v| v.to_bits()).collect::<Vec<u32>>()
    };
    let with = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| logits(&images))
    };
    let one = with(1);
    assert!(one == with(2), "2 threads");
    assert!(one == with(4), "4 threads");
    // Nor does it matter which images stand beside an image.
    let alone: Vec<u32> = images.chunks_exact(784).flat_map(logits).collect();
    assert!(one == alone, "one by one");
}

fn resumes(mut optimizer: Box<dyn Optimizer>, mut restored: Box<dyn Optimizer>) {
    let mut first = network(3);
    train(&mut first, optimizer.as_mut(), 0..2);

    // A checkpoint's way: only what `tensors` shows, the seed and the step survive.
    let mut resumed = network(3);
    for (to, saved) in resumed.tensors_mut().into_iter().zip(first.tensors()) {
        to.values.copy_from_slice(saved.values);
    }
    let (from, to) = (optimizer.state(), restored.state_mut());
    to.reset(from.step);
    for moment in from.tensors() {
        to.restore(&moment.name, &moment.shape, moment.values).unwrap();
    }
    train(&mut resumed, restored.as_mut(), 2..3);
    train(&mut first, optimizer.as_mut(), 2..3);
    assert!(bits(&first.tensors()) == bits(&resumed.tensors()));
}

#[test]
fn an_interruption() {
    let adam = || Box::new(Adam::new(1e-3));
    resumes(adam(), adam());
    let sgd = || Box::new(Sgd::new(0.1, 0.9));
    resumes(sgd(), sgd());
}

#[test]
fn the_seed_decides_on_weights_and_masks() {
    let weights = |seed| bits(&network(seed).tensors());
    assert!(weights(1) == weights(1));
    assert!(weights(1) != weights(2));
    // Same weights, other masks.
    let mut a = network(1);
    let mut b = network(2);
    for (to, from) in b.tensors_mut().into_iter().zip(a.tensors()) {
        to.values.copy_from_slice(from.values);
    }
    train(&mut a, &mut Adam::new(1e-3), 0..1);
    train(&mut b, &mut Adam::new(1e-3), 0..1);
    assert!(bits(&a.tensors()) != bits(&b.tensors()));
}

fn keeps_its_share_and_its_mean<const PERCENT: usize>() {
    use dfdx::prelude::{Cpu, ModuleMut, TensorFrom, Trace};
    let p = PERCENT as f32 / 100.0;
    let x = Cpu::default().tensor([1.0f32; 100_000]);
    let mut dropout = Dropout::<PERCENT>;
    let (first, second) =
        (dropout.forward_mut(x.leaky_trace()), dropout.forward_mut(x.leaky_trace()));
    let (first, second) = (first.as_vec(), second.as_vec());
    let kept = first.iter().filter(|&&v| v > 0.0).count() as f64 / 1e5;
    // Six standard deviations of a binomial share.
    assert!((kept - f64::from(1.0 - p)).abs() < 6.0 * (0.25f64 / 1e5).sqrt(), "{p}: {kept}");
    let mean = first.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e5;
    assert!((mean - 1.0).abs() < 0.03, "{p}: {mean}");
    let both = first.iter().zip(&second).filter(|(a, b)| **a > 0.0 && **b > 0.0).count();
    let expected = f64::from(1.0 - p).powi(2);
    assert!((both as f64 / 1e5 - expected).abs() < 0.01, "masks of two steps depend on each other");
}

#[test]
fn dropout() {
    keeps_its_share_and_its_mean::<0>();
    keeps_its_share_and_its_mean::<50>();
    keeps_its_share_and_its_mean::<70>();
}
