//! The command line as the workflow and its users call it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const RUN: &str = "part1-original-random-ours-seed0";

fn glyphs(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
    command.args(arguments).output().expect("the command line runs")
}

#[test]
fn the_list_of_runs_is_what_the_workflow_reads() {
    let done = glyphs(&["train", "--list"]);
    assert!(done.status.success());
    let runs: Vec<Value> = serde_json::from_slice(&done.stdout).expect("a list");
    let run = |name: &str| runs.iter().find(|run| run["name"] == name).expect(name);
    let pretrained = run("part2-original-pretrained-report-seed3");
    assert_eq!(pretrained["needs"], "part2-original-random-pretraining-seed3");
    assert!(pretrained["made_by"].is_null());
    let live = run(RUN);
    assert_eq!(live["made_by"], "02-cnn-dataset1");
    assert_eq!(live["read_by"][0], "02-cnn-dataset1");
}

#[test]
fn what_cannot_be_done_is_said_with_its_remedy() {
    for (arguments, words) in [
        (&["train", "part9"][..], "`glyphs train --list`"),
        (&["train"], "<NAME>"),
        (&["data", "status", "cifar"], "mislabelled"),
        // A name may not steer the terminal.
        (&["predict", "--images", ".", "--checkpoint", "a\x1b[2J\nb"], r"a\u{1b}[2J\nb"),
    ] {
        let done = glyphs(arguments);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(words), "{said}");
    }
}

