//! What the 2021 report claims, each claim compared with the runs made here.

use super::{
    accuracy, corrected, corrected_beside, difference, or_none, p_value, table, val_accuracy,
};
use crate::{
    Result,
    display::{Cell, Html, format_count, format_counted, format_signed, no_number, note, stack},
    eval::statistics::{PairedDifference, difference_of_splits},
    report::{
        listed,
        part2::measures::{Value, after_one_epoch, sd_of_last_epoch, steps_to},
        part3::constant_answer,
        spelled,
        summary::Datasets,
    },
    study::{Audit, Experiment, Grid, Head, Human, Init, RATES, RunResult, Seeds, tried_rates},
};
use Head::{Experimental, Original};
use Init::{Pretrained, Random};

/// Two networks that differ by less than this share count as equally good: 0.2 points, the size
/// of difference that part 2's sixteen seeds are meant to detect.
const MARGIN: f64 = 0.002;
/// A claim is judged at this level, over all claims (Holm, 1979).
const LEVEL: f64 = 0.05;
/// The reading of the report's part 1 that comes nearest to its log (notebook 2): half the
/// distortions.
const NEAREST_READING: &str = "part1-original-random-reading-half-seed0";

/// The runs that claims are compared with.
pub struct Records {
    /// The report's network of part 1, by the reading that comes nearest to its log.
    pub reading: Seeds,
    /// Ours, on drawings alone and in context.
    pub alone: Seeds,
    pub in_context: Seeds,
    /// The same two on the drawings of writers that they never saw.
    pub strangers: [Seeds; 2],
    pub mnist: Grid,
    /// Pretrained by the next seed, with the original and the experimental head: how soon networks
    /// learn is judged by these, because an output layer fits features that formed beside it.
    pub from_next: [Seeds; 2],
    pub mislabelled: Grid,
    /// Pretraining with part 1's settings, with the original and the experimental head.
    pub pretraining_plain: [Seeds; 2],
    /// What pretrained networks with the original head reached on held-out images at each of
    /// [`RATES`].
    pub rates: [f64; RATES.len()],
    /// The same networks after twice as much pretraining.
    pub longer: Seeds,
    /// Of dataset 3.
    pub audit: Audit,
    /// What people read in the drawings that seed 0 of ours validates on.
    pub people: Vec<Human>,
}

impl Records {
    /// Those of this study, on `data`, beside the audit of dataset 3.
    ///
    /// # Errors
    /// Where a record cannot be read.
    pub fn load(data: &Datasets, audit: Audit) -> Result<Self> {
        let ours = Experiment::part1_ours(0);
        let mnist = Experiment::mnist(Original, Random, 0);
        let mislabelled = Experiment::mislabelled(Original, Random, 0);
        let plain = |head| Seeds::recorded(&Experiment::pretraining_plain(head, 0), &data.drawings);
        let from_next = |head| {
            let run = Experiment::mnist(head, Pretrained, 0).from_next_pretraining();
            Seeds::recorded(&run, &data.mnist)
        };
        let pretrained = Experiment::mnist(Original, Pretrained, 0);
        let reading = Experiment::named(NEAREST_READING)?;
        Ok(Self {
            reading: Seeds::recorded(&reading, &data.drawings)?,
            alone: Seeds::recorded(&ours, &data.drawings)?,
            in_context: Seeds::recorded(&ours.in_context(), &data.drawings)?,
            strangers: [
                Seeds::recorded(&ours.by_writer(), &data.drawings)?,
                Seeds::recorded(&ours.in_context().by_writer(), &data.drawings)?,
            ],
            mnist: Grid::recorded(&mnist, &data.mnist)?,
            from_next: [from_next(Original)?, from_next(Experimental)?],
            mislabelled: Grid::recorded(&mislabelled, &data.mislabelled)?,
            pretraining_plain: [plain(Original)?, plain(Experimental)?],
            rates: tried_rates(&pretrained, &data.mnist)?,
            longer: Seeds::recorded(&pretrained.from_longer_pretraining(), &data.mnist)?,
            people: Human::load(&ours.name(), &data.drawings.sha256)?,
            audit,
        })
    }
}

