//! The training loop.

use std::time::{Duration, Instant};

use ndarray::Array2;

use crate::{
    Error, Result,
    data::Samples,
    error::ensure,
    eval::argmax,
    files::check_writable,
    image::Augment,
    interrupt::{Watch, interrupted},
    nn::{Classifier, Objective, Optimizer, Sgd},
    numbers::format_counted,
    progress::say,
    train::{
        Checkpoint, Config, CurvePoint, Epoch, History, Loss, ModelCheckpoint,
        batches::{Buffer, check_shape, shuffled},
        complementary::estimated_accuracy,
        logits,
        states::States,
    },
};

/// Trains `model` and prints one line per epoch.
///
/// The order of batches and each augmentation follow from `config.seed` and the epoch,
/// so that the same call on the same data gives the same weights, bit for bit, on any
/// number of threads, and on every processor with AVX2 or AVX-512. Jupyter's Interrupt ends it
/// after the step, with the epochs so far. `model` ends with the weights of the last epoch.
///
/// # Errors
/// [`Error::Argument`] where configuration, data and network do not fit together,
/// [`Error::NotFinite`] where a loss is NaN or infinite.
pub fn fit(
    model: &mut dyn Classifier,
    train: &Samples,
    valid: &Samples,
    config: &Config,
) -> Result<History> {
    check_plain(config)?;
    Ok(Run::new(model, train, valid, config)?.go(None)?.history)
}

/// As [`fit`], keeping checkpoints. A run that was interrupted resumes after its last
/// complete epoch (one that was killed, after the last that was kept), and ends with the same
/// weights as one that was not. A finished run is not lengthened: another number of epochs is
/// another configuration.
///
/// # Errors
/// As [`fit`]; [`Error::Content`] where the state found is damaged or of another run, or where
/// another process makes the same run; [`Error::Interrupted`].
pub fn fit_resumable(
    model: &mut dyn Classifier,
    train: &Samples,
    valid: &Samples,
    config: &Config,
    checkpoint: &ModelCheckpoint,
) -> Result<History> {
    check_plain(config)?;
    let _alone = checkpoint.lock()?;
    Ok(Run::new(model, train, valid, config)?.go(Some(checkpoint))?.history)
}

/// Refuses what takes more than these samples, or several stages.
pub(super) fn check_plain(config: &Config) -> Result<()> {
    ensure(
        config.self_training.is_none(),
        || "this configuration has self-training, which `fit` does not do",
        "call `fit_self_training`, or set `self_training: None`",
    )?;
    ensure(
        config.unlabelled.is_none(),
        || "this configuration has images without labels, which `fit` is not given",
        "call `fit_with_unlabelled`, or set `unlabelled: None`",
    )
}

/// What one stage of training passes on to the next.
pub(super) struct Stage {
    pub history: History,
    optimizer: Box<dyn Optimizer>,
    /// Epochs of all stages so far.
    epochs: usize,
}

/// Adapts the running statistics of batch normalisation to `samples`: forward passes in
/// training mode, at most 200, that change no weight.
pub fn recalibrate(model: &mut dyn Classifier, samples: &Samples, batch_size: usize) -> Result<()> {
    check_fit(model, samples)?;
    // Updates of no size leave every weight as it is.
    let mut still = Sgd::new(0.0, 0.0);
    let mut buffer = Buffer::of(model);
    let order = shuffled(samples.len(), 0, 0);
    for indices in order.chunks(batch_size.max(1)).take(200) {
        let labels: Vec<usize> = indices.iter().map(|&i| samples.labels[i]).collect();
        buffer.fill(samples, indices, &Augment::none(), (0, 0));
        let loss = Config::default().loss;
        model.train_step(buffer.batch(), &loss.of(&labels), &mut still)?;
    }
    Ok(())
}

