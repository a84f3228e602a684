//! How much of a pretrained network's lead is owed to an output layer that its features know.

use super::measures::{Measure, Value, after_one_epoch, plain, share, steps_to};
use crate::{
    Result,
    data::Provenance,
    display::{Html, format_number, note, number, stack},
    eval::statistics::PairedDifference,
    report::{accuracy, difference, listed, never_made, table},
    study::{Experiment, FEW, Head, Init, RunResult, Seeds},
};

const MEASURES: [Measure; 4] = [
    share("accuracy before any training on MNIST (%)", before_training),
    plain("steps to 98 %", 0, |run| Some(steps_to(0.98, run)?.value())),
    share("accuracy after one epoch (%)", after_one_epoch),
    share("test accuracy (%)", accuracy),
];
const WITH_100_IMAGES: Measure = share("test accuracy with 100 images (%)", accuracy);

fn before_training(run: &RunResult) -> Option<f64> {
    run.metric("accuracy_before_training")
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

/// Both heads under the 2021 report's protocol, and with 100 images.
pub fn head_start(mnist: &Provenance) -> Result<Html> {
    let mut table = table(
        "Pretrained by their own seed, by another one, or not at all",
        "head | measure | random | another seed | own seed | another seed − random | \
         own − another seed | seeds",
    );
    let (mut before, mut leads) = (Vec::new(), Vec::new());
    for head in Head::ALL {
        let usual = Starts::of(head, |run| run, mnist)?;
        let few = Starts::of(head, |run| run.few(FEW[0]), mnist)?;
        if usual.0[1].runs.is_empty() || few.0[1].runs.is_empty() {
            return Ok(never_made());
        }
        let measures = MEASURES.map(|measure| (&usual, measure));
        for (starts, Measure { name, scale, decimals, value }) in
            measures.into_iter().chain([(&few, WITH_100_IMAGES)])
        {
            let [random, another, own] =
                starts.means(value).map(|mean| number(mean * scale, decimals));
            let [gain, beyond] = starts.gains(value).map(|gain| {
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
        let [another, own] = [another, own].map(|share| format_number(100.0 * share, 1));
        before.push(format!("{own} instead of {another} % with the {} head", head.name()));
        let lead = |starts: &Starts, value| {
            let [gain, beyond] = starts.gains(value);
            let [gain, beyond] = [gain?, beyond?].map(|gain| difference(&gain, 100.0, 2));
            Some(format!("{gain} points, and with the features of its own seed by {beyond} more"))
        };
        if let (Some(epoch), Some(few)) = (lead(&usual, after_one_epoch), lead(&few, accuracy)) {
            leads.push(format!(
                "With the {} head and the features of another seed, a pretrained network leads after \
                 one epoch by {epoch}; with 100 images, by {few}.",
                head.name()
            ));
        }
    }
    let title = format!(
        "Before any training on MNIST, features of their own seed's pretraining classify {}",
        listed(&before, "and")
    );
    Ok(stack(&[&table.titled(title), &note(&leads.join(" "))]))
}
