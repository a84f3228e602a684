//! The whole network against its f64 twin: outputs, and every gradient by finite differences.

mod reference;

use glyphs::nn::{Adam, Batch, CharCnn, Classifier, CrossEntropy, Instructions};
use reference::{Parameters, char_cnn, cross_entropy, error, noise, wide};

fn parameters(model: &dyn Classifier) -> Parameters {
    let tensors = model.tensors().into_iter();
    tensors.map(|t| (t.name, wide(t.values))).collect()
}

/// Weights that are nowhere special: batch normalisation's start at 1 and 0.
fn shaken<const H: usize, const C: usize, const F: usize>(seed: u64) -> CharCnn<H, C, F> {
    let mut model = CharCnn::new(seed).with_dropout(0.0).unwrap();
    for (i, tensor) in model.tensors_mut().into_iter().enumerate() {
        if tensor.name.contains(".bn") {
            let noise = noise(tensor.values.len(), seed + i as u64);
            tensor
                .values
                .iter_mut()
                .zip(noise)
                .for_each(|(v, n)| *v += 0.3 * n);
        }
    }
    model
}

fn gradients(model: &mut dyn Classifier, batch: Batch, labels: &[usize]) -> (f32, Parameters) {
    let mut adam = Adam::new(0.0);
    adam.beta1 = 0.0; // the first moment is the gradient then
    let step = model
        .train_step(batch, &CrossEntropy::new(labels), &mut adam)
        .unwrap();
    let first = adam.tensors().into_iter().filter_map(|t| {
        let name = t.name.strip_prefix("first.")?.to_owned();
        Some((name, wide(t.values)))
    });
    (step.loss, first.collect())
}

/// Compares with the reference: evaluation, loss, and the gradient of every parameter.
fn agrees(mut model: CharCnn<20, 7, 2>, without: &[&str]) {
    let instructions = Instructions::current();
    let batch_len = 2;
    let images = noise(batch_len * 784, 1);
    let features = noise(batch_len * 2, 2);
    let labels = [3, 6];
    let batch = Batch {
        len: batch_len,
        images: &images,
        features: &features,
    };
    let mut p = parameters(&model);
    p.retain(|name, _| !without.iter().any(|part| name.contains(part)));
    let logits = model.logits(batch).unwrap();
    let expected = char_cnn(&p, &wide(&images), &wide(&features), false);
    let found = error(logits.as_slice().unwrap(), &expected);
    assert!(found < 1e-5, "{instructions:?}: evaluation {found:e}");

    let loss_of = |p: &Parameters| {
        let logits = char_cnn(p, &wide(&images), &wide(&features), true);
        cross_entropy(&logits, &labels)
    };
    let (loss, gradients) = gradients(&mut model, batch, &labels);
    let expected = loss_of(&p);
    let found = (f64::from(loss) - expected).abs() / expected;
    assert!(found < 1e-5, "{instructions:?}: loss {found:e}");

    for (name, gradient) in &gradients {
        let scale = gradient.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        // A random direction checks all values at once, a single one its place.
        let everywhere = wide(&noise(gradient.len(), 9));
        let mut one = vec![0.0; gradient.len()];
        one[7919 % gradient.len()] = 1.0;
        for direction in [everywhere, one] {
            let moved = |epsilon: f64| {
                let mut p = p.clone();
                let values = p.get_mut(name).unwrap().iter_mut();
                values.zip(&direction).for_each(|(v, d)| *v += epsilon * d);
                loss_of(&p)
            };
            // A small step: a larger one takes some unit across the corner of its ReLU.
            let expected = (moved(1e-7) - moved(-1e-7)) / 2e-7;
            let found: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            let found = (found - expected).abs() / (scale * length);
            assert!(
                found < 1e-4,
                "{instructions:?}: gradient of {name}: {found:e}"
            );
        }
    }
    // Batch normalisation takes a convolution's bias away, so it has no gradient.
    let has_norm = p.contains_key("block1.bn1.weight");
    let trainable = p.keys().filter(|name| {
        let taken_away = has_norm && name.contains(".conv") && name.ends_with("bias");
        !(taken_away || name.contains("running_"))
    });
    assert!(trainable.eq(gradients.keys()));
}

#[test]
fn outputs_and_gradients_agree_with_the_reference_on_every_instruction_set() {
    for instructions in Instructions::available() {
        assert!(instructions.force());
        agrees(shaken(5), &[]);
    }
}

#[test]
fn so_they_do_without_batch_normalisation() {
    agrees(shaken(5).without_batch_norm(), &[".bn"]);
}

/// Long sums and many rows are worked out in parts: the mean over a hundred and fifty copies of
/// two images has the gradients of the two.
#[test]
fn a_large_batch_of_copies_has_the_gradients_of_a_small_one() {
    let (images, features, labels) = (noise(2 * 784, 1), noise(2 * 2, 2), [3, 6]);
    let of = |copies: usize| {
        let mut model: CharCnn<130, 7, 2> = shaken(5);
        let (images, features) = (images.repeat(copies), features.repeat(copies));
        let batch = Batch {
            len: 2 * copies,
            images: &images,
            features: &features,
        };
        gradients(&mut model, batch, &labels.repeat(copies)).1
    };
    let few = of(1);
    for (name, many) in of(150) {
        let found = error(
            &many.iter().map(|&g| g as f32).collect::<Vec<_>>(),
            &few[&name],
        );
        assert!(found < 1e-4, "{name}: {found:e}");
    }
}

