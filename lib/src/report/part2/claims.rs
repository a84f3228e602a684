//! What the numbers of the 2021 report say, each held against five seeds.

use crate::{
    display::{Cell, Html, Table, format_signed, note, stack},
    eval::statistics::PairedDifference,
    report::{
        columns, difference, left_out,
        reference_2021::{self, ReportedEpoch},
    },
    study::{Grid, Head, Init},
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
    Claim::new(
        "original: pretraining is far ahead after one epoch",
        0,
        Original,
    ),
    Claim::new(
        "experimental: pretraining is behind after one epoch",
        0,
        Experimental,
    ),
    Claim::new(
        "original: it learns the training images faster in the first epoch",
        0,
        Original,
    )
    .on_training(),
    Claim::new(
        "experimental: it learns the training images faster in the first epoch",
        0,
        Experimental,
    )
    .on_training(),
    Claim {
        kind: NoDifference,
        ..Claim::new("original: both starts end equally good", 2, Original)
    },
    Claim::new(
        "experimental: pretraining ends clearly better",
        2,
        Experimental,
    ),
    Claim {
        one: (Experimental, Pretrained),
        other: (Original, Pretrained),
        ..Claim::new(
            "of the pretrained networks, the experimental head ends better",
            2,
            Original,
        )
    },
    Claim {
        one: (Original, Random),
        other: (Experimental, Random),
        ..Claim::new(
            "of the random starts, the original head ends better",
            2,
            Original,
        )
    },
];

impl Claim {
    /// On validation accuracy, pretrained − random.
    const fn new(words: &'static str, epoch: usize, head: Head) -> Self {
        Self {
            words,
            one: (head, Pretrained),
            other: (head, Random),
            epoch,
            ours: |epoch| epoch.val_accuracy,
            theirs: |epoch| epoch.val_accuracy,
            kind: Difference,
        }
    }

    const fn on_training(self) -> Self {
        Self {
            ours: |epoch| epoch.accuracy,
            theirs: |epoch| epoch.accuracy,
            ..self
        }
    }

    /// The difference in the single runs of the 2021 report.
    pub fn reported(&self) -> Option<f64> {
        let of = |(head, init)| {
            let epochs = reference_2021::epochs(2, head, init);
            Some((self.theirs)(epochs.get(self.epoch)?))
        };
        Some(of(self.one)? - of(self.other)?)
    }

    /// The same difference over the seeds; `None` for fewer than two.
    pub fn ours(&self, grid: &Grid) -> Option<PairedDifference> {
        grid.difference(self.one, self.other, |run| {
            Some((self.ours)(run.epochs.get(self.epoch)?))
        })
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