/// Trains on a stand-in that is drawn in `folder`, where the outputs go too.
fn quick_training(folder: &Path) -> Command {
    // Under nohup the signal would be ignored, as it should.
    let mut command = Command::new("env");
    command
        .args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_glyphs")])
        .args(["train", RUN])
        .env("GLYPHS_OUTPUTS", folder)
        .env("GLYPHS_DATA", folder)
        .env("GLYPHS_QUICK", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Interrupted after a first epoch, told so, going on, and killed at last.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_ends_training_with_a_word_and_the_same_command_goes_on() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join(format!("results/{RUN}.json"));
    std::fs::create_dir(folder.path().join("results")).expect("a folder");
    std::fs::write(&record, "{}").expect("a file");
    let send = |signal: &str, id: &str| {
        let sent = Command::new("kill").args(["-s", signal, id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    };
    let until = |child: &mut std::process::Child, words: &str| {
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        let found = lines.any(|line| line.contains(words));
        assert!(found, "{words} was never said");
        std::thread::spawn(move || lines.count())
    };
    let mut first_words = "epoch ";
    for signal in ["TERM", "HUP", "INT"] {
        let mut child = quick_training(folder.path()).spawn().expect("the command line runs");
        let reader = until(&mut child, first_words);
        let id = child.id().to_string();
        if signal == "TERM" {
            // While it lasts, however long that is here, the same run cannot be made twice.
            send("STOP", &id);
            let second = quick_training(folder.path()).output().expect("the command line runs");
            send("CONT", &id);
            let said = String::from_utf8_lossy(&second.stderr);
            assert!(said.contains(&format!("under way in process {id} ")), "{said}");
            assert!(!second.status.success() && said.contains("`kill`"), "{said}");
        }
        send(signal, &id);
        let output = child.wait_with_output().expect("it ends");
        reader.join().expect("its words end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("resumes there"), "{signal}: {said}");
        first_words = "resuming after epoch";
    }
    assert!(!record.exists(), "the record of another network was left");
}

#[test]
#[cfg(target_os = "linux")]
fn results_that_cannot_be_written_are_met_before_training() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("results"), "").expect("a file");
    let done = quick_training(folder.path()).output().expect("the command line runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("results") && said.contains("move it away"), "{said}");
    assert!(!String::from_utf8_lossy(&done.stdout).contains("epoch"));
    assert_eq!(done.status.code(), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_an_error_and_no_panic() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let done = Command::new(env!("CARGO_BIN_EXE_glyphs"))
        .args(["data", "status"])
        .stdout(full.expect("Linux has it"))
        .output()
        .expect("the command line runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("standard output") && !said.contains("panicked"), "{said}");
    assert_eq!(done.status.code(), Some(1));
}

#[test]
#[cfg(unix)]
fn a_pipe_as_checkpoint_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let pipe = pipe.display().to_string();
    let done = glyphs(&["predict", "--checkpoint", &pipe, "--images", "."]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("not a file"), "{said}");
}

/// A BMP file of a vertical stroke, `ink` on paper that grows lighter from left to right by `shade`.
fn stroke([width, height]: [usize; 2], ink: u8, shade: usize) -> Vec<u8> {
    let is_ink = |x: usize, y: usize| {
        x.abs_diff(width / 2) < width / 34 && (height / 4..height * 3 / 4).contains(&y)
    };
    let grey = |x, y| if is_ink(x, y) { ink } else { (255 - shade + shade * x / width) as u8 };
    let stride = (3 * width).next_multiple_of(4);
    let mut file = b"BM".to_vec();
    let sizes = [54 + stride * height, 0, 54, 40, width, height, 1 | 24 << 16, 0, 0, 0, 0, 0, 0];
    file.extend(sizes.iter().flat_map(|&size| (size as u32).to_le_bytes()));
    for y in 0..height {
        file.extend((0..3 * width).map(|at| grey(at / 3, y)));
        file.resize(file.len() + stride - 3 * width, 0);
    }
    file
}

/// One network for sheets, in context or alone, and one for photographs.
#[test]
fn without_a_checkpoint_the_published_networks_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = folder.path().join("images");
    std::fs::create_dir(&images).expect("a folder");
    for (name, image) in
        [("photograph.bmp", stroke([301, 400], 60, 80)), ("sheet.bmp", stroke([1200, 900], 0, 0))]
    {
        std::fs::write(images.join(name), image).expect("a file");
    }
    for context in ["none", "folder"] {
        let done = Command::new(env!("CARGO_BIN_EXE_glyphs"))
            .args(["predict", "--out", "-", "--context", context, "--images"])
            .arg(&images)
            .env("GLYPHS_OUTPUTS", folder.path().join("empty"))
            .output()
            .expect("the command line runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        let table = String::from_utf8(done.stdout).expect("a table");
        let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
        let read: Vec<_> = rows[1..].iter().map(|row| (row[0], row[1])).collect();
        assert!(read.iter().all(|(_, character)| ["1", "I", "l"].contains(character)), "{read:?}");
        assert_eq!(read.len(), 2, "{said}");
    }
}

#[test]
fn five_answers_as_json_a_contact_sheet_and_what_was_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("images")).expect("a folder");
    for (name, bytes) in [
        ("alone.bmp", stroke([301, 400], 60, 80)),
        ("images/sheet.bmp", stroke([1200, 900], 0, 0)),
        ("images/white.bmp", stroke([1200, 900], 255, 0)),
        ("images/notes.txt", b"words".to_vec()),
        ("images/a\x1b[2J\nb", stroke([301, 400], 60, 80)),
    ] {
        std::fs::write(path(name), bytes).expect("a file");
    }
    let done = Command::new(env!("CARGO_BIN_EXE_glyphs"))
        .args(["predict", "--top", "5", "--json", "--sheet", "sheet.html", "--images"])
        .args(["images", "alone.bmp"])
        .env("GLYPHS_OUTPUTS", path("empty"))
        .current_dir(folder.path())
        .output()
        .expect("the command line runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let named = r"not named as a PNG, JPEG, WebP, BMP, TIFF or GIF file: images/a\u{1b}[2J\nb";
    for words in ["3 images in", "not read, no ink: 1", "notes.txt", named, "skipped: 2", "rename"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let table = std::fs::read(path("predictions.json")).expect("a table");
    let rows: Vec<Value> = serde_json::from_slice(&table).expect("JSON");
    let answers = |row: &Value| row["top"].as_array().map_or(0, Vec::len);
    assert_eq!(rows.iter().map(answers).collect::<Vec<_>>(), [5, 0, 5], "{rows:?}");
    let sheet = std::fs::read_to_string(path("sheet.html")).expect("a page");
    assert!(["sheet.bmp", "white.bmp", "alone.bmp"].iter().all(|name| sheet.contains(name)));
}

/// The counts come in any case.
#[test]
#[cfg(target_os = "linux")]
fn what_is_not_read_and_a_full_disk_are_said_with_their_remedies() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("images")).expect("a folder");
    for (name, bytes) in [
        ("images/7.bmp", stroke([301, 400], 60, 80)),
        ("images/bad.png", b"words".to_vec()),
        ("images/IMG_1.HEIC", b"words".to_vec()),
        ("images/more.zip", b"words".to_vec()),
    ] {
        std::fs::write(path(name), bytes).expect("a file");
    }
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command.arg("predict").args(arguments).env("GLYPHS_OUTPUTS", path("empty"));
        let done = command.current_dir(folder.path()).output().expect("the command line runs");
        [done.stdout, done.stderr].map(|words| String::from_utf8_lossy(&words).into_owned())
    };
    let [_, errors] = run(&["--images", "images"]);
    assert!(errors.contains("bad.png") && errors.contains("`--skip-damaged`"), "{errors}");
    let [_, errors] = run(&["--images", "images/bad.png"]);
    assert!(errors.contains("bad.png") && !errors.contains("--skip-damaged"), "{errors}");
    let [said, errors] = run(&["--skip-damaged", "--sheet", "/dev/full", "--images", "images"]);
    for words in [
        "1 image in",
        "other files skipped: 2",
        "save .heic files as PNG or JPEG",
        "unpack .zip files",
        "damaged images skipped: 1",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("rename") && errors.contains("make room"), "{said}{errors}");
}

/// A TIFF file of two pages, each of them the image of a BMP file.
fn two_pages(bmp: &[u8], [width, height]: [usize; 2]) -> Vec<u8> {
    let pixels = &bmp[54..];
    let mut file = [&b"II*\0"[..], &(8 + pixels.len() as u32).to_le_bytes(), pixels].concat();
    for is_last in [false, true] {
        let tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 2), (273, 8), (277, 3)];
        let tags = [&tags[..], &[(278, height), (279, pixels.len())]].concat();
        file.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in tags {
            // One number of 16 bits.
            let entry = [tag, 3, 1, 0, value, 0];
            file.extend(entry.iter().flat_map(|&short| (short as u16).to_le_bytes()));
        }
        let next = if is_last { 0 } else { file.len() + 4 };
        file.extend((next as u32).to_le_bytes());
    }
    file
}

