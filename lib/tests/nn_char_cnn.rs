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

#[test]
fn outputs_and_gradients_agree_with_the_reference_on_every_instruction_set() {
    let batch_len = 3;
    let images = noise(batch_len * 784, 1);
    let features = noise(batch_len * 2, 2);
    let labels = [3, 0, 6];
    for instructions in Instructions::available() {
        assert!(instructions.force());
        let mut model: CharCnn<20, 7, 2> = shaken(5);
        let batch = Batch {
            len: batch_len,
            images: &images,
            features: &features,
        };
        let p = parameters(&model);
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
            // A random direction checks all values at once; single ones their places.
            let everywhere = wide(&noise(gradient.len(), 9));
            let mut directions = vec![everywhere];
            for i in 0..3 {
                let mut one = vec![0.0; gradient.len()];
                one[(i * 7919 + 5) % gradient.len()] = 1.0;
                directions.push(one);
            }
            for direction in directions {
                let moved = |epsilon: f64| {
                    let mut p = p.clone();
                    let values = p.get_mut(name).unwrap();
                    values
                        .iter_mut()
                        .zip(&direction)
                        .for_each(|(v, d)| *v += epsilon * d);
                    loss_of(&p)
                };
                let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                let found: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
                let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
                let found = (found - expected).abs() / (scale * length);
                assert!(
                    found < 1e-4,
                    "{instructions:?}: gradient of {name}: {found:e}"
                );
            }
        }
        let trainable = p.keys().filter(|name| {
            !name.contains("running_")
                && !name.contains("conv1.bias")
                && !name.contains("conv2.bias")
        });
        assert!(trainable.eq(gradients.keys()));
    }
}
