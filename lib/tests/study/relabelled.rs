//! Wrong labels made for MNIST's images.

use glyphs::data::{Mnist, Samples};
use glyphs::study::{Experiment, Sources};
use ndarray::Array4;

/// Counts of new labels less old ones, modulo ten.
fn steps(right: f64, uneven: bool) -> [f64; 10] {
    let n = 20_000;
    let labels: Vec<usize> = (0..n).map(|i| i % 10).collect();
    let digits = (0..10).map(|digit| digit.to_string());
    let train = Samples::new("made up", Array4::zeros((n, 1, 1, 1)), labels, digits).unwrap();
    let mnist = Mnist { test: train.take(10), train };
    let run = Experiment::relabelled(right, uneven, 3);
    let (samples, _) = run.samples(Sources::from(&mnist)).unwrap();
    let mut shares = [0.0; 10];
    for (new, old) in samples.labels.iter().zip(&mnist.train.labels) {
        shares[(new + 10 - old) % 10] += 1.0 / n as f64;
    }
    shares
}

#[test]
fn the_share_of_right_labels_and_the_spread_of_wrong_ones_are_as_asked() {
    let near = |share: f64, expected: f64| (share - expected).abs() < 0.01;
    assert_eq!(steps(0.0, false)[0], 0.0);
    let even = steps(0.1, false);
    assert!(even.iter().all(|&share| near(share, 0.1)), "{even:?}");
    let uneven = steps(0.0, true);
    assert!(near(uneven[1], 2.0 / 13.5) && near(uneven[9], 1.0 / 13.5), "{uneven:?}");
}
