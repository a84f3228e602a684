//! The four networks of parts 2 and 3, each under its seeds.

use crate::{
    Result,
    data::Provenance,
    display::{Html, note},
    eval::statistics::{Estimate, PairedDifference, mean, paired_difference},
    study::{DigitRun, Head, Init, Protocol, RunResult, Seeds, TrainedDigits},
};

/// Two heads, each from a random and from a pretrained start, under one protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    cells: Vec<(Head, Init, Seeds)>,
}

impl Grid {
    /// Each of the runs that were just computed, beside the records of its other seeds.
    pub fn beside(live: &[&TrainedDigits]) -> Result<Self> {
        let mut cells = Vec::new();
        for (head, init) in pairs() {
            let of_cell = |run: &&&TrainedDigits| {
                run.result.network == head.name() && run.result.init == init.name()
            };
            let seeds = match live.iter().find(of_cell) {
                Some(run) => Seeds::beside(&run.result)?,
                None => Seeds::default(),
            };
            cells.push((head, init, seeds));
        }
        Ok(Self { cells })
    }

    /// The records of runs that a notebook does not repeat.
    pub fn recorded(part: u8, protocol: Protocol, dataset: &Provenance) -> Result<Self> {
        let mut cells = Vec::new();
        for (head, init) in pairs() {
            let run = DigitRun::new(part, protocol, head, init, 0);
            let seeds = Seeds::recorded(&run.key(), &run.config, dataset)?;
            cells.push((head, init, seeds));
        }
        Ok(Self { cells })
    }

    /// Every network with its runs, in the order original, experimental; random, pretrained.
    pub fn iter(&self) -> impl Iterator<Item = (Head, Init, &Seeds)> {
        self.cells
            .iter()
            .map(|(head, init, seeds)| (*head, *init, seeds))
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
        let mut with = Vec::new();
        let mut without = Vec::new();
        for pretrained in self.runs(head, Init::Pretrained) {
            let random = self.runs(head, Init::Random);
            let twin = random.iter().find(|run| run.seed == pretrained.seed);
            if let Some((a, b)) = value(pretrained).zip(twin.and_then(&value)) {
                with.push(a);
                without.push(b);
            }
        }
        paired_difference(&with, &without).ok()
    }

    /// A word on records that could not be used; nothing where all could.
    pub fn left_out(&self) -> Html {
        let reasons: Vec<&str> = (self.cells.iter())
            .flat_map(|(_, _, seeds)| &seeds.left_out)
            .map(String::as_str)
            .collect();
        match reasons.as_slice() {
            [] => Html::default(),
            [first, rest @ ..] => note(&format!(
                "{} records are left out; the first: {first}.",
                rest.len() + 1
            )),
        }
    }
}

impl FromIterator<(Head, Init, Seeds)> for Grid {
    fn from_iter<T: IntoIterator<Item = (Head, Init, Seeds)>>(cells: T) -> Self {
        let cells = cells.into_iter().collect();
        Self { cells }
    }
}

fn pairs() -> impl Iterator<Item = (Head, Init)> {
    Head::ALL
        .into_iter()
        .flat_map(|head| Init::ALL.map(|init| (head, init)))
}
