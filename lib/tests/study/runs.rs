//! Whole runs on a few images, into a folder of their own.

use std::path::Path;
use std::process::Command;

use glyphs::study::Environment;
use serde_json::Value;

/// Trains a run of a quick copy of the study by the command line's own entry point.
fn records(folder: &Path, name: &str) -> Value {
    let text = std::fs::read(folder.join("results").join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Each kind of run, in a process of its own: outputs and data are named by the environment.
#[test]
fn each_kind_of_run_keeps_its_record_and_its_network() {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runs::train_one_of_each_kind", "--ignored"])
        .env("GLYPHS_QUICK", "1")
        .env("GLYPHS_OUTPUTS", folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let pretraining = records(folder.path(), "part2-original-random-pretraining-seed0");
    assert_eq!(pretraining["checkpoint"]["path"], "checkpoints/digits-original-seed0.safetensors");
    assert_eq!(
        pretraining["best_checkpoint"]["path"],
        "checkpoints/digits-original-seed0.best.safetensors"
    );
    let forward = records(folder.path(), "part3-original-pretrained-forward-9-seed0");
    assert_eq!(forward["pretraining"], pretraining["dataset"]);
    let run = records(folder.path(), "part3-original-random-self-training-6-3-seed0");
    assert!(run["metrics"]["held_out_risk"].is_f64());
    assert!(run["metrics"]["train_loss"].is_null());
    assert_eq!(run["epochs"].as_array().unwrap().len(), 3);
    let few = records(folder.path(), "part2-experimental-random-few-100-seed1");
    assert_eq!(few["dataset"]["count"], 100);
    assert!(few["test_accuracy"].is_f64());
    let ours = records(folder.path(), "part1-original-random-ours-seed0");
    let measures: Vec<&String> = ours["metrics"].as_object().unwrap().keys().collect();
    assert_eq!(measures, ["averaged_accuracy", "ece", "merged_accuracy", "top_3_accuracy"]);
    assert!(ours["test_accuracy"].is_null());
    assert_eq!(ours["setup"]["features"], "ink");
    assert_eq!(ours["setup"]["split"]["random"], 0.9);
    assert!(ours["setup"]["preprocess"]["crop_to_ink"].is_object());
    assert!(few["setup"]["preprocess"].is_null());
    for run in [&pretraining, &forward, &run, &few, &ours] {
        let hashes = [
            &run["samples"]["train"],
            &run["samples"]["valid"],
            &run["checkpoint"]["weights_sha256"],
            &run["best_checkpoint"]["weights_sha256"],
        ];
        assert!(hashes.iter().all(|hash| hash.as_str().unwrap().len() == 64));
        let environment = &run["environment"];
        assert!(environment["peak_gflops"].as_f64().unwrap() > 1.0);
        assert!(!environment["instructions"].as_str().unwrap().is_empty());
    }
}

#[test]
#[ignore = "started by the test above, with an environment of its own"]
fn train_one_of_each_kind() {
    for name in [
        "part1-original-random-ours-seed0",
        "part1-original-random-photographs-seed0",
        "part2-original-random-pretraining-seed0",
        "part2-experimental-random-few-100-seed1",
        "part3-original-pretrained-forward-9-seed0",
        "part3-original-random-self-training-6-3-seed0",
    ] {
        let run = glyphs::study::Experiment::named(name).unwrap();
        run.load_and_run().unwrap();
    }
    // Nothing starts from a network with a flipped bit, or from that of another run.
    let named = |name| glyphs::study::Experiment::named(name).unwrap();
    let path = named("part2-original-random-pretraining-seed0").checkpoint();
    let run = named("part3-original-pretrained-forward-9-seed0");
    run.network().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = run.network().err().unwrap().to_string();
    assert!(error.contains("seed0.safetensors: its content does not match"), "{error}");
    let other = named("part2-original-random-pretraining-seed1");
    other.load_and_run().unwrap();
    std::fs::copy(other.checkpoint(), &path).unwrap();
    let error = run.network().err().unwrap().to_string();
    assert!(error.contains("digits-original-seed0.safetensors: its weights are not"), "{error}");
    assert!(error.contains("`glyphs train part2-original-random-pretraining-seed0`"), "{error}");
    // A network that was made in another way is not that of the run.
    let mut run = glyphs::study::Experiment::named("part1-original-random-ours-seed0").unwrap();
    let table = glyphs::files::outputs().join("judged.csv");
    assert!(run.judge(&table).unwrap().len() > 5);
    run.config.epochs += 1;
    let error = run.judge(&table).unwrap_err().to_string();
    assert!(error.contains("no network of part1-original-random-ours-seed0"), "{error}");
}

/// A folder that was unpacked from an archive: the working folder says where the project is.
#[test]
fn outside_of_a_repository_a_record_names_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["notebooks", "lib"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runs::the_commit_here_is_unknown", "--ignored"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
#[ignore = "started by the test above, in a folder of its own"]
fn the_commit_here_is_unknown() {
    assert_eq!(Environment::here().commit, "unknown");
}
