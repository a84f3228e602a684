//! The training loop: determinism, resumption, refusals, checkpoints.

use std::fs;

use glyphs::{
    data::{Provenance, Samples},
    image::Augment,
    nn::{
        self, Batch, Builder, CharCnn, Classifier, DynNetwork, EXPERIMENTAL, Network, Objective,
        Optimizer, OriginalCnn, Signature, Step, TensorMut, TensorRef, shape::Dims,
    },
    study::Experiment,
    train::{
        Checkpoint, Complementary, Config, FineCurve, FixMatch, Loss, ModelCheckpoint,
        SelfTraining, evaluate, evaluate_averaged, fit, fit_resumable, fit_self_training,
        fit_with_unlabelled, own_labels, recalibrate,
    },
};
use ndarray::{Array2, Array4};
use rayon::ThreadPoolBuilder;

type Small = Network<CharCnn<EXPERIMENTAL, 10>>;

/// A bright bar whose place depends on the label.
fn bars(n: usize) -> Samples {
    let labels: Vec<usize> = (0..n).map(|i| i * 7 % 10).collect();
    let images = Array4::from_shape_fn((n, 1, 28, 28), |(i, _, y, x)| {
        let noise = ((i * 31 + y * 17 + x * 13) % 23) as u8;
        if x / 3 == labels[i] { 200 + noise } else { noise }
    });
    Samples {
        images,
        features: Array2::zeros((n, 0)),
        labels,
        writers: Vec::new(),
        names: Vec::new(),
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        provenance: Provenance {
            name: "bars".into(),
            source: "generated".into(),
            sha256: "0".into(),
            count: n,
            synthetic: true,
        },
    }
}

/// Three short epochs with everything on: augmentation, smoothing, one cycle.
fn short() -> Config {
    Config { epochs: 3, batch_size: 16, ..Experiment::part1_ours(0).config }
}

fn bits(model: &dyn Classifier) -> Vec<u32> {
    let tensors = model.tensors();
    let values = tensors.iter().flat_map(|t| t.values);
    values.map(|v| v.to_bits()).collect()
}

#[test]
fn the_same_call_gives_the_same_bits_on_any_number_of_threads() {
    let (train, valid) = bars(56).split(0.8, 3);
    let trained = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = Small::new(1);
            fit(&mut model, &train, &valid, &short()).unwrap();
            bits(&model)
        })
    };
    let one = trained(1);
    assert!(one == trained(2) && one == trained(4));
}

#[test]
fn a_network_learns_what_can_be_learned() {
    let samples = bars(120);
    let config = Config { epochs: 6, batch_size: 20, ..Config::default() };
    let history = fit(&mut Small::new(1), &samples, &samples, &config).unwrap();
    assert!(history.epochs.last().unwrap().val_accuracy > 0.95, "{history:?}");
    assert_eq!(history.epochs.len(), 6);
}

#[test]
fn an_average_over_copies_is_one_of_probabilities() {
    let samples = bars(30);
    let model = Small::new(1);
    let once = evaluate(&model, &samples).unwrap();
    let same = evaluate_averaged(&model, &samples, &Augment::none(), 3, 7).unwrap();
    for (a, b) in once.probabilities.iter().zip(&same.probabilities) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }

    // The copies of `n` draws are the first `n` of any larger number.
    let averaged = |copies| {
        let augment = Augment::default();
        let evaluation = evaluate_averaged(&model, &samples, &augment, copies, 7).unwrap();
        evaluation.probabilities.clone()
    };
    let (one, two, three) = (averaged(1), averaged(2), averaged(3));
    assert!((&one - &once.probabilities).iter().any(|d| d.abs() > 1e-4));
    let second = &two * 2.0 - &one;
    let third = &three * 3.0 - &two * 2.0;
    for copy in [&second, &third] {
        assert!(copy.iter().all(|p| (-1e-5..1.0 + 1e-5).contains(p)));
        assert!(copy.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-4));
        assert!((copy - &one).iter().any(|d| d.abs() > 1e-4));
    }

    assert!(evaluate_averaged(&model, &samples, &Augment::none(), 0, 7).is_err());
}

