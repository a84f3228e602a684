//! `glyphs`: data, training and prediction from a terminal.

use std::fs::{canonicalize, metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use glyphs::data::Dataset;
use glyphs::data::archive::{LINK, is_image, is_image_or_archive, remedies};
use glyphs::data::decode::FORMATS;
use glyphs::data::fetch::{Catalogue, check, clean, fetch};
use glyphs::data::locate::{OWN, locate};
use glyphs::error::printable;
use glyphs::files::{check_writable, is_same, is_stdout};
use glyphs::predict::{Context, Layout, Options, predict, predict_by_study};
use glyphs::progress::set_silent;
use glyphs::study::{CASE_AND_LOOKALIKES, Experiment, Human, OfficialTest, Readings, experiments};
use glyphs::train::Checkpoint;
use glyphs::{Error, Result};

/// At most so many files that are not images are named; all are counted.
const LISTED: usize = 20;

/// Whether standard output takes a file: beside that there is no room for words.
static TAKES_FILE: AtomicBool = AtomicBool::new(false);

/// Like the standard library's, but ends the program when standard output fails (a full disk), and
/// writes to standard error where standard output [takes a file](TAKES_FILE).
macro_rules! println {
    ($($words:tt)*) => {
        if TAKES_FILE.load(Ordering::Relaxed) {
            eprintln!($($words)*);
        } else if let Err(error) = writeln!(std::io::stdout(), $($words)*) {
            eprintln!("error: standard output: {error}; make room, or send it elsewhere");
            std::process::exit(1);
        }
    };
}

/// The command line. Without clap's derive macros, which would need more of `syn` than the
/// notebooks' kernel does: every dependency would be compiled twice.
fn command_line() -> Command {
    let which = |name: &'static str, about: &'static str| {
        let names = Dataset::ALL.map(Dataset::name);
        let datasets = Arg::new("datasets").value_name("DATASET").num_args(0..).value_parser(names);
        let command = Command::new(name).about(about);
        command.arg(datasets.help("All if none is named"))
    };
    let path = |name: &'static str| {
        let path = Arg::new(name).long(name).value_name("PATH");
        path.value_parser(value_parser!(PathBuf))
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let data = Command::new("data")
        .about("The data sets: fetch them, see where they are, check them, remove them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(which("fetch", "Fetch what is in neither $GLYPHS_DATA nor data/raw/"))
        .subcommand(which("status", "Say where each data set is"))
        .subcommand(which(
            "verify",
            "Read each data set, and compare its sha256 with data/datasets.toml",
        ))
        .subcommand(
            Command::new("clean")
                .about("Remove stand-ins, caches, saved tables and broken downloads")
                .arg(flag("raw", "The fetched data too; other files in data/raw/ stay")),
        );
    let predict = Command::new("predict")
        .about("Read images, drawn or photographed, with a trained network")
        .arg(path("checkpoint").help(
            "A network trained on drawings, e.g. from outputs/checkpoints; by default, the \
                 study's two networks: one for drawings, one for photographs",
        ))
        .arg(
            path("images").required(true).num_args(1..).action(ArgAction::Append).help(format!(
                "Folders, archives (zip, tar, tar.gz) and {FORMATS} files, each of at most 25 \
                 megapixels (a progressive JPEG: 12.5) and 16 MB"
            )),
        )
        .arg(
            path("out")
                .default_value("predictions.csv")
                .default_value_if("json", "true", "predictions.json")
                .help("Where the table file,predicted,confidence(,label),problem(,top) goes; - is standard output"),
        )
        .arg(flag("json", "Write the table as JSON (predictions.json unless --out names a file)"))
        .arg(
            path("sheet").help(
                "Also write a page that shows each image, what the network saw and its answer",
            ),
        )
        .arg(
            Arg::new("top")
                .long("top")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .default_value("0")
                .help("Also print and write the N most probable characters of each image"),
        )
        .arg(
            Arg::new("layout")
                .long("layout")
                .value_parser(["auto", "sheet", "crop"])
                .default_value("auto")
                .help(
                    "Whether images show a whole sheet, so that size and position of the ink \
                     mean something; auto: flat ones of dataset 1's shape and pen do",
                ),
        )
        .arg(Arg::new("context").long("context").value_parser(["folder", "writer", "none"]).help(
            "Read in context: which other images are by the same hand (for a checkpoint \
                     that reads in context: folder). Their labels are never used",
        ))
        .arg(flag("skip-damaged", "Skip damaged images, and list them, instead of stopping"));
    let export = Command::new("export")
        .about("Write the network of a checkpoint in another form")
        .arg(
            Arg::new("checkpoint")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("E.g. from outputs/checkpoints"),
        )
        .arg(path("onnx").help("As an ONNX model, for any runtime that reads it, into this file"))
        .arg(path("int8").help(
            "As a checkpoint with its dense weights in 8 bits, a quarter as large, into this file",
        ))
        .group(ArgGroup::new("form").args(["onnx", "int8"]).required(true));
    let judge = Command::new("judge")
        .about("With its trained network, read the images that a run held out for validation")
        .arg(Arg::new("name").value_name("NAME").required(true).help("Name of its record"))
        .arg(
            path("out")
                .default_value("judged.csv")
                .help("Where the table label,prediction,confidence,loss,correct(,writer) goes"),
        );
    let train = Command::new("train")
        .about("Train one run of the study, and record it in outputs/results")
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .required_unless_present("list")
                .help("Name of its record, e.g. part2-original-pretrained-report-seed3; any seed"),
        )
        .arg(
            flag(
                "list",
                "Print all runs of the study as JSON: name, the run whose network it starts \
                 from, the notebook that makes it each time, the notebooks that read it",
            )
            .conflicts_with("name"),
        );
    let official_test = Command::new("official-test").about(
        "Read the official test set of part 1, once, with the networks that are published or here",
    );
    let readings = Command::new("readings").about(
        "Write what the finished networks of part 1 read in every drawing that they never \
         saw, for the pages: readings.json in the folder of outputs",
    );
    let human = Command::new("human")
        .about(
            "Add people's answers to the records, from files that a report's page read.html saved",
        )
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf)),
        );
    Command::new("glyphs")
        .about("Handwritten characters: data, training and prediction")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([data, export, judge, official_test, predict, human, readings, train])
}