type Evidence = fn(&Records) -> Option<PairedDifference>;

/// How a claim is judged.
#[derive(Clone, Copy)]
enum Test {
    /// A number above 0, seed by seed, supports it.
    Above(Evidence),
    /// A number within [`MARGIN`] of 0 supports it.
    Equal(Evidence),
    /// Where the runs differ in kind, so that a mean would describe none: each is a case for it
    /// or against it.
    Each(fn(&Records) -> Vec<&RunResult>, fn(&RunResult) -> Option<bool>),
    /// What was found, in words, tells.
    Found(fn(&Records) -> (String, Verdict)),
}
use Test::{Above, Each, Equal, Found};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    CannotBeTold,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::CannotBeTold => "cannot be told",
        }
    }

    /// Of a claim that there is a difference, by the corrected p-value.
    pub fn of_difference(mean: f64, p: f64) -> Self {
        match p < LEVEL {
            true if mean > 0.0 => Self::Holds,
            true => Self::DoesNotHold,
            false => Self::CannotBeTold,
        }
    }

    /// Of a claim about every run; five that agree are one chance in 32 if it is true of every
    /// second run.
    pub fn of_cases(yes: usize, n: usize) -> Self {
        match yes {
            _ if n < 5 => Self::CannotBeTold,
            0 => Self::DoesNotHold,
            yes if yes == n => Self::Holds,
            _ => Self::CannotBeTold,
        }
    }

    /// Of a claim that there is none.
    pub fn of_equality(found: &PairedDifference) -> Self {
        let interval = found.interval;
        if interval.low > -MARGIN && interval.high < MARGIN {
            Self::Holds
        } else if interval.low > MARGIN || interval.high < -MARGIN {
            Self::DoesNotHold
        } else {
            Self::CannotBeTold
        }
    }
}

fn training_after_one_epoch(run: &RunResult) -> Option<f64> {
    Some(run.epochs.first()?.accuracy)
}

/// The mean of a number of each run against 0; `overlap` as in [`Seeds::difference`].
fn against_zero(
    seeds: &Seeds,
    value: impl Fn(&RunResult) -> Option<f64>,
    overlap: f64,
) -> Option<PairedDifference> {
    let values = seeds.values(value);
    difference_of_splits(&values, &vec![0.0; values.len()], overlap).ok()
}

/// By how much each epoch's validation loss is above that of the one before.
fn rises_of_loss(run: &RunResult) -> impl Iterator<Item = f64> {
    let pairs = run.epochs.windows(2);
    pairs.map(|pair| pair[1].val_loss - pair[0].val_loss)
}

fn rise_since_tenth(seeds: &Seeds) -> Option<PairedDifference> {
    let rise = |run: &RunResult| {
        let tenth = run.epochs.get(9)?;
        Some(run.epochs.last()?.val_loss - tenth.val_loss)
    };
    against_zero(seeds, rise, seeds.overlap())
}

fn taught_wrong_labels(records: &Records) -> Vec<&RunResult> {
    records.mislabelled.runs(Original, Pretrained).iter().collect()
}

/// Pretrained by the next seed minus random, times `sign`: how soon networks with one head learn.
fn sooner(records: &Records, head: Head, sign: f64, value: Value) -> Option<PairedDifference> {
    let [original, experimental] = &records.from_next;
    let pretrained = if head == Original { original } else { experimental };
    let random = records.mnist.seeds(head, Random)?;
    pretrained.difference(random, |run| Some(sign * value(run)?), 0.0)
}

/// Claim, what is measured, how it is judged.
type Claim = (&'static str, &'static str, Test);

