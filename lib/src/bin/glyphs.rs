//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use glyphs::data::Dataset;
use glyphs::data::Mnist;
use glyphs::data::fetch::{Catalogue, check, clean, fetch};
use glyphs::data::locate::locate;
use glyphs::predict::predict;
use glyphs::study::{
    DigitRun, Head, Init, Part1, Protocol, load_mislabelled, load_mnist, load_photographs, pretrain,
};
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
    #[command(subcommand)]
    Train(TrainCommands),
}

#[derive(Args)]
struct PredictArgs {
    /// A network trained on photographs, e.g. from outputs/checkpoints.
    #[arg(long)]
    checkpoint: PathBuf,
    /// A folder, or a zip or tar.gz archive, of PNG and JPEG images of any size.
    #[arg(long)]
    images: PathBuf,
    /// Where the table file,predicted,confidence(,label) goes.
    #[arg(long, default_value = "predictions.csv")]
    out: PathBuf,
    /// Pass over damaged images, and list them, instead of stopping.
    #[arg(long)]
    skip_damaged: bool,
}

#[derive(Subcommand)]
enum TrainCommands {
    /// Part 1: 62 characters from photographs.
    Part1 {
        /// E.g. `report` or `ours`.
        protocol: String,
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// The networks that parts 2 and 3 start from: the ten digits of the photographs.
    Pretrain {
        #[arg(value_parser = parse_head)]
        network: Head,
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// Part 2: MNIST.
    Part2(DigitArgs),
    /// Part 3: digits under wrong labels.
    Part3(DigitArgs),
}

#[derive(Args)]
struct DigitArgs {
    /// `original` or `experimental`.
    #[arg(value_parser = parse_head)]
    network: Head,
    /// `random` or `pretrained`.
    #[arg(value_parser = parse_init)]
    init: Init,
    /// E.g. `report`, `clean`, `few-100`, `frozen-trunk`; in part 3 `report` or a loss.
    #[arg(long, default_value = "report")]
    protocol: String,
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl DigitArgs {
    fn run(&self, part: u8) -> Result<DigitRun> {
        let mut protocols = Protocol::all(part);
        let names: Vec<String> = protocols.iter().map(|p| p.name()).collect();
        let Some(index) = names.iter().position(|name| *name == self.protocol) else {
            return Err(Error::argument(
                format!("part {part} has no protocol {}", self.protocol),
                format!("name one of {}", names.join(", ")),
            ));
        };
        let protocol = protocols.swap_remove(index);
        Ok(DigitRun::new(
            part,
            protocol,
            self.network,
            self.init,
            self.seed,
        ))
    }
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
    /// handwritten, mnist, mislabelled; all where none is named.
    #[arg(value_parser = parse_dataset)]
    datasets: Vec<Dataset>,
}

impl Which {
    fn list(&self) -> &[Dataset] {
        match self.datasets.as_slice() {
            [] => &Dataset::ALL,
            some => some,
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
        Commands::Train(train) => run_training(train),
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
    for &dataset in which.list() {
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

fn run_training(command: TrainCommands) -> Result<()> {
    match command {
        TrainCommands::Part1 { protocol, seed } => train_part1(&protocol, seed),
        TrainCommands::Pretrain { network, seed } => {
            pretrain(network, seed, &load_photographs()?, &load_mnist()?.test).map(drop)
        }
        TrainCommands::Part2(arguments) => {
            let Mnist { train, test } = load_mnist()?;
            arguments.run(2)?.run(&train, &test).map(drop)
        }
        TrainCommands::Part3(arguments) => {
            let test = load_mnist()?.test;
            arguments.run(3)?.run(&load_mislabelled()?, &test).map(drop)
        }
    }
}

fn parse_head(name: &str) -> Result<Head, String> {
    let mut heads = Head::ALL.into_iter();
    heads
        .find(|head| head.name() == name)
        .ok_or_else(|| "original or experimental".into())
}

fn parse_init(name: &str) -> Result<Init, String> {
    let mut inits = Init::ALL.into_iter();
    inits
        .find(|init| init.name() == name)
        .ok_or_else(|| "random or pretrained".into())
}

fn train_part1(protocol: &str, seed: u64) -> Result<()> {
    let run = Part1::named(protocol, seed).ok_or_else(|| {
        let names: Vec<String> = Part1::all(seed)
            .into_iter()
            .map(|run| run.protocol)
            .collect();
        Error::argument(
            format!("part 1 has no protocol {protocol}"),
            format!("name one of {}", names.join(", ")),
        )
    })?;
    run.run(&load_photographs()?)?;
    Ok(())
}

fn parse_dataset(name: &str) -> Result<Dataset, String> {
    Dataset::ALL
        .into_iter()
        .find(|dataset| dataset.name() == name)
        .ok_or_else(|| "no such data set: handwritten, mnist or mislabelled".into())
}
