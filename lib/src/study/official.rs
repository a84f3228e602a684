//! The official test of part 1: drawings that come later, read once by networks that are
//! finished.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Handwritten, Provenance, locate::places},
    error::ensure,
    eval::Evaluation,
    files::{outputs, read_made_or_published, write_json},
    nn::Ensemble,
    progress::say,
    study::{Experiment, LOOKALIKES, RunResult, SEEDS, load_drawings},
    train::{Checkpoint, evaluate},
};

/// Names that the test set may have in `$GLYPHS_DATA` or `data/raw`; of Chars74K's own archive
/// the drawings that the task left out.
const NAMES: [&str; 4] = ["testPart1.zip", "testPart1", "EnglishHnd.tgz", "EnglishHnd"];

/// What finished networks read in the official test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficialTest {
    pub dataset: Provenance,
    pub networks: Vec<TestedNetwork>,
}

/// One network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedNetwork {
    /// Name of the run that trained it.
    pub run: String,
    /// `ours`, `ours-in-context` or `photographs`, with [`TOGETHER`] for an ensemble.
    pub protocol: String,
    /// Empty for an ensemble: those of its networks stand beside it.
    pub weights_sha256: String,
    /// Whether the published record of the run names these weights; none for an ensemble.
    pub is_published: Option<bool>,
    pub accuracy: f64,
    /// With look-alikes counted as one.
    pub merged_accuracy: f64,
}

impl TestedNetwork {
    /// `ending` is that of the protocol's name.
    fn of(
        run: &Experiment,
        ending: &str,
        weights_sha256: String,
        evaluation: &Evaluation,
    ) -> Result<Self> {
        let name = run.name();
        let published = RunResult::load_published(&name)?.filter(|_| !weights_sha256.is_empty());
        Ok(Self {
            is_published: published.map(|run| run.checkpoint.weights_sha256 == weights_sha256),
            run: name,
            protocol: format!("{}{ending}", run.protocol),
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
    pub fn load() -> Result<Option<Self>> {
        read_made_or_published(RECORD, "is not a record of the official test", "delete it")
    }

    /// Reads the test set with the networks of ours under all seeds, one drawing at a time and in
    /// context, and with those for photographs, and keeps a record. Networks that were not trained
    /// here are trained first, about an hour for all. It is done once: a test set that is looked at
    /// twice is a validation set.
    ///
    /// # Errors
    /// Where it was done before, the test set or the drawings to learn from are not here, or
    /// anything is damaged.
    pub fn run() -> Result<Self> {
        let problem = "the official test has already been made";
        ensure(Self::load()?.is_none(), || problem, "read its result in notebook 2")?;
        let drawings = Handwritten::open_test(&find()?)?;
        let learned_from = load_drawings()?.provenance;
        let problem = "the drawings to learn from are not here: a stand-in is in their place";
        ensure(!learned_from.synthetic, || problem, "run `glyphs data fetch handwritten`")?;
        let mut networks = Vec::new();
        let ours = Experiment::part1_ours(0);
        for protocol in [ours.clone(), ours.in_context(), Experiment::part1_photographs(0)] {
            let (samples, _) = protocol.samples((&drawings).into())?;
            let mut members = Vec::new();
            for run in SEEDS.map(|seed| protocol.with_seed(seed)) {
                let checkpoint = run.made_here(&learned_from)?;
                let network = checkpoint.network()?;
                let evaluation = evaluate(network.as_ref(), &samples)?;
                let weights = checkpoint.weights_sha256();
                networks.push(TestedNetwork::of(&run, "", weights, &evaluation)?);
                members.push(network);
            }
            let evaluation = evaluate(&Ensemble::new(members)?, &samples)?;
            networks.push(TestedNetwork::of(&protocol, TOGETHER, String::new(), &evaluation)?);
        }
        let test = Self { dataset: drawings.provenance, networks };
        write_json(&outputs().join(RECORD), &test)?;
        Ok(test)
    }
}

impl Experiment {
    /// Its network with all 32 bits, which a published one has not; trained now where it is not
    /// here.
    fn made_here(&self, learned_from: &Provenance) -> Result<Checkpoint> {
        let path = self.checkpoint();
        if path.exists() {
            let checkpoint = Checkpoint::load(&path)?;
            if checkpoint.config == self.config && checkpoint.data.sha256 == learned_from.sha256 {
                return Ok(checkpoint);
            }
        }
        say(self.name());
        self.load_and_run()?;
        Checkpoint::load(&path)
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
