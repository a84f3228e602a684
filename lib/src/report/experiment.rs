//! What makes a run, and runs themselves, in words.

use super::{accuracy, capitalised, left_out, listed, spelled, table};
use crate::{
    display::{
        Cell, Html, Show, Table, format_count, format_counted, note, number, percent, stack,
    },
    image::{Augment, Centre, Method, Preprocess},
    study::{
        CARRIED_OVER, DEPTHS, Data, Experiment, Features, Grid, Head, Init, RunResult, Seeds,
        Split, TRUNK, Trained, Trunk,
    },
    train::{Checkpoint, Config, FixMatch, Loss, Monitor, OptimizerKind, Schedule, SelfTraining},
};

/// A setting with its value; none where it is off.
type Setting = (&'static str, Option<String>);

/// Setup and configuration, one row per setting; what is off is left out.
impl Show for Experiment {
    fn show(&self) -> Html {
        let (protocol, seed) = (title(&self.protocol), self.seed());
        let caption = format!("{protocol}, seed {seed}: {}", length(&self.config));
        let judged_by = if self.split == Split::TestSet { "test" } else { "validation" };
        let record = vec![("record", Some(self.name()))];
        setting_table(caption, [setup(self), training(&self.config, judged_by), record].concat())
    }
}

impl Show for Config {
    fn show(&self) -> Html {
        let caption = format!("The configuration: {}, seed {}", length(self), self.seed);
        setting_table(caption, training(self, "validation"))
    }
}

fn setting_table(caption: String, settings: Vec<Setting>) -> Html {
    let rows = settings.into_iter();
    let rows = rows.filter_map(|(name, value)| Some([Cell::from(name), Cell::from(value?)]));
    Table::new(caption, ["setting", "value"]).rows(rows).show()
}

/// `Ours in context`, of the name of a protocol.
fn title(protocol: &str) -> String {
    let words: String = match protocol {
        "plain" => "the baseline".into(),
        "report" => "as we read the 2021 report".into(),
        other => other.replace('-', " "),
    };
    capitalised(&words)
}

/// `60 epochs in batches of 32`
fn length(config: &Config) -> String {
    let own = config.self_training.map_or(0, |own| own.epochs * own.rounds);
    let epochs = format_counted(config.epochs + own, "epoch");
    format!("{epochs} in batches of {}", config.batch_size)
}

/// What a run learns from, and the network.
fn setup(run: &Experiment) -> Vec<Setting> {
    let data = match run.data {
        Data::Characters(method) => format!("dataset 1, {}", preprocessed(method)),
        Data::Digits(method) => format!("the digits of dataset 1, {}", preprocessed(method)),
        Data::Mnist => "MNIST".into(),
        Data::Mislabelled => "dataset 3 under the labels that it gives".into(),
        Data::Relabelled { right, uneven } => format!(
            "MNIST under labels made here, {} of them right{}",
            percents(right),
            if uneven { ", the wrong ones not evenly spread" } else { "" }
        ),
    };
    let features = match run.features {
        Features::None => None,
        Features::Ink => Some("size and position of the ink".into()),
        Features::InkInContext => Some(
            "size and position of the ink, as they are and relative to the writer's other drawings"
                .into(),
        ),
    };
    let pens: Vec<String> = run.pens.iter().map(f32::to_string).collect();
    let pens = format!("each drawing also {} times as wide", listed(&pens, "and"));
    let digits = format!("{} of each class are learned from too", run.mnist_digits);
    let both =
        |share: f64| format!("{} training, {} validation", percents(share), percents(1.0 - share));
    let split = match run.split {
        Split::Random(share) => format!("{}, at random", both(share)),
        Split::ByWriter(share) => format!("{}, no writer in both", both(share)),
        Split::Fold(folds) => format!("one of {} equal parts is held out", spelled(folds)),
        Split::TestSet => "all training images; validation on the MNIST test set".into(),
        Split::Few(share, images) => format!(
            "{} training images, repeated to {} an epoch; {} of all images for validation",
            format_count(images),
            format_count(Split::FEW_EPOCH),
            percents(1.0 - share)
        ),
    };
    let trunk = match run.trunk {
        Trunk::Study => "two blocks of convolutions",
        Trunk::Dropout => "two blocks of convolutions, each with dropout 0.25",
        Trunk::DropoutWithoutNorm => {
            "two blocks of convolutions, each with dropout 0.25, without batch normalisation"
        }
    };
    let head = match run.head {
        Head::Original => "dense layer of 1,000 units, dropout 0.5",
        Head::Experimental => "dense layer of 500 units, dropout 0.7",
    };
    let frozen = match run.frozen == TRUNK {
        true => "the convolutions".into(),
        false => run.frozen.join(", "),
    };
    vec![
        ("data", Some(data)),
        ("auxiliary features", features),
        ("other pens", Some(pens).filter(|_| !run.pens.is_empty())),
        ("digits of MNIST", Some(digits).filter(|_| run.mnist_digits > 0)),
        ("split", Some(split)),
        ("network", Some(format!("{trunk}; {head}"))),
        ("start", Some(start(run))),
        ("frozen", Some(frozen).filter(|_| !run.frozen.is_empty())),
    ]
}

/// `cropped to the ink, which fills 24 of 28 pixels`
fn preprocessed(Preprocess { method, side, rgb }: Preprocess) -> String {
    let words = match method {
        Method::Squeeze => format!("squeezed into {side} × {side}"),
        Method::KeepAspect => format!("scaled down to {side} × {side} in proportion"),
        Method::CropToInk(crop) => format!(
            "cropped to the ink, which fills {} of {side} pixels{}{}",
            short(crop.box_size * side as f32 / 28.0),
            if crop.centre == Centre::Mass { ", centred by its mass" } else { "" },
            if crop.stretch { ", brightened" } else { "" }
        ),
    };
    if rgb { words + ", in colour" } else { words }
}

/// What the network begins with.
fn start(run: &Experiment) -> String {
    if run.init == Init::Random {
        return "random weights".into();
    }
    let depth = DEPTHS.iter().find(|(_, tensors)| *tensors == run.carried_over);
    let layers = match depth {
        _ if run.carried_over == CARRIED_OVER => "convolutions and dense layer".into(),
        Some((1, _)) => "the first convolution".into(),
        Some((depth, _)) => format!("the first {} convolutions", spelled(*depth)),
        None => run.carried_over.join(", "),
    };
    // The protocol of the pretraining, where it is not the usual one.
    let other = run.setup().pretraining;
    let other = other.map_or(String::new(), |name| format!(" ({})", name.replace('-', " ")));
    format!("{layers} pretrained on drawn digits{other}, other weights random")
}

/// How it is trained; the accuracy curve is of images that it is `judged_by`.
fn training(config: &Config, judged_by: &str) -> Vec<Setting> {
    let optimiser = match config.optimizer {
        OptimizerKind::Adam => "Adam".into(),
        OptimizerKind::Sgd { momentum, nesterov } => {
            let nesterov = if nesterov { " (Nesterov)" } else { "" };
            format!("SGD, momentum {momentum}{nesterov}")
        }
    };
    let decay = match config.weight_decay > 0.0 {
        true => format!(", weight decay {}", config.weight_decay),
        false => String::new(),
    };
    let (peak, cycle) = match config.schedule {
        Schedule::Constant => ("", None),
        Schedule::OneCycle { warm_up } => {
            let warm_up = percents(warm_up.into());
            (" at its peak", Some(format!("one cycle, {warm_up} of it warm-up")))
        }
    };
    let plateau = config.reduce_lr.map(|plateau| {
        let watched = match plateau.monitor {
            Monitor::ValLoss => "validation loss",
            Monitor::ValAccuracy => "validation accuracy",
        };
        let patience = format_counted(plateau.patience, "epoch");
        format!("times {} once {watched} has not improved for {patience}", plateau.factor)
    });
    let schedule: Vec<String> = [cycle, plateau].into_iter().flatten().collect();
    let schedule = if schedule.is_empty() { "constant".into() } else { schedule.join("; ") };
    let stopping = config.early_stopping.map(|early| {
        let patience = format_counted(early.patience, "epoch");
        format!("once validation loss has not improved for {patience}")
    });
    let curve = config.curve.map(|curve| {
        let (steps, images) = (format_counted(curve.every, "step"), format_count(curve.images));
        format!("every {steps}, on {images} {judged_by} images")
    });
    vec![
        ("distortions", distortions(&config.augment)),
        ("loss", Some(loss(config.loss))),
        ("validation loss", config.validation_loss.map(loss)),
        ("optimiser", Some(optimiser + &decay)),
        ("learning rate", Some(format!("{}{peak}", config.learning_rate))),
        ("schedule", Some(schedule)),
        ("early stopping", stopping),
        ("accuracy curve", curve),
        ("self-training", config.self_training.map(self_training)),
        ("images without labels", config.unlabelled.map(unlabelled)),
    ]
}

/// `rotation up to 10°, shift up to 1.5 pixels`; none where images stay as they are.
fn distortions(augment: &Augment) -> Option<String> {
    let Augment { rotation, scale, shear, translation, elastic, smoothness, .. } = *augment;
    let share = |amount: f32| percents(amount.into());
    let alike = scale == shear;
    let all = [
        (rotation, format!("rotation up to {}°", short(rotation))),
        (if alike { scale } else { 0.0 }, format!("scale and shear up to {}", share(scale))),
        (if alike { 0.0 } else { scale }, format!("scale up to {}", share(scale))),
        (if alike { 0.0 } else { shear }, format!("shear up to {}", share(shear))),
        (translation, format!("shift up to {} pixels", short(translation))),
        (
            elastic,
            format!("elastic (strength {}, smoothness {})", short(elastic), short(smoothness)),
        ),
        (
            augment.features,
            format!("auxiliary features by up to {} of their spread", share(augment.features)),
        ),
        (
            augment.without_features,
            format!("no auxiliary features for {} of the images", share(augment.without_features)),
        ),
    ];
    let is_on = |(amount, words): (f32, String)| (amount != 0.0).then_some(words);
    let words: Vec<String> = all.into_iter().filter_map(is_on).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn loss(loss: Loss) -> String {
    match loss {
        Loss::CrossEntropy { label_smoothing } if label_smoothing > 0.0 => {
            format!("cross-entropy, labels smoothed by {label_smoothing}")
        }
        Loss::CrossEntropy { .. } => "cross-entropy".into(),
        Loss::Complementary(loss) => {
            format!("for labels that name a wrong class: {}", loss.title())
        }
    }
}

fn self_training(own: SelfTraining) -> String {
    let epochs = format_counted(own.epochs, "epoch");
    let mut words = match own.rounds {
        1 => format!("{epochs} on the network's own predictions"),
        rounds => {
            format!("{} rounds of {epochs} on the network's own predictions", spelled(rounds))
        }
    };
    if own.confidence > 0.0 {
        words += &format!(" with a confidence above {}", percents(own.confidence.into()));
    }
    if own.copies > 0 {
        words += &format!(", averaged over {} distorted copies", own.copies);
    }
    words
}

fn unlabelled(FixMatch { images, confidence }: FixMatch) -> String {
    format!(
        "{} a step; what the network reads with a confidence above {} is learned from, distorted",
        format_count(images),
        percents(confidence.into())
    )
}

/// `91.7 %`
fn percents(share: f64) -> String {
    format!("{} %", (1000.0 * share).round() / 10.0)
}

/// Without the decimals that single precision adds.
fn short(value: f32) -> String {
    ((f64::from(value) * 1e4).round() / 1e4).to_string()
}

/// Its training, and how it was judged.
impl Show for Trained {
    fn show(&self) -> Html {
        stack(&[&self.chart(), &self.evaluation])
    }
}

/// One row per run.
impl Show for Seeds {
    fn show(&self) -> Html {
        shown(self.runs.iter(), &self.left_out, &self.remarks())
    }
}

/// One row per run.
impl Show for Grid {
    fn show(&self) -> Html {
        shown(self.all(), &self.left_out(), &self.remarks())
    }
}

fn shown<'a>(
    runs: impl Iterator<Item = &'a RunResult>,
    reasons: &[String],
    remarks: &[String],
) -> Html {
    let rows = runs.map(|run| {
        [
            format!("{}, {}", run.network, run.init).into(),
            run.protocol.as_str().into(),
            run.seed.to_string().into(),
            run.epochs.len().into(),
            percent(accuracy(run).unwrap_or(f64::NAN)),
            number(run.epochs.last().map_or(f64::NAN, |epoch| epoch.val_loss), 4),
        ]
    });
    let columns = "network | protocol | seed | epochs | accuracy | loss";
    let remarks: Vec<String> = remarks.iter().map(|remark| format!("{remark}.")).collect();
    let remarks = match remarks.is_empty() {
        true => Html::default(),
        false => note(&remarks.join(" ")),
    };
    stack(&[&table("Runs", columns).rows(rows), &left_out(reasons), &remarks])
}

/// What it is of; not its numbers.
impl Show for Checkpoint {
    fn show(&self) -> Html {
        let words = format!(
            "A network of {} classes after {} epochs of training.",
            self.classes.len(),
            self.history.epochs.len()
        );
        stack(&[&note(&words), &self.history, &self.data])
    }
}