#[test]
fn pages_that_are_not_read_are_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let size = [148, 112];
    let page = stroke(size, 0, 0);
    for (name, bytes) in [("one.bmp", &page), ("two.tif", &two_pages(&page, size))] {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    let done = Command::new(env!("CARGO_BIN_EXE_glyphs"))
        .args(["predict", "--out", "-", "--images"])
        .arg(folder.path())
        .env("GLYPHS_OUTPUTS", folder.path().join("empty"))
        .output()
        .expect("the command line runs");
    let [table, said] =
        [done.stdout, done.stderr].map(|words| String::from_utf8_lossy(&words).into_owned());
    assert!(said.contains("only the first frame or page read: 1"), "{said}");
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows.len() == 3 && rows[1].ends_with(','), "{table}");
    assert!(rows[2].ends_with(",only the first of 2 frames or pages was read"), "{table}");
    // They are the same image.
    let read = |row: &str| row.split(',').nth(1).map(str::to_owned);
    assert_eq!(read(rows[1]), read(rows[2]), "{table}");
}

#[test]
fn a_checkpoint_is_not_exported_onto_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.safetensors");
    std::fs::write(&file, "a checkpoint").expect("a file");
    for form in ["--onnx", "--int8"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command.current_dir(folder.path()).args(["export", "./a.safetensors", form]);
        let done = command.arg(&file).output().expect("the command line runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && said.contains("a.safetensors: it is read"), "{said}");
        assert!(said.contains("name another file for the output"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "a checkpoint");
}

#[test]
#[cfg(unix)]
fn the_table_goes_into_pipes_and_devices() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("alone.bmp");
    std::fs::write(&image, stroke([301, 400], 60, 80)).expect("a file");
    let device = folder.path().join("device");
    // The numbers of /dev/null; only root can make one.
    let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).output();
    let is_device = || std::fs::metadata(&device).is_ok_and(|it| it.file_type().is_char_device());
    let script = "\"$0\" predict --images \"$1\" --out >(cat)";
    let script = match made.is_ok_and(|done| done.status.success()) {
        true => format!("{script} && \"$0\" predict --images \"$1\" --out \"$2\""),
        false => script.into(),
    };
    let was_device = is_device();
    let done = Command::new("bash")
        .args(["-c", &script, env!("CARGO_BIN_EXE_glyphs")])
        .args([&image, &device])
        .env("GLYPHS_OUTPUTS", folder.path().join("empty"))
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("file,predicted,confidence"), "{said}");
    assert_eq!(is_device(), was_device);
}

