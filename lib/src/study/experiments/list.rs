//! The list of all runs, which workflow and command line read.

use serde::Serialize;

use super::{DEPTHS, DIVISIONS, FEW, RATES, RELABELLED, SELECTION, TAKEN, UNLIMITED, networks};
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

type Notebook = &'static str;

struct List(Vec<ListedRun>);

impl List {
    /// A run under its seeds; seed 0 is made by `notebook`, where there is one.
    fn add(&mut self, run: Experiment, notebook: Option<Notebook>, readers: &[Notebook]) {
        self.add_under(run.seeds(), run, notebook, readers);
    }

    fn add_under(
        &mut self,
        seeds: &[u64],
        run: Experiment,
        notebook: Option<Notebook>,
        readers: &[Notebook],
    ) {
        self.0.extend(seeds.iter().map(|&seed| {
            let experiment = run.with_seed(seed);
            ListedRun {
                name: experiment.name(),
                needs: experiment.needs().map(|first| first.name()),
                made_by: notebook.filter(|_| seed == 0),
                read_by: readers.to_vec(),
                experiment,
            }
        }));
    }
}

/// Every run of the study, each once: the one list that workflow and command line read.
pub fn experiments() -> Vec<ListedRun> {
    let mut list = List(Vec::new());
    let ours = Experiment::part1_ours(0);
    let readers = [CHARACTERS, SUMMARY];
    for (_, run) in Experiment::part1_readings(0) {
        let plain = run.protocol == "plain";
        let readers = if plain { &[PREPROCESSING, CHARACTERS, SUMMARY][..] } else { &readers };
        list.add(run, None, readers);
    }
    for (_, run) in &Experiment::part1_preprocessing(0)[1..] {
        list.add(run.clone(), None, &[PREPROCESSING]);
    }
    list.add(ours.clone(), Some(CHARACTERS), &readers);
    list.add(ours.in_context(), None, &readers);
    list.add(Experiment::part1_photographs(0), None, &[CHARACTERS]);
    for run in [Experiment::part1_plain(0), ours.clone(), ours.in_context()] {
        list.add(run.by_writer(), None, &readers);
    }
    for (_, run) in Experiment::part1_candidates() {
        list.add_under(&SELECTION, run, None, &[CHARACTERS]);
    }
    for head in Head::ALL {
        let readers = [PRETRAINING, MNIST, DATASET3, SUMMARY];
        let run = Experiment::pretraining(head, 0);
        list.add(run.clone(), Some(PRETRAINING), &readers);
        list.add_under(&SELECTION[..1], run, None, &[MNIST]);
        list.add(Experiment::pretraining_plain(head, 0), None, &[SUMMARY]);
    }
    list.add(Experiment::pretraining_for_longer(Head::Original, 0), None, &[]);
    let pretrained = Experiment::mnist(Head::Original, Init::Pretrained, 0);
    list.add(pretrained.from_longer_pretraining(), None, &[SUMMARY]);
    for head in Head::ALL {
        let run = || Experiment::mnist(head, Init::Pretrained, 0);
        list.add(run().from_next_pretraining(), None, &[MNIST, SUMMARY]);
        list.add(run().few(FEW[0]).from_next_pretraining(), None, &[MNIST]);
    }
    for (head, init) in networks() {
        let run = || Experiment::mnist(head, init, 0);
        let made_by = (head == Head::Original).then_some(MNIST);
        list.add(run(), made_by, &[MNIST, SUMMARY]);
        list.add(run().clean(), None, &[MNIST, SUMMARY]);
        for rate in RATES {
            list.add_under(&SELECTION[..1], run().clean_at(rate), None, &[MNIST]);
        }
        list.add(run().frozen_trunk(), None, &[MNIST]);
        for n in FEW {
            list.add(run().few(n), None, &[MNIST]);
        }
        let made_by = ((head, init) == (Head::Original, Init::Random)).then_some(DATASET3);
        list.add(Experiment::mislabelled(head, init, 0), made_by, &[DATASET3, SUMMARY]);
    }
    let original = |init| Experiment::mnist(Head::Original, init, 0);
    for init in Init::ALL {
        for n in [100, 1_000] {
            list.add(original(init).few_distorted(n), None, &[MNIST]);
        }
        list.add(original(init).few_with_unlabelled(100), None, &[MNIST]);
    }
    for depth in DEPTHS {
        let run = original(Init::Pretrained).few(1_000).carrying_over(depth);
        list.add(run, None, &[MNIST]);
    }
    let run = |init| Experiment::mislabelled(Head::Original, init, 0);
    for loss in Complementary::ALL {
        list.add_under(&[0], run(Init::Random).complementary(loss), None, &[COMPLEMENTARY]);
    }
    let readers = [COMPLEMENTARY, SUMMARY];
    for division in DIVISIONS {
        list.add(run(Init::Random).divided(division), None, &readers);
    }
    list.add(run(Init::Pretrained).divided(TAKEN), None, &readers);
    list.add(run(Init::Random).divided(UNLIMITED), None, &readers);
    for division in [TAKEN, UNLIMITED] {
        let known = Experiment::true_labels(division.epochs(), 0);
        list.add(known, None, &[MNIST, COMPLEMENTARY, SUMMARY]);
    }
    for (right, uneven) in RELABELLED {
        list.add(Experiment::relabelled(right, uneven, 0), None, &readers[..1]);
    }
    list.0
}

impl Experiment {
    /// The run with this name, under any seed.
    ///
    /// # Errors
    /// [`Error::Argument`] where the study has none.
    pub fn named(name: &str) -> Result<Self> {
        let seed = name.rsplit_once("-seed").and_then(|(_, seed)| seed.parse().ok());
        let found = seed.and_then(|seed| {
            let mut runs = experiments().into_iter().map(|run| run.experiment.with_seed(seed));
            runs.find(|run| run.name() == name)
        });
        found.ok_or_else(|| {
            let problem = format!("the study has no run {name}");
            Error::argument(problem, "take a name from `glyphs train --list`")
        })
    }
}
