//! Parts 2 and 3: ten digits, four networks, one record for each run.

mod pretraining;
mod protocol;

pub use pretraining::{CARRIED_OVER, Pretrained, pretrain, pretrained};
pub use protocol::{Protocol, Stages};

use std::path::PathBuf;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    data::{Provenance, Samples},
    display::{Html, Show, note, stack},
    eval::{
        Evaluation,
        similarity::{debiased_cka, relative_distance},
    },
    nn::{Classifier, DynNetwork, EXPERIMENTAL, ORIGINAL, char_cnn},
    study::{
        original::reported_last,
        result::{Artefact, RunKey, RunResult},
    },
    train::{
        Checkpoint, Complementary, Config, History, Loss, activations, evaluate, fit_resumable,
        fit_self_training, logits,
    },
};

/// Images whose features are compared before and after training.
const CKA_IMAGES: usize = 500;
/// Training images that a trained network is judged on, beside the test set.
const TRAINING_IMAGES: usize = 10_000;

/// The two dense heads that the report compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// 1000 units, dropout 0.5.
    Original,
    /// 500 units, dropout 0.7.
    Experimental,
}

impl Head {
    pub const ALL: [Self; 2] = [Self::Original, Self::Experimental];

    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Experimental => "experimental",
        }
    }

    /// An untrained network for ten digits.
    pub fn network(self, seed: u64) -> DynNetwork {
        match self {
            Self::Original => char_cnn(ORIGINAL, 10, 0, seed),
            Self::Experimental => char_cnn(EXPERIMENTAL, 10, 0, seed),
        }
    }
}

/// What a network starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    Random,
    /// Trunk and dense layer of a network trained on the photographed digits.
    Pretrained,
}

impl Init {
    pub const ALL: [Self; 2] = [Self::Random, Self::Pretrained];

    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Pretrained => "pretrained",
        }
    }
}

/// `original, random`
pub fn network_name(head: Head, init: Init) -> String {
    format!("{}, {}", head.name(), init.name())
}

/// One run of part 2 (on MNIST) or part 3 (on dataset 3).
#[derive(Clone, Debug, PartialEq)]
pub struct DigitRun {
    pub part: u8,
    pub head: Head,
    pub init: Init,
    pub protocol: Protocol,
    pub config: Config,
}

/// A finished run with everything that a notebook looks at.
pub struct TrainedDigits {
    pub run: DigitRun,
    pub model: Box<dyn Classifier>,
    pub history: History,
    /// On the MNIST test set.
    pub evaluation: Evaluation,
    pub result: RunResult,
}

impl TrainedDigits {
    /// Loss and accuracy by epoch, with what the report's run ended at.
    pub fn chart(&self) -> Html {
        let DigitRun { head, init, .. } = self.run;
        let title = format!("{} head, {} start", head.name(), init.name());
        let mut chart = self.history.chart(&title);
        if let Some(last) = reported_last(self.run.part, head, init) {
            chart = chart.reference("the report", last.val_accuracy);
        }
        stack(&[&chart, &self.origin()])
    }

    /// What it was trained on, and before that, if its start was not random.
    pub fn origin(&self) -> Html {
        let RunResult {
            dataset,
            pretraining,
            ..
        } = &self.result;
        match pretraining {
            Some(first) => stack(&[dataset, &note("Before that, it had learned:"), first]),
            None => dataset.show(),
        }
    }
}

impl DigitRun {
    pub fn new(part: u8, protocol: Protocol, head: Head, init: Init, seed: u64) -> Self {
        Self {
            part,
            head,
            init,
            protocol,
            config: protocol.config(seed),
        }
    }

    pub fn key(&self) -> RunKey {
        let (head, init) = (self.head.name(), self.init.name());
        RunKey::new(
            self.part,
            head,
            init,
            &self.protocol.name(),
            self.config.seed,
        )
    }

    /// The network before its first step. Random and pretrained of one seed share the
    /// output layer.
    pub fn network(&self) -> Result<Box<dyn Classifier>> {
        Ok(self.start()?.0)
    }

    /// The same, with what it has been trained on already.
    fn start(&self) -> Result<(Box<dyn Classifier>, Option<Provenance>)> {
        let mut model = self.head.network(self.config.seed);
        let mut pretraining = None;
        if self.init == Init::Pretrained {
            let checkpoint = pretrained(self.head, self.config.seed)?;
            checkpoint.restore_named(&mut model, &CARRIED_OVER)?;
            pretraining = Some(checkpoint.data);
        }
        if self.protocol == Protocol::FrozenTrunk {
            model.freeze(&["block1", "block2"])?;
        }
        Ok((Box::new(model), pretraining))
    }

