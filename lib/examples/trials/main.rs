//! Techniques that were tried beside the study's own training:
//! `. workflow/env.sh && cargo run --locked --example trials -- TECHNIQUE SEED...`
//!
//! Each is compared with a run of the study on the same data, split and seed: those of part 1 with
//! the cross-validation of *ours* (seed 100 validates on fold 0, and so on), those of part 3 with
//! nine epochs of the forward loss. Records go to `outputs/trials/`; one that exists is not made
//! again.

mod techniques;

use std::process::ExitCode;

use glyphs::{
    Error, Result,
    data::Samples,
    image::{Augment, FEATURES, Preprocess, SHRINKAGE},
    ndarray::{Axis, concatenate, s},
    nn::{Adam, Builder, Classifier, DynNetwork, Ensemble, ORIGINAL, char_cnn, shape::Dims},
    study::{Data, Environment, Experiment, Head, Init, Sources, TAKEN, TrialResult},
    train::{evaluate, fit},
};
use techniques::{Distilled, Learner, MeanTeacher, Mutual, SharpnessAware, Technique, Usual};

/// Networks that teach one.
const TEACHERS: u64 = 5;

/// Weight of what another network says, beside complementary labels: these rule out one class in
/// ten, and have a tenth of a true label's pull.
const AGREEMENT: f64 = 0.1;

/// What a technique changes.
#[derive(Clone, Copy)]
struct Trial {
    name: &'static str,
    words: &'static str,
    /// The run that it is compared with, under seed 0.
    beside: fn() -> Experiment,
    /// Its data, where they are others.
    change: fn(&mut Experiment),
    samples: fn(Samples) -> Samples,
    network: fn(&Experiment, seed: u64) -> DynNetwork,
    technique: fn(&Experiment, train: &Samples, valid: &Samples) -> Result<Box<dyn Technique>>,
}

fn trials() -> Vec<Trial> {
    let part1 = Trial {
        name: "",
        words: "",
        beside: ours,
        change: |_| (),
        samples: |samples| samples,
        network: of_study,
        technique: |_, _, _| Ok(Box::new(Usual)),
    };
    let part3 = || Trial { beside: forward, ..part1 };
    vec![
        Trial {
            name: "sam",
            words: "sharpness-aware minimisation (Foret et al., 2021)",
            technique: |_, _, _| Ok(Box::new(SharpnessAware { rho: 0.05 })),
            ..part1
        },
        Trial {
            name: "moving-average",
            words: "moving average of the weights (decay 0.999)",
            technique: |run, _, _| teacher(run, 0.999, 0.0, 0),
            ..part1
        },
        Trial {
            name: "distilled",
            words: "distilled from five networks (Hinton et al., 2015)",
            technique: distilled,
            ..part1
        },
        Trial {
            name: "third-block",
            words: "a third block of convolutions",
            network: |_, seed| vgg(28, &[32, 64, 64], 0.0, seed),
            ..part1
        },
        Trial {
            name: "wide",
            words: "twice as many channels",
            network: |_, seed| vgg(28, &[64, 128], 0.0, seed),
            ..part1
        },
        Trial {
            name: "trunk-dropout",
            words: "dropout of 0.25 after both poolings",
            network: |_, seed| vgg(28, &[32, 64], 0.25, seed),
            ..part1
        },
        Trial {
            name: "40-pixels",
            words: "40 × 40 pixels",
            change: |run| in_pixels(run, 40),
            network: |_, seed| vgg(40, &[32, 64], 0.0, seed),
            ..part1
        },
        Trial {
            name: "56-pixels",
            words: "56 × 56 pixels, three blocks",
            change: |run| in_pixels(run, 56),
            network: |_, seed| vgg(56, &[32, 64, 64], 0.0, seed),
            ..part1
        },
        Trial {
            name: "medians",
            words: "in context, medians in place of means",
            beside: in_context,
            change: |run| run.features = ours().features,
            samples: beside_medians,
            network: |_, seed| char_cnn(ORIGINAL, 62, 2 * FEATURES, seed),
            ..part1
        },
        Trial {
            name: "mean-teacher",
            words: "mean teacher, agreement between two distortions (Tarvainen and Valpola, 2017)",
            technique: |run, train, _| teacher(run, 0.99, AGREEMENT, steps(run, train) / 3),
            ..part3()
        },
        Trial {
            name: "mutual",
            words: "two networks that teach each other (Zhang et al., 2018)",
            technique: |run, train, _| {
                Ok(Box::new(Mutual {
                    other: of_study(run, run.seed() + 1000),
                    optimizer: Adam::new(run.config.learning_rate),
                    agreement: AGREEMENT,
                    ramp: steps(run, train) / 3,
                }))
            },
            ..part3()
        },
    ]
}

fn of_candidates(name: &str) -> Experiment {
    let found = Experiment::part1_candidates().into_iter().find(|(known, _)| known.contains(name));
    found.expect("a variant of ours").1
}

fn ours() -> Experiment {
    of_candidates("ours")
}

fn in_context() -> Experiment {
    of_candidates("in context")
}

fn forward() -> Experiment {
    Experiment::mislabelled(Head::Original, Init::Random, 0).divided(TAKEN)
}

fn of_study(run: &Experiment, seed: u64) -> DynNetwork {
    char_cnn(ORIGINAL, run.data.classes(), run.features.count(), seed)
}

