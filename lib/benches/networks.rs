//! `cargo bench -p glyphs --profile dev --bench networks -- [OUTPUT.json]`
//!
//! hands itself to `bench-peers/bench.py`, which starts it again with `worker` as its argument
//! (`worker-bf16` for evaluation in bf16): one of the contestants. `bench-peers/README.md` says
//! what they are asked, and how.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, BufRead},
    process::{Command, exit},
    time::Instant,
};

use glyphs::{
    data::Handwritten,
    nn::{
        Adam, Batch, BatchNorm2d, CharCnn, Classifier, Conv2d, CrossEntropy, Dropout, DynNetwork,
        EXPERIMENTAL, Flatten, Instructions, Linear, MaxPool2d, Network, OriginalCnn, ReLU,
        VggBlock, peak_gflops,
    },
    study::Experiment,
    train::{Config, fit},
};
use rayon::prelude::*;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;

type Answer<T> = Result<T, Box<dyn Error>>;

fn main() -> Answer<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().find(|a| *a != "--bench").map(String::as_str) {
        Some("worker") => work(false),
        Some("worker-bf16") => work(true),
        Some("--test") => Ok(()),
        output => {
            let bench = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench-peers/bench.py");
            let status = Command::new("python3")
                .arg(bench)
                .arg(std::env::current_exe()?)
                .args(output)
                .status()?;
            exit(status.code().unwrap_or(1))
        }
    }
}

/// Answers requests on standard input, as every contestant does.
fn work(bf16: bool) -> Answer<()> {
    let mut contestant = Contestant { bf16, ..Contestant::default() };
    let version = env!("CARGO_PKG_VERSION");
    println!("ready {version}, {}", Instructions::current().name());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().ok_or("three words make a request");
        match contestant.answer(word()?, word()?, word()?) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error}"),
        }
    }
    Ok(())
}

#[derive(Default)]
struct Contestant {
    networks: BTreeMap<String, (DynNetwork, Adam)>,
    bf16: bool,
    drawings: Option<Handwritten>,
}

impl Contestant {
    fn answer(&mut self, task: &str, name: &str, argument: &str) -> Answer<String> {
        match task {
            "peak" => return Ok(peak_gflops().to_string()),
            "bandwidth" => return Ok(bandwidth().to_string()),
            "data" => return self.data(name),
            _ => {}
        }
        let (model, adam) = self
            .networks
            .entry(name.to_owned())
            .or_insert_with(|| (network(name), Adam::new(1e-3)));
        if self.bf16 && !model.evaluate_in_bf16(true) {
            return Err("this processor has no AMX".into());
        }
        let count = match task {
            "weights" => 100,
            _ => argument.parse()?,
        };
        let pixel = |i: usize| (i * 7919 % 1009) as f32 / 1009.0;
        let images: Vec<f32> = (0..count * 784).map(pixel).collect();
        let labels: Vec<usize> = (0..count).map(|i| i % 10).collect();
        let batch = Batch { len: count, images: &images, features: &[] };
        let start = Instant::now();
        match task {
            "weights" => {
                // Some steps, so that no statistic is what it was at the start.
                for _ in 0..5 {
                    model.train_step(batch, &CrossEntropy::new(&labels), adam)?;
                }
                save(model, &images, argument)?;
                let logits = model.logits(batch)?;
                return Ok(json!(logits.into_raw_vec_and_offset().0).to_string());
            }
            "train" => {
                let step = model.train_step(batch, &CrossEntropy::new(&labels), adam);
                std::hint::black_box(step?);
            }
            _ => _ = std::hint::black_box(model.logits(batch)?),
        }
        Ok(milliseconds(start))
    }

