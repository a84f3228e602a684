//! What a record is held against, on published records; and what their runs saw, made again from
//! the real data where `GLYPHS_DATA` names them.

use std::collections::HashMap;
use std::path::Path;

use glyphs::data::{Handwritten, Mislabelled, Mnist};
use glyphs::study::{
    Difference, Experiment, Here, MadeHere, RunResult, SampleHashes, Seeds, Sources,
};

use super::list::published;

/// Starts from the pretraining under seed 1, whose weights it names.
const NEXT_SEED: &str = "part2-original-pretrained-report-pretraining-next-seed-seed0";
const ITS_START: &str = "part2-original-random-pretraining-seed1";

fn record(name: &str) -> RunResult {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../outputs/reference/results");
    let text = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// How a published record differs once it is changed, or what is known here is.
fn differences(
    change: impl FnOnce(&mut RunResult, &mut RunResult, &mut MadeHere),
) -> Vec<Difference> {
    let original = record(NEXT_SEED);
    let (mut changed, mut start) = (original.clone(), record(ITS_START));
    let mut made = MadeHere { run: original.clone(), published: Some(original.clone()) };
    change(&mut changed, &mut start, &mut made);
    let here = Here {
        dataset: &original.dataset,
        pretraining: original.pretraining.as_ref(),
        start: Some(&start),
        made: Some(&made),
        instructions: "avx2",
    };
    changed.differs_from(&Experiment::named(NEXT_SEED).unwrap(), &here)
}

#[test]
fn a_change_of_anything_that_makes_a_record_is_noticed() {
    assert!(differences(|_, _, _| ()).is_empty());
    // It does not say which weights it started from: nobody can tell.
    assert!(differences(|record, _, _| record.start_weights_sha256 = None).is_empty());
    // AVX-512 gives the bits of AVX2.
    assert!(
        differences(|record, _, _| record.environment.instructions = "avx512".into()).is_empty()
    );
    type Change = fn(&mut RunResult, &mut RunResult, &mut MadeHere);
    let noticed: [(Difference, Change); 12] = [
        (Difference::Data, |record, _, _| record.dataset.sha256 = "others".into()),
        (Difference::Pretraining, |record, _, _| record.pretraining = None),
        (Difference::Pretraining, |record, _, _| {
            record.pretraining.as_mut().unwrap().sha256 = "a stand-in's".into()
        }),
        (Difference::Config, |record, _, _| record.config.epochs += 1),
        (Difference::Setup, |record, _, _| record.setup.carried_over.clear()),
        (Difference::Setup, |record, _, _| record.setup.pens.push(0.5)),
        (Difference::Setup, |record, _, _| record.setup.frozen.push("block1".into())),
        (Difference::Samples, |record, _, _| record.samples.train = "others".into()),
        (Difference::Samples, |_, _, made| made.run.samples.valid = "others".into()),
        (Difference::StartWeights, |_, start, _| start.checkpoint.weights_sha256 = "x".into()),
        (Difference::StartWeights, |record, _, _| record.start_weights_sha256 = Some("x".into())),
        (Difference::Instructions, |record, _, _| {
            record.environment.instructions = "portable".into()
        }),
    ];
    for (difference, change) in noticed {
        assert_eq!(differences(change), [difference]);
    }
}

/// The split depends on the seed: a run under another seed shows it by its own published record.
#[test]
fn images_that_changed_under_one_seed_are_noticed_under_all() {
    let [first, second] =
        [0, 1].map(|seed| record(&format!("part1-original-random-ours-seed{seed}")));
    assert_ne!(first.samples, second.samples);
    let run = Experiment::named(&second.name()).unwrap();
    let mut made = MadeHere { run: first.clone(), published: Some(first.clone()) };
    let differences = |made: &MadeHere| {
        let here = Here {
            dataset: &second.dataset,
            pretraining: None,
            start: None,
            made: Some(made),
            instructions: "avx512",
        };
        second.differs_from(&run, &here)
    };
    assert!(differences(&made).is_empty());
    made.run.samples.train = "others".into();
    assert_eq!(differences(&made), [Difference::Samples]);
    // Of other data, it shows nothing.
    made.run.dataset.sha256 = "others".into();
    assert!(differences(&made).is_empty());
}

#[test]
fn another_rounding_makes_no_other_run() {
    let difference = Difference::Instructions;
    assert!(!difference.makes_another_run() && difference.words().contains("round"));
    assert!(Difference::Samples.makes_another_run());
}

#[test]
fn what_records_do_not_say_is_said() {
    let runs = vec![record(NEXT_SEED), record("part2-original-pretrained-report-seed1")];
    let remarks = Seeds { runs, left_out: Vec::new() }.remarks();
    let last = remarks.last().unwrap();
    assert!(last.starts_with("1 of 2 records do not name the weights"), "{last}");
}

/// At this commit the data become, to the last bit, what every published run saw: decoding,
/// preprocessing, features, splits, labels made here.
#[test]
#[ignore = "needs the real data: GLYPHS_DATA"]
fn the_real_samples_are_those_of_every_published_record() {
    let (drawings, mnist) = (Handwritten::load().unwrap(), Mnist::load().unwrap());
    let mislabelled = Mislabelled::load().unwrap();
    for data in [&drawings.provenance, &mnist.train.provenance, &mislabelled.provenance] {
        assert!(!data.synthetic, "GLYPHS_DATA does not name the real {}", data.name);
    }
    let sources =
        Sources { drawings: Some(&drawings), mnist: Some(&mnist), mislabelled: Some(&mislabelled) };
    let mut runs = Vec::new();
    for (_, record) in published() {
        let run = Experiment::named(&record.name()).unwrap();
        // Other pens take as long as all the rest: one seed of them.
        if run.pens.is_empty() || run.seed() == 0 {
            let labels_by_seed = format!("{:?}", run.data).starts_with("Relabelled");
            let seed = labels_by_seed.then(|| run.seed());
            runs.push((format!("{:?} {:?} {seed:?}", run.data, run.features), run, record));
        }
    }
    assert!(runs.len() > 500);
    runs.sort_by(|a, b| a.0.cmp(&b.0));
    for alike in runs.chunk_by(|a, b| a.0 == b.0) {
        let (samples, _) = alike[0].1.samples(sources).unwrap();
        let mut made = HashMap::new();
        for (_, run, record) in alike {
            let parts = format!("{:?} {} {:?}", run.pens, run.mnist_digits, run.split);
            let hashes = made.entry((parts, run.seed())).or_insert_with(|| {
                let (train, valid) = run.parts(&samples, sources).unwrap();
                SampleHashes::of(&train, &valid)
            });
            assert_eq!(*hashes, record.samples, "{}", record.name());
        }
    }
}