    /// Trains on `train` as the protocol says, judges by `test` at the end, and keeps
    /// checkpoints and record.
    pub fn run(&self, train: &Samples, test: &Samples) -> Result<TrainedDigits> {
        let (train, valid) = self.protocol.split(train, test, self.config.seed);
        let probe = test.select(&(0..test.len().min(CKA_IMAGES)).collect::<Vec<_>>());
        let (mut model, pretraining) = self.start()?;
        let before = Snapshot::of(model.as_ref(), &probe)?;
        let at_start = evaluate(model.as_ref(), test)?;

        let (history, best) = self.fit(model.as_mut(), &train, &valid)?;
        let evaluation = evaluate(model.as_ref(), test)?;

        let path = self.key().checkpoint();
        Checkpoint::of(model.as_ref(), self.config.clone(), history.clone(), &train)
            .weights_only()
            .save(&path)?;
        let mut result = RunResult::new(
            &self.key(),
            &self.config,
            &train.provenance,
            &history,
            &path,
        )?;
        result.pretraining = pretraining;
        result.best_checkpoint = Some(Artefact::of(&best)?);
        result.test_accuracy = Some(evaluation.accuracy());
        let mut keep = |name: &str, value: f64| {
            if value.is_finite() {
                result.metrics.insert(name.into(), value);
            }
        };
        keep("accuracy_before_training", at_start.accuracy());
        for (name, value) in judge(&evaluation)? {
            keep(&name, value);
        }
        for (name, value) in before.compare(&Snapshot::of(model.as_ref(), &probe)?)? {
            keep(&name, value);
        }
        if let Loss::CrossEntropy { .. } = self.config.loss {
            let on_training = evaluate(model.as_ref(), &train.take(TRAINING_IMAGES))?;
            keep("train_loss", on_training.loss());
            keep("train_accuracy", on_training.accuracy());
        } else {
            let held_out = logits(model.as_ref(), &valid)?;
            keep(
                "held_out_risk",
                Complementary::Forward.risk(&held_out, &valid.labels),
            );
        }
        result.save()?;
        Ok(TrainedDigits {
            run: self.clone(),
            model,
            history,
            evaluation,
            result,
        })
    }

    /// Trains, and returns where the weights of the best epoch are.
    fn fit(
        &self,
        model: &mut dyn Classifier,
        train: &Samples,
        valid: &Samples,
    ) -> Result<(History, PathBuf)> {
        let states = self.key().states();
        if self.config.self_training.is_none() {
            let history = fit_resumable(model, train, valid, &self.config, &states)?;
            return Ok((history, states.finish()?));
        }
        let first = self.key().states_of_first_stage();
        let stages = [&first, &states];
        let history = fit_self_training(model, train, valid, &self.config, stages)?;
        let best = first.finish()?;
        let went_on = history.epochs.len() > self.config.epochs;
        Ok((history, if went_on { states.finish()? } else { best }))
    }
}

/// What a record keeps of an evaluation, by name.
fn judge(evaluation: &Evaluation) -> Result<Vec<(String, f64)>> {
    let confidence = evaluation.confidence();
    let mut measures = vec![
        ("test_loss".into(), evaluation.loss()),
        ("ece".into(), evaluation.calibration(15)?.ece),
        (
            "mean_confidence".into(),
            confidence.iter().sum::<f64>() / confidence.len() as f64,
        ),
        // How often the class that a network thinks least of is the right one.
        (
            "least_likely_accuracy".into(),
            evaluation.least_likely_accuracy(),
        ),
    ];
    let recalls = evaluation.per_class().0.into_iter();
    measures.extend(recalls.map(|score| (format!("recall_{}", score.class), score.recall)));
    Ok(measures)
}

/// Weights of a network, and its features for the same few images.
struct Snapshot {
    weights: Vec<(String, Vec<f32>)>,
    features: Vec<(String, Array2<f32>)>,
}

impl Snapshot {
    fn of(model: &dyn Classifier, images: &Samples) -> Result<Self> {
        let weights = model.tensors().into_iter();
        Ok(Self {
            weights: weights
                .filter(|t| t.name.ends_with("weight"))
                .map(|t| (t.name, t.values.to_vec()))
                .collect(),
            features: activations(model, images)?,
        })
    }

    /// How far each weight moved, and how alike each layer's features stayed (CKA).
    fn compare(&self, after: &Self) -> Result<Vec<(String, f64)>> {
        let mut measures = Vec::new();
        for ((name, before), (_, after)) in self.weights.iter().zip(&after.weights) {
            measures.push((format!("moved_{name}"), relative_distance(before, after)?));
        }
        for ((name, before), (_, after)) in self.features.iter().zip(&after.features) {
            let cka = debiased_cka(before.view(), after.view())?;
            measures.push((format!("cka_{name}"), cka));
        }
        Ok(measures)
    }
}
