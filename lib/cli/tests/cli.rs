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

/// A relative folder is the same for a shell at the root and a kernel in `notebooks`.
#[test]
fn a_relative_folder_of_data_is_one_folder() {
    let root = std::env::temp_dir().join(format!("glyphs-relative-{}", std::process::id()));
    for folder in ["notebooks", "lib", "data/mnist"] {
        std::fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    std::fs::write(root.join("data/mnist/train-images-idx3-ubyte"), "").expect("a file");
    for from in ["", "notebooks", "lib"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command
            .current_dir(root.join(from))
            .env("GLYPHS_DATA", "data");
        let done = command
            .args(["data", "status", "mnist"])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(said.contains("$GLYPHS_DATA/mnist"), "{from}: {said}");
    }
    std::fs::remove_dir_all(root).expect("it is removed");
}
