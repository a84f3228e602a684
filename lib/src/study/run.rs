//! What a run does: train, judge, keep checkpoints and record.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ndarray::{Array2, s};
use polars::prelude::Column;

use crate::{
    Error, Result,
    data::{Provenance, Samples},
    dataframe::{dataframe, write_csv},
    eval::{
        Evaluation,
        similarity::{debiased_cka, relative_distance},
    },
    files::{check_writable, write_json},
    image::{FEATURES, Others},
    nn::Classifier,
    study::{
        LOOKALIKES,
        experiment::{Data, Experiment, Sources},
        load::{load_drawings, load_mislabelled, load_mnist},
        result::{Artefact, Environment, RunResult, SampleHashes, record_path},
        setup::{Features, Split},
    },
    train::{
        Checkpoint, Complementary, History, Loss, ModelCheckpoint, activations, evaluate,
        evaluate_averaged, fit_self_training, fit_with_unlabelled, logits, recalibrate,
    },
};

/// Copies of an image that a prediction is averaged over, where that is tried.
pub const COPIES: u64 = 16;
/// The metric of it in result files.
pub const AVERAGED: &str = "averaged_accuracy";
/// Numbers of other drawings of the same hand that a reading in context is tried with.
pub const OTHERS: [usize; 7] = [0, 1, 2, 5, 10, 20, 40];

/// The metric of it in result files.
pub fn accuracy_with(others: usize) -> String {
    format!("accuracy_with_{others}_others")
}

/// Images whose features are compared before and after training.
const CKA_IMAGES: usize = 500;
/// Training images that a trained network is judged on, beside the test set.
const TRAINING_IMAGES: usize = 10_000;

/// A finished run with everything that a notebook looks at.
pub struct Trained {
    pub experiment: Experiment,
    pub model: Box<dyn Classifier>,
    pub history: History,
    /// What was held out for validation.
    pub valid: Samples,
    /// On the validation part; in parts 2 and 3 on the MNIST test set.
    pub evaluation: Evaluation,
    /// On the MNIST test set as it is, for a network pretrained on other digits.
    pub on_mnist: Option<Evaluation>,
    pub result: RunResult,
}

type Metrics = BTreeMap<String, f64>;

