//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use glyphs::{Error, Result, prelude::*};

/// Handwritten characters in Rust: data, training, prediction.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train one run of part 1 and record it.
    Train {
        /// E.g. `report` or `ours`.
        protocol: String,
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("glyphs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Train { protocol, seed } => {
            let run = Part1::named(&protocol, seed).ok_or_else(|| {
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
    }
}