static PART1: [Claim; 5] = [
    (
        "The network is close to human performance.",
        "–",
        Found(|records| {
            let found = match records.people.len() {
                0 => "no person has read these drawings".into(),
                n => {
                    let sittings = format_counted(n, "sitting");
                    format!("{sittings} by people: see notebook 2, beside the network")
                }
            };
            (found, Verdict::CannotBeTold)
        }),
    ),
    (
        "Most mistakes are not the network's fault: the characters look alike.",
        "nearest reading of the report: share of mistakes between look-alikes, minus half (points)",
        Above(|records| {
            let share = |run: &RunResult| {
                let wrong = 1.0 - val_accuracy(run)?;
                let other = 1.0 - run.metric("merged_accuracy")?;
                (wrong > 0.0).then_some((wrong - other) / wrong - 0.5)
            };
            against_zero(&records.reading, share, records.reading.overlap())
        }),
    ),
    (
        "Only one mistake is a real mistake.",
        "nearest reading of the report: runs with at most one mistake that is not between \
         look-alikes",
        Each(
            |records| records.reading.runs.iter().collect(),
            |run| {
                let images = run.setup.split.held_out(run.dataset.count);
                let others = (1.0 - run.metric("merged_accuracy")?) * images;
                Some(others.round() <= 1.0)
            },
        ),
    ),
    (
        "With context one could be more accurate: writers seen in training.",
        "beside the writer's other drawings, minus alone (points)",
        Above(|records| {
            let alone = &records.alone;
            records.in_context.difference(alone, val_accuracy, alone.overlap())
        }),
    ),
    (
        "With context one could be more accurate: writers never seen.",
        "beside the writer's other drawings, minus alone (points)",
        Above(|records| {
            let [alone, in_context] = &records.strangers;
            in_context.difference(alone, val_accuracy, alone.overlap())
        }),
    ),
];

