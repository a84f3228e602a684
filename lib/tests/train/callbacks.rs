//! What callbacks decide from a history, and schedules from the step.

use glyphs::train::{EarlyStopping, Epoch, History, Monitor, ReduceLrOnPlateau, Schedule};

fn history(losses: &[f64]) -> History {
    let epoch = |&val_loss| Epoch {
        loss: 0.0,
        accuracy: 0.0,
        val_loss,
        val_accuracy: 0.0,
        lr: 0.0,
        seconds: 0.0,
    };
    History { epochs: losses.iter().map(epoch).collect(), curve: Vec::new() }
}

#[test]
fn the_rate_halves_after_each_plateau_and_stops_at_its_minimum() {
    let plateau = ReduceLrOnPlateau {
        factor: 0.5,
        patience: 2,
        min_delta: 0.0,
        min_lr: 0.2,
        ..ReduceLrOnPlateau::default()
    };
    let rate = |losses: &[f64]| plateau.learning_rate(1.0, &history(losses));
    assert_eq!(rate(&[]), 1.0);
    assert_eq!(rate(&[3.0, 2.0, 2.5]), 1.0);
    assert_eq!(rate(&[3.0, 2.0, 2.5, 2.1]), 0.5);
    assert_eq!(rate(&[3.0, 2.0, 2.5, 2.1, 2.0, 2.2]), 0.25);
    assert_eq!(rate(&[1.0; 20]), 0.2);
    // Accuracy stands still all along.
    let by_accuracy = ReduceLrOnPlateau { monitor: Monitor::ValAccuracy, ..plateau };
    let falling = history(&[5.0, 4.0, 3.0]);
    assert_eq!(plateau.learning_rate(1.0, &falling), 1.0);
    assert_eq!(by_accuracy.learning_rate(1.0, &falling), 0.5);
}

#[test]
fn stopping_waits_for_its_patience() {
    let stopping = EarlyStopping { patience: 2 };
    assert!(!stopping.stops(&history(&[])));
    assert!(!stopping.stops(&history(&[2.0, 1.0, 1.5])));
    assert!(stopping.stops(&history(&[2.0, 1.0, 1.5, 1.4])));
    assert!(!stopping.stops(&history(&[2.0, 1.0, 1.5, 0.9])));
}

#[test]
fn stopping_without_patience_lets_a_run_improve() {
    let stopping = EarlyStopping { patience: 0 };
    assert!(!stopping.stops(&history(&[])));
    assert!(!stopping.stops(&history(&[2.0])));
    assert!(!stopping.stops(&history(&[2.0, 1.0])));
    assert!(stopping.stops(&history(&[2.0, 1.0, 1.5])));
}

#[test]
fn one_cycle_rises_to_the_full_rate_and_falls_to_almost_nothing() {
    let cycle = Schedule::OneCycle { warm_up: 0.25 };
    assert!((cycle.factor(0, 100) - 0.04).abs() < 1e-6);
    assert!((cycle.factor(25, 100) - 1.0).abs() < 1e-6);
    assert!(cycle.factor(100, 100) < 1e-3);
    assert!(cycle.factor(12, 100) < cycle.factor(20, 100));
    assert!(cycle.factor(50, 100) > cycle.factor(70, 100));
}
