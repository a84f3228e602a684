//! The list of runs beside the published records.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use glyphs::nn::{Adam, Batch, CrossEntropy};
use glyphs::study::{
    DIVISIONS, Experiment, Head, Here, Init, MadeHere, RunResult, TAKEN, best_rate, experiments,
    networks, simplest_division, tried_divisions, tried_rates,
};

pub fn published() -> Vec<(PathBuf, RunResult)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../outputs/reference/results");
    let files = std::fs::read_dir(folder).expect("published records");
    files
        .map(|file| file.unwrap().path())
        .map(|path| {
            let record = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (path, record)
        })
        .collect()
}

#[test]
fn every_published_record_is_that_of_a_run_of_the_list() {
    let published = published();
    assert!(published.len() > 100);
    let by_name: HashMap<String, &RunResult> =
        published.iter().map(|(_, record)| (record.name(), record)).collect();
    for (path, record) in &published {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let run = Experiment::named(name).unwrap();
        assert_eq!(record.name(), name);
        assert_eq!(record.config, run.config, "{name}");
        // That of its first seed stands for a run made here.
        let first = run.seeds().iter().find_map(|&seed| by_name.get(&run.with_seed(seed).name()));
        let made =
            first.map(|&first| MadeHere { run: first.clone(), published: Some(first.clone()) });
        let here = Here {
            dataset: &record.dataset,
            pretraining: record.pretraining.as_ref(),
            start: run.needs().map(|needs| by_name[&needs.name()]),
            made: made.as_ref(),
            instructions: "avx2",
        };
        let differences = record.differs_from(&run, &here);
        assert!(differences.is_empty(), "{name}: {differences:?}");
        assert_eq!(record.loss, run.config.loss.name());
        assert_eq!(record.pretraining.is_some(), run.init == Init::Pretrained);
        assert_eq!(record.test_accuracy.is_some(), run.is_tested_on_mnist());
        let kept = run.checkpoint();
        assert!(kept.ends_with(&record.checkpoint.path), "{}", kept.display());
        let dataset = match record.part {
            1 => "handwritten",
            2 if record.protocol.starts_with("pretraining") => "handwritten",
            2 => "mnist-train",
            _ if record.protocol.contains("-right-") => "mnist-train",
            _ => "mislabelled",
        };
        assert_eq!(record.dataset.name, dataset, "{name}");
    }
}

/// A table of all four networks shows the runs of each, not those of one in another's settings.
#[test]
fn a_grid_has_the_runs_of_all_its_networks() {
    let run = Experiment::mnist(Head::Original, Init::Random, 0);
    let runs: Vec<Experiment> = experiments().into_iter().map(|run| run.experiment).collect();
    for run in [run.clone(), run.clone().clean(), run.clone().frozen_trunk(), run.few(1_000)] {
        for (head, init) in networks() {
            assert!(runs.contains(&run.of_network(head, init)), "{}", run.name());
        }
    }
}

#[test]
fn every_run_of_the_list_is_published() {
    let published: HashSet<String> = published().iter().map(|(_, run)| run.name()).collect();
    let runs = experiments().into_iter().map(|run| run.name);
    let missing: Vec<String> = runs.filter(|name| !published.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_study_takes_what_its_rules_choose() {
    let published = published();
    let of = |part: u8, protocol: &str| {
        let mut runs = published.iter().map(|(_, run)| run);
        let run = runs.find(|run| run.part == part && run.protocol == protocol);
        run.unwrap().dataset.clone()
    };
    let mnist = of(2, "report");
    for (head, init) in networks() {
        let run = Experiment::mnist(head, init, 0);
        let best = best_rate(tried_rates(&run, &mnist).unwrap());
        assert_eq!(best, Some(run.clean().config.learning_rate));
    }
    let divisions = tried_divisions(&of(3, "report")).unwrap();
    assert_eq!(divisions.len(), DIVISIONS.len());
    assert_eq!(simplest_division(&divisions), Some(TAKEN));
}

/// The configuration of a run that is made again has the same text.
#[test]
fn the_text_of_published_configurations_is_kept() {
    for (path, record) in published() {
        let run = Experiment::named(&record.name()).unwrap();
        let config = serde_json::to_string_pretty(&run.config).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&config.replace('\n', "\n  ")), "{}", run.name());
    }
}

#[test]
fn names_are_one_each_and_start_from_runs_of_the_list() {
    let runs = experiments();
    let names: HashSet<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names.len(), runs.len());
    let mut needed = runs.iter().filter_map(|run| run.needs.as_deref());
    assert!(needed.all(|name| names.contains(name)));
    let notebooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../notebooks");
    for run in &runs {
        for name in run.made_by.iter().chain(&run.read_by) {
            assert!(notebooks.join(format!("{name}.ipynb")).exists(), "{name}");
        }
    }
}

#[test]
fn a_run_has_a_name_under_any_seed() {
    let name = "part2-original-pretrained-report-seed7";
    let run = Experiment::named(name).unwrap();
    assert_eq!(run, Experiment::mnist(Head::Original, Init::Pretrained, 7));
    assert_eq!(run.needs().unwrap().name(), "part2-original-random-pretraining-seed7");
    for name in ["", "part2", "part2-original-pretrained-report-seedx", "part9-a-b-c-seed0"] {
        let error = Experiment::named(name).unwrap_err().to_string();
        assert!(error.contains("glyphs train --list"), "{error}");
    }
}

/// Its network is made, and learns from a batch: of each trunk, head and set of features one.
#[test]
fn every_run_has_a_network() {
    let mut seen = HashSet::new();
    for run in experiments().into_iter().map(|run| run.experiment) {
        let kind =
            format!("{:?} {:?} {:?} {}", run.trunk, run.head, run.features, run.data.classes());
        if run.init == Init::Pretrained || !seen.insert(kind) {
            continue;
        }
        let mut model = run.network().unwrap();
        let features = vec![0.5; 2 * model.num_features()];
        let batch = Batch { len: 2, images: &[0.5; 2 * 784], features: &features };
        model.train_step(batch, &CrossEntropy::new(&[0, 1]), &mut Adam::new(1e-3)).unwrap();
    }
    assert!(seen.len() > 5);
}
