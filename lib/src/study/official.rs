//! The official test of part 1: drawings that come later, read once by networks that are
//! finished.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data::{Handwritten, Provenance, locate::places},
    error::ensure,
    eval::Evaluation,
    files::{is_set, outputs, read_made_or_published, write_json},
    nn::Ensemble,
    progress::say,
    study::{Artefact, Environment, Experiment, LOOKALIKES, RunResult, SEEDS, load_drawings},
    train::{Checkpoint, evaluate},
};

/// Names that the test set may have in `$GLYPHS_DATA` or `data/raw`; of Chars74K's own archive
/// the drawings that the task left out.
const NAMES: [&str; 4] = ["testPart1.zip", "testPart1", "EnglishHnd.tgz", "EnglishHnd"];
/// Asks that networks which are neither published nor here be trained first, in about an hour.
const TRAIN: &str = "GLYPHS_TRAIN";

/// What finished networks read in the official test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficialTest {
    pub dataset: Provenance,
    pub networks: Vec<TestedNetwork>,
    /// Runs whose networks were neither published nor here.
    pub left_out: Vec<String>,
    pub environment: Environment,
}

/// One network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestedNetwork {
    /// Name of the run that trained it.
    pub run: String,
    /// `ours`, `ours-in-context` or `photographs`, with [`TOGETHER`] for an ensemble.
    pub protocol: String,
    /// None for an ensemble: its networks stand beside it.
    pub file: Option<TestedFile>,
    /// Whether the published record of the run names these weights, which one in 8 bits has not; none
    /// for an ensemble.
    pub is_published: Option<bool>,
    pub accuracy: f64,
    /// With look-alikes counted as one.
    pub merged_accuracy: f64,
}

/// The file of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedFile {
    pub origin: Origin,
    pub checkpoint: Artefact,
}

/// Where a network comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From `outputs/reference/checkpoints`, with dense weights in 8 bits.
    Published,
    /// It was trained on this machine before, and has all 32 bits.
    Here,
    /// It was trained for this test, and has all 32 bits.
    Trained,
}

impl TestedNetwork {
    /// `ending` is that of the protocol's name.
    fn of(
        run: &Experiment,
        ending: &str,
        file: Option<TestedFile>,
        evaluation: &Evaluation,
    ) -> Result<Self> {
        let name = run.name();
        let recorded = RunResult::load_published(&name)?.map(|run| run.checkpoint.weights_sha256);
        let weights = file.as_ref().map(|file| &file.checkpoint.weights_sha256);
        Ok(Self {
            is_published: weights.zip(recorded).map(|(weights, recorded)| *weights == recorded),
            run: name,
            protocol: format!("{}{ending}", run.protocol),
            file,
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
    /// context, and with those for photographs, and keeps a record. The published networks are
    /// read; where one is not published, one made here; where there is none, it is left out, or
    /// trained first if the variable `GLYPHS_TRAIN` asks for it. It is done once: a test set that
    /// is looked at twice is a validation set.
    ///
    /// # Errors
    /// Where it was done before, the test set or the drawings to learn from are not here, there is
    /// no network, or anything is damaged.
    pub fn run() -> Result<Self> {
        let problem = "the official test has already been made";
        ensure(Self::load()?.is_none(), || problem, "read its result in notebook 2")?;
        let drawings = Handwritten::open_test(&find()?)?;
        let learned_from = load_drawings()?.provenance;
        let problem = "the drawings to learn from are not here: a stand-in is in their place";
        ensure(!learned_from.synthetic, || problem, "run `glyphs data fetch handwritten`")?;
        // Every network is finished before the first one reads.
        let ours = Experiment::part1_ours(0);
        let protocols = [ours.clone(), ours.in_context(), Experiment::part1_photographs(0)];
        let (mut finished, mut left_out) = (Vec::new(), Vec::new());
        for run in protocols.iter().flat_map(|run| SEEDS.map(|seed| run.with_seed(seed))) {
            let name = run.name();
            match run.to_be_tested(&learned_from)? {
                Some((origin, checkpoint)) => {
                    say(format!("{name}: {}", checkpoint.path.display()));
                    finished.push((run, origin, checkpoint));
                }
                None => {
                    say(format!("{name}: left out, as it is neither published nor here"));
                    left_out.push(name);
                }
            }
        }
        let problem = "no network is published or here";
        ensure(!finished.is_empty(), || problem, "train them: GLYPHS_TRAIN=1 make official-test")?;
        let mut networks = Vec::new();
        for protocol in protocols {
            let (samples, _) = protocol.samples((&drawings).into())?;
            let mut members = Vec::new();
            let of_protocol = finished.iter().filter(|(run, ..)| run.protocol == protocol.protocol);
            for (run, origin, checkpoint) in of_protocol {
                let network = checkpoint.network()?;
                let evaluation = evaluate(network.as_ref(), &samples)?;
                let checkpoint = Artefact::of(&checkpoint.path)?;
                let file = TestedFile { origin: *origin, checkpoint };
                networks.push(TestedNetwork::of(run, "", Some(file), &evaluation)?);
                members.push(network);
            }
            if members.len() == SEEDS.len() {
                let evaluation = evaluate(&Ensemble::new(members)?, &samples)?;
                networks.push(TestedNetwork::of(&protocol, TOGETHER, None, &evaluation)?);
            }
        }
        let environment = Environment::here();
        let test = Self { dataset: drawings.provenance, networks, left_out, environment };
        write_json(&outputs().join(RECORD), &test)?;
        Ok(test)
    }
}

impl Experiment {
    /// Its finished network, which has learned from these data as the run says, and where that comes
    /// from. None where there is none, unless one is to be trained.
    fn to_be_tested(&self, learned_from: &Provenance) -> Result<Option<(Origin, Checkpoint)>> {
        let own = self.checkpoint();
        for path in self.checkpoint_paths().rev() {
            let origin = if path == own { Origin::Here } else { Origin::Published };
            let checkpoint = Checkpoint::load(path)?;
            if self.has_trained(&checkpoint) && checkpoint.data.sha256 == learned_from.sha256 {
                return Ok(Some((origin, checkpoint)));
            }
        }
        if !is_set(TRAIN) {
            return Ok(None);
        }
        self.load_and_run()?;
        Ok(Some((Origin::Trained, Checkpoint::load(own)?)))
    }
}

fn find() -> Result<PathBuf> {
    let places = places()?.into_iter();
    let mut paths = places.flat_map(|(folder, _)| NAMES.map(|name| folder.join(name)));
    paths.find(|path| path.exists()).ok_or_else(|| Error::Missing {
        what: "testPart1 (the official test set)".into(),
        problem: format!("none of {} is in $GLYPHS_DATA or data/raw", NAMES.join(", ")),
        remedy: "put it there, and run this again; with GLYPHS_TRAIN=1, networks that are not \
                 published are trained first"
            .into(),
    })
}
