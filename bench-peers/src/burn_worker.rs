//! burn: answers the requests that README.md describes.

use std::{collections::HashMap, io::BufRead, time::Instant};

use burn::{
    backend::{Autodiff, NdArray},
    module::{AutodiffModule, Module},
    nn::{
        BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
        Relu,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    optim::{AdamConfig, GradientsParams, Optimizer},
    tensor::{Distribution, Int, Tensor, backend::Backend},
};

type Plain = NdArray<f32>;
type Traced = Autodiff<Plain>;

#[derive(Module, Debug)]
struct Network<B: Backend> {
    convs: Vec<Conv2d<B>>,
    norms: Vec<BatchNorm<B>>,
    pool: MaxPool2d,
    hidden: Linear<B>,
    dropout: Dropout,
    output: Linear<B>,
    relu: Relu,
}

impl<B: Backend> Network<B> {
    fn new(name: &str, device: &B::Device) -> Self {
        let (units, p) = if name == "experimental" { (500, 0.7) } else { (1000, 0.5) };
        let channels = [(1, 32), (32, 32), (32, 64), (64, 64)];
        let conv = |(inputs, outputs): (usize, usize)| {
            let config = Conv2dConfig::new([inputs, outputs], [3, 3]);
            config.with_padding(PaddingConfig2d::Same).init(device)
        };
        let norm = |(_, outputs): (usize, usize)| BatchNormConfig::new(outputs).init(device);
        let normed = if name == "plain" { 0 } else { 4 };
        Self {
            convs: channels.into_iter().map(conv).collect(),
            norms: channels.into_iter().take(normed).map(norm).collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            hidden: LinearConfig::new(3136, units).init(device),
            dropout: DropoutConfig::new(p).init(),
            output: LinearConfig::new(units, 10).init(device),
            relu: Relu::new(),
        }
    }

    fn forward(&self, mut x: Tensor<B, 4>) -> Tensor<B, 2> {
        for (i, conv) in self.convs.iter().enumerate() {
            x = conv.forward(x);
            if let Some(norm) = self.norms.get(i) {
                x = norm.forward(x);
            }
            x = self.relu.forward(x);
            if i % 2 == 1 {
                x = self.pool.forward(x);
            }
        }
        let x = self.relu.forward(self.hidden.forward(x.flatten(1, 3)));
        self.output.forward(self.dropout.forward(x))
    }
}

macro_rules! answer {
    ($networks:ident, $device:ident, $task:ident, $name:ident, $count:ident) => {{
        let (network, adam) = $networks.remove($name).unwrap_or_else(|| {
            let network = Network::<Traced>::new($name, &$device);
            (network, AdamConfig::new().init())
        });
        let mut pair = (network, adam);
        let shape = [$count, 1, 28, 28];
        let time;
        if $task == "train" {
            let images = Tensor::<Traced, 4>::random(shape, Distribution::Default, &$device);
            let labels: Vec<i32> = (0..$count).map(|i| (i % 10) as i32).collect();
            let labels = Tensor::<Traced, 1, Int>::from_ints(labels.as_slice(), &$device);
            let start = Instant::now();
            let logits = pair.0.forward(images);
            let loss = CrossEntropyLossConfig::new().init(&$device).forward(logits, labels);
            let gradients = GradientsParams::from_grads(loss.backward(), &pair.0);
            pair.0 = pair.1.step(1e-3, pair.0, gradients);
            time = start.elapsed();
        } else {
            let network = pair.0.valid();
            let images = Tensor::<Plain, 4>::random(shape, Distribution::Default, &$device);
            let start = Instant::now();
            for batch in images.split(1000, 0) {
                let _ = network.forward(batch).into_data();
            }
            time = start.elapsed();
        }
        $networks.insert($name.to_owned(), pair);
        time.as_secs_f64() * 1e3
    }};
}

fn main() {
    let device = Default::default();
    let mut networks = HashMap::new();
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a request");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [task, name, count] = words[..] else {
            continue;
        };
        let count: usize = count.parse().expect("a number of images");
        println!("{}", answer!(networks, device, task, name, count));
    }
}
