//! `glyphs`: data, training and prediction from a terminal.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};
use glyphs::data::Dataset;
use glyphs::data::fetch::{Catalogue, check, clean, fetch};
use glyphs::data::locate::locate;
use glyphs::predict::predict;
use glyphs::study::{Experiment, experiments};
use glyphs::{Error, Result};

/// Handwritten characters: data, training and prediction.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Subcommand)]
enum Commands {
    /// The data sets: fetch them, see where they are, check them, remove them.
    #[command(subcommand)]
    Data(DataCommands),
    /// Read the images of a folder or archive with a trained network.
    Predict(PredictArgs),
    /// Train one run of the study, and record it in outputs/results.
    Train(TrainArgs),
}

#[derive(Args)]
struct PredictArgs {
    /// A network trained on drawings, e.g. from outputs/checkpoints.
    #[arg(long)]
    checkpoint: PathBuf,
    /// A folder, or a zip or tar.gz archive, of PNG and JPEG images of any size.
    #[arg(long)]
    images: PathBuf,
    /// Where the table file,predicted,confidence(,label) goes.
    #[arg(long, default_value = "predictions.csv")]
    out: PathBuf,
    /// Skip damaged images, and list them, instead of stopping.
    #[arg(long)]
    skip_damaged: bool,
}

#[derive(Args)]
struct TrainArgs {
    /// Name of its record, e.g. `part2-original-pretrained-report-seed3`; any seed.
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Print all runs of the study as JSON: name, the run whose network it starts from, the
    /// notebook that makes it each time, the notebooks that read it.
    #[arg(long, conflicts_with = "name")]
    list: bool,
}

#[derive(Subcommand)]
enum DataCommands {
    /// Fetch what neither $GLYPHS_DATA nor data/raw/ holds.
    Fetch(Which),
    /// Say where each data set is.
    Status(Which),
    /// Read each data set, and compare its sha256 with data/datasets.toml.
    Verify(Which),
    /// Remove stand-ins, caches and broken downloads.
    Clean {
        /// The fetched data too.
        #[arg(long)]
        raw: bool,
    },
}

#[derive(Args)]
struct Which {
    /// All where none is named.
    datasets: Vec<DatasetName>,
}

#[derive(Clone, Copy, ValueEnum)]
enum DatasetName {
    Handwritten,
    Mnist,
    Mislabelled,
}

impl From<DatasetName> for Dataset {
    fn from(name: DatasetName) -> Self {
        match name {
            DatasetName::Handwritten => Self::Handwritten,
            DatasetName::Mnist => Self::Mnist,
            DatasetName::Mislabelled => Self::Mislabelled,
        }
    }
}

impl Which {
    fn list(&self) -> Vec<Dataset> {
        match self.datasets.as_slice() {
            [] => Dataset::ALL.into(),
            some => some.iter().map(|&name| name.into()).collect(),
        }
    }
}

fn main() -> ExitCode {
    // In `glyphs … | head` the first line that nobody reads ends the program, without a panic.
    sigpipe::reset();
    let done = match Cli::parse().command {
        Commands::Data(DataCommands::Fetch(which)) => each(&which, fetch_one),
        Commands::Data(DataCommands::Status(which)) => each(&which, show_status),
        Commands::Data(DataCommands::Verify(which)) => each(&which, verify),
        Commands::Data(DataCommands::Clean { raw }) => clean(raw).map(|folders| {
            for folder in folders {
                println!("removed {}", folder.display());
            }
        }),
        Commands::Predict(args) => predict_images(&args),
        Commands::Train(args) => train(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn predict_images(args: &PredictArgs) -> Result<()> {
    let start = Instant::now();
    let predictions = predict(&args.checkpoint, &args.images, args.skip_damaged)?;
    predictions.write_csv(&args.out)?;
    let (count, seconds) = (predictions.rows.len(), start.elapsed().as_secs_f64());
    let out = args.out.display();
    println!(
        "{count} images in {seconds:.1} s, {:.0} a second: {out}",
        count as f64 / seconds
    );
    let [reading, images, network] = predictions.seconds;
    println!(
        "  reading {reading:.1} s; decoding and preprocessing {images:.1} s, {:.0} a second; \
         network {network:.1} s",
        count as f64 / images
    );
    for error in &predictions.skipped {
        println!("skipped: {error}");
    }
    if !predictions.skipped.is_empty() {
        println!("{} damaged images were skipped", predictions.skipped.len());
    }
    if let Some(evaluation) = &predictions.evaluation {
        let right = evaluation
            .correct()
            .into_iter()
            .filter(|&correct| correct)
            .count();
        let (accuracy, total) = (evaluation.accuracy(), evaluation.len());
        println!("accuracy {accuracy:.4}: {right} of {total} images with a label");
        for pair in evaluation.most_confused(10).0 {
            println!(
                "  {} read as {}: {} of {}",
                pair.truth, pair.prediction, pair.count, pair.support
            );
        }
    }
    Ok(())
}

/// Goes on after a failure, and returns the last.
fn each(which: &Which, action: fn(Dataset) -> Result<()>) -> Result<()> {
    let mut result = Ok(());
    for dataset in which.list() {
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
        Some(found) => found,
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
        None => println!(
            "{}: not here; `glyphs data fetch {0}` gets it",
            dataset.name()
        ),
    }
    println!(
        "  {}\n  {}\n  licence: {}",
        entry.title, entry.citation, entry.licence
    );
    Ok(())
}

fn verify(dataset: Dataset) -> Result<()> {
    let catalogue = Catalogue::embedded()?;
    let Some(found) = locate(dataset)? else {
        println!("{}: not here", dataset.name());
        return Ok(());
    };
    if found.synthetic {
        println!("{}: a stand-in, {}", dataset.name(), found.source);
        return Ok(());
    }
    for part in check(dataset, &found, &catalogue.entry(dataset).sha256)? {
        println!(
            "{}: {} images, sha256 {}, as published",
            part.name, part.count, part.sha256
        );
    }
    Ok(())
}

fn train(args: &TrainArgs) -> Result<()> {
    if let Some(name) = &args.name {
        return Experiment::named(name)?.load_and_run().map(drop);
    }
    let list = serde_json::to_string_pretty(&experiments()).map_err(|error| {
        Error::argument(format!("the list of runs is no JSON: {error}"), "report it")
    })?;
    println!("{list}");
    Ok(())
}
