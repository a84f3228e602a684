//! One training step and inference, against the peers that are installed.
//!
//! `cargo bench -p glyphs --profile dev --bench networks -- [OUTPUT.json]`
//!
//! `BENCH_ROUNDS` asks for another number of rounds than 8 (24 with batches of 32, whose steps are
//! short).
//!
//! With `worker` as its argument this program is one of the contestants itself; see
//! `bench-peers/README.md` for what they are asked, and how.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use glyphs::nn::{
    Adam, Batch, BatchNorm2d, Classifier, Conv2d, CrossEntropy, Dropout, ExperimentalCnn, Flatten,
    Instructions, Linear, MaxPool2d, Network, OriginalCnn, ReLU, VggBlock, peak_gflops,
};
use serde_json::{Value, json};

/// What is measured: task, network, images.
const ROWS: [(&str, &str, usize); 16] = [
    ("train", "original", 100),
    ("train", "experimental", 100),
    ("train", "plain", 100),
    ("train", "original", 32),
    ("train", "experimental", 32),
    ("train", "plain", 32),
    ("train", "original", 512),
    ("train", "layers", 100),
    ("train", "layers", 32),
    ("train", "layers", 512),
    ("train", "blocks", 100),
    ("train", "blocks", 32),
    ("train", "blocks", 512),
    ("infer", "original", 10_000),
    ("infer", "experimental", 10_000),
    ("infer", "plain", 10_000),
];

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("worker") => work(),
        Some("--test") => {}
        output => compare(output.unwrap_or("outputs/bench.json")),
    }
}

/// Answers requests on standard input, as every contestant does.
fn work() {
    let mut networks: BTreeMap<String, (Box<dyn Classifier>, Adam)> = BTreeMap::new();
    println!("ready {}", env!("CARGO_PKG_VERSION"));
    for line in io::stdin().lock().lines() {
        let line = line.expect("a request");
        let mut words = line.split_whitespace();
        let (task, name) = (
            words.next().expect("a task"),
            words.next().expect("a network"),
        );
        let count: usize = words
            .next()
            .and_then(|w| w.parse().ok())
            .expect("a number of images");
        let (model, adam) = networks
            .entry(name.to_owned())
            .or_insert_with(|| (network(name), Adam::new(1e-3)));
        let pixel = |i: usize| (i * 7919 % 1009) as f32 / 1009.0;
        let images: Vec<f32> = (0..count * 784).map(pixel).collect();
        let labels: Vec<usize> = (0..count).map(|i| i % 10).collect();
        let batch = Batch {
            len: count,
            images: &images,
            features: &[],
        };
        let start = Instant::now();
        if task == "train" {
            let step = model.train_step(batch, &CrossEntropy::new(&labels), adam);
            std::hint::black_box(step.expect("a batch that fits"));
        } else {
            std::hint::black_box(model.logits(batch).expect("a batch that fits"));
        }
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
    }
}

type Head = (
    Flatten<3136>,
    Linear<3136, 1000>,
    ReLU,
    Dropout,
    Linear<1000, 10>,
);
/// The original network as a reader writes it: freely composed layers, and blocks.
type Layers = (
    (
        Conv2d<1, 32>,
        BatchNorm2d<32>,
        ReLU,
        Conv2d<32, 32>,
        BatchNorm2d<32>,
        ReLU,
        MaxPool2d,
    ),
    (
        Conv2d<32, 64>,
        BatchNorm2d<64>,
        ReLU,
        Conv2d<64, 64>,
        BatchNorm2d<64>,
        ReLU,
        MaxPool2d,
    ),
    Head,
);
type Blocks = (VggBlock<1, 32>, VggBlock<32, 64>, Head);
/// Without batch normalisation.
type Plain = (
    (Conv2d<1, 32>, ReLU, Conv2d<32, 32>, ReLU, MaxPool2d),
    (Conv2d<32, 64>, ReLU, Conv2d<64, 64>, ReLU, MaxPool2d),
    Head,
);

fn network(name: &str) -> Box<dyn Classifier> {
    match name {
        "experimental" => Box::new(ExperimentalCnn::<10>::new(1)),
        "plain" => Box::new(Network::<Plain>::new(1)),
        "layers" => Box::new(Network::<Layers>::new(1)),
        "blocks" => Box::new(Network::<Blocks>::new(1)),
        _ => Box::new(OriginalCnn::<10>::new(1)),
    }
}