#[test]
fn what_a_person_read_is_kept_once() {
    let folder = std::env::temp_dir().join(format!("glyphs-human-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let add = |text: &str| {
        let file = folder.join("answers.json");
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command.env("GLYPHS_OUTPUTS", &folder).arg("human").arg(&file);
        command.output().expect("the command line runs")
    };
    let answers = r#"{"format": "glyphs human answers 1", "run": "part1", "dataset_sha256": "ab",
        "view": "whole", "date": "2026-01-01",
        "answers": [{"drawing": "img001-042.png", "answer": "O", "seconds": 1.5}]}"#;
    assert!(add(answers).status.success() && add(&answers.replace('\n', "\n\n")).status.success());
    let kept = std::fs::read_dir(folder.join("human")).expect("records");
    assert_eq!(kept.count(), 1);
    for wrong in
        ["{}", &answers.replace("answers 1", "answers 9"), &answers.replace("\"O\"", "\"zero\"")]
    {
        let said = String::from_utf8_lossy(&add(wrong).stderr).into_owned();
        assert!(said.contains("answers.json") && said.contains("read.html"), "{said}");
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

/// What was put there by hand stays.
#[test]
fn clean_removes_only_what_fetch_puts_there() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    for folder in ["notebooks", "lib", "data/raw/mnist", "data/raw/.fetch"] {
        std::fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    let raw = root.join("data/raw");
    let (mine, fetched) = (raw.join("mine.png"), raw.join("mnist/t10k-images-idx3-ubyte.gz"));
    for file in [&mine, &fetched] {
        std::fs::write(file, "").expect("a file");
    }
    let clean = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command.current_dir(root).args(["data", "clean"]).args(arguments);
        let done = command.output().expect("it runs");
        assert!(done.status.success(), "{done:?}");
        (raw.join(".fetch").exists(), fetched.exists(), mine.exists())
    };
    assert_eq!(clean(&[]), (false, true, true));
    assert_eq!(clean(&["--raw"]), (false, false, true));
}

#[test]
fn a_table_that_cannot_be_written_is_said_first() {
    for (option, file, remedy) in [
        ("--out", "src", "name a file in that folder"),
        ("--sheet", "Cargo.toml/sheet.html", "a file where a folder is needed"),
    ] {
        let out = ["--out", "-", option, file];
        let out = if option == "--out" { &out[2..] } else { &out[..] };
        let arguments = [&["predict", "--images", "nothing", "--checkpoint", "none"], out].concat();
        let done = glyphs(&arguments);
        let said = String::from_utf8_lossy(&done.stderr);
        let file = file.split('/').next().unwrap_or("");
        assert!(!done.status.success(), "{said}");
        assert!(said.contains(file) && said.contains(remedy), "{said}");
    }
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
        command.current_dir(root.join(from)).env("GLYPHS_DATA", "data");
        let done = command.args(["data", "status", "mnist"]).output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(said.contains("$GLYPHS_DATA/mnist"), "{from}: {said}");
    }
    std::fs::remove_dir_all(root).expect("it is removed");
}