/// One stage of training, about to begin.
pub(super) struct Run<'a> {
    model: &'a mut dyn Classifier,
    train: &'a Samples,
    valid: &'a Samples,
    config: &'a Config,
    optimizer: Box<dyn Optimizer>,
    history: History,
    /// Epochs and steps of the stages before this one.
    first_epoch: usize,
    first_step: u64,
    /// SHA-256 of both parts, where states are kept.
    samples: [String; 2],
}

impl<'a> Run<'a> {
    pub fn new(
        model: &'a mut dyn Classifier,
        train: &'a Samples,
        valid: &'a Samples,
        config: &'a Config,
    ) -> Result<Self> {
        config.check()?;
        for samples in [train, valid] {
            check_fit(model, samples)?;
        }
        Ok(Self {
            model,
            train,
            valid,
            config,
            optimizer: config.optimizer(),
            history: History::default(),
            first_epoch: 0,
            first_step: 0,
            samples: Default::default(),
        })
    }

    /// After another stage: the optimiser and all random streams (order, distortions, dropout)
    /// continue; the schedule starts over.
    pub fn after(self, before: Stage) -> Self {
        let (first_epoch, first_step) = (before.epochs, before.optimizer.state().step);
        Self { first_epoch, first_step, optimizer: before.optimizer, ..self }
    }

    pub fn go(mut self, checkpoint: Option<&ModelCheckpoint>) -> Result<Stage> {
        let _signals = Watch::start();
        if let Some(checkpoint) = checkpoint {
            check_writable(&checkpoint.last())?;
            Checkpoint::check_size(self.model)?;
            self.samples = [self.train.sha256(), self.valid.sha256()];
            self.resume(checkpoint)?;
        }
        let mut states = checkpoint.map(States::new);
        let ended = self.epochs(&mut states);
        states.iter_mut().try_for_each(States::write)?;
        if !ended? {
            let done = format_counted(self.history.epochs.len(), "epoch");
            let done = format!("interrupted after {done}");
            if checkpoint.is_some() {
                return Err(Error::Interrupted { done, remedy: "run it again: it resumes there" });
            }
            say(done);
        }
        Ok(Stage {
            epochs: self.first_epoch + self.history.epochs.len(),
            history: self.history,
            optimizer: self.optimizer,
        })
    }

    /// False where they were interrupted.
    fn epochs(&mut self, states: &mut Option<States>) -> Result<bool> {
        let stops = |history: &History| {
            let early = self.config.early_stopping;
            early.is_some_and(|stopping| stopping.stops(history))
        };
        while self.history.epochs.len() < self.config.epochs && !stops(&self.history) {
            let Some(epoch) = self.epoch()? else {
                return Ok(false);
            };
            self.history.epochs.push(epoch);
            say(self.line(&epoch));
            if let Some(states) = states {
                let is_best = self.history.best_epoch() == Some(self.history.epochs.len() - 1);
                states.add(self.state(), is_best)?;
            }
        }
        Ok(true)
    }

    fn resume(&mut self, checkpoint: &ModelCheckpoint) -> Result<()> {
        let path = checkpoint.last();
        if !path.exists() {
            return Ok(());
        }
        let refused = |problem: &str| {
            let remedy = "delete it to start over, or name another checkpoint";
            Error::content(&path, problem, remedy)
        };
        let of_state = |error| match error {
            Error::Content { problem, .. } => refused(&problem),
            other => other,
        };
        let state = Checkpoint::load_state(&path).map_err(of_state)?;
        if state.config != *self.config || state.data != self.train.provenance {
            return Err(refused("it belongs to a run with another configuration or other data"));
        } else if state.samples.as_ref() != Some(&self.samples) {
            let problem = "it belongs to a run on other images, or on other preprocessing of them";
            return Err(refused(problem));
        }
        state.restore(self.model).map_err(of_state)?;
        state.restore_optimizer(self.optimizer.state_mut(), self.model).map_err(of_state)?;
        self.history = state.history;
        // The same network and code give the same loss; its last digits depend on the processor.
        let (now, then) = (self.validate()?.0, self.history.epochs.last().map(|e| e.val_loss));
        if then.is_some_and(|then| (now - then).abs() > 1e-3 * then.abs().max(1e-3)) {
            return Err(refused(&format!(
                "its network gave a validation loss of {then:?}, and now gives {now}: \
                 the code has changed"
            )));
        }
        let best = Checkpoint::load_state(&checkpoint.best()).map_err(|error| {
            refused(&format!("the state of the best epoch beside it is gone ({error})"))
        })?;
        // The process may have ended between writing the two: then it is of a later epoch.
        let epochs = best.history.epochs.len();
        let of_best = self.history.best_epoch().map(|best| best + 1);
        if Some(epochs) != of_best && epochs <= self.history.epochs.len() {
            return Err(refused("the state of the best epoch beside it belongs to another run"));
        }
        say(format!("resuming after epoch {}", self.history.epochs.len()));
        Ok(())
    }

