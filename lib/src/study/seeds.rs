//! One run repeated under several seeds.

use polars::prelude::DataFrame;

use crate::{
    Result,
    data::Provenance,
    eval::statistics::{Estimate, PairedDifference, difference_of_splits, mean},
    nn::Instructions,
    study::{
        difference::{Here, MadeHere},
        experiment::Experiment,
        result::{RunResult, dataframe, record_path},
        run::Trained,
    },
};

/// The records of one run, at most one a seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seeds {
    pub runs: Vec<RunResult>,
    /// Why a seed's record is not among them, one sentence each.
    pub left_out: Vec<String>,
}

impl Seeds {
    /// The run that was just made, and the records of the other seeds: those made here by
    /// `make full`, else the published ones. A record that [differs](RunResult::differs_from) in
    /// more than its rounding is left out, with a word about it.
    pub fn beside(live: &Trained) -> Result<Self> {
        let mut seeds = Self { runs: vec![live.result.clone()], left_out: Vec::new() };
        let made = MadeHere::of(live.result.clone())?;
        let others = live.experiment.seeds().iter();
        for &seed in others.filter(|&&seed| seed != live.result.seed) {
            seeds.add(&live.experiment.with_seed(seed), &live.result.dataset, Some(&made))?;
        }
        Ok(seeds)
    }

    /// The records of a run on `dataset` that the notebook itself does not repeat.
    pub fn recorded(experiment: &Experiment, dataset: &Provenance) -> Result<Self> {
        Self::recorded_under(experiment.seeds(), experiment, dataset)
    }

    /// As [`Seeds::recorded`], of these seeds alone.
    pub fn recorded_under(
        these: &[u64],
        experiment: &Experiment,
        dataset: &Provenance,
    ) -> Result<Self> {
        let mut seeds = Self::default();
        let made = MadeHere::first(these.iter().map(|&seed| experiment.with_seed(seed)))?;
        for &seed in these {
            seeds.add(&experiment.with_seed(seed), dataset, made.as_ref())?;
        }
        Ok(seeds)
    }

    /// As [`Seeds::recorded`], of several runs under their names.
    pub fn of_each<N: Into<String>>(
        runs: impl IntoIterator<Item = (N, Experiment)>,
        dataset: &Provenance,
    ) -> Result<Vec<(String, Self)>> {
        let runs = runs.into_iter();
        runs.map(|(name, run)| Ok((name.into(), Self::recorded(&run, dataset)?))).collect()
    }

    fn add(
        &mut self,
        experiment: &Experiment,
        dataset: &Provenance,
        made: Option<&MadeHere>,
    ) -> Result<()> {
        let name = experiment.name();
        let Some(record) = experiment.load_record()? else {
            self.left_out.push(format!("{name} was never run; `make full` runs it"));
            return Ok(());
        };
        let needs = experiment.needs();
        // What networks are pretrained on here, by the record of seed 0.
        let first = needs.as_ref().map(|first| first.with_seed(0).load_record());
        let pretraining = first.transpose()?.flatten().map(|run| run.dataset);
        let start = needs.as_ref().map(Experiment::load_record).transpose()?.flatten();
        let here = Here {
            dataset,
            pretraining: pretraining.as_ref(),
            start: start.as_ref(),
            made: made.filter(|_| !record_path(&name).exists()),
            instructions: Instructions::current().name(),
        };
        let differences = record.differs_from(experiment, &here);
        match differences.iter().find(|difference| difference.makes_another_run()) {
            Some(why) => self.left_out.push(format!("{name} {}", why.words())),
            None => self.runs.push(record),
        }
        Ok(())
    }

    /// What cannot be compared in these records, or makes their last digits others than here: a
    /// sentence each, nothing where there is nothing to say.
    pub fn remarks(&self) -> Vec<String> {
        remarks(&self.runs)
    }

    /// One number of every run.
    pub fn values(&self, value: impl Fn(&RunResult) -> Option<f64>) -> Vec<f64> {
        self.runs.iter().filter_map(value).collect()
    }

    /// Mean of one number over the seeds; `None` where no run has it.
    pub fn mean(&self, value: impl Fn(&RunResult) -> Option<f64>) -> Option<Estimate> {
        mean(&self.values(value)).ok()
    }

    /// How far values measured on the parts held out depend on one another; see
    /// [`Split::overlap`](super::Split::overlap).
    pub fn overlap(&self) -> f64 {
        self.runs.first().map_or(0.0, |run| run.setup.split.overlap())
    }

    /// This one's value minus the other's, seed by seed; `None` for fewer than two seeds. `overlap`
    /// is that of the splits if both were measured on what was held out, else 0.
    pub fn difference(
        &self,
        other: &Self,
        value: impl Fn(&RunResult) -> Option<f64>,
        overlap: f64,
    ) -> Option<PairedDifference> {
        let (these, others): (Vec<f64>, Vec<f64>) = self.pairs(other, value).unzip();
        difference_of_splits(&these, &others, overlap).ok()
    }

    /// This one's value and the other's, of each seed that both have.
    pub fn pairs(
        &self,
        other: &Self,
        value: impl Fn(&RunResult) -> Option<f64>,
    ) -> impl Iterator<Item = (f64, f64)> {
        self.runs.iter().filter_map(move |run| {
            let twin = other.runs.iter().find(|other| other.seed == run.seed)?;
            value(run).zip(value(twin))
        })
    }

    /// One row a run, with its measures.
    pub fn dataframe(&self) -> Result<DataFrame> {
        dataframe(&self.runs)
    }
}

/// See [`Seeds::remarks`].
pub(super) fn remarks<'a>(runs: impl IntoIterator<Item = &'a RunResult> + Clone) -> Vec<String> {
    let here = Instructions::current().name();
    let all = runs.clone().into_iter().count();
    let count =
        |is: &dyn Fn(&RunResult) -> bool| runs.clone().into_iter().filter(|&run| is(run)).count();
    let remarks = [
        (
            count(&|run| !run.rounds_like(here)),
            "come from a processor that rounds differently: such figures agree with those made \
             here within a tolerance, not to the last bit",
        ),
        (
            count(&RunResult::has_unknown_start),
            "do not name the weights that they started from, so that nobody can tell whether these \
             are those of their pretraining's record",
        ),
    ];
    let found = remarks.into_iter().filter(|(count, _)| *count > 0);
    found.map(|(count, words)| format!("{count} of {all} records {words}")).collect()
}
