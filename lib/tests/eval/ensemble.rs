//! Ensembles: networks whose probabilities are averaged.

use glyphs::{
    data::Samples,
    nn::{Classifier, Ensemble, char_cnn},
    train::evaluate,
};
use ndarray::Array4;

fn network(classes: usize, seed: u64) -> Box<dyn Classifier> {
    Box::new(char_cnn(500, classes, 0, seed))
}

#[test]
fn an_ensemble_averages_probabilities() {
    let images = Array4::from_shape_fn((5, 1, 28, 28), |(i, _, y, x)| (i * y + 7 * x) as u8);
    let classes = (0..10).map(|class| class.to_string());
    let samples = Samples::new("stripes", images, vec![1, 2, 3, 4, 5], classes).unwrap();
    let read = |model: &dyn Classifier| evaluate(model, &samples).unwrap().probabilities.clone();
    let apart = (read(network(10, 1).as_ref()) + read(network(10, 2).as_ref())) / 2.0;
    let ensemble = Ensemble::new(vec![network(10, 1), network(10, 2)]).unwrap();
    let together = read(&ensemble);
    for (a, b) in apart.iter().zip(&together) {
        assert!((a - b).abs() < 1e-6, "{a} and {b}");
    }
}

#[test]
fn networks_that_do_not_go_together() {
    for members in [vec![], vec![network(10, 1), network(62, 1)]] {
        let error = Ensemble::new(members).err().unwrap().to_string();
        assert!(error.contains("pass networks of one kind"), "{error}");
    }
}