    fn state(&self) -> Checkpoint {
        Checkpoint::of(self.model, self.config.clone(), self.history.clone(), self.train)
            .with_optimizer(self.optimizer.state(), self.samples.clone())
    }

    /// None where it was interrupted.
    fn epoch(&mut self) -> Result<Option<Epoch>> {
        let number = self.first_epoch + self.history.epochs.len();
        let config = self.config;
        let order = shuffled(self.train.len(), config.seed, number as u64);
        let steps_per_epoch = order.len().div_ceil(config.batch_size);
        let total_steps = (config.epochs * steps_per_epoch) as u64;
        let plateau_rate = match config.reduce_lr {
            Some(plateau) => plateau.learning_rate(config.learning_rate, &self.history),
            None => config.learning_rate,
        };

        let mut buffer = Buffer::of(self.model);
        let (mut total_loss, mut right) = (0.0, 0);
        let mut seconds = Duration::ZERO;
        let before = self.history.seconds();
        for indices in order.chunks(config.batch_size) {
            let start = Instant::now();
            let step = self.optimizer.state().step - self.first_step;
            let factor = config.schedule.factor(step, total_steps);
            self.optimizer.state_mut().learning_rate = plateau_rate * factor;
            let labels: Vec<usize> = indices.iter().map(|&i| self.train.labels[i]).collect();
            // One stream of augmentations per epoch: the same image differs from epoch to epoch.
            buffer.fill(self.train, indices, &config.augment, (config.seed, number as u64));
            let objective = config.loss.of(&labels);
            let step =
                self.model.train_step(buffer.batch(), &objective, self.optimizer.as_mut())?;
            self.check_finite("the loss", [step.loss])?;
            self.check_finite("a logit", step.logits.iter().copied())?;
            total_loss += f64::from(step.loss) * labels.len() as f64;
            right += hits(&step.logits, &labels);
            seconds += start.elapsed();
            self.point_of_curve(before + seconds.as_secs_f64())?;
            if interrupted() {
                return Ok(None);
            }
        }

        let (val_loss, val_accuracy) = self.validate()?;
        self.check_finite("the validation loss", [val_loss as f32])?;
        Ok(Some(Epoch {
            loss: total_loss / order.len() as f64,
            accuracy: accuracy(config.loss, right, order.len(), self.model.num_classes()),
            val_loss,
            val_accuracy,
            lr: f64::from(self.optimizer.state().learning_rate),
            seconds: seconds.as_secs_f64(),
        }))
    }

    /// Loss and accuracy on the validation part.
    fn validate(&self) -> Result<(f64, f64)> {
        let logits = logits(self.model, self.valid)?;
        let mut unused = Array2::zeros(logits.raw_dim());
        let loss = validation_loss(self.config);
        let value = loss.of(&self.valid.labels).loss(logits.view(), unused.view_mut());
        let right = hits(&logits, &self.valid.labels);
        Ok((f64::from(value), accuracy(loss, right, self.valid.len(), logits.ncols())))
    }

