//! The command line as the workflow and its users call it.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn glyphs(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
    command
        .args(arguments)
        .output()
        .expect("the command line runs")
}

#[test]
fn the_list_of_runs_is_what_the_workflow_reads() {
    let done = glyphs(&["train", "--list"]);
    assert!(done.status.success());
    let runs: Vec<Value> = serde_json::from_slice(&done.stdout).expect("a list");
    let run = |name: &str| runs.iter().find(|run| run["name"] == name).expect(name);
    let pretrained = run("part2-original-pretrained-report-seed3");
    assert_eq!(
        pretrained["needs"],
        "part2-original-random-pretraining-seed3"
    );
    assert!(pretrained["made_by"].is_null());
    let live = run("part1-original-random-ours-seed0");
    assert_eq!(live["made_by"], "02-cnn-dataset1");
    assert_eq!(live["read_by"][0], "02-cnn-dataset1");
}

#[test]
fn what_cannot_be_done_is_said_with_its_remedy() {
    for (arguments, words) in [
        (&["train", "part9"][..], "`glyphs train --list`"),
        (&["train"], "<NAME>"),
        (&["data", "status", "cifar"], "mislabelled"),
    ] {
        let done = glyphs(arguments);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(words), "{said}");
    }
}

#[test]
fn what_a_person_read_is_kept_once() {
    let folder = std::env::temp_dir().join(format!("glyphs-human-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let add = |text: &str| {
        let file = folder.join("answers.json");
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command
            .env("GLYPHS_OUTPUTS", &folder)
            .arg("human")
            .arg(&file);
        command.output().expect("the command line runs")
    };
    let answers = r#"{"format": "glyphs human answers 1", "run": "part1", "dataset_sha256": "ab",
        "view": "whole", "date": "2026-01-01",
        "answers": [{"drawing": "img001-042.png", "answer": "O", "seconds": 1.5}]}"#;
    assert!(add(answers).status.success() && add(&answers.replace('\n', "\n\n")).status.success());
    let kept = std::fs::read_dir(folder.join("human")).expect("records");
    assert_eq!(kept.count(), 1);
    for wrong in ["{}", &answers.replace("answers 1", "answers 9")] {
        let said = String::from_utf8_lossy(&add(wrong).stderr).into_owned();
        assert!(
            said.contains("answers.json") && said.contains("read.html"),
            "{said}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("it can be removed");
}

#[test]
#[cfg(unix)]
fn it_ends_without_a_panic_where_nobody_reads_on() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
    let mut child = command
        .args(["data", "status"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command line runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