impl Experiment {
    /// Trains, judges, and keeps checkpoints and record. A run that was interrupted goes on.
    ///
    /// Part 1 needs the drawings, pretraining the drawings and MNIST, part 2 MNIST, part 3
    /// dataset 3 and MNIST: `run(&drawings)`, `run((&drawings, &mnist))`, `run(&mnist)`,
    /// `run((&mislabelled, &mnist))`.
    ///
    /// # Errors
    /// Where data are missing or do not fit, the network to start from was never trained, a
    /// loss is not finite, or a file cannot be written.
    pub fn run<'a>(&self, sources: impl Into<Sources<'a>>) -> Result<Trained> {
        self.run_on(sources.into())
    }

    /// [`Experiment::run`] on the data sets of this machine.
    pub fn load_and_run(&self) -> Result<Trained> {
        self.with_sources(|sources| self.run_on(sources))
    }

    /// Evaluates the trained network on what the run held out for validation, and writes a CSV table
    /// of it: [`Evaluation::dataframe`], and `writer` where the data name one.
    pub fn judge(&self, table: &Path) -> Result<Evaluation> {
        self.with_sources(|sources| {
            let (samples, test) = self.samples(sources)?;
            let of_these = |data: &Provenance| data.sha256 == samples.provenance.sha256;
            let found = self.finished(&[self.seed()], of_these)?.pop();
            let (_, checkpoint) = found.ok_or_else(|| {
                let problem = format!("no network of {} has learned from these data", self.name());
                Error::argument(problem, "train it with `glyphs train`")
            })?;
            let (_, valid) = self.split(&samples, test)?;
            let evaluation = evaluate(checkpoint.network()?.as_ref(), &valid)?;
            let mut rows = evaluation.dataframe()?.into_columns();
            if !valid.writers.is_empty() {
                let writers: Vec<u32> = valid.writers.iter().map(|&writer| writer.into()).collect();
                rows.push(Column::new("writer".into(), writers));
            }
            write_csv(table, &mut dataframe(rows)?)?;
            Ok(evaluation)
        })
    }

    /// Hands on the data sets of this machine that it needs.
    pub fn with_sources<T>(&self, then: impl FnOnce(Sources) -> Result<T>) -> Result<T> {
        match self.data {
            Data::Characters(_) if self.mnist_digits == 0 => then((&load_drawings()?).into()),
            Data::Characters(_) | Data::Digits(_) => {
                then((&load_drawings()?, &load_mnist()?).into())
            }
            Data::Mnist | Data::Relabelled { .. } => then((&load_mnist()?).into()),
            Data::Mislabelled => then((&load_mislabelled()?, &load_mnist()?).into()),
        }
    }

    fn run_on(&self, sources: Sources) -> Result<Trained> {
        let (samples, test) = self.samples(sources)?;
        let (train, valid) = self.parts(&samples, sources)?;
        let with_few = self.with_few_others(&samples)?;
        let unlabelled = self.unlabelled(&samples);
        drop(samples);
        let (mut model, learned_before) = self.start()?;
        if !self.frozen.is_empty() {
            recalibrate(&mut model, &train, self.config.batch_size)?;
            model.freeze(self.frozen)?;
        }
        let mut model: Box<dyn Classifier> = Box::new(model);
        let test = test.filter(|_| !matches!(self.data, Data::Characters(_)));
        let tested = test.filter(|_| self.is_tested_on_mnist());
        let before = tested.map(|test| Before::of(model.as_ref(), test)).transpose()?;

        let stages = self.states_of_stages();
        let _alone = stages.last().map(ModelCheckpoint::lock).transpose()?;
        let record = record_path(&self.name());
        check_writable(&record)?;
        let (learner, config) = (model.as_mut(), &self.config);
        let history = match (&unlabelled, stages.as_slice()) {
            (Some(others), [states]) => {
                fit_with_unlabelled(learner, &train, others, &valid, config, states)?
            }
            _ => fit_self_training(learner, &train, &valid, config, &stages)?,
        };
        let mut best = PathBuf::new();
        for stage in stages.iter().filter(|stage| stage.last().exists()) {
            best = stage.finish()?;
        }
        let evaluation = evaluate(model.as_ref(), tested.unwrap_or(&valid))?;
        let on_mnist = test.filter(|_| tested.is_none());
        let on_mnist = on_mnist.map(|test| evaluate(model.as_ref(), test)).transpose()?;

        let path = self.checkpoint();
        let mut checkpoint =
            Checkpoint::of(model.as_ref(), self.config.clone(), history.clone(), &train);
        if let Some(method) = self.data.preprocess() {
            checkpoint = checkpoint.with_preprocess(method);
        }
        checkpoint.weights_only().save(&path)?;

        let mut metrics = match (&before, &on_mnist) {
            (Some(before), _) => {
                let mut metrics = judge_digits(&evaluation)?;
                before.compare(model.as_ref(), &mut metrics)?;
                self.judge_training(model.as_ref(), &train, &valid, &mut metrics)?;
                metrics
            }
            (None, Some(on_mnist)) => [
                ("ece".into(), evaluation.calibration(15)?.ece),
                ("mnist_accuracy".into(), on_mnist.accuracy()),
            ]
            .into(),
            (None, None) => self.judge_characters(model.as_ref(), &valid, &evaluation)?,
        };
        for (n, valid) in &with_few {
            let accuracy = evaluate(model.as_ref(), valid)?.accuracy();
            metrics.insert(accuracy_with(*n), accuracy);
        }
        metrics.retain(|_, value| value.is_finite());
        let test_accuracy = tested.map(|_| evaluation.accuracy());
        let result = RunResult {
            part: self.part,
            network: self.head.name().into(),
            init: self.init.name().into(),
            dataset: train.provenance.clone(),
            start_weights_sha256: learned_before.as_ref().map(|start| start.weights_sha256()),
            pretraining: learned_before.map(|start| start.data),
            protocol: self.protocol.clone(),
            setup: self.setup(),
            samples: SampleHashes::of(&train, &valid),
            seed: self.seed(),
            config: self.config.clone(),
            loss: self.config.loss.name().into(),
            epochs: history.epochs.clone(),
            curve: history.curve.clone(),
            test_accuracy,
            metrics,
            checkpoint: Artefact::of(&path)?,
            best_checkpoint: Artefact::of(&best)?,
            environment: Environment::here(),
        };
        write_json(&record, &result)?;
        stages.iter().try_for_each(ModelCheckpoint::forget)?;
        Ok(Trained {
            experiment: self.clone(),
            model,
            history,
            valid,
            evaluation,
            on_mnist,
            result,
        })
    }

    /// The other training images, their labels wiped out, where the run learns from them too.
    fn unlabelled(&self, samples: &Samples) -> Option<Samples> {
        let (Split::Few(share, n), Some(_)) = (self.split, self.config.unlabelled) else {
            return None;
        };
        let (train, _) = samples.split(share, self.seed());
        let mut others = train.select(&(n.min(train.len())..train.len()).collect::<Vec<_>>());
        others.labels.fill(0);
        Some(others)
    }

    /// The validation part beside fewer of the writer's other drawings, where the run reads
    /// drawings in context.
    fn with_few_others(&self, samples: &Samples) -> Result<Vec<(usize, Samples)>> {
        if self.features != Features::InkInContext {
            return Ok(Vec::new());
        }
        let alone = Samples {
            features: samples.features.slice(s![.., ..FEATURES]).to_owned(),
            ..samples.clone()
        };
        let valid = |n| {
            let beside = alone.in_context(Others::Few(n, self.seed()))?;
            Ok((n, self.split(&beside, None)?.1))
        };
        OTHERS.into_iter().map(valid).collect()
    }

    /// What a record of part 1 keeps of an evaluation.
    fn judge_characters(
        &self,
        model: &dyn Classifier,
        valid: &Samples,
        evaluation: &Evaluation,
    ) -> Result<Metrics> {
        let merged = evaluation.merged(&LOOKALIKES)?;
        let mut metrics = Metrics::from([
            ("top_3_accuracy".into(), evaluation.top_k_accuracy(3)),
            ("merged_accuracy".into(), merged.accuracy),
            ("ece".into(), evaluation.calibration(15)?.ece),
        ]);
        let augment = &self.config.augment;
        if !augment.is_none() {
            let averaged = evaluate_averaged(model, valid, augment, COPIES, self.seed())?;
            metrics.insert(AVERAGED.into(), averaged.accuracy());
        }
        Ok(metrics)
    }

    /// How well the training data were learned, where their labels say what an image is;
    /// else the risk on what was held out.
    fn judge_training(
        &self,
        model: &dyn Classifier,
        train: &Samples,
        valid: &Samples,
        metrics: &mut Metrics,
    ) -> Result<()> {
        if let Loss::CrossEntropy { .. } = self.config.loss {
            let on_training = evaluate(model, &train.take(TRAINING_IMAGES))?;
            metrics.insert("train_loss".into(), on_training.loss());
            metrics.insert("train_accuracy".into(), on_training.accuracy());
        } else {
            let risk = Complementary::Forward.risk(&logits(model, valid)?, &valid.labels);
            metrics.insert("held_out_risk".into(), risk);
        }
        Ok(())
    }
}

