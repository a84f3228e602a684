//! The official test of part 1: drawings that come later, read once by networks that are
//! finished.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Handwritten, Provenance, locate::places},
    eval::Evaluation,
    files::{made_or_published, outputs, read_json, write_json},
    nn::Ensemble,
    study::{Experiment, LOOKALIKES, SEEDS},
    train::evaluate,
};

/// Names that the test set may have in `$GLYPHS_DATA` or `data/raw`; of Chars74K's own archive
/// the drawings that the task left out.
const NAMES: [&str; 4] = ["testPart1.zip", "testPart1", "EnglishHnd.tgz", "EnglishHnd"];

/// What finished networks read in the official test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficialTest {
    pub dataset: Provenance,
    pub networks: Vec<Judged>,
}

/// One network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Name of the run that trained it.
    pub run: String,
    /// `ours` or `ours-in-context`, with [`TOGETHER`] for an ensemble.
    pub protocol: String,
    /// Empty for an ensemble: those of its networks stand beside it.
    pub weights_sha256: String,
    pub accuracy: f64,
    /// With look-alikes counted as one.
    pub merged_accuracy: f64,
}

impl Judged {
    fn of(
        run: String,
        protocol: String,
        weights_sha256: String,
        evaluation: &Evaluation,
    ) -> Result<Self> {
        Ok(Self {
            run,
            protocol,
            weights_sha256,
            accuracy: evaluation.accuracy(),
            merged_accuracy: evaluation.merged(&LOOKALIKES)?.accuracy,
        })
    }
}

/// Ends the protocol of five networks whose probabilities are averaged.
pub const TOGETHER: &str = "-five-together";
/// Its record, in the folder of outputs.
const RECORD: &str = "official-test.json";

impl OfficialTest {
    /// The record of it: one made here, else the published one.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn load() -> Result<Option<Self>> {
        let otherwise = "is no record of the official test";
        let read = |path: PathBuf| read_json(&path, otherwise, "delete it");
        made_or_published(RECORD).map(read).transpose()
    }

    /// Reads the test set with every network of ours that is here, one drawing at a time and in
    /// context, and keeps a record. It is done once: a test set that is looked at twice is a
    /// validation set.
    ///
    /// # Errors
    /// Where it was done before, the test set is not here or damaged, or no network is.
    pub fn run() -> Result<Self> {
        let record = outputs().join(RECORD);
        if record.exists() {
            let problem = "the official test was made already";
            let remedy = "read its result there, or in notebook 2";
            return Err(Error::content(record, problem, remedy));
        }
        let drawings = Handwritten::open_test(&find()?)?;
        let mut networks = Vec::new();
        let ours = Experiment::part1_ours(0);
        for run in [ours.clone(), ours.in_context()] {
            let (samples, _) = run.samples((&drawings).into())?;
            let mut members = Vec::new();
            for run in SEEDS.map(|seed| run.with_seed(seed)) {
                let Some(checkpoint) = run.find_checkpoint()? else {
                    continue;
                };
                let network = checkpoint.network()?;
                let evaluation = evaluate(network.as_ref(), &samples)?;
                let (name, weights) = (run.name(), checkpoint.weights_sha256());
                networks.push(Judged::of(name, run.protocol, weights, &evaluation)?);
                members.push(network);
            }
            if members.len() == SEEDS.len() {
                let evaluation = evaluate(&Ensemble::new(members)?, &samples)?;
                let protocol = format!("{}{TOGETHER}", run.protocol);
                networks.push(Judged::of(run.name(), protocol, String::new(), &evaluation)?);
            }
        }
        if networks.is_empty() {
            let problem = "there is no finished network of part 1";
            return Err(Error::argument(problem, "run `make full`, or `glyphs train`"));
        }
        let test = Self { dataset: drawings.provenance, networks };
        write_json(&record, &test)?;
        Ok(test)
    }
}

fn find() -> Result<PathBuf> {
    let places = places()?.into_iter();
    let mut paths = places.flat_map(|(folder, _)| NAMES.map(|name| folder.join(name)));
    paths.find(|path| path.exists()).ok_or_else(|| Error::Missing {
        what: "testPart1 (the official test set)".into(),
        problem: format!("none of {} is in $GLYPHS_DATA or data/raw", NAMES.join(", ")),
        remedy: "put it there, and run this again".into(),
    })
}