/// A network whose run breaks off at one of its steps.
struct BreaksAt(u64, Small);

impl Classifier for BreaksAt {
    fn signature(&self) -> Signature {
        self.1.signature()
    }
    fn train_step(
        &mut self,
        batch: Batch,
        loss: &dyn Objective,
        optimizer: &mut dyn Optimizer,
    ) -> nn::Result<Step> {
        match optimizer.state().step == self.0 {
            true => Err(nn::Error::argument("broken off", "go on")),
            false => self.1.train_step(batch, loss, optimizer),
        }
    }
    fn logits(&self, batch: Batch) -> nn::Result<Array2<f32>> {
        self.1.logits(batch)
    }
    fn tensors(&self) -> Vec<TensorRef<'_>> {
        self.1.tensors()
    }
    fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        self.1.tensors_mut()
    }
}

#[test]
fn a_run_that_was_interrupted_ends_with_the_same_bits() {
    let (train, valid) = bars(50).split(0.8, 3);
    let config = Config { curve: Some(FineCurve { every: 2, images: 5 }), ..short() };
    let mut whole = Small::new(1);
    let expected = fit(&mut whole, &train, &valid, &config).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let states = ModelCheckpoint::new(folder.path().join("run"));
    let mut first = BreaksAt(7, Small::new(1));
    fit_resumable(&mut first, &train, &valid, &config, &states).unwrap_err();
    // The same network (its seed decides dropout), its weights wiped out.
    let mut second = Small::new(1);
    second.tensors_mut().into_iter().for_each(|t| t.values.fill(0.0));
    let history = fit_resumable(&mut second, &train, &valid, &config, &states).unwrap();

    assert!(bits(&whole) == bits(&second), "weights");
    // An undisturbed run that keeps states leaves the same files, to the last byte.
    let undisturbed = ModelCheckpoint::new(folder.path().join("undisturbed"));
    let mut third = Small::new(1);
    fit_resumable(&mut third, &train, &valid, &config, &undisturbed).unwrap();
    let best = |states: &ModelCheckpoint| fs::read(states.finish().unwrap()).unwrap();
    assert!(best(&states) == best(&undisturbed), "best checkpoint");
    let last = |states: &ModelCheckpoint| {
        let path = folder.path().join("last");
        let state = Checkpoint::load(states.last()).unwrap();
        state.weights_only().save(&path).unwrap();
        fs::read(path).unwrap()
    };
    assert!(last(&states) == last(&undisturbed), "last checkpoint");
    let losses =
        |h: &glyphs::train::History| h.epochs.iter().map(|e| e.val_loss).collect::<Vec<_>>();
    assert_eq!(losses(&history), losses(&expected));
    let steps = |h: &glyphs::train::History| h.curve.iter().map(|p| p.step).collect::<Vec<_>>();
    assert_eq!(steps(&history), steps(&expected));

    let other = Config { seed: 5, ..config };
    let mut fourth = Small::new(2);
    let untouched = bits(&fourth);
    let refused = fit_resumable(&mut fourth, &train, &valid, &other, &states).unwrap_err();
    assert!(refused.to_string().contains("another configuration"), "{refused}");
    assert!(bits(&fourth) == untouched, "a refused state changes nothing");
}