/// Multiplications and additions of a task, the backward pass counted as two forward passes.
fn operations(task: &str, network: &str, count: usize) -> f64 {
    let forward = if network == "experimental" {
        ExperimentalCnn::<10>::new(1).summary().operations()
    } else {
        OriginalCnn::<10>::new(1).summary().operations()
    };
    let passes = if task == "train" { 3 } else { 1 };
    (passes * forward * count) as f64
}

struct Contestant {
    name: String,
    /// One, or several that work beside each other.
    workers: Vec<Worker>,
}

impl Contestant {
    /// None where it is not installed, or does not start.
    fn start(name: &str, commands: &mut [Command]) -> Option<Self> {
        let started = Self {
            name: name.to_owned(),
            workers: commands
                .iter_mut()
                .map(Worker::start)
                .collect::<Option<_>>()?,
        };
        println!("{name}: {}", started.workers.first()?.ready);
        Some(started)
    }

    /// Milliseconds a task, as the workers themselves measured them; what they do beside each
    /// other in a millisecond adds up.
    fn ask(&mut self, task: &str, network: &str, count: usize) -> Option<f64> {
        for worker in &mut self.workers {
            worker.request(task, network, count)?;
        }
        let times: Option<Vec<f64>> = self.workers.iter_mut().map(Worker::answer).collect();
        Some(1.0 / times?.iter().map(|ms| 1.0 / ms).sum::<f64>())
    }

    /// Largest memory since the last call; 0 where the system does not say.
    fn peak_memory_mb(&self) -> f64 {
        self.workers.iter().map(Worker::peak_memory_mb).sum()
    }
}

struct Worker {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it says of itself.
    ready: String,
}

