//! The four networks of parts 2 and 3, each under its seeds.

use polars::prelude::DataFrame;

use crate::{
    Result,
    data::Provenance,
    eval::statistics::{Estimate, PairedDifference, mean, paired_difference},
    study::{
        experiment::{Experiment, Head, Init},
        experiments::networks,
        result::{RunResult, dataframe},
        run::Trained,
        seeds::Seeds,
    },
};

/// Two heads, each from a random and from a pretrained start, under one protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    cells: Vec<(Head, Init, Seeds)>,
}

impl Grid {
    /// Each of the runs that were just made, beside the records of its other seeds.
    pub fn beside(live: &[&Trained]) -> Result<Self> {
        let cell = |(head, init)| {
            let of_cell =
                |run: &&&Trained| (run.experiment.head, run.experiment.init) == (head, init);
            let seeds = live.iter().find(of_cell).map(|run| Seeds::beside(run));
            Ok((head, init, seeds.transpose()?.unwrap_or_default()))
        };
        networks().map(cell).collect()
    }

    /// The records on `dataset` of runs like this one, of all four networks.
    pub fn recorded(experiment: &Experiment, dataset: &Provenance) -> Result<Self> {
        let cell = |(head, init)| {
            let run = Experiment {
                head,
                init,
                ..experiment.clone()
            };
            Ok((head, init, Seeds::recorded(&run, dataset)?))
        };
        networks().map(cell).collect()
    }

    /// Every network with its runs, in the order original, experimental; random, pretrained.
    pub fn iter(&self) -> impl Iterator<Item = (Head, Init, &Seeds)> {
        let cells = self.cells.iter();
        cells.map(|(head, init, seeds)| (*head, *init, seeds))
    }

    /// The runs of all networks.
    pub fn all(&self) -> impl Iterator<Item = &RunResult> {
        self.cells.iter().flat_map(|(_, _, seeds)| &seeds.runs)
    }

    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    pub fn runs(&self, head: Head, init: Init) -> &[RunResult] {
        let cell = self.cells.iter().find(|c| (c.0, c.1) == (head, init));
        cell.map_or(&[], |(_, _, seeds)| &seeds.runs)
    }

    /// Mean over the seeds; `None` where no run has the value.
    pub fn mean(
        &self,
        head: Head,
        init: Init,
        value: impl Fn(&RunResult) -> Option<f64>,
    ) -> Option<Estimate> {
        let values: Vec<f64> = self.runs(head, init).iter().filter_map(value).collect();
        mean(&values).ok()
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
        let others = self.runs(other.0, other.1);
        let pairs = self.runs(one.0, one.1).iter().filter_map(|run| {
            let twin = others.iter().find(|other| other.seed == run.seed)?;
            value(run).zip(value(twin))
        });
        let (one, other): (Vec<f64>, Vec<f64>) = pairs.unzip();
        paired_difference(&one, &other).ok()
    }

    /// Why records could not be used, one sentence each.
    pub fn left_out(&self) -> Vec<String> {
        let cells = self.cells.iter();
        cells
            .flat_map(|(_, _, seeds)| seeds.left_out.clone())
            .collect()
    }

    /// One row a run, with its measures.
    pub fn dataframe(&self) -> Result<DataFrame> {
        dataframe(self.all())
    }
}

impl FromIterator<(Head, Init, Seeds)> for Grid {
    fn from_iter<T: IntoIterator<Item = (Head, Init, Seeds)>>(cells: T) -> Self {
        let cells = cells.into_iter().collect();
        Self { cells }
    }
}