    /// Milliseconds and images of a pass over the drawings of part 1.
    fn data(&mut self, task: &str) -> Answer<String> {
        if self.drawings.is_none() {
            self.drawings = Some(Handwritten::load()?);
        }
        let Some(drawings) = &self.drawings else {
            return Err("no drawings".into());
        };
        let run = Experiment::part1_ours(0);
        let method = run.data.preprocess().ok_or("part 1 preprocesses")?;
        let count = drawings.len();
        let start = Instant::now();
        if task == "decode" {
            (0..count).into_par_iter().try_for_each(|index| drawings.decode(index).map(drop))?;
            return Ok(format!("{} {count}", milliseconds(start)));
        }
        let samples = drawings.preprocess(&method)?;
        if task == "preprocess" {
            return Ok(format!("{} {count}", milliseconds(start)));
        }
        if task == "distort" {
            let images = samples.images.mapv(f32::from);
            let start = Instant::now();
            (0..count).into_par_iter().for_each(|index| {
                let mut out = vec![0.0; 784];
                let image = images.index_axis(ndarray::Axis(0), index);
                let augment = &run.config.augment;
                augment.apply(image, &mut out, 0, 0, index as u64);
                std::hint::black_box(out);
            });
            return Ok(format!("{} {count}", milliseconds(start)));
        }
        let (train, valid) = run.split(&samples, None)?;
        let config = Config { epochs: 1, ..run.config.clone() };
        let mut model = run.network()?;
        let history = fit(model.as_mut(), &train, &valid, &config)?;
        Ok(format!("{} {}", history.epochs[0].seconds * 1e3, train.len()))
    }
}

fn milliseconds(start: Instant) -> String {
    (start.elapsed().as_secs_f64() * 1e3).to_string()
}

/// GB a second, read and written, of a copy of 32 MB on all threads: as large as what one layer
/// leaves to the next.
fn bandwidth() -> f64 {
    let from = vec![1.0f32; 8 << 20];
    let mut to = vec![0.0f32; from.len()];
    let chunk = from.len() / rayon::current_num_threads();
    let mut best = 0.0f64;
    for _ in 0..8 {
        let start = Instant::now();
        (to.par_chunks_mut(chunk).zip(from.par_chunks(chunk)))
            .for_each(|(to, from)| to.copy_from_slice(from));
        std::hint::black_box(&mut to);
        best = best.max((8 * from.len()) as f64 / start.elapsed().as_secs_f64() / 1e9);
    }
    best
}

/// Writes the network's tensors, numbered in the order of its layers, and the images.
fn save(model: &DynNetwork, images: &[f32], path: &str) -> Answer<()> {
    let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = model
        .tensors()
        .into_iter()
        .enumerate()
        .map(|(i, tensor)| (format!("{i:02}"), tensor.shape, bytes(tensor.values)))
        .collect();
    let shape = vec![images.len() / 784, 1, 28, 28];
    tensors.push(("images".into(), shape, bytes(images)));
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Answer<Vec<_>>>()?;
    Ok(fs::write(path, safetensors::serialize(views, None)?)?)
}

type Head = (Flatten<3136>, Linear<3136, 1000>, ReLU, Dropout, Linear<1000, 10>);
/// The original network as a reader writes it: freely composed layers, and blocks.
type Layers = (
    ((Conv2d<1, 32>, BatchNorm2d<32>, ReLU), (Conv2d<32, 32>, BatchNorm2d<32>, ReLU, MaxPool2d)),
    ((Conv2d<32, 64>, BatchNorm2d<64>, ReLU), (Conv2d<64, 64>, BatchNorm2d<64>, ReLU, MaxPool2d)),
    Head,
);
type Blocks = (VggBlock<1, 32>, VggBlock<32, 64>, Head);
/// Without batch normalisation.
type Plain = (
    (Conv2d<1, 32>, ReLU, Conv2d<32, 32>, ReLU, MaxPool2d),
    (Conv2d<32, 64>, ReLU, Conv2d<64, 64>, ReLU, MaxPool2d),
    Head,
);
type LeNet5 = (
    (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),
    (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d),
    (Flatten<784>, Linear<784, 120>, ReLU),
    (Linear<120, 84>, ReLU, Linear<84, 10>),
);

fn network(name: &str) -> DynNetwork {
    match name {
        "experimental" => Network::<CharCnn<EXPERIMENTAL, 10>>::new(1).into_dyn(),
        "plain" => Network::<Plain>::new(1).into_dyn(),
        "lenet" => Network::<LeNet5>::new(1).into_dyn(),
        "layers" => Network::<Layers>::new(1).into_dyn(),
        "blocks" => Network::<Blocks>::new(1).into_dyn(),
        _ => OriginalCnn::<10>::new(1).into_dyn(),
    }
}