static PART2: [Claim; 18] = [
    (
        "With the original head, pretrained networks are ahead after one epoch.",
        "accuracy, pretrained − random (points)",
        Above(|records| sooner(records, Original, 1.0, after_one_epoch)),
    ),
    (
        "With the experimental head, pretrained networks are behind after one epoch.",
        "accuracy, random − pretrained (points)",
        Above(|records| sooner(records, Experimental, -1.0, after_one_epoch)),
    ),
    (
        "With the original head, pretrained networks learn the training images faster.",
        "training accuracy of epoch 1, pretrained − random (points)",
        Above(|records| sooner(records, Original, 1.0, training_after_one_epoch)),
    ),
    (
        "With the experimental head, pretrained networks learn the training images faster.",
        "training accuracy of epoch 1, pretrained − random (points)",
        Above(|records| sooner(records, Experimental, 1.0, training_after_one_epoch)),
    ),
    (
        "With the original head, both starts end equally well.",
        "accuracy, pretrained − random (points)",
        Equal(|records| records.mnist.gain(Original, accuracy)),
    ),
    (
        "With the experimental head, pretrained networks outperform random ones.",
        "accuracy, pretrained − random (points)",
        Above(|records| records.mnist.gain(Experimental, accuracy)),
    ),
    (
        "With the experimental head, pretrained networks learn in less time.",
        "steps to 98 %, random − pretrained",
        Above(|records| {
            sooner(records, Experimental, -1.0, |run| Some(steps_to(0.98, run)?.value()))
        }),
    ),
    (
        "With the experimental head, an epoch of a pretrained network takes less time.",
        "–",
        Found(|records| {
            let [random, pretrained] =
                [Random, Pretrained].map(|init| records.mnist.runs(Experimental, init));
            let pairs = pretrained.iter().filter_map(|run| {
                let other = random.iter().find(|other| other.seed == run.seed)?;
                run.timed_like(other).then(|| run.seconds() / other.seconds())
            });
            let mut ratios: Vec<f64> = pairs.collect();
            ratios.sort_by(f64::total_cmp);
            let percent = |ratio: f64| format_signed(100.0 * (ratio - 1.0), 0);
            let measured = match ratios.as_slice() {
                [least, .., most] => format!(
                    "in {}, each timed on the same kind of processor, pretraining changed the time \
                     by {} to {} %, median {} %",
                    format_counted(ratios.len(), "pair"),
                    percent(*least),
                    percent(*most),
                    percent((ratios[(ratios.len() - 1) / 2] + ratios[ratios.len() / 2]) / 2.0)
                ),
                [one] => format!(
                    "in the one pair that was timed on the same kind of processor, pretraining \
                     changed the time by {} %",
                    percent(*one)
                ),
                [] => "no pair was timed on the same kind of processor".into(),
            };
            let found = format!(
                "both starts do the same computations; {measured}, beside other work on the machines (in \
                 the 2021 report's own log, by +15 %)"
            );
            (found, Verdict::CannotBeTold)
        }),
    ),
    (
        "With the experimental head, pretrained networks learn more stably.",
        "standard deviation along the last epoch, random − pretrained (points)",
        Above(|records| {
            let starts = ((Experimental, Random), (Experimental, Pretrained));
            records.mnist.difference(starts.0, starts.1, sd_of_last_epoch)
        }),
    ),
    (
        "The experimental head overfits from a random start.",
        "validation loss of epoch 3 − epoch 2 (0.01 nats)",
        // What overfitting does.
        Above(|records| {
            let last = |run: &RunResult| rises_of_loss(run).last();
            against_zero(records.mnist.seeds(Experimental, Random)?, last, 0.0)
        }),
    ),
    (
        "Pretrained, the experimental head keeps getting better.",
        "accuracy of epoch 3 − epoch 2 (points)",
        Above(|records| {
            let gain = |run: &RunResult| {
                Some(run.epochs.get(2)?.val_accuracy - run.epochs.get(1)?.val_accuracy)
            };
            against_zero(records.mnist.seeds(Experimental, Pretrained)?, gain, 0.0)
        }),
    ),
    (
        "The original head never overfits from a random start.",
        "runs whose validation loss never rises from one epoch to the next",
        Each(
            |records| records.mnist.runs(Original, Random).iter().collect(),
            |run| Some(rises_of_loss(run).all(|rise| rise <= 0.0)),
        ),
    ),
    (
        "From a random start the original head is better.",
        "accuracy, original − experimental (points)",
        Above(|records| {
            let heads = ((Original, Random), (Experimental, Random));
            records.mnist.difference(heads.0, heads.1, accuracy)
        }),
    ),
    (
        "Pretrained, the experimental head is better.",
        "accuracy, experimental − original (points)",
        Above(|records| {
            let heads = ((Experimental, Pretrained), (Original, Pretrained));
            records.mnist.difference(heads.0, heads.1, accuracy)
        }),
    ),
    (
        "With the original head, pretraining overfits with the settings of part 1.",
        "validation loss of epoch 30 − epoch 10 (0.01 nats)",
        Above(|records| rise_since_tenth(&records.pretraining_plain[0])),
    ),
    (
        "With the experimental head, pretraining overfits with the settings of part 1.",
        "validation loss of epoch 30 − epoch 10 (0.01 nats)",
        Above(|records| rise_since_tenth(&records.pretraining_plain[1])),
    ),
    (
        "Tuning the rate did not help.",
        "–",
        Found(|records| {
            let [usual, ..] = records.rates;
            let best = records.rates.into_iter().fold(usual, f64::max);
            let found = match usual.is_nan() {
                true => "never tried on this data".into(),
                false => format!(
                    "tried on one seed: {:.2} % of the held-out images at {}, {:.2} % at the best \
                     of {} rates (notebook 4)",
                    100.0 * usual,
                    RATES[0],
                    100.0 * best,
                    spelled(RATES.len())
                ),
            };
            (found, Verdict::CannotBeTold)
        }),
    ),
    (
        "More pretraining did not help.",
        "accuracy, after 120 epochs of pretraining − after 60 (points)",
        Equal(|records| {
            let usual = records.mnist.seeds(Original, Pretrained)?;
            records.longer.difference(usual, accuracy, 0.0)
        }),
    ),
];