/// Runs the command line on the arguments of this process.
pub fn main() -> ExitCode {
    // In `glyphs … | head` the first line that nobody reads ends the program, without a panic.
    sigpipe::reset();
    glyphs::interrupt::watch_signals();
    let arguments = command_line().get_matches();
    let done = match arguments.subcommand() {
        Some(("data", data)) => match data.subcommand() {
            Some(("fetch", which)) => each(which, fetch_one),
            Some(("status", which)) => each(which, show_status),
            Some(("verify", which)) => each(which, verify),
            Some((_, options)) => clean(options.get_flag("raw")).map(|folders| {
                for folder in folders {
                    println!("removed {}", folder.display());
                }
            }),
            None => Ok(()),
        },
        Some(("export", arguments)) => export(arguments),
        Some(("judge", arguments)) => judge(arguments),
        Some(("official-test", _)) => official_test(),
        Some(("predict", arguments)) => predict_images(arguments),
        Some(("human", arguments)) => human(arguments),
        Some(("readings", _)) => readings(),
        Some((_, arguments)) => train(arguments),
        None => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Of an argument that is required, or has a default.
fn path(arguments: &ArgMatches, name: &str) -> PathBuf {
    let path = arguments.get_one::<PathBuf>(name);
    path.cloned().unwrap_or_default()
}

/// Files that are about to be written, one of them perhaps into standard output.
fn announce<'a>(files: impl IntoIterator<Item = &'a PathBuf>) {
    if files.into_iter().any(|file| is_stdout(file)) {
        TAKES_FILE.store(true, Ordering::Relaxed);
        set_silent(true);
    }
}

fn export(arguments: &ArgMatches) -> Result<()> {
    let is_int8 = arguments.contains_id("int8");
    let read = path(arguments, "checkpoint");
    let out = path(arguments, if is_int8 { "int8" } else { "onnx" });
    if out.is_file() && is_same(&out, &read) {
        return Err(would_be_replaced(&out));
    }
    check_output(&out)?;
    let checkpoint = Checkpoint::load(read)?;
    if is_int8 {
        return checkpoint.save_in_8_bits(&out);
    }
    announce([&out]);
    checkpoint.export_onnx(&out)?;
    println!("{}: takes pixels from 0 to 1, returns logits", printable(out.display()));
    Ok(())
}

/// Checks before long work that `path` can be written, and that no image or archive is lost by it: a
/// name in the wrong place is soon typed.
fn check_output(path: &Path) -> Result<()> {
    check_writable(path)?;
    if !is_stdout(path) && path.is_file() && is_image_or_archive(path) {
        let problem = "it is an image or an archive, and would be replaced by what is written";
        return Err(Error::content(path, problem, "name another file for the output"));
    }
    Ok(())
}

/// Of a file of the input that the output leads to.
fn would_be_replaced(path: &Path) -> Error {
    let problem = "it is read, and would be replaced by what is written";
    Error::content(path, problem, "name another file for the output")
}

fn judge(arguments: &ArgMatches) -> Result<()> {
    let name = arguments.get_one::<String>("name");
    let out = path(arguments, "out");
    check_output(&out)?;
    announce([&out]);
    let evaluation = Experiment::named(name.map_or("", String::as_str))?.judge(&out)?;
    let (accuracy, count) = (evaluation.accuracy(), evaluation.len());
    println!("accuracy {accuracy:.4} on {count} held-out images");
    Ok(())
}

fn predict_images(arguments: &ArgMatches) -> Result<()> {
    let word = |name| arguments.get_one::<String>(name).map(String::as_str);
    let options = Options {
        context: match word("context") {
            Some("folder") => Context::Folder,
            Some("writer") => Context::Writer,
            Some("none") => Context::None,
            _ => Context::Auto,
        },
        layout: match word("layout") {
            Some("sheet") => Layout::Sheet,
            Some("crop") => Layout::Crop,
            _ => Layout::Auto,
        },
        skip_damaged: arguments.get_flag("skip-damaged"),
        top: arguments.get_one("top").copied().unwrap_or(0),
    };
    let images: Vec<&PathBuf> = arguments.get_many("images").into_iter().flatten().collect();
    let (out, sheet) = (path(arguments, "out"), arguments.get_one::<PathBuf>("sheet"));
    let read: Vec<&PathBuf> =
        images.iter().copied().chain(arguments.get_one("checkpoint")).collect();
    for path in [&out].into_iter().chain(sheet) {
        // Into a device or a pipe, what is read is not lost.
        let is_read =
            || read.iter().any(|read| is_same(read, path)) || is_image_below(path, &images);
        if path.is_file() && is_read() {
            return Err(would_be_replaced(path));
        }
        check_output(path)?;
    }
    if let Some(sheet) = sheet {
        if is_same(&out, sheet) {
            let sheet = printable(sheet.display());
            let problem = format!("--out and --sheet both lead to {sheet}");
            return Err(Error::argument(problem, "name two files"));
        }
        let is_pipe = |path: &&&PathBuf| {
            metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
        };
        if let Some(pipe) = images.iter().find(is_pipe) {
            let problem = "it is a pipe, and for --sheet images are read twice";
            return Err(Error::content(pipe, problem, "save it to a file first"));
        }
    }
    announce([&out].into_iter().chain(sheet));
    let start = Instant::now();
    let predicted = match arguments.get_one::<PathBuf>("checkpoint") {
        Some(checkpoint) => predict(checkpoint, &images, options),
        None => {
            let in_context = word("context").is_some_and(|context| context != "none");
            predict_by_study(in_context, &images, options)
        }
    };
    let predictions = predicted.map_err(|error| match options.skip_damaged {
        true => error,
        false => or_skip(error, &images),
    })?;
    match arguments.get_flag("json") {
        true => predictions.write_json(&out)?,
        false => predictions.write_csv(&out)?,
    }
    let (count, seconds) = (predictions.rows.len(), start.elapsed().as_secs_f64());
    let out = printable(out.display());
    let images_read = if count == 1 { "1 image".into() } else { format!("{count} images") };
    println!("{images_read} in {seconds:.1} s, {:.0} per second: {out}", count as f64 / seconds);
    let [reading, decoding, network] = predictions.seconds;
    println!(
        "  reading {reading:.1} s; decoding and preprocessing {decoding:.1} s, {:.0} per second; \
         network {network:.1} s",
        count as f64 / decoding
    );
    for row in predictions.rows.iter().filter(|row| !row.top.is_empty()) {
        println!("{}  {}", printable(&row.file), row.top_words());
    }
    for (problem, count) in predictions.problems().filter(|(_, count)| *count > 0) {
        println!("not read, {}: {count}", problem.words());
    }
    let in_part = predictions.only_in_part();
    if in_part > 0 {
        println!("only the first frame or page read: {in_part}");
    }
    for other in predictions.others.iter().take(LISTED) {
        let name = printable(other);
        match other.contains(LINK) {
            true => println!("skipped: {name}"),
            false => println!("skipped, not named as a {FORMATS} file: {name}"),
        }
    }
    if !predictions.others.is_empty() {
        println!("other files skipped: {}", predictions.others.len());
    }
    for remedy in remedies(&predictions.others) {
        println!("  {remedy}");
    }
    for error in &predictions.skipped {
        println!("skipped: {error}");
    }
    if !predictions.skipped.is_empty() {
        println!("damaged images skipped: {}", predictions.skipped.len());
    }
    if let Some(evaluation) = &predictions.evaluation {
        let (right, total) = predictions.correct();
        let accuracy = right as f64 / total as f64;
        println!("accuracy {accuracy:.4}: {right} of {total} images with a label");
        if let Ok(merged) = evaluation.merged(&CASE_AND_LOOKALIKES) {
            let right = merged.accuracy * evaluation.len() as f64;
            println!("accuracy {:.4} with case and look-alikes as one", right / total as f64);
        }
        for pair in evaluation.most_confused(10).0 {
            println!(
                "  {} read as {}: {} of {}",
                pair.truth, pair.prediction, pair.count, pair.support
            );
        }
    }
    // At the end: where it cannot be written, all else is said.
    if let Some(sheet) = sheet {
        predictions.write_sheet(&images, sheet)?;
        println!("contact sheet: {}", printable(sheet.display()));
    }
    Ok(())
}

/// The error, which says of a damaged image among others that it can be skipped.
fn or_skip(mut error: Error, images: &[&PathBuf]) -> Error {
    if let Error::Content { path, remedy, .. } | Error::Io { path, remedy, .. } = &mut error {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut others = images.iter().filter(|image| image.as_path() != path.as_path());
        if others.any(|image| is_image(&name) || path.starts_with(image)) {
            remedy.push_str(", or skip damaged images (`--skip-damaged`)");
        }
    }
    error
}

/// Whether a file is below one of the folders, and named as an image, so that it is read.
fn is_image_below(file: &Path, folders: &[&PathBuf]) -> bool {
    let Ok(file) = canonicalize(file) else {
        return false;
    };
    let is_above =
        |folder: &&PathBuf| canonicalize(folder).is_ok_and(|folder| file.starts_with(folder));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    is_image(&name) && folders.iter().any(is_above)
}

/// Continues after a failure, and returns the last.
fn each(which: &ArgMatches, action: fn(Dataset) -> Result<()>) -> Result<()> {
    let named = |name: &String| Dataset::ALL.into_iter().find(|dataset| dataset.name() == name);
    let datasets: Vec<Dataset> = match which.get_many::<String>("datasets") {
        Some(names) => names.filter_map(named).collect(),
        None => Dataset::ALL.into(),
    };
    let mut result = Ok(());
    for dataset in datasets {
        let done = action(dataset);
        if let (Err(earlier), Err(_)) = (&result, &done) {
            eprintln!("error: {earlier}");
        }
        if done.is_err() {
            result = done;
        }
    }
    result
}

fn fetch_one(dataset: Dataset) -> Result<()> {
    let found = match locate(dataset)? {
        Some(found) => match check(dataset, &found, &[]) {
            Err(error) if found.source.starts_with(OWN) => return Err(error),
            Err(_) => fetch(dataset)?,
            Ok(_) => found,
        },
        None => fetch(dataset)?,
    };
    println!("{}: {}", dataset.name(), found.source);
    Ok(())
}

fn show_status(dataset: Dataset) -> Result<()> {
    let catalogue = Catalogue::embedded()?;
    let entry = catalogue.entry(dataset);
    match locate(dataset)? {
        Some(found) if found.synthetic => {
            println!("{}: stand-in, {}", dataset.name(), found.source)
        }
        Some(found) => println!("{}: {}", dataset.name(), found.source),
        None => println!("{}: not here; `glyphs data fetch {0}` fetches it", dataset.name()),
    }
    println!("  {}\n  {}\n  licence: {}", entry.title, entry.citation, entry.licence);
    Ok(())
}

fn verify(dataset: Dataset) -> Result<()> {
    let catalogue = Catalogue::embedded()?;
    let found = locate(dataset)?.ok_or_else(|| dataset.missing())?;
    if found.synthetic {
        println!("{}: a stand-in, {}", dataset.name(), found.source);
        return Ok(());
    }
    for part in check(dataset, &found, &catalogue.entry(dataset).sha256)? {
        println!("{}: {} images, sha256 {}, as published", part.name, part.count, part.sha256);
    }
    Ok(())
}

fn official_test() -> Result<()> {
    let test = OfficialTest::run()?;
    println!("{} drawings of {}", test.dataset.count, test.dataset.source);
    for network in &test.networks {
        println!(
            "{}: accuracy {:.4}, look-alikes as one {:.4}",
            network.run, network.accuracy, network.merged_accuracy
        );
    }
    Ok(())
}

fn human(arguments: &ArgMatches) -> Result<()> {
    for file in arguments.get_many::<PathBuf>("files").into_iter().flatten() {
        println!("{}", Human::add(file)?.display());
    }
    Ok(())
}

fn readings() -> Result<()> {
    let readings = Readings::make()?;
    for network in &readings.networks {
        println!("{}: accuracy {:.4}", network.run, network.accuracy);
    }
    println!("{}", readings.save()?.display());
    Ok(())
}

fn train(arguments: &ArgMatches) -> Result<()> {
    if let Some(name) = arguments.get_one::<String>("name") {
        return Experiment::named(name)?.load_and_run().map(drop);
    }
    println!("{}", serde_json::to_string_pretty(&experiments()).expect("names are JSON"));
    Ok(())
}
