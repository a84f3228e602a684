//! The list of all runs, which workflow and command line read.

use serde::Serialize;

use super::{
    DEPTHS, DIVISIONS, FEW, RATES, RELABELLED, SEEDS, SELECTION, TAKEN, UNLIMITED, networks,
};
use crate::{
    Error, Result,
    study::experiment::{Experiment, Head, Init},
    train::Complementary,
};

const CHARACTERS: &str = "02-cnn-dataset1";
const PRETRAINING: &str = "03-pretrain-digits";
const MNIST: &str = "04-mnist";
const DATASET3: &str = "06-cnn-dataset3";
const COMPLEMENTARY: &str = "07-complementary-labels";
const PREPROCESSING: &str = "01-preprocess-dataset1";
const SUMMARY: &str = "08-summary";

/// A run, and its place in the study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedRun {
    /// Name of its record.
    pub name: String,
    /// Name of the run whose network it starts from.
    pub needs: Option<String>,
    /// The notebook that makes it each time; `glyphs train` makes the others.
    pub made_by: Option<&'static str>,
    /// The notebooks that read its record.
    pub read_by: Vec<&'static str>,
    #[serde(skip)]
    pub experiment: Experiment,
}

/// Every run of the study, each once: the one list that workflow and command line read.
pub fn experiments() -> Vec<ListedRun> {
    let mut runs = Vec::new();
    // Seed 0 is made by `notebook`, where there is one.
    type Notebook = &'static str;
    let mut add =
        |run: Experiment, seeds: &[u64], notebook: Option<Notebook>, readers: &[Notebook]| {
            runs.extend(seeds.iter().map(|&seed| {
                let experiment = run.with_seed(seed);
                ListedRun {
                    name: experiment.name(),
                    needs: experiment.needs().map(|first| first.name()),
                    made_by: notebook.filter(|_| seed == 0),
                    read_by: readers.to_vec(),
                    experiment,
                }
            }));
        };
    let ours = Experiment::part1_ours(0);
    let readers = [CHARACTERS, SUMMARY];
    for (_, run) in Experiment::part1_readings(0) {
        let plain = run.protocol == "plain";
        let readers = if plain { &[PREPROCESSING, CHARACTERS, SUMMARY][..] } else { &readers };
        add(run, &SEEDS, None, readers);
    }
    for (_, run) in &Experiment::part1_preprocessing(0)[1..] {
        add(run.clone(), &SEEDS, None, &[PREPROCESSING]);
    }
    add(ours.clone(), &SEEDS, Some(CHARACTERS), &readers);
    add(ours.in_context(), &SEEDS, Some(CHARACTERS), &readers);
    add(Experiment::part1_photographs(0), &SEEDS, None, &[CHARACTERS]);
    for run in [Experiment::part1_plain(0), ours.clone(), ours.in_context()] {
        add(run.by_writer(), &SEEDS, None, &readers);
    }
    for (_, run) in Experiment::part1_candidates() {
        add(run, &SELECTION, None, &[CHARACTERS]);
    }
    for head in Head::ALL {
        let readers = [PRETRAINING, MNIST, DATASET3, COMPLEMENTARY, SUMMARY];
        let run = Experiment::pretraining(head, 0);
        add(run.clone(), run.seeds(), Some(PRETRAINING), &readers);
        add(run, &SELECTION[..1], None, &[MNIST]);
    }
    for (head, init) in networks() {
        let run = || Experiment::mnist(head, init, 0);
        add(run(), run().seeds(), Some(MNIST), &[MNIST, SUMMARY]);
        add(run().clean(), &SEEDS, None, &[MNIST, SUMMARY]);
        for rate in RATES {
            add(run().clean_at(rate), &SELECTION[..1], None, &[MNIST]);
        }
        add(run().frozen_trunk(), &SEEDS, None, &[MNIST]);
        for n in FEW {
            add(run().few(n), &SEEDS, None, &[MNIST]);
        }
        let run = Experiment::mislabelled(head, init, 0);
        add(run, &SEEDS, Some(DATASET3), &[DATASET3, SUMMARY]);
    }
    let original = |init| Experiment::mnist(Head::Original, init, 0);
    for init in Init::ALL {
        for n in [100, 1_000] {
            add(original(init).few_distorted(n), &SEEDS, None, &[MNIST]);
        }
    }
    for depth in DEPTHS {
        let run = original(Init::Pretrained).few(1_000).carrying_over(depth);
        add(run, &SEEDS, None, &[MNIST]);
    }
    add(original(Init::Random).thirty_epochs(), &SEEDS, None, &[MNIST, SUMMARY]);
    let run = |init| Experiment::mislabelled(Head::Original, init, 0);
    for loss in Complementary::ALL {
        add(run(Init::Random).complementary(loss), &[0], None, &[COMPLEMENTARY]);
    }
    let readers = [COMPLEMENTARY, SUMMARY];
    for division in DIVISIONS {
        let made_by = (division == TAKEN).then_some(COMPLEMENTARY);
        add(run(Init::Random).divided(division), &SEEDS, made_by, &readers);
    }
    add(run(Init::Pretrained).divided(TAKEN), &SEEDS, Some(COMPLEMENTARY), &readers);
    add(run(Init::Random).divided(UNLIMITED), &SEEDS, None, &readers);
    for division in [TAKEN, UNLIMITED] {
        let known = run(Init::Random).true_labels(division.epochs());
        add(known, &SEEDS, None, &readers);
    }
    for (right, uneven) in RELABELLED {
        add(Experiment::relabelled(right, uneven, 0), &SEEDS[..3], None, &readers[..1]);
    }
    runs
}

impl Experiment {
    /// The run with this name, under any seed.
    ///
    /// # Errors
    /// [`Error::Argument`] where the study has none.
    pub fn named(name: &str) -> Result<Self> {
        let seed = name.rsplit_once("-seed").and_then(|(_, seed)| seed.parse().ok());
        let found = seed.and_then(|seed| {
            let mut runs = experiments().into_iter();
            runs.find_map(|run| {
                let run = run.experiment.with_seed(seed);
                (run.name() == name).then_some(run)
            })
        });
        found.ok_or_else(|| {
            let problem = format!("the study has no run {name}");
            Error::argument(problem, "take a name from `glyphs train --list`")
        })
    }
}
