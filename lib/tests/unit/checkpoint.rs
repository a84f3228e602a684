use ndarray::Array4;

use super::*;
use crate::nn::{Adam, char_cnn};

#[test]
fn an_optimiser_takes_only_tensors_of_the_network() {
    let model = char_cnn(5, 2, 0, 1);
    let images = Array4::zeros((2, 1, 28, 28));
    let samples = Samples::new("two", images, vec![0, 1], ["a", "b"]).unwrap();
    let restored = |name: &str, shape: &[usize]| {
        let (config, history) = (Config::default(), History::default());
        let mut state = Checkpoint::of(&model, config, history, &samples);
        state.step = Some(1);
        state.tensors.push(Tensor {
            name: format!("{OPTIMIZER}{name}"),
            shape: shape.to_vec(),
            values: vec![0.5; shape.iter().product()],
        });
        state.restore_optimizer(&mut Adam::new(1e-3).state, &model)
    };
    restored("first.output.weight", &[2, 5]).unwrap();
    for (name, shape) in [
        ("first.output.weight", &[2, 6][..]),
        ("first.output.weights", &[2, 5]),
        ("third.output.weight", &[2, 5]),
        ("first", &[1]),
    ] {
        assert!(restored(name, shape).is_err(), "{name} {shape:?}");
    }
}