    fn point_of_curve(&mut self, seconds: f64) -> Result<()> {
        let step = self.optimizer.state().step as usize;
        let Some(curve) = self.config.curve.filter(|c| step.is_multiple_of(c.every)) else {
            return Ok(());
        };
        let n = curve.images.min(self.valid.len());
        let part = self.valid.select(&(0..n).collect::<Vec<_>>());
        let right = hits(&logits(self.model, &part)?, &part.labels);
        let (loss, classes) = (validation_loss(self.config), self.model.num_classes());
        let val_accuracy = accuracy(loss, right, n, classes);
        self.history.curve.push(CurvePoint { step, seconds, val_accuracy });
        Ok(())
    }

    fn check_finite(&self, what: &str, values: impl IntoIterator<Item = f32>) -> Result<()> {
        let remedy = "look for NaN or infinite values in the data, or lower the learning rate";
        match values.into_iter().find(|value| !value.is_finite()) {
            Some(value) => Err(Error::NotFinite {
                step: self.optimizer.state().step as usize,
                problem: format!("{what} is {value}"),
                remedy: remedy.into(),
            }),
            None => Ok(()),
        }
    }

    fn line(&self, epoch: &Epoch) -> String {
        let done = self.history.epochs.len();
        let minutes = epoch.seconds * self.config.epochs.saturating_sub(done) as f64 / 60.0;
        let left = if minutes < 1.0 { String::new() } else { format!("  {minutes:.0} min left") };
        format!(
            "epoch {done:>2}/{}  {:>5.1} s  loss {:.4}  accuracy {:.4}  val_loss {:.4}  val_accuracy {:.4}  lr {:.1e}{left}",
            self.config.epochs,
            epoch.seconds,
            epoch.loss,
            epoch.accuracy,
            epoch.val_loss,
            epoch.val_accuracy,
            epoch.lr,
        )
    }
}

pub(super) fn validation_loss(config: &Config) -> Loss {
    match (config.validation_loss, config.loss) {
        (Some(loss), _) => loss,
        (None, Loss::CrossEntropy { .. }) => Loss::CrossEntropy { label_smoothing: 0.0 },
        (None, complementary) => complementary,
    }
}

fn check_fit(model: &dyn Classifier, samples: &Samples) -> Result<()> {
    let mut features = samples.features.indexed_iter();
    if let Some(((image, feature), value)) = features.find(|(_, value)| !value.is_finite()) {
        return Err(Error::NotFinite {
            step: 1,
            problem: format!("feature {feature} of image {image} is {value}"),
            remedy: "compute the features again from the images".into(),
        });
    }
    check_shape(model, samples)?;
    let (given, classes) = (samples.classes.len(), model.num_classes());
    let (columns, features) = (samples.features.ncols(), model.num_features());
    let problem = if samples.is_empty() {
        "the data set is empty".into()
    } else if given != classes {
        format!("the data have {given} classes and the network {classes}")
    } else if features != 0 && columns != features {
        format!("the data have {columns} features per image and the network takes {features}")
    } else if let Some(label) = samples.labels.iter().find(|&&label| label >= classes) {
        format!("label {label} is outside the network's classes")
    } else {
        return Ok(());
    };
    Err(Error::argument(problem, "use data and a network that fit each other"))
}

/// How often the largest logit is the label.
fn hits(logits: &Array2<f32>, labels: &[usize]) -> usize {
    let pairs = logits.rows().into_iter().zip(labels);
    pairs.filter(|(row, label)| argmax(*row) == **label).count()
}

/// Share of `hits` in `n`; for complementary labels the estimate that needs no true label.
fn accuracy(loss: Loss, hits: usize, n: usize, classes: usize) -> f64 {
    match loss {
        Loss::CrossEntropy { .. } => hits as f64 / n as f64,
        Loss::Complementary(_) => estimated_accuracy(hits, n, classes),
    }
}
