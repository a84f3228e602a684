//! The four networks of parts 2 and 3, each under its seeds.

use polars::prelude::DataFrame;

use crate::{
    Result,
    data::Provenance,
    eval::statistics::{Estimate, PairedDifference},
    study::{
        experiment::{Experiment, Head, Init},
        experiments::networks,
        result::{RunResult, dataframe},
        run::Trained,
        seeds::{Seeds, remarks},
    },
};

/// Two heads, each from a random and from a pretrained start, under one protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid(pub Vec<(Head, Init, Seeds)>);

impl Grid {
    /// The runs that were just made, all of one protocol, beside the records of their other seeds and
    /// of the other networks.
    pub fn beside(live: &[&Trained]) -> Result<Self> {
        let cell = |(head, init)| {
            let made = |run: &&&Trained| (run.experiment.head, run.experiment.init) == (head, init);
            let seeds = match (live.iter().find(made), live.first()) {
                (Some(run), _) => Seeds::beside(run)?,
                (None, Some(other)) => Seeds::recorded(
                    &other.experiment.of_network(head, init),
                    &other.result.dataset,
                )?,
                (None, None) => Seeds::default(),
            };
            Ok((head, init, seeds))
        };
        Ok(Self(networks().map(cell).collect::<Result<_>>()?))
    }

    /// The records on `dataset` of runs like this one, of all four networks.
    pub fn recorded(experiment: &Experiment, dataset: &Provenance) -> Result<Self> {
        let cell = |(head, init)| {
            Ok((head, init, Seeds::recorded(&experiment.of_network(head, init), dataset)?))
        };
        Ok(Self(networks().map(cell).collect::<Result<_>>()?))
    }

    /// Every network with its runs, in the order original, experimental; random, pretrained.
    pub fn iter(&self) -> impl Iterator<Item = (Head, Init, &Seeds)> {
        let cells = self.0.iter();
        cells.map(|(head, init, seeds)| (*head, *init, seeds))
    }

    /// The runs of all networks.
    pub fn all(&self) -> impl Iterator<Item = &RunResult> {
        self.0.iter().flat_map(|(.., seeds)| &seeds.runs)
    }

    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    pub fn runs(&self, head: Head, init: Init) -> &[RunResult] {
        self.seeds(head, init).map_or(&[], |seeds| &seeds.runs)
    }

    pub fn seeds(&self, head: Head, init: Init) -> Option<&Seeds> {
        let mut cells = self.0.iter();
        cells.find_map(|(h, i, seeds)| ((*h, *i) == (head, init)).then_some(seeds))
    }

    /// Mean over the seeds; `None` where no run has the value.
    pub fn mean(
        &self,
        head: Head,
        init: Init,
        value: impl Fn(&RunResult) -> Option<f64>,
    ) -> Option<Estimate> {
        self.seeds(head, init)?.mean(value)
    }

    /// Pretrained minus random, seed by seed; `None` for fewer than two seeds.
    pub fn gain(
        &self,
        head: Head,
        value: impl Fn(&RunResult) -> Option<f64>,
    ) -> Option<PairedDifference> {
        self.difference((head, Init::Pretrained), (head, Init::Random), value)
    }

    /// `one` minus `other`, seed by seed; `None` for fewer than two seeds.
    pub fn difference(
        &self,
        one: (Head, Init),
        other: (Head, Init),
        value: impl Fn(&RunResult) -> Option<f64>,
    ) -> Option<PairedDifference> {
        self.seeds(one.0, one.1)?.difference(self.seeds(other.0, other.1)?, value, 0.0)
    }

    /// Why records could not be used, one sentence each.
    pub fn left_out(&self) -> Vec<String> {
        let cells = self.0.iter();
        cells.flat_map(|c| c.2.left_out.clone()).collect()
    }

    /// As [`Seeds::remarks`], of all runs.
    pub fn remarks(&self) -> Vec<String> {
        remarks(self.0.iter().flat_map(|(.., seeds)| &seeds.runs))
    }

    /// One row a run, with its measures.
    pub fn dataframe(&self) -> Result<DataFrame> {
        dataframe(self.all())
    }
}