static PART3: [Claim; 4] = [
    (
        "Folder 0 has every digit but 0.",
        "–",
        Found(|records| {
            let counts = records.audit.matrix().counts;
            let (zeros, all) = (counts[[0, 0]], format_count(counts.column(0).sum()));
            let verdict = if zeros == 0 { Verdict::Holds } else { Verdict::DoesNotHold };
            (format!("{zeros} of its {all} images are zeros (notebook 5)"), verdict)
        }),
    ),
    (
        "The pretrained original head is trained to predict anything but the right answer.",
        "runs that do not answer all images alike, and whose least likely digit is right more often than the likeliest",
        Each(taught_wrong_labels, |run| {
            let avoids = run.metric("least_likely_accuracy")? > run.test_accuracy?;
            Some(avoids && constant_answer(run).is_none())
        }),
    ),
    (
        "The experimental networks are alike after three epochs.",
        "runs, of either start, that give one answer to all images",
        Each(
            |records| {
                let runs = Init::ALL.map(|init| records.mislabelled.runs(Experimental, init));
                runs.into_iter().flatten().collect()
            },
            |run| Some(constant_answer(run).is_some()),
        ),
    ),
    (
        "The validation loss of the pretrained original head rises steadily.",
        "runs in which it rises from each epoch to the next, of those that do not answer all images \
         alike",
        Each(taught_wrong_labels, |run| {
            constant_answer(run).is_none().then(|| rises_of_loss(run).all(|rise| rise > 0.0))
        }),
    ),
];

/// A claim beside what was found.
struct Judged {
    part: u8,
    words: &'static str,
    measured: &'static str,
    /// What was found, and under how many seeds.
    found: [Cell; 2],
    /// Holm's, over all claims that have one.
    p: f64,
    /// The same, with those that had one first.
    p_at_first: f64,
    verdict: Verdict,
}

/// Claims that were first tested as their opposites, and have no p-value any more.
const NO_LONGER_TESTED: usize = 2;

fn judge(records: &Records) -> Vec<Judged> {
    let parts: [(u8, &[Claim]); 3] = [(1, &PART1), (2, &PART2), (3, &PART3)];
    let all = parts.into_iter().flat_map(|(part, claims)| {
        claims.iter().map(move |&(words, measured, test)| {
            let evidence = match test {
                Above(of) | Equal(of) => of(records),
                Each(..) | Found(_) => None,
            };
            (part, words, measured, test, evidence)
        })
    });
    let all: Vec<_> = all.collect();
    let evidence = all.iter().map(|(.., test, evidence)| match test {
        Above(_) => evidence.as_ref(),
        _ => None,
    });
    let at_first = corrected_beside(NO_LONGER_TESTED, evidence.clone());
    let corrected = corrected(evidence).into_iter().zip(at_first);
    let judged = all.into_iter().zip(corrected).map(|(claim, (p, p_at_first))| {
        let (part, words, measured, test, evidence) = claim;
        let (scale, decimals) = if measured.starts_with("steps") { (1.0, 0) } else { (100.0, 2) };
        let numbers =
            |gain: &PairedDifference| [difference(gain, scale, decimals).into(), gain.n.into()];
        let (found, verdict) = match (test, &evidence) {
            (Above(_), Some(gain)) => (numbers(gain), Verdict::of_difference(gain.mean, p)),
            (Equal(_), Some(gain)) => (numbers(gain), Verdict::of_equality(gain)),
            (Above(_) | Equal(_), None) => {
                (["fewer than two seeds on this data".into(), no_number()], Verdict::CannotBeTold)
            }
            (Each(runs, is_so), _) => {
                let made = runs(records);
                let cases: Vec<bool> = made.iter().copied().filter_map(is_so).collect();
                let (yes, n) = (cases.iter().filter(|case| **case).count(), cases.len());
                let found = match n {
                    0 if made.is_empty() => "never run on this data".into(),
                    0 => "none of the runs can be judged by this".into(),
                    n => format!("{yes} of {n}"),
                };
                ([found.into(), n.into()], Verdict::of_cases(yes, n))
            }
            (Found(of), _) => {
                let (words, verdict) = of(records);
                ([words.into(), no_number()], verdict)
            }
        };
        Judged { part, words, measured, found, p, p_at_first, verdict }
    });
    judged.collect()
}

