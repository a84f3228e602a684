//! burn on its flex backend: answers the requests that README.md describes.

use std::{collections::HashMap, error::Error, io::BufRead, time::Instant};

use burn::{
    module::{Module, Param},
    nn::{
        BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
        Relu,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    optim::{AdamConfig, GradientsParams, ModuleOptimizer},
    tensor::{Device, Distribution, Int, Tensor, TensorData},
};
use candle_core::safetensors::load;

/// Images that pass at once in inference.
const BATCH: usize = 100;

#[derive(Module, Debug)]
struct Network {
    convs: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    pool: MaxPool2d,
    hidden: Linear,
    dropout: Dropout,
    output: Linear,
    relu: Relu,
}

/// The tensors of a file, which numbers them in the order of the layers.
type File = HashMap<String, candle_core::Tensor>;

impl Network {
    fn new(name: &str, device: &Device) -> Self {
        let (units, p) = if name == "experimental" {
            (500, 0.7)
        } else {
            (1000, 0.5)
        };
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

    fn load(&mut self, file: &File, device: &Device) -> Result<(), Box<dyn Error>> {
        let mut at = 0..;
        let mut next = || -> Result<TensorData, Box<dyn Error>> {
            let tensor = &file[&format!("{:02}", at.next().unwrap_or(0))];
            Ok(TensorData::new(
                tensor.flatten_all()?.to_vec1::<f32>()?,
                tensor.dims().to_vec(),
            ))
        };
        for (i, conv) in self.convs.iter_mut().enumerate() {
            conv.weight = Param::from_tensor(Tensor::from_data(next()?, device));
            conv.bias = Some(Param::from_tensor(Tensor::from_data(next()?, device)));
            if let Some(norm) = self.norms.get_mut(i) {
                norm.gamma = Param::from_tensor(Tensor::from_data(next()?, device));
                norm.beta = Param::from_tensor(Tensor::from_data(next()?, device));
                norm.running_mean.update(Tensor::from_data(next()?, device));
                norm.running_var.update(Tensor::from_data(next()?, device));
            }
        }
        for layer in [&mut self.hidden, &mut self.output] {
            let weight: Tensor<2> = Tensor::from_data(next()?, device);
            layer.weight = Param::from_tensor(weight.transpose());
            layer.bias = Some(Param::from_tensor(Tensor::from_data(next()?, device)));
        }
        Ok(())
    }

    fn forward(&self, mut x: Tensor<4>) -> Tensor<2> {
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

struct Worker {
    networks: HashMap<String, (Network, ModuleOptimizer)>,
    device: Device,
    /// With gradients.
    traced: Device,
}

impl Worker {
    fn answer(&mut self, line: &str) -> Result<String, Box<dyn Error>> {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let [task, name, argument] = words[..] else {
            return Err("three words make a request".into());
        };
        if name == "lenet" {
            return Err("not written for burn".into());
        }
        let (mut network, mut adam) = self
            .networks
            .remove(name)
            .unwrap_or_else(|| (Network::new(name, &self.traced), AdamConfig::new().init()));
        let answer = if task == "agree" {
            let file = load(argument, &candle_core::Device::Cpu)?;
            network.load(&file, &self.traced)?;
            let images = &file["images"];
            let shape = images.dims().to_vec();
            let images = TensorData::new(images.flatten_all()?.to_vec1::<f32>()?, shape);
            let logits = network
                .valid()
                .forward(Tensor::from_data(images, &self.device));
            format!("{:?}", logits.into_data().try_to_vec::<f32>()?)
        } else {
            let count: usize = argument.parse()?;
            let shape = [count, 1, 28, 28];
            let time;
            if task == "train" {
                let images = Tensor::<4>::random(shape, Distribution::Default, &self.traced);
                let labels: Vec<i32> = (0..count).map(|i| (i % 10) as i32).collect();
                let labels = Tensor::<1, Int>::from_ints(labels.as_slice(), &self.traced);
                let start = Instant::now();
                let logits = network.forward(images);
                let loss = CrossEntropyLossConfig::new()
                    .init(&self.traced)
                    .forward(logits, labels);
                let gradients = GradientsParams::from_grads(loss.backward(), &network);
                network = adam.step(1e-3, network, gradients);
                time = start.elapsed();
            } else {
                let network = network.valid();
                let images = Tensor::<4>::random(shape, Distribution::Default, &self.device);
                let start = Instant::now();
                for batch in images.split(BATCH, 0) {
                    let _ = network.forward(batch).into_data();
                }
                time = start.elapsed();
            }
            (time.as_secs_f64() * 1e3).to_string()
        };
        self.networks.insert(name.to_owned(), (network, adam));
        Ok(answer)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut worker = Worker {
        networks: HashMap::new(),
        device: Device::flex(),
        traced: Device::flex().autodiff(),
    };
    println!("ready burn");
    for line in std::io::stdin().lock().lines() {
        match worker.answer(&line?) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error}"),
        }
    }
    Ok(())
}