impl Worker {
    fn start(command: &mut Command) -> Option<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let requests = child.stdin.take()?;
        let answers = BufReader::new(child.stdout.take()?);
        let mut worker = Self {
            child,
            requests,
            answers,
            ready: String::new(),
        };
        worker.ready = worker.line()?;
        Some(worker)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.answers.read_line(&mut line).ok()? > 0).then(|| line.trim().to_owned())
    }

    fn request(&mut self, task: &str, network: &str, count: usize) -> Option<()> {
        writeln!(self.requests, "{task} {network} {count}").ok()?;
        self.requests.flush().ok()
    }

    fn answer(&mut self) -> Option<f64> {
        self.line()?.parse().ok()
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(name)
    }

    fn peak_memory_mb(&self) -> f64 {
        let status = fs::read_to_string(self.file("status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        let _ = fs::write(self.file("clear_refs"), "5");
        kilobytes.unwrap_or(0.0) / 1024.0
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const OURS: &str = "glyphs";
const ONE_THREAD: &str = "glyphs, 1 thread";
/// As many of the above as there are cores: what the machine gives to programs that never wait for
/// each other.
const PROCESSES: &str = "glyphs, processes";

fn contestants(root: &Path) -> Vec<Contestant> {
    let ours = |threads: usize| {
        let mut command = Command::new(std::env::current_exe().expect("this program's path"));
        command
            .arg("worker")
            .env("RAYON_NUM_THREADS", threads.to_string());
        command
    };
    let peers = root.join("bench-peers");
    let python = |script: &str, argument: &str| {
        let mut command = Command::new(
            std::env::var_os("BENCH_PEERS_PYTHON")
                .map_or_else(|| peers.join(".venv/bin/python"), PathBuf::from),
        );
        command.arg(peers.join(script)).arg(argument);
        command
    };
    let rust = |name: &str| Command::new(peers.join("target/release").join(name));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    [
        (OURS, vec![ours(cores)]),
        (ONE_THREAD, vec![ours(1)]),
        (PROCESSES, (0..cores).map(|_| ours(1)).collect()),
        ("keras", vec![python("keras_worker.py", "")]),
        ("pytorch", vec![python("torch_worker.py", "default")]),
        (
            "pytorch_channels_last",
            vec![python("torch_worker.py", "channels_last")],
        ),
        ("candle", vec![rust("candle_worker")]),
        ("burn", vec![rust("burn_worker")]),
    ]
    .into_iter()
    .filter_map(|(name, mut commands)| Contestant::start(name, &mut commands))
    .collect()
}

fn compare(output: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut contestants = contestants(&root);
    let peak = peak_gflops();
    println!("peak: {peak:.0} GFLOP/s with {:?}", Instructions::current());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut rows = Vec::new();
    for (task, network, count) in ROWS {
        let measured = measure(&mut contestants, task, network, count);
        println!("{task} {network} {count}");
        for (name, times) in &measured {
            println!(
                "  {name:24} {:8.1} ms ({:.1} to {:.1})",
                times.median, times.min, times.max
            );
        }
        let operations = operations(task, network, count);
        let peers: Vec<(&String, &Times)> = measured
            .iter()
            .filter(|(name, _)| !name.starts_with(OURS))
            .map(|(n, t)| (n, t))
            .collect();
        let of = |name| measured.iter().find(|(n, _)| n == name).map(|(_, t)| t);
        let (Some(ours), Some(alone), Some(processes)) = (of(OURS), of(ONE_THREAD), of(PROCESSES))
        else {
            continue;
        };
        let [by_threads, by_processes] = [ours, processes].map(|t| alone.median / t.median);
        println!(
            "  {cores} threads do {by_threads:.2} times the work of one, {cores} processes \
             {by_processes:.2}"
        );
        let scaling = json!({ "threads": by_threads, "processes": by_processes });
        for (ours, threads) in [(ours, cores), (alone, 1)] {
            let gflops = operations / ours.median / 1e6;
            let share_of = peak * threads as f64 / cores as f64;
            let versus = if threads == cores {
                peers.as_slice()
            } else {
                &[]
            };
            let of_peers = |value: fn(&Times, &Times) -> Value| -> Value {
                versus
                    .iter()
                    .map(|(name, times)| ((*name).clone(), value(ours, times)))
                    .collect()
            };
            rows.push(json!({
                "name": if task == "train" { "training step" } else { "inference" },
                "network": network,
                "batch": count,
                "threads": threads,
                "ms": ours.json(),
                "peers": of_peers(|_, peer| peer.json()),
                "ratio": of_peers(|ours, peer| json!(ours.median / peer.median)),
                "scaling": (threads == cores).then_some(&scaling),
                "gflops": gflops,
                "peak_share": gflops / share_of,
                "peak_memory_mb": ours.memory,
                "machine": machine(cores),
            }));
        }
        write(&root.join(output), &rows);
    }
    println!("written to {output}");
}

/// After each row, so that a run that is cut short leaves what it measured.
fn write(path: &Path, rows: &[Value]) {
    let text = serde_json::to_string_pretty(rows).expect("numbers and names");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("the folder of the output");
    }
    fs::write(path, text + "\n").expect("the output is written");
}

struct Times {
    median: f64,
    min: f64,
    max: f64,
    memory: f64,
}

impl Times {
    fn json(&self) -> Value {
        json!({ "median": self.median, "min": self.min, "max": self.max, "peak_memory_mb": self.memory })
    }
}

/// So long one contestant may take for one row, all requests together.
const PATIENCE_MS: f64 = 10e3;

/// Asks all in turn, round after round, and leaves out who fails.
fn measure(
    contestants: &mut [Contestant],
    task: &str,
    network: &str,
    count: usize,
) -> Vec<(String, Times)> {
    let rounds = std::env::var("BENCH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(match (task, count) {
        ("train", 32) => 24,
        _ => 8,
    });
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); contestants.len()];
    for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
        contestant.peak_memory_mb();
        // To warm up; it counts for those alone that are too slow to be asked again.
        let first = contestant.ask(task, network, count);
        if first.is_some_and(|ms| ms > PATIENCE_MS) {
            samples.extend(first);
        }
    }
    for _ in 0..rounds {
        for (contestant, samples) in contestants.iter_mut().zip(&mut samples) {
            // The first requests after the others' turn find cold caches and sleeping
            // threads, for everyone alike.
            for _ in 0..if task == "train" { 7 } else { 1 } {
                if samples.iter().sum::<f64>() < PATIENCE_MS {
                    samples.extend(contestant.ask(task, network, count));
                }
            }
        }
    }
    let answered = contestants
        .iter()
        .zip(samples)
        .filter(|(_, samples)| !samples.is_empty());
    let times = answered.map(|(contestant, mut samples)| {
        samples.sort_by(f64::total_cmp);
        let times = Times {
            median: samples[samples.len() / 2],
            min: samples[0],
            max: samples[samples.len() - 1],
            memory: contestant.peak_memory_mb(),
        };
        (contestant.name.clone(), times)
    });
    times.collect()
}

fn machine(cores: usize) -> Value {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    json!({
        "cpu": model.unwrap_or("unknown").trim(),
        "cores": cores,
        "instructions": format!("{:?}", Instructions::current()),
        "rustc": rustc.unwrap_or_default(),
    })
}