/// How claims are judged; then one line per claim, with its number and verdict.
pub fn claims(records: &Records) -> Html {
    let columns =
        "part | the 2021 report says | verdict | measured here | found | seeds | p (Holm)";
    let all = judge(records);
    let of = |verdict| all.iter().filter(|claim| claim.verdict == verdict).count();
    let title = format!(
        "Of {} claims of the 2021 report, {} hold, {} do not, and {} cannot be told",
        all.len(),
        of(Verdict::Holds),
        of(Verdict::DoesNotHold),
        of(Verdict::CannotBeTold)
    );
    let owed = all.iter().filter(|claim| claim.p < LEVEL && claim.p_at_first >= LEVEL);
    let owed = owed.map(|claim| {
        let words = claim.words.trim_end_matches('.');
        format!("“{words}” ({:.4} instead of {:.4})", claim.p_at_first, claim.p)
    });
    let owed: Vec<String> = owed.collect();
    let owed = note(&match owed.as_slice() {
        [] => "All verdicts by p-values would be the same if the two claims that are no longer \
               tested still counted."
            .into(),
        owed => format!(
            "If the two claims that are no longer tested still counted, Holm's p would be {LEVEL} or \
             above, and the verdict “cannot be told”, for {}.",
            listed(owed, "and")
        ),
    });
    let rows = all.into_iter().map(|claim| {
        let [found, seeds] = claim.found;
        [
            usize::from(claim.part).into(),
            claim.words.into(),
            claim.verdict.words().into(),
            claim.measured.into(),
            found,
            seeds,
            p_value(claim.p),
        ]
    });
    let table = table(title, columns).rows(rows);
    let rule = note(&format!(
        "A claim that something is higher holds if the mean is above 0 and Holm's p is below \
         {LEVEL}, and does not hold if the mean is below 0 and p is below {LEVEL}. A claim that \
         there is no difference holds if the 95 % interval lies within ±{:.1} points, the size of \
         difference that part 2's main comparison is meant to detect, and does not hold if the \
         interval lies outside altogether. Where runs differ in kind, a claim holds if it is true \
         of every run (at least five), and does not hold if it is true of none. Claims judged in \
         this way, by a margin or by counting, have no p-value, so no correction applies. How soon \
         networks learn is judged by those that another seed pretrained (the control of notebook \
         4). The claims about part 1's mistakes are judged by the reading of the report that comes \
         nearest to its log (notebook 2). The report is not part of this project, so its claims are \
         given here in our words.",
        MARGIN * 100.0
    ));
    stack(&[&rule, &table, &owed])
}

/// Which claims hold, and which do not.
pub fn verdicts(records: &Records) -> Html {
    let all = judge(records);
    let of = |verdict| -> Vec<String> {
        let claims = all.iter().filter(|claim| claim.verdict == verdict);
        claims.map(|claim| format!("“{}”", claim.words.trim_end_matches('.'))).collect()
    };
    let (hold, fail) = (of(Verdict::Holds), of(Verdict::DoesNotHold));
    note(&format!(
        "Of {} claims of the 2021 report, {} are decided here. These hold: {}. \
         These do not: {}.",
        all.len(),
        hold.len() + fail.len(),
        or_none(&hold),
        or_none(&fail)
    ))
}
