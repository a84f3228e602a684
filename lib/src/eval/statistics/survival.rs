//! Times to reach a goal, where some runs end before they do.

use crate::{Result, error::ensure};

/// When a run reached its goal, in steps, epochs or seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Time {
    Reached(f64),
    /// The run ended here, and had not reached it: right-censored, not dropped.
    Censored(f64),
}

/// The Kaplan-Meier estimate of the share of runs that have not reached the goal
/// yet (E. L. Kaplan and P. Meier, JASA 1958).
#[derive(Clone, Debug, PartialEq)]
pub struct KaplanMeier {
    /// One entry per distinct time, rising.
    pub steps: Vec<SurvivalStep>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurvivalStep {
    pub time: f64,
    /// Runs that were neither there nor censored before `time`.
    pub at_risk: usize,
    pub reached: usize,
    pub censored: usize,
    /// Share of runs not there yet just after `time`, 0 to 1.
    pub survival: f64,
}

impl Time {
    /// When `points` (time, height; times rising) first are at `goal` or above.
    ///
    /// Censored at the last point; `None` for no points.
    pub fn to_reach(goal: f64, points: &[(f64, f64)]) -> Option<Self> {
        let last = points.last()?;
        let first = points.iter().find(|point| point.1 >= goal);
        Some(first.map_or(Self::Censored(last.0), |point| Self::Reached(point.0)))
    }

    pub fn value(self) -> f64 {
        match self {
            Self::Reached(time) | Self::Censored(time) => time,
        }
    }

    pub fn is_censored(self) -> bool {
        matches!(self, Self::Censored(_))
    }
}

impl KaplanMeier {
    /// # Errors
    /// Where there is no run, or a time is not finite or below 0.
    pub fn new(times: &[Time]) -> Result<Self> {
        let good = |time: &Time| time.value().is_finite() && time.value() >= 0.0;
        let problem = || "survival of no runs, or of a time that is NaN or negative";
        let all_good = !times.is_empty() && times.iter().all(good);
        ensure(all_good, problem, "pass one time per run")?;
        let mut distinct: Vec<f64> = times.iter().map(|time| time.value()).collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let mut survival = 1.0;
        let step = |time: f64| {
            let count = |keep: &dyn Fn(Time) -> bool| times.iter().filter(|t| keep(**t)).count();
            let at_risk = count(&|t| t.value() >= time);
            let reached = count(&|t| t == Time::Reached(time));
            survival *= 1.0 - reached as f64 / at_risk as f64;
            SurvivalStep {
                time,
                at_risk,
                reached,
                censored: count(&|t| t == Time::Censored(time)),
                survival,
            }
        };
        Ok(Self { steps: distinct.into_iter().map(step).collect() })
    }

    /// The first time at which half of the runs are there; `None` where fewer ever are.
    pub fn median(&self) -> Option<f64> {
        // A product of shares can miss one half by a rounding.
        let half = |step: &&SurvivalStep| step.survival <= 0.5 + 1e-12;
        self.steps.iter().find(half).map(|step| step.time)
    }
}
