//! Which configurations are refused before anything is trained.

use glyphs::study::experiments;
use glyphs::train::{Config, Loss, OptimizerKind, ReduceLrOnPlateau, Schedule};

fn smoothed(label_smoothing: f32) -> Loss {
    Loss::CrossEntropy { label_smoothing }
}

fn plateau(factor: f32) -> Option<ReduceLrOnPlateau> {
    Some(ReduceLrOnPlateau { factor, ..ReduceLrOnPlateau::default() })
}

#[test]
fn a_setting_outside_its_range_is_refused_by_name() {
    type Change = fn(&mut Config, f32);
    let rate: Change = |config, value| config.learning_rate = value;
    let decay: Change = |config, value| config.weight_decay = value;
    let sgd: Change =
        |config, momentum| config.optimizer = OptimizerKind::Sgd { momentum, nesterov: false };
    let one_cycle: Change = |config, warm_up| config.schedule = Schedule::OneCycle { warm_up };
    let reduced: Change = |config, factor| config.reduce_lr = plateau(factor);
    let trained: Change = |config, value| config.loss = smoothed(value);
    let validated: Change = |config, value| config.validation_loss = Some(smoothed(value));
    // What is refused beside NaN, and what is not.
    let cases: [(&str, Change, [f32; 2], [f32; 2]); 7] = [
        ("has a learning rate", rate, [0.0, f32::INFINITY], [1e-5, 1.0]),
        ("has a weight decay", decay, [-1e-4, f32::INFINITY], [0.0, 0.1]),
        ("has a momentum", sgd, [-0.1, 1.0], [0.0, 0.9]),
        ("has a warm-up", one_cycle, [-0.1, 1.1], [0.0, 1.0]),
        ("has a plateau factor", reduced, [0.0, 1.0], [0.1, 0.9]),
        ("has a label smoothing", trained, [-0.1, 1.1], [0.0, 1.0]),
        ("has a validation loss", validated, [-0.1, 1.1], [0.0, 1.0]),
    ];
    for (words, change, refused, allowed) in cases {
        let check = |value: f32| {
            let mut config = Config::default();
            change(&mut config, value);
            config.check()
        };
        for value in refused.into_iter().chain([f32::NAN]) {
            let Err(error) = check(value) else { panic!("{words} of {value}") };
            let error = error.to_string();
            assert!(error.contains(words) && error.contains("its documentation"), "{error}");
        }
        for value in allowed {
            check(value).unwrap();
        }
    }
}

#[test]
fn the_configurations_of_the_study_are_not_refused() {
    for run in experiments() {
        let checked = run.experiment.config.check();
        assert!(checked.is_ok(), "{}: {checked:?}", run.name);
    }
}