#[test]
fn a_state_that_is_damaged_or_of_another_run_is_refused_with_its_remedy() {
    let (train, valid) = bars(50).split(0.8, 3);
    let folder = tempfile::tempdir().unwrap();
    let states = ModelCheckpoint::new(folder.path().join("run"));
    let go = |train: &Samples, valid: &Samples| {
        let mut model = BreaksAt(7, Small::new(1));
        let error = fit_resumable(&mut model, train, valid, &short(), &states).unwrap_err();
        error.to_string()
    };
    let refused = |said: String, words: &str| {
        assert!(said.contains(words) && said.contains("delete it to start over"), "{said}");
    };
    assert!(go(&train, &valid).contains("broken off"));
    assert!(go(&train, &valid).contains("broken off"), "it goes on");

    let whole = fs::read(states.last()).unwrap();
    for at in [whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(states.last(), flipped).unwrap();
        refused(go(&train, &valid), "checksum");
    }
    fs::write(states.last(), &whole).unwrap();

    let mut edited = Checkpoint::load(states.last()).unwrap();
    edited.history.epochs.last_mut().unwrap().val_loss *= 1.1;
    edited.save(states.last()).unwrap();
    refused(go(&train, &valid), "the code has changed");
    fs::write(states.last(), &whole).unwrap();

    let mut other = train.clone();
    other.images[[0, 0, 3, 3]] ^= 1;
    refused(go(&other, &valid), "other images");
    let fewer = valid.take(5);
    refused(go(&train, &fewer), "other images");

    let best = fs::read(states.best()).unwrap();
    fs::write(states.best(), &best[..best.len() / 2]).unwrap();
    refused(go(&train, &valid), "best epoch");
    fs::remove_file(states.best()).unwrap();
    refused(go(&train, &valid), "best epoch");
    fs::write(states.best(), best).unwrap();
    assert!(go(&train, &valid).contains("broken off"));
}

#[test]
fn one_process_makes_a_run_and_the_left_overs_of_killed_ones_go() {
    let (train, valid) = bars(50).split(0.8, 3);
    let folder = tempfile::tempdir().unwrap();
    let states = ModelCheckpoint::new(folder.path().join("run"));
    let go = || fit_resumable(&mut Small::new(1), &train, &valid, &short(), &states);
    let lock = fs::File::create(folder.path().join("run.lock")).unwrap();
    lock.lock().unwrap();
    for (owner, words) in [("", "another process"), ("process 7 on here\n", "process 7 on here; ")]
    {
        fs::write(folder.path().join("run.lock"), owner).unwrap();
        let said = go().unwrap_err().to_string();
        assert!(said.contains("run.lock") && said.contains("under way in"), "{said}");
        assert!(said.contains(words) && said.contains("`kill`"), "{said}");
    }
    drop(lock);
    let left = folder.path().join(".run.last.safetensors.writing-abc");
    let in_use = folder.path().join(".run.last.safetensors.writing-def");
    fs::write(&left, "cut").unwrap();
    let writer = fs::File::create(&in_use).unwrap();
    writer.lock().unwrap();
    go().unwrap();
    assert!(!left.exists() && in_use.exists());
    let lock = fs::File::open(folder.path().join("run.lock")).unwrap();
    assert!(lock.try_lock().is_ok() && lock.metadata().unwrap().len() == 0);
}

#[test]
fn a_folder_that_takes_no_files_is_met_before_the_first_epoch() {
    let (train, valid) = bars(20).split(0.8, 3);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let states = ModelCheckpoint::new(folder.path().join("file/run"));
    let mut model = BreaksAt(0, Small::new(1));
    let error = fit_resumable(&mut model, &train, &valid, &short(), &states).unwrap_err();
    assert!(error.to_string().contains("move it away"), "{error}");
}

#[test]
fn equal_runs_give_equal_files() {
    let (train, valid) = bars(40).split(0.8, 3);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let mut model = Small::new(1);
        let history = fit(&mut model, &train, &valid, &short()).unwrap();
        let path = folder.path().join(name);
        Checkpoint::of(&model, short(), history, &train).weights_only().save(&path).unwrap();
        fs::read(path).unwrap()
    };
    assert!(file("a") == file("b"));
}

#[test]
fn a_checkpoint_gives_back_what_was_saved() {
    let samples = bars(20);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let saved = Small::new(1);
    let history = Default::default();
    Checkpoint::of(&saved, short(), history, &samples).save(&path).unwrap();
    let checkpoint = Checkpoint::load(&path).unwrap();
    assert_eq!(checkpoint.classes, samples.classes);
    assert_eq!(checkpoint.config, short());
    let mut loaded = Small::new(2);
    assert!(bits(&saved) != bits(&loaded));
    checkpoint.restore(&mut loaded).unwrap();
    assert!(bits(&saved) == bits(&loaded));
}

