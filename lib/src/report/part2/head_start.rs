//! How much of a pretrained network's lead is owed to an output layer that its features know.

use super::measures::{Measure, Value, after_one_epoch, plain, share, steps_to};
use crate::{
    Result,
    data::Provenance,
    display::{Html, format_counted, format_number, note, number, stack},
    eval::statistics::PairedDifference,
    report::{accuracy, difference, from_to, listed, never_made, table},
    study::{Experiment, FEW, Head, Init, RunResult, Seeds},
};

const MEASURES: [Measure; 4] = [
    share("accuracy before any training on MNIST (%)", before_training),
    plain("steps to 98 %", 0, steps_to_98),
    share("accuracy after one epoch (%)", after_one_epoch),
    share("test accuracy (%)", accuracy),
];
const WITH_100_IMAGES: Measure = share("test accuracy with 100 images (%)", accuracy);

fn before_training(run: &RunResult) -> Option<f64> {
    run.metric("accuracy_before_training")
}

fn steps_to_98(run: &RunResult) -> Option<f64> {
    Some(steps_to(0.98, run)?.value())
}

/// Runs of one head under the same seeds: from a random start, from the pretraining of another
/// seed, and from that of their own.
struct Starts([Seeds; 3]);

impl Starts {
    fn of(head: Head, protocol: fn(Experiment) -> Experiment, mnist: &Provenance) -> Result<Self> {
        let of = |init| protocol(Experiment::mnist(head, init, 0));
        let another = of(Init::Pretrained).from_next_pretraining();
        let another = Seeds::recorded(&another, mnist)?;
        let seeds: Vec<u64> = another.runs.iter().map(|run| run.seed).collect();
        let of = |init| Seeds::recorded_under(&seeds, &of(init), mnist);
        Ok(Self([of(Init::Random)?, another, of(Init::Pretrained)?]))
    }

    fn means(&self, value: Value) -> [f64; 3] {
        let of = |seeds: &Seeds| seeds.mean(value).map_or(f64::NAN, |found| found.mean);
        self.0.each_ref().map(of)
    }

    /// What another seed's pretraining gives, and what its own gives beyond that.
    fn gains(&self, value: Value) -> [Option<PairedDifference>; 2] {
        let [random, another, own] = &self.0;
        [another.difference(random, value, 0.0), own.difference(another, value, 0.0)]
    }
}

/// What pretraining gives without a head start, in words: the pretraining of another seed against a
/// random start. None where these networks were never trained.
pub(super) fn without_head_start(mnist: &Provenance) -> Result<Option<String>> {
    let (mut sooner, mut after, mut seeds) = (Vec::new(), Vec::new(), 0);
    for head in Head::ALL {
        let starts = Starts::of(head, |run| run, mnist)?;
        let [gain, _] = starts.gains(steps_to_98);
        let [epoch, _] = starts.gains(after_one_epoch);
        let (Some(gain), Some(epoch)) = (gain, epoch) else {
            return Ok(None);
        };
        seeds = gain.n;
        sooner.push(format!("{} with the {} head", difference(&gain, 1.0, 0), head.name()));
        after.push(difference(&epoch, 100.0, 2));
    }
    Ok(Some(format!(
        "But these networks had a head start, an output layer that their features know. With the \
         pretraining of another seed, the difference from a random start in steps to 98 % is {}, \
         and in accuracy after one epoch {} points (95 % intervals, {}).",
        listed(&sooner, "and"),
        listed(&after, "and"),
        format_counted(seeds, "seed")
    )))
}

/// Both heads under the 2021 report's protocol, and with 100 images.
pub fn head_start(mnist: &Provenance) -> Result<Html> {
    let mut table = table(
        "Pretrained by their own seed, by another one, or not at all",
        "head | measure | random | another seed | own seed | another seed − random | \
         own − another seed | seeds",
    );
    let (mut of_own, mut of_another, mut leads) = (Vec::new(), Vec::new(), Vec::new());
    let (mut told, mut compared) = (Vec::new(), 0);
    for head in Head::ALL {
        let usual = Starts::of(head, |run| run, mnist)?;
        let few = Starts::of(head, |run| run.few(FEW[0]), mnist)?;
        if usual.0[1].runs.is_empty() || few.0[1].runs.is_empty() {
            return Ok(never_made());
        }
        let measures = MEASURES.map(|measure| (&usual, measure));
        for (i, (starts, measure)) in
            measures.into_iter().chain([(&few, WITH_100_IMAGES)]).enumerate()
        {
            let Measure { name, scale, decimals, value } = measure;
            let [random, another, own] =
                starts.means(value).map(|mean| number(mean * scale, decimals));
            let gains = starts.gains(value);
            // The first is the accuracy before training.
            if let Some(beyond) = gains[1].filter(|_| i > 0) {
                compared += 1;
                if !beyond.interval.contains(0.0) {
                    told.push(format!("{} with the {} head", measure.short(), head.name()));
                }
            }
            let [gain, beyond] = gains.map(|gain| {
                gain.map_or("–".into(), |gain| difference(&gain, scale, decimals).into())
            });
            let seeds = starts.0[1].runs.len();
            table = table.row([
                head.name().into(),
                name.into(),
                random,
                another,
                own,
                gain,
                beyond,
                seeds.into(),
            ]);
        }
        let [_, another, own] = usual.means(before_training);
        of_own.push(own);
        of_another.push(another);
        let lead = |starts: &Starts, value| {
            let [gain, beyond] = starts.gains(value);
            let [gain, beyond] = [gain?, beyond?].map(|gain| difference(&gain, 100.0, 2));
            Some(format!("{gain} points, and features of the run's own seed change it by {beyond}"))
        };
        if let (Some(epoch), Some(few)) = (lead(&usual, after_one_epoch), lead(&few, accuracy)) {
            leads.push(format!(
                "With the {} head and the features of another seed, the difference from a random \
                 start after one epoch is {epoch}; with 100 images, the difference is {few}.",
                head.name()
            ));
        }
    }
    let percents = |shares: &[f64]| from_to(shares, |share| format_number(100.0 * share, 0));
    let title = format!(
        "Before any MNIST training, features pretrained under the same seed classify {} %, those \
         of another seed {} %",
        percents(&of_own).unwrap_or_default(),
        percents(&of_another).unwrap_or_default()
    );
    leads.push(match told.as_slice() {
        [] => format!(
            "Apart from accuracy before training, the head start makes no difference beyond chance \
             ({compared} comparisons)."
        ),
        told => format!(
            "Apart from accuracy before training, the head start makes a difference beyond chance \
             in {} of {compared} comparisons: {}.",
            told.len(),
            listed(told, "and")
        ),
    });
    Ok(stack(&[&table.titled(title), &note(&leads.join(" "))]))
}