#[test]
#[cfg(target_os = "linux")]
fn a_table_is_appended_to_what_standard_output_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("alone.bmp"), stroke([301, 400], 60, 80)).expect("a file");
    std::fs::write(path("log.csv"), "before\n").expect("a file");
    let run = |script: &str| {
        let mut command = Command::new("bash");
        command.args(["-c", script, env!("CARGO_BIN_EXE_glyphs")]).current_dir(folder.path());
        command.env("GLYPHS_OUTPUTS", path("empty")).output().expect("bash runs")
    };
    let done = run("for out in /dev/stdout /dev/fd/7; do \
                    \"$0\" predict --images alone.bmp --out $out 7>> log.csv >> log.csv; done");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let log = std::fs::read_to_string(path("log.csv")).expect("a log");
    assert!(log.starts_with("before\nfile,predicted"), "{log}");
    assert_eq!(log.matches("\nalone.bmp,").count(), 2, "{log}");
    std::fs::write(path("none"), "a checkpoint").expect("a file");
    std::os::unix::fs::symlink("alone.bmp", path("link.csv")).expect("a link");
    // They are not read.
    for (name, bytes) in [("other.jpg", &b"\xff\xd8\xff"[..]), ("old.zip", b"PK\x03\x04")] {
        std::fs::write(path(name), bytes).expect("a file");
    }
    let done = run("\"$0\" predict --images alone.bmp --sheet /dev/stdout");
    let page = String::from_utf8_lossy(&done.stdout);
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    for (options, words) in [
        ("alone.bmp --sheet predictions.csv --out ./predictions.csv", "name two files"),
        ("alone.bmp --sheet - --out /dev/stdout", "name two files"),
        ("<(cat alone.bmp) --sheet sheet.html", "save it to a file first"),
        ("log.csv alone.bmp --out ./alone.bmp", "name another file for the output"),
        ("alone.bmp --sheet alone.bmp", "name another file for the output"),
        ("alone.bmp --out none", "name another file for the output"),
        (". --out alone.bmp", "name another file for the output"),
        (". --sheet link.csv", "name another file for the output"),
        ("alone.bmp --out other.jpg", "other.jpg: it is an image or an archive"),
        ("alone.bmp --sheet old.zip", "old.zip: it is an image or an archive"),
    ] {
        let done = run(&format!("\"$0\" predict --checkpoint none --images {options}"));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && said.contains(words), "{said}");
    }
    let image = std::fs::read(path("alone.bmp")).expect("the image");
    assert_eq!(image, stroke([301, 400], 60, 80), "what is read stays");
}

#[test]
fn a_set_that_is_broken_or_absent_is_an_error() {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    for folder in ["notebooks", "lib", "own"] {
        std::fs::create_dir(root.join(folder)).expect("a folder");
    }
    for (name, bytes) in [("images-idx3-ubyte.gz", &b"\x1f\x8b"[..]), ("labels-idx1-ubyte", b"")] {
        std::fs::write(root.join("own/train-".to_owned() + name), bytes).expect("a file");
    }
    for (arguments, words) in [
        (["data", "fetch", "mnist"], "replace the file in $GLYPHS_DATA"),
        (["data", "verify", "mnist"], "replace the file in $GLYPHS_DATA"),
        (["data", "verify", "handwritten"], "`glyphs data fetch handwritten`"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glyphs"));
        command.current_dir(root).env("GLYPHS_DATA", "own").args(arguments);
        let done = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && said.contains(words), "{said}");
    }
}