#[test]
fn a_checkpoint_of_another_network_or_a_damaged_one_is_refused_by_name() {
    let samples = bars(20);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let history = Default::default();
    Checkpoint::of(&Small::new(1), short(), history, &samples).save(&path).unwrap();

    let mut other: OriginalCnn<10> = OriginalCnn::new(1);
    let before = bits(&other);
    let error = Checkpoint::load(&path).unwrap().restore(&mut other).unwrap_err();
    assert!(error.to_string().contains("hidden.weight"), "{error}");
    assert!(before == bits(&other), "a refused checkpoint changes nothing");

    let whole = fs::read(&path).unwrap();
    let absurd_header = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    for damaged in [&whole[..whole.len() / 2], &whole[..5], b"", &absurd_header[..]] {
        fs::write(&path, damaged).unwrap();
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(error.contains("network.safetensors") && error.contains("; "), "{error}");
    }
    let missing = Checkpoint::load(folder.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("none"), "{missing}");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let samples = bars(20);
    let refusal = |train: &Samples, config: &Config| {
        let done = fit(&mut Small::new(1), train, &samples, config);
        done.unwrap_err().to_string()
    };
    let empty = samples.take(0);
    assert!(refusal(&empty, &short()).contains("empty"));
    let no_epochs = Config { epochs: 0, ..short() };
    assert!(refusal(&samples, &no_epochs).contains("0 epochs"));
    for (rotation, scale, words) in [(f32::NAN, 0.0, "distortion"), (0.0, 1.5, "change of size")] {
        let augment = Augment { rotation, scale, ..Augment::none() };
        assert!(refusal(&samples, &Config { augment, ..short() }).contains(words));
    }
    let mut letters = samples.clone();
    letters.classes.push("A".into());
    assert!(refusal(&letters, &short()).contains("11 classes"));
    for value in [f32::NAN, f32::INFINITY] {
        let mut not_finite = samples.clone();
        not_finite.features = Array2::zeros((20, 1));
        not_finite.features[[7, 0]] = value;
        let refused = refusal(&not_finite, &short());
        let place = format!("step 1: feature 0 of image 7 is {value}");
        assert!(refused.starts_with(&place), "{refused}");
    }
    let wild = Config { learning_rate: 1e30, ..Config::default() };
    assert!(refusal(&samples, &wild).starts_with("step "));

    let own = SelfTraining { confidence: 0.5, epochs: 1, rounds: 1, copies: 0 };
    let in_stages = Config { self_training: Some(own), ..short() };
    let folder = tempfile::tempdir().unwrap();
    let states = ModelCheckpoint::new(folder.path().join("run"));
    let done = fit_resumable(&mut Small::new(1), &samples, &samples, &in_stages, &states);
    for refused in [refusal(&samples, &in_stages), done.unwrap_err().to_string()] {
        assert!(refused.contains("call `fit_self_training`"), "{refused}");
    }
}

#[test]
fn a_complete_run_keeps_the_best_weights_and_not_the_optimiser() {
    let (train, valid) = bars(50).split(0.8, 3);
    let folder = tempfile::tempdir().unwrap();
    let states = ModelCheckpoint::new(folder.path().join("run"));
    let mut model = Small::new(1);
    let history = fit_resumable(&mut model, &train, &valid, &short(), &states).unwrap();

    let best = states.finish().unwrap();
    assert!(states.last().exists(), "kept until the record is written");
    let again = fit_resumable(&mut model, &train, &valid, &short(), &states).unwrap();
    assert_eq!(again, history, "a run killed here trains nothing twice");
    states.finish().unwrap();
    states.forget().unwrap();
    states.forget().unwrap();
    let kept = Checkpoint::load(&best).unwrap();
    assert_eq!(kept.history.epochs.len(), history.best_epoch().unwrap() + 1);
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["run.best.safetensors", "run.lock"]);
    let weights: usize = model.tensors().iter().map(|t| 4 * t.values.len()).sum();
    let size = fs::metadata(best).unwrap().len() as usize;
    assert!(size > weights && size < weights + 20_000, "{size} bytes for {weights}");
}