fn batch(len: usize, images: &[f32]) -> Batch<'_> {
    Batch {
        len,
        images,
        features: &[],
    }
}

#[test]
fn a_batch_that_does_not_fit_is_refused() {
    let mut model: CharCnn<20, 7> = CharCnn::new(1);
    let images = noise(2 * 784, 1);
    let mut adam = Adam::new(1e-3);
    for (len, images, says) in [
        (0, &images[..0], "no images"),
        (3, &images[..], "3 images has 1568 pixels"),
    ] {
        let error = model.logits(batch(len, images)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        let objective = CrossEntropy::new(&[]);
        assert!(
            model
                .train_step(batch(len, images), &objective, &mut adam)
                .is_err()
        );
        assert!(model.activations(batch(len, images)).is_err());
    }
    let mut with_features = batch(2, &images);
    with_features.features = &images[..4];
    assert!(model.logits(with_features).is_err());
    assert_eq!(adam.step, 0);
}

#[test]
fn the_last_activation_is_the_logits() {
    let model: CharCnn<20, 7> = shaken(5);
    let images = noise(3 * 784, 1);
    let logits = model.logits(batch(3, &images)).unwrap();
    let layers = model.activations(batch(3, &images)).unwrap();
    let found: Vec<(&str, (usize, usize))> = layers
        .iter()
        .map(|(name, values)| (name.as_str(), values.dim()))
        .collect();
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
    let difference = (&layers[7].1 - &logits)
        .mapv(f32::abs)
        .fold(0.0, |a: f32, b| a.max(*b));
    assert!(difference < 1e-5, "{difference}");
    // Each layer against the reference, in the order (channel, row, column).
    let p = parameters(&model);
    let x = reference::Maps {
        n: 3,
        c: 1,
        h: 28,
        w: 28,
        values: wide(&images),
    };
    let block1 = reference::block(&p, "block1", &x, false);
    let block2 = reference::block(&p, "block2", &block1, false);
    assert!(error(layers[2].1.as_slice().unwrap(), &block1.values) < 1e-5);
    assert!(error(layers[5].1.as_slice().unwrap(), &block2.values) < 1e-5);
}

#[test]
fn a_frozen_trunk_stays_and_the_head_learns() {
    let mut model: CharCnn<20, 7> = shaken(1);
    model.freeze_trunk(true);
    let before = parameters(&model);
    let images = noise(4 * 784, 1);
    let mut adam = Adam::new(1e-2);
    let objective = CrossEntropy::new(&[1, 2, 3, 4]);
    let mut losses = Vec::new();
    for _ in 0..30 {
        losses.push(
            model
                .train_step(batch(4, &images), &objective, &mut adam)
                .unwrap()
                .loss,
        );
    }
    assert!(losses[29] < 0.8 * losses[0], "{losses:?}");
    for (name, after) in parameters(&model) {
        assert_eq!(before[&name] == after, name.starts_with("block"), "{name}");
    }
}

#[test]
fn transfer_takes_all_but_the_output() {
    let digits: CharCnn<20, 10> = shaken(1);
    let mut letters: CharCnn<20, 26> = CharCnn::new(2);
    letters.transfer_from(&digits);
    let (from, to) = (parameters(&digits), parameters(&letters));
    for (name, values) in &to {
        assert_eq!(
            from[name] == *values,
            !name.starts_with("output."),
            "{name}"
        );
    }
}

#[test]
fn the_summary_counts_what_there_is() {
    let model = glyphs::nn::OriginalCnn::<10>::new(1);
    let summary = model.summary();
    let trainable = model
        .tensors()
        .into_iter()
        .filter(|t| !t.name.contains("running_"));
    assert_eq!(
        summary.parameters(),
        trainable.map(|t| t.values.len()).sum::<usize>()
    );
    assert_eq!(summary.parameters(), 3_212_386);
    // The convolutions and dense layers alone: 42.8 million.
    assert!((42_000_000..44_000_000).contains(&summary.operations()));
    let text = summary.to_string();
    assert!(
        text.contains("64 x 7 x 7") && text.contains("3,212,386"),
        "{text}"
    );
    let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
}

#[test]
fn heads_and_their_dropout() {
    use glyphs::nn::{ExperimentalCnn, OriginalCnn, char_cnn};
    assert_eq!(OriginalCnn::<10>::new(1).dropout(), 0.5);
    assert_eq!(ExperimentalCnn::<10>::new(1).dropout(), 0.7);
    assert!(OriginalCnn::<10>::new(1).with_dropout(1.0).is_err());
    assert_eq!(char_cnn(500, 62, 6, 1).unwrap().num_features(), 6);
    assert!(char_cnn(500, 10, 3, 1).is_err());
}