fn steps(run: &Experiment, train: &Samples) -> u64 {
    (run.config.epochs * train.len().div_ceil(run.config.batch_size)) as u64
}

fn teacher(run: &Experiment, decay: f32, agreement: f64, ramp: u64) -> Result<Box<dyn Technique>> {
    let augment = Augment { translation: 1.5, rotation: 10.0, ..Augment::none() };
    let teacher = of_study(run, run.seed());
    Ok(Box::new(MeanTeacher { teacher, decay, agreement, ramp, augment }))
}

/// Teachers of other seeds learn from the same fold.
fn distilled(run: &Experiment, train: &Samples, valid: &Samples) -> Result<Box<dyn Technique>> {
    let mut teachers: Vec<Box<dyn Classifier>> = Vec::new();
    for k in 1..=TEACHERS {
        let mut config = run.config.clone();
        config.seed += 1000 * k;
        let mut teacher = of_study(run, config.seed);
        fit(&mut teacher, train, valid, &config)?;
        teachers.push(Box::new(teacher));
    }
    let teachers = Ensemble::new(teachers)?;
    println!("the teachers' average: {:.4}", evaluate(&teachers, valid)?.accuracy());
    Ok(Box::new(Distilled { teachers, share: 0.7 }))
}

/// Drawings of `side` x `side` pixels, distorted as far for their size.
fn in_pixels(run: &mut Experiment, side: usize) {
    run.data = Data::Characters(Preprocess { side, ..Preprocess::default() });
    let (usual, scale) = (run.config.augment, side as f32 / 28.0);
    // Noise that is smoothed over twice as many pixels is half as strong.
    run.config.augment = Augment {
        translation: scale * usual.translation,
        elastic: scale * scale * usual.elastic,
        smoothness: scale * usual.smoothness,
        ..usual
    };
}

/// The study's network for such drawings, with other blocks.
fn vgg(side: usize, blocks: &[usize], dropout: f32, seed: u64) -> DynNetwork {
    let mut layers = Builder::new(Dims::Image { channels: 1, height: side, width: side });
    for (i, &channels) in blocks.iter().enumerate() {
        layers.named(&format!("block{}", i + 1), |block| {
            block.vgg_block(channels, true);
            block.named("dropout", |block| block.dropout(dropout));
        });
    }
    layers.flatten();
    layers.linear(ORIGINAL, FEATURES);
    layers.relu();
    layers.dropout(0.5);
    layers.linear(62, 0);
    DynNetwork::new(layers, seed).expect("these layers fit")
}

/// As `Samples::in_context`, and shrunk alike, with medians.
fn beside_medians(samples: Samples) -> Samples {
    let mut relative = samples.features.clone();
    for (index, mut row) in relative.outer_iter_mut().enumerate() {
        let others: Vec<usize> = (0..samples.len())
            .filter(|&i| i != index && samples.writers[i] == samples.writers[index])
            .collect();
        let n = others.len() as f32;
        for (feature, value) in row.iter_mut().enumerate().filter(|_| n > 0.0) {
            let column = samples.features.slice(s![.., feature]);
            let mut values: Vec<f32> = others.iter().map(|&i| column[i]).collect();
            values.sort_by(f32::total_cmp);
            let middle = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
            *value -= n / (n + SHRINKAGE) * middle;
        }
    }
    let features = concatenate![Axis(1), samples.features, relative];
    Samples { features, ..samples }
}

fn run(trial: &Trial, seed: u64) -> Result<()> {
    let beside = (trial.beside)().with_seed(seed);
    let mut run = beside.clone();
    (trial.change)(&mut run);
    run.with_sources(|sources| run_on(trial, &beside, &run, sources))
}

fn run_on(trial: &Trial, beside: &Experiment, run: &Experiment, sources: Sources) -> Result<()> {
    let (samples, test) = run.samples(sources)?;
    let samples = (trial.samples)(samples.into_owned());
    let (train, valid) = run.split(&samples, None)?;
    let network = (trial.network)(run, run.seed());
    let technique = (trial.technique)(run, &train, &valid)?;
    let mut learner = Learner { network, technique };
    let epochs = fit(&mut learner, &train, &valid, &run.config)?.epochs;
    if epochs.len() < run.config.epochs {
        return Err(Error::Interrupted { done: trial.name.into(), remedy: "run it again" });
    }
    let test_accuracy = test.map(|test| evaluate(&learner, test)).transpose()?;
    let result = TrialResult {
        technique: trial.words.into(),
        beside: beside.name(),
        seed: run.seed(),
        epochs,
        test_accuracy: test_accuracy.map(|read| read.accuracy()),
        environment: Environment::here(),
    };
    result.save(trial.name)
}

fn all(arguments: &[String]) -> Result<()> {
    let trials = trials();
    let names: Vec<&str> = trials.iter().map(|trial| trial.name).collect();
    let usage = || {
        let problem = "trials: a technique and its seeds are wanted";
        Error::argument(problem, format!("name one of {}, then seeds", names.join(", ")))
    };
    let [name, seeds @ ..] = arguments else {
        return Err(usage());
    };
    let trial = trials.iter().find(|trial| trial.name == name).ok_or_else(usage)?;
    for seed in seeds {
        let seed = seed.parse().map_err(|_| usage())?;
        if !TrialResult::exists(trial.name, seed) {
            run(trial, seed)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match all(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
