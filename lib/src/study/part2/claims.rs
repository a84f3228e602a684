//! What the original report's numbers say, each held against five seeds.

use crate::{
    display::{Cell, Html, Table, format_signed, note, stack},
    eval::statistics::{PairedDifference, paired_difference},
    study::{Grid, Head, Init, ReportedEpoch, RunResult, reported},
    train::Epoch,
};

/// Two networks that differ by less than this share are taken as equally good.
const MARGIN: f64 = 0.005;

/// A statement about two of the four networks, after some epoch.
#[derive(Clone, Copy)]
pub struct Claim {
    pub words: &'static str,
    /// The statement is about `one − other`.
    one: (Head, Init),
    other: (Head, Init),
    /// Counted from 0.
    epoch: usize,
    ours: fn(&Epoch) -> f64,
    theirs: fn(&ReportedEpoch) -> f64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Difference,
    NoDifference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    CannotBeTold,
}

use {Head::*, Init::*, Kind::*};

pub const CLAIMS: [Claim; 8] = [
    Claim::on_validation(
        "original: pretraining is far ahead after one epoch",
        0,
        Original,
        Difference,
    ),
    Claim::on_validation(
        "experimental: pretraining is behind after one epoch",
        0,
        Experimental,
        Difference,
    ),
    Claim::on_training(
        "original: it learns the training images faster in the first epoch",
        0,
        Original,
        Difference,
    ),
    Claim::on_training(
        "experimental: it learns the training images faster in the first epoch",
        0,
        Experimental,
        Difference,
    ),
    Claim::on_validation(
        "original: both starts end equally good",
        2,
        Original,
        NoDifference,
    ),
    Claim::on_validation(
        "experimental: pretraining ends clearly better",
        2,
        Experimental,
        Difference,
    ),
    Claim {
        one: (Experimental, Pretrained),
        other: (Original, Pretrained),
        ..Claim::on_validation(
            "of the pretrained networks, the experimental head ends better",
            2,
            Original,
            Difference,
        )
    },
    Claim {
        one: (Original, Random),
        other: (Experimental, Random),
        ..Claim::on_validation(
            "of the random starts, the original head ends better",
            2,
            Original,
            Difference,
        )
    },
];

impl Claim {
    const fn on_validation(words: &'static str, epoch: usize, head: Head, kind: Kind) -> Self {
        Self {
            words,
            one: (head, Pretrained),
            other: (head, Random),
            epoch,
            ours: |epoch| epoch.val_accuracy,
            theirs: |epoch| epoch.val_accuracy,
            kind,
        }
    }

    const fn on_training(words: &'static str, epoch: usize, head: Head, kind: Kind) -> Self {
        Self {
            ours: |epoch| epoch.accuracy,
            theirs: |epoch| epoch.accuracy,
            ..Self::on_validation(words, epoch, head, kind)
        }
    }

    /// The difference in the original's single runs.
    pub fn reported(&self) -> Option<f64> {
        let of = |(head, init)| Some((self.theirs)(reported(2, head, init).get(self.epoch)?));
        Some(of(self.one)? - of(self.other)?)
    }

    /// The same difference over the seeds; `None` for fewer than two.
    pub fn ours(&self, grid: &Grid) -> Option<PairedDifference> {
        let value = |run: &RunResult| Some((self.ours)(run.epochs.get(self.epoch)?));
        let others = grid.runs(self.other.0, self.other.1);
        let pairs = grid.runs(self.one.0, self.one.1).iter().filter_map(|run| {
            let twin = others.iter().find(|other| other.seed == run.seed)?;
            value(run).zip(value(twin))
        });
        let (one, other): (Vec<f64>, Vec<f64>) = pairs.unzip();
        paired_difference(&one, &other).ok()
    }

    pub fn verdict(&self, ours: &PairedDifference) -> Verdict {
        let interval = ours.interval;
        let certain = !interval.contains(0.0);
        match self.kind {
            NoDifference if interval.low > -MARGIN && interval.high < MARGIN => Verdict::Holds,
            NoDifference if interval.low > MARGIN || interval.high < -MARGIN => {
                Verdict::DoesNotHold
            }
            NoDifference => Verdict::CannotBeTold,
            Difference => match self.reported() {
                Some(reported) if certain && reported.signum() == ours.mean.signum() => {
                    Verdict::Holds
                }
                Some(_) if certain => Verdict::DoesNotHold,
                // Not even the sign is known, but an effect of the reported size is ruled out.
                Some(reported) if !interval.contains(reported) => Verdict::DoesNotHold,
                _ => Verdict::CannotBeTold,
            },
        }
    }
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::CannotBeTold => "cannot be told",
        }
    }
}

/// One line a claim, with the numbers.
pub fn claims(grid: &Grid) -> Html {
    let mut table = Table::new(
        "What the report's numbers say, and whether it holds (differences in points)",
        [
            "claim",
            "the report",
            "here: mean and 95 % interval",
            "seeds",
            "verdict",
        ],
    );
    for claim in &CLAIMS {
        let theirs = claim.reported().map(|d| format_signed(d * 100.0, 2));
        let theirs: Cell = theirs.unwrap_or_default().into();
        table = table.row(match claim.ours(grid) {
            Some(ours) => [
                claim.words.into(),
                theirs,
                format!(
                    "{} ({} to {})",
                    format_signed(ours.mean * 100.0, 2),
                    format_signed(ours.interval.low * 100.0, 2),
                    format_signed(ours.interval.high * 100.0, 2)
                )
                .into(),
                ours.n.into(),
                claim.verdict(&ours).words().into(),
            ],
            None => [
                claim.words.into(),
                theirs,
                "–".into(),
                1.into(),
                "one seed cannot say".into(),
            ],
        });
    }
    let rule = note(&format!(
        "A difference holds where the 95 % interval lies on the reported side of 0; it does not \
         where it lies on the other, or shuts out a difference of the reported size. “Equally \
         good” holds where the interval lies within ±{:.1} points.",
        MARGIN * 100.0
    ));
    stack(&[&table, &rule, &grid.left_out()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::statistics::Interval;

    fn difference(low: f64, high: f64) -> PairedDifference {
        let (a, b) = ([low, high], [0.0, 0.0]);
        PairedDifference {
            interval: Interval { low, high },
            ..paired_difference(&a, &b).unwrap()
        }
    }

    #[test]
    fn a_verdict_needs_the_interval_on_one_side() {
        let ahead = CLAIMS[0];
        assert!((ahead.reported().unwrap() - 0.2136).abs() < 1e-9);
        assert_eq!(ahead.verdict(&difference(0.01, 0.02)), Verdict::Holds);
        assert_eq!(
            ahead.verdict(&difference(-0.02, -0.01)),
            Verdict::DoesNotHold
        );
        assert_eq!(
            ahead.verdict(&difference(-0.01, 0.02)),
            Verdict::DoesNotHold
        );
        assert_eq!(ahead.verdict(&difference(-0.1, 0.4)), Verdict::CannotBeTold);
        let equal = CLAIMS[4];
        assert_eq!(equal.verdict(&difference(-0.001, 0.002)), Verdict::Holds);
        assert_eq!(
            equal.verdict(&difference(-0.01, 0.002)),
            Verdict::CannotBeTold
        );
        assert_eq!(equal.verdict(&difference(0.01, 0.02)), Verdict::DoesNotHold);
    }
}
