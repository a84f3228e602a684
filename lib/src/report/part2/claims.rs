//! What the numbers of the 2021 report say, each held against five seeds.

use crate::{
    display::{Cell, Html, Table, format_signed, note, stack},
    eval::statistics::PairedDifference,
    report::{columns, difference, left_out, reference_2021},
    study::{Grid, Head, Init},
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
    /// On the training images; else on the MNIST test set.
    training: bool,
    /// That there is a difference; else that there is none.
    differ: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    CannotBeTold,
}

use {Head::*, Init::*};

/// Of networks with this head: pretrained − random.
const fn start(words: &'static str, head: Head, epoch: usize) -> Claim {
    Claim {
        words,
        one: (head, Pretrained),
        other: (head, Random),
        epoch,
        training: false,
        differ: true,
    }
}

/// The same of the training images in the first epoch.
const fn training(words: &'static str, head: Head) -> Claim {
    Claim {
        training: true,
        ..start(words, head, 0)
    }
}

/// Of networks with this start, after the last epoch: head `one` − head `other`.
const fn heads(words: &'static str, init: Init, one: Head, other: Head) -> Claim {
    Claim {
        one: (one, init),
        other: (other, init),
        ..start(words, one, 2)
    }
}

pub const CLAIMS: [Claim; 8] = {
    let ahead = "original: pretraining is far ahead after one epoch";
    let behind = "experimental: pretraining is behind after one epoch";
    let faster = "original: it learns the training images faster in the first epoch";
    let faster_too = "experimental: it learns the training images faster in the first epoch";
    let equal = "original: both starts end equally good";
    let better = "experimental: pretraining ends clearly better";
    let pretrained = "of the pretrained networks, the experimental head ends better";
    let random = "of the random starts, the original head ends better";
    [
        start(ahead, Original, 0),
        start(behind, Experimental, 0),
        training(faster, Original),
        training(faster_too, Experimental),
        Claim {
            differ: false,
            ..start(equal, Original, 2)
        },
        start(better, Experimental, 2),
        heads(pretrained, Pretrained, Experimental, Original),
        heads(random, Random, Original, Experimental),
    ]
};

impl Claim {
    /// The difference in the single runs of the 2021 report.
    pub fn reported(&self) -> Option<f64> {
        let of = |(head, init)| {
            let epoch = reference_2021::epochs(2, head, init).get(self.epoch)?;
            Some(if self.training {
                epoch.accuracy
            } else {
                epoch.val_accuracy
            })
        };
        Some(of(self.one)? - of(self.other)?)
    }

    /// The same difference over the seeds; `None` for fewer than two.
    pub fn ours(&self, grid: &Grid) -> Option<PairedDifference> {
        grid.difference(self.one, self.other, |run| {
            let epoch = run.epochs.get(self.epoch)?;
            Some(if self.training {
                epoch.accuracy
            } else {
                epoch.val_accuracy
            })
        })
    }

    pub fn verdict(&self, ours: &PairedDifference) -> Verdict {
        let interval = ours.interval;
        let within = interval.low > -MARGIN && interval.high < MARGIN;
        let outside = interval.low > MARGIN || interval.high < -MARGIN;
        let certain = !interval.contains(0.0);
        match (self.differ, self.reported()) {
            (false, _) if within => Verdict::Holds,
            (false, _) if outside => Verdict::DoesNotHold,
            (true, Some(reported)) if certain && reported.signum() == ours.mean.signum() => {
                Verdict::Holds
            }
            (true, Some(_)) if certain => Verdict::DoesNotHold,
            // Not even the sign is known, but an effect of the reported size is ruled out.
            (true, Some(reported)) if !interval.contains(reported) => Verdict::DoesNotHold,
            _ => Verdict::CannotBeTold,
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
        "What the 2021 report's numbers say, and whether it holds (differences in points)",
        columns("claim | the 2021 report | here: mean and 95 % interval | seeds | verdict"),
    );
    for claim in &CLAIMS {
        let theirs = claim.reported().map(|d| format_signed(d * 100.0, 2));
        let (ours, seeds, verdict): (Cell, usize, &str) = match claim.ours(grid) {
            Some(ours) => (
                difference(&ours, 100.0, 2).into(),
                ours.n,
                claim.verdict(&ours).words(),
            ),
            None => ("–".into(), 1, "one seed cannot say"),
        };
        table = table.row([
            claim.words.into(),
            theirs.unwrap_or_default().into(),
            ours,
            seeds.into(),
            verdict.into(),
        ]);
    }
    let rule = note(&format!(
        "A difference holds where the 95 % interval lies on the reported side of 0; it does not \
         where it lies on the other, or shuts out a difference of the reported size. “Equally \
         good” holds where the interval lies within ±{:.1} points.",
        MARGIN * 100.0
    ));
    stack(&[&table, &rule, &left_out(&grid.left_out())])
}