/// With the optimiser's moments it is larger than the file of any network may be.
#[test]
fn a_state_of_a_large_network_is_written_and_read() {
    let samples = bars(20);
    let mut layers = Builder::new(Dims::image(1, 28, 28));
    layers.flatten();
    layers.linear(11_000, 0);
    layers.relu();
    layers.linear(10, 0);
    let mut model = DynNetwork::new(layers, 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let states = ModelCheckpoint::new(folder.path().join("run"));
    let config = Config { epochs: 1, batch_size: 20, ..Config::default() };
    let history = fit_resumable(&mut model, &samples, &samples, &config, &states).unwrap();
    assert!(fs::metadata(states.last()).unwrap().len() > 96 << 20);
    let again = fit_resumable(&mut model, &samples, &samples, &config, &states).unwrap();
    assert_eq!(again, history);
    Checkpoint::load(states.finish().unwrap()).unwrap();
}

#[test]
fn only_confident_predictions_become_labels() {
    let samples = bars(60);
    let mut model = Small::new(1);
    fit(&mut model, &samples, &samples, &short()).unwrap();
    let evaluation = evaluate(&model, &samples).unwrap();
    let (predictions, confidence) = (evaluation.predictions(), evaluation.confidence());
    // Halfway between two values, so that rounding decides nothing.
    let mut sorted = confidence.clone();
    sorted.sort_by(f64::total_cmp);
    let threshold = (sorted[29] + sorted[30]) / 2.0;
    let expected: Vec<usize> = (0..60).filter(|&i| confidence[i] > threshold).collect();

    let own = |confidence: f32| {
        let own = SelfTraining { confidence, epochs: 1, rounds: 1, copies: 0 };
        own_labels(&model, &samples, &short(), &own).unwrap()
    };
    assert!(own(1.0).is_empty());
    let own = own(threshold as f32);
    assert_eq!(own.len(), 30);
    let labels: Vec<usize> = expected.iter().map(|&i| predictions[i]).collect();
    assert_eq!(own.labels, labels);
    assert_eq!(own.images, samples.select(&expected).images);
}

/// Labels that name one of the nine wrong classes, in turn.
fn wrong_labels(n: usize) -> Samples {
    let mut samples = bars(n);
    for (i, label) in samples.labels.iter_mut().enumerate() {
        *label = (*label + 1 + i % 9) % 10;
    }
    samples
}

#[test]
fn self_training_learns_from_wrong_labels_and_goes_on_after_an_interruption() {
    let truth = bars(1200);
    let (train, valid) = wrong_labels(1200).split(0.9, 3);
    let config = Config {
        epochs: 6,
        batch_size: 20,
        loss: Loss::Complementary(Complementary::Forward),
        self_training: Some(SelfTraining { confidence: 0.5, epochs: 1, rounds: 2, copies: 2 }),
        ..Config::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, config: &Config| {
        let mut model = Small::new(1);
        let stages = ["first", "second", "third"]
            .map(|stage| ModelCheckpoint::new(folder.path().join(format!("{name}-{stage}"))));
        let history = fit_self_training(&mut model, &train, &valid, config, &stages).unwrap();
        (model, history)
    };
    let (model, history) = run("whole", &config);
    assert_eq!(history.epochs.len(), 8);
    let accuracy = evaluate(&model, &truth).unwrap().accuracy();
    assert!(accuracy > 0.95, "{accuracy}");
    // Validated by complementary labels in both stages.
    let last = history.epochs.last().unwrap();
    assert!(last.val_accuracy > 0.8 && last.val_loss < 2.3, "{last:?}");

    let too_few = fit_self_training(&mut Small::new(1), &train, &valid, &config, &[]);
    assert!(too_few.is_err());
    let one = [ModelCheckpoint::new(folder.path().join("one"))];
    let too_few = fit_self_training(&mut Small::new(1), &train, &valid, &config, &one).unwrap_err();
    assert!(too_few.to_string().contains("0 checkpoints for 2 rounds"), "{too_few}");

    // Broken off after the first stage, it takes that stage's state and goes on.
    let first_stage = Config { self_training: None, ..config.clone() };
    run("broken-off", &first_stage);
    let (resumed, _) = run("broken-off", &config);
    assert!(bits(&resumed) == bits(&model));
}

#[test]
fn images_without_labels_are_learned_from_without_their_labels() {
    let (train, others) = bars(300).split(0.1, 3);
    let valid = bars(100);
    let how = FixMatch { images: 20, confidence: 0.5 };
    let config = Config {
        epochs: 12,
        batch_size: 10,
        augment: Augment { translation: 1.0, ..Augment::none() },
        unlabelled: Some(how),
        ..Config::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let state = |name: &str| ModelCheckpoint::new(folder.path().join(name));
    let run = |name: &str, others: &Samples, config: &Config| {
        let mut model = Small::new(1);
        let states = state(name);
        let history = fit_with_unlabelled(&mut model, &train, others, &valid, config, &states);
        (bits(&model), history.unwrap().epochs)
    };
    let (weights, epochs) = run("right", &others, &config);
    assert!(epochs.last().unwrap().val_accuracy > 0.9, "{epochs:?}");
    let mut wrong = others.clone();
    wrong.labels.iter_mut().for_each(|label| *label = (*label + 1) % 10);
    assert!(run("wrong", &wrong, &config).0 == weights, "labels that nobody looks at");
    let fewer = others.select(&(0..40).collect::<Vec<_>>());
    assert!(run("fewer", &fewer, &config).0 != weights);

    // Sure of nothing, it learns from the labels alone.
    let unsure = Config { unlabelled: Some(FixMatch { confidence: 1.0, ..how }), ..config.clone() };
    let mut alone = Small::new(1);
    fit(&mut alone, &train, &valid, &Config { unlabelled: None, ..config.clone() }).unwrap();
    assert!(run("unsure", &others, &unsure).0 == bits(&alone));

    // Broken off in the sixth epoch, it goes on as if nothing had been.
    let states = state("broken-off");
    let mut broken = BreaksAt(17, Small::new(1));
    fit_with_unlabelled(&mut broken, &train, &others, &valid, &config, &states).unwrap_err();
    assert!(run("broken-off", &others, &config).0 == weights);

    let refused = fit(&mut Small::new(1), &train, &valid, &config).unwrap_err().to_string();
    assert!(refused.contains("call `fit_with_unlabelled`"), "{refused}");
    let config = Config { unlabelled: None, ..config };
    let refused =
        fit_with_unlabelled(&mut Small::new(1), &train, &others, &valid, &config, &states);
    assert!(refused.unwrap_err().to_string().contains("set `Config::unlabelled`"));
}

/// Batch normalisation learns the statistics of the images; no weight moves.
#[test]
fn recalibrating_moves_running_statistics_alone() {
    use glyphs::nn::{BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, Network, ReLU};
    type Net = (Conv2d<1, 4>, BatchNorm2d<4>, ReLU, MaxPool2d, Flatten<784>, Linear<784, 10>);
    let samples = bars(200);
    let mut model: Network<Net> = Network::new(5);
    let before: Vec<(String, Vec<f32>)> =
        (model.tensors().into_iter()).map(|tensor| (tensor.name, tensor.values.to_vec())).collect();
    recalibrate(&mut *model, &samples, 20).unwrap();
    for (tensor, (name, values)) in model.tensors().into_iter().zip(before) {
        let is_statistic = name.contains("running");
        assert_eq!(tensor.values != values, is_statistic, "{name}");
    }
}

/// Networks of a reader's own: other images, other optimisers, layers frozen, resumed, read back.
mod any_network {
    use super::*;
    use glyphs::{
        nn::{dfdx::nn::modules, shape::Image, *},
        train::{OptimizerKind, Schedule},
    };

    type Skipping = (
        (Conv2d<3, 8>, BatchNorm2d<8>, ReLU, MaxPool2d),
        modules::Residual<(Conv2d<8, 8>, BatchNorm2d<8>)>,
        (ReLU, GlobalAvgPool2d, Dropout<10>, Linear<8, 10>),
    );

    /// Colour images of 20 x 16, whose class is the place of a bright bar.
    fn coloured(n: usize) -> Samples {
        let bars = bars(n);
        let images = Array4::from_shape_fn((n, 3, 20, 16), |(i, c, y, x)| {
            bars.images[(i, 0, y + 4, x + 6)] / (c as u8 + 1)
        });
        Samples { images, ..bars }
    }

    fn config() -> Config {
        Config {
            optimizer: OptimizerKind::Sgd { momentum: 0.9, nesterov: true },
            learning_rate: 0.05,
            // Whatever the number of epochs is.
            schedule: Schedule::Constant,
            ..short()
        }
    }

    #[test]
    fn is_trained_resumed_and_read_back() {
        let (train, valid) = coloured(50).split(0.8, 3);
        let new = || Network::<Skipping, Image<3, 20, 16>>::new(1);
        let mut whole = new();
        fit(&mut whole, &train, &valid, &config()).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let states = ModelCheckpoint::new(folder.path().join("run"));
        let mut first = new();
        let two = Config { epochs: config().epochs - 1, ..config() };
        fit_resumable(&mut first, &train, &valid, &two, &states).unwrap();
        let state = Checkpoint::load(states.last()).unwrap();
        assert_eq!(state.config, two);
        // The rest of the epochs, under the configuration of the whole run.
        let mut state = state;
        state.config = config();
        state.save(states.last()).unwrap();
        let mut second = new();
        fit_resumable(&mut second, &train, &valid, &config(), &states).unwrap();
        assert!(bits(&whole) == bits(&second));

        let history = glyphs::train::History::default();
        let path = folder.path().join("network.safetensors");
        let saved = Checkpoint::of(&whole, config(), history, &train);
        saved.weights_only().save(&path).unwrap();
        let read = Checkpoint::load(&path).unwrap().network().unwrap();
        assert!(bits(&whole) == bits(read.as_ref()));
        let (a, b) = (evaluate(&whole, &valid), evaluate(read.as_ref(), &valid));
        assert_eq!(a.unwrap().probabilities, b.unwrap().probabilities);
    }

    #[test]
    fn says_where_images_do_not_fit() {
        let samples = coloured(20);
        let mut model = OriginalCnn::<10>::new(1);
        let error = fit(&mut model, &samples, &samples, &short()).unwrap_err();
        let words = error.to_string();
        assert!(words.contains("3 x 20 x 16") && words.contains("1 x 28 x 28"), "{words}");
        let words = evaluate(&model, &samples).unwrap_err().to_string();
        assert!(words.contains("3 x 20 x 16"), "{words}");
    }

    #[test]
    fn of_modules_on_the_tape_is_restored_into_one_made_anew() {
        type OfDfdx = (Flatten<784>, Linear<784, 16>, modules::Tanh, Linear<16, 10>);
        let samples = bars(20);
        let mut model: nn::Network<OfDfdx> = nn::Network::new(1);
        fit(&mut model, &samples, &samples, &short()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.safetensors");
        let history = glyphs::train::History::default();
        Checkpoint::of(&model, short(), history, &samples).save(&path).unwrap();
        let saved = Checkpoint::load(&path).unwrap();
        let words = saved.network().err().unwrap().to_string();
        assert!(words.contains("network.safetensors") && words.contains("restore"), "{words}");
        let mut again: nn::Network<OfDfdx> = nn::Network::new(2);
        saved.restore(&mut again).unwrap();
        assert!(bits(&model) == bits(&again));
    }
}
