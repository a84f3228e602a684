//! The number of threads, an interruption, and a repetition change no bit.

mod reference;

use glyphs::nn::{Adam, Batch, CharCnn, Classifier, CrossEntropy, Dropout, TensorMut, TensorRef};
use rayon::ThreadPoolBuilder;
use reference::noise;

const LEN: usize = 37;

fn train(model: &mut dyn Classifier, adam: &mut Adam, steps: std::ops::Range<u64>) {
    for step in steps {
        let images = noise(LEN * 784, step);
        let labels: Vec<usize> = (0..LEN).map(|i| (i * 3 + step as usize) % 10).collect();
        let batch = Batch {
            len: LEN,
            images: &images,
            features: &[],
        };
        model
            .train_step(batch, &CrossEntropy::new(&labels), adam)
            .unwrap();
    }
}

fn bits(tensors: &[TensorRef]) -> Vec<(String, Vec<u32>)> {
    let bits = |t: &TensorRef| t.values.iter().map(|v| v.to_bits()).collect();
    tensors.iter().map(|t| (t.name.clone(), bits(t))).collect()
}

fn trained(threads: usize) -> Vec<(String, Vec<u32>)> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let mut model: CharCnn<50, 10> = CharCnn::new(3);
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
    let model: CharCnn<50, 10> = CharCnn::new(3);
    let images = noise(LEN * 784, 1);
    let logits = |images: &[f32]| {
        let batch = Batch {
            len: images.len() / 784,
            images,
            features: &[],
        };
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

#[test]
fn an_interruption() {
    let whole = trained(2);
    let mut first: CharCnn<50, 10> = CharCnn::new(3);
    let mut adam = Adam::new(1e-3);
    train(&mut first, &mut adam, 0..2);

    // A checkpoint's way: only what `tensors` shows, the seed and the step survive.
    let mut resumed: CharCnn<50, 10> = CharCnn::new(3);
    for (TensorMut { values, .. }, saved) in resumed.tensors_mut().into_iter().zip(first.tensors())
    {
        values.copy_from_slice(saved.values);
    }
    let mut restored = Adam::new(1e-3);
    restored.step = adam.step;
    for moment in adam.tensors() {
        restored
            .restore(&moment.name, &moment.shape, moment.values)
            .unwrap();
    }
    train(&mut resumed, &mut restored, 2..3);
    assert!(whole == bits(&resumed.tensors()));
}

#[test]
fn the_seed_decides_on_weights_and_masks() {
    let weights = |seed| bits(&CharCnn::<50, 10>::new(seed).tensors());
    assert!(weights(1) == weights(1));
    assert!(weights(1) != weights(2));
    // Same weights, other masks.
    let mut a: CharCnn<50, 10> = CharCnn::new(1);
    let mut b: CharCnn<50, 10> = CharCnn::new(2);
    for (to, from) in b.tensors_mut().into_iter().zip(a.tensors()) {
        to.values.copy_from_slice(from.values);
    }
    train(&mut a, &mut Adam::new(1e-3), 0..1);
    train(&mut b, &mut Adam::new(1e-3), 0..1);
    assert!(bits(&a.tensors()) != bits(&b.tensors()));
}

#[test]
fn dropout_keeps_its_share_and_its_mean() {
    use dfdx::prelude::{Cpu, ModuleMut, TensorFrom, Trace};
    let x = Cpu::default().tensor([1.0f32; 100_000]);
    for p in [0.0, 0.5, 0.7] {
        let mut dropout = Dropout::new(p);
        let (first, second) = (
            dropout.forward_mut(x.leaky_trace()),
            dropout.forward_mut(x.leaky_trace()),
        );
        let (first, second) = (first.as_vec(), second.as_vec());
        let kept = first.iter().filter(|&&v| v > 0.0).count() as f64 / 1e5;
        // Six standard deviations of a binomial share.
        assert!(
            (kept - f64::from(1.0 - p)).abs() < 6.0 * (0.25f64 / 1e5).sqrt(),
            "{p}: {kept}"
        );
        let mean = first.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e5;
        assert!((mean - 1.0).abs() < 0.03, "{p}: {mean}");
        let both = first
            .iter()
            .zip(&second)
            .filter(|(a, b)| **a > 0.0 && **b > 0.0)
            .count();
        let expected = f64::from(1.0 - p).powi(2);
        assert!(
            (both as f64 / 1e5 - expected).abs() < 0.01,
            "masks of two steps depend on each other"
        );
    }
}