/// What a record of parts 2 and 3 keeps of an evaluation.
fn judge_digits(evaluation: &Evaluation) -> Result<Metrics> {
    let confidence = evaluation.confidence();
    let mut metrics = Metrics::from([
        ("test_loss".into(), evaluation.loss()),
        ("ece".into(), evaluation.calibration(15)?.ece),
        ("mean_confidence".into(), confidence.iter().sum::<f64>() / confidence.len() as f64),
        // How often the class that a network thinks least of is the right one.
        ("least_likely_accuracy".into(), evaluation.least_likely_accuracy()),
    ]);
    let recalls = evaluation.per_class().0.into_iter();
    metrics.extend(recalls.map(|score| (format!("recall_{}", score.class), score.recall)));
    Ok(metrics)
}

/// A network before training: its accuracy, its weights, and its features for some images.
struct Before {
    accuracy: f64,
    probe: Samples,
    weights: Vec<(String, Vec<f32>)>,
    features: Vec<(String, Array2<f32>)>,
}

impl Before {
    fn of(model: &dyn Classifier, test: &Samples) -> Result<Self> {
        let probe = test.select(&(0..test.len().min(CKA_IMAGES)).collect::<Vec<_>>());
        Ok(Self {
            accuracy: evaluate(model, test)?.accuracy(),
            weights: weights(model),
            features: activations(model, &probe)?,
            probe,
        })
    }

    /// How far training moved each weight, and how alike each layer's features stayed (CKA).
    fn compare(&self, model: &dyn Classifier, metrics: &mut Metrics) -> Result<()> {
        metrics.insert("accuracy_before_training".into(), self.accuracy);
        for ((name, before), (_, after)) in self.weights.iter().zip(weights(model)) {
            let moved = relative_distance(before, &after)?;
            metrics.insert(format!("moved_{name}"), moved);
        }
        let features = activations(model, &self.probe)?;
        for ((name, before), (_, after)) in self.features.iter().zip(features) {
            let cka = debiased_cka(before.view(), after.view())?;
            metrics.insert(format!("cka_{name}"), cka);
        }
        Ok(())
    }
}

fn weights(model: &dyn Classifier) -> Vec<(String, Vec<f32>)> {
    let tensors = model.tensors().into_iter();
    tensors
        .filter(|tensor| tensor.name.ends_with("weight"))
        .map(|tensor| (tensor.name, tensor.values.to_vec()))
        .collect()
}
