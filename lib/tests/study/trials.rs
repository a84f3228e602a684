//! Techniques that were tried beside the study.

use std::fs;

use glyphs::{
    files::project_root,
    report::trials,
    study::{RunResult, TrialResult},
};

#[test]
fn each_published_trial_stands_beside_a_run_like_it() {
    let folder = project_root().join("outputs/reference/trials");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let trial: TrialResult = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let what = format!("{} beside {}", trial.technique, trial.beside);
        let run = RunResult::load(&trial.beside).unwrap().expect(&what);
        assert_eq!((trial.seed, trial.epochs.len()), (run.seed, run.epochs.len()), "{what}");
        assert_eq!(trial.test_accuracy.is_some(), run.test_accuracy.is_some(), "{what}");
        assert!(!trial.environment.commit.ends_with("dirty"), "{what}");
    }
}

/// A technique in the table of its part, and in no other.
#[test]
fn tables_name_the_techniques_of_their_part() {
    let part1 = trials::of_part1().unwrap().text().to_string();
    let part3 = trials::of_part3().unwrap().text().to_string();
    for trial in TrialResult::load_all().unwrap() {
        let is_first = trial.beside.starts_with("part1");
        let (of, other) = if is_first { (&part1, &part3) } else { (&part3, &part1) };
        let technique = &trial.technique;
        assert!(of.contains(technique) && !other.contains(technique), "{technique}");
    }
}
