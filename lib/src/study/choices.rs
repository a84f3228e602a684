//! Choices between runs, by rules that were written before the runs were made.

use crate::{
    Result,
    data::Provenance,
    eval::statistics::{PairedDifference, mean},
    study::{
        experiment::{Experiment, Head, Init},
        experiments::{DIVISIONS, Division, RATES, SEEDS, SELECTION},
        result::val_accuracy,
        seeds::Seeds,
    },
};

/// What each of [`RATES`] reached on the images held out from part 2's clean protocol; NaN where
/// it was never run.
pub fn tried_rates(run: &Experiment, mnist: &Provenance) -> Result<[f64; RATES.len()]> {
    let mut reached = [f64::NAN; RATES.len()];
    for (reached, rate) in reached.iter_mut().zip(RATES) {
        let run = run.clone().clean_at(rate);
        let seeds = Seeds::recorded_under(&SELECTION[..1], &run, mnist)?;
        let accuracy = seeds.runs.first().and_then(val_accuracy);
        *reached = accuracy.unwrap_or(f64::NAN);
    }
    Ok(reached)
}

/// The rule: the rate that reached most, the smaller one of equals. None before all were run.
pub fn best_rate(reached: [f64; RATES.len()]) -> Option<f32> {
    if reached.iter().any(|accuracy| accuracy.is_nan()) {
        return None;
    }
    // The last of equals is the greatest to `max_by`, and the rates rise.
    let falling = reached.into_iter().zip(RATES).rev();
    falling.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, rate)| rate)
}

/// One of [`DIVISIONS`] under every seed.
#[derive(Clone, Debug)]
pub struct TriedDivision {
    pub division: Division,
    pub seeds: Seeds,
    /// Accuracy estimated on held-out images by complementary labels alone, less that of the
    /// division whose estimate is the highest; paired by seed, with an interval that allows for the
    /// overlap of their splits.
    pub behind: PairedDifference,
}

/// The divisions that were run under every seed, in their order.
pub fn tried_divisions(mislabelled: &Provenance) -> Result<Vec<TriedDivision>> {
    let start = Experiment::mislabelled(Head::Original, Init::Random, 0);
    let mut tried = Vec::new();
    for division in DIVISIONS {
        let seeds = Seeds::recorded(&start.clone().divided(division), mislabelled)?;
        if seeds.runs.len() == SEEDS.len() {
            let estimate = mean(&seeds.values(val_accuracy))?.mean;
            tried.push((division, seeds, estimate));
        }
    }
    let highest = tried.iter().max_by(|a, b| a.2.total_cmp(&b.2));
    let Some((_, highest, _)) = highest.cloned() else {
        return Ok(Vec::new());
    };
    let tried = tried.into_iter().filter_map(|(division, seeds, _)| {
        let behind = seeds.difference(&highest, val_accuracy, seeds.overlap())?;
        Some(TriedDivision { division, seeds, behind })
    });
    Ok(tried.collect())
}

/// The rule: of those whose estimate cannot be told from the highest (the interval of the
/// difference holds 0), the simplest, which stands first.
pub fn simplest_division(tried: &[TriedDivision]) -> Option<Division> {
    let cannot_be_told = |tried: &&TriedDivision| tried.behind.interval.contains(0.0);
    tried.iter().find(cannot_be_told).map(|tried| tried.division)
}
