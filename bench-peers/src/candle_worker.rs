//! candle: answers the requests that README.md describes.

use std::{collections::HashMap, io::BufRead, time::Instant};

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Dropout, Linear, Module, ModuleT,
    Optimizer, ParamsAdamW, VarBuilder, VarMap, batch_norm, conv2d, linear, loss,
};

/// Images that pass at once in inference.
const BATCH: usize = 100;

struct Network {
    convs: Vec<(Conv2d, Option<BatchNorm>)>,
    hidden: Linear,
    dropout: Dropout,
    output: Linear,
}

impl Network {
    fn new(name: &str, vb: &VarBuilder) -> Result<Self> {
        let (units, p) = if name == "experimental" {
            (500, 0.7)
        } else {
            (1000, 0.5)
        };
        let config = Conv2dConfig {
            padding: 1,
            ..Default::default()
        };
        let mut convs = Vec::new();
        for (i, (inputs, outputs)) in [(1, 32), (32, 32), (32, 64), (64, 64)]
            .into_iter()
            .enumerate()
        {
            let conv = conv2d(inputs, outputs, 3, config, vb.pp(format!("conv{i}")))?;
            let norm = (name != "plain")
                .then(|| batch_norm(outputs, BatchNormConfig::default(), vb.pp(format!("bn{i}"))))
                .transpose()?;
            convs.push((conv, norm));
        }
        Ok(Self {
            convs,
            hidden: linear(3136, units, vb.pp("hidden"))?,
            dropout: Dropout::new(p),
            output: linear(units, 10, vb.pp("output"))?,
        })
    }

    fn forward(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut x = x.clone();
        for (i, (conv, norm)) in self.convs.iter().enumerate() {
            x = conv.forward(&x)?;
            if let Some(norm) = norm {
                x = norm.forward_t(&x, train)?;
            }
            x = x.relu()?;
            if i % 2 == 1 {
                x = x.max_pool2d(2)?;
            }
        }
        let x = self.hidden.forward(&x.flatten_from(1)?)?.relu()?;
        self.output.forward(&self.dropout.forward(&x, train)?)
    }
}

impl Network {
    /// Takes the tensors of a file, which numbers them in the order of the layers.
    fn load(variables: &VarMap, name: &str, tensors: &HashMap<String, Tensor>) -> Result<()> {
        let statistics = ["weight", "bias", "running_mean", "running_var"];
        let mut names = Vec::new();
        for i in 0..4 {
            names.extend(
                statistics[..2]
                    .iter()
                    .map(|tensor| format!("conv{i}.{tensor}")),
            );
            if name != "plain" {
                names.extend(statistics.map(|tensor| format!("bn{i}.{tensor}")));
            }
        }
        for layer in ["hidden", "output"] {
            names.extend(
                statistics[..2]
                    .iter()
                    .map(|tensor| format!("{layer}.{tensor}")),
            );
        }
        let variables = variables.data().lock().expect("one thread");
        for (i, name) in names.iter().enumerate() {
            variables[name].set(&tensors[&format!("{i:02}")])?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Worker {
    networks: HashMap<String, (Network, AdamW, VarMap)>,
}

impl Worker {
    fn answer(&mut self, line: &str) -> Result<String> {
        let device = Device::Cpu;
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let [task, name, argument] = words[..] else {
            candle_core::bail!("three words make a request");
        };
        if name == "lenet" {
            candle_core::bail!("not written for candle");
        }
        if !self.networks.contains_key(name) {
            let variables = VarMap::new();
            let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
            let network = Network::new(name, &builder)?;
            let parameters = ParamsAdamW {
                lr: 1e-3,
                weight_decay: 0.0,
                ..Default::default()
            };
            let learned = variables.data().lock().expect("one thread").clone();
            let learned = learned
                .into_iter()
                .filter(|(name, _)| !name.contains("running"));
            let adam = AdamW::new(learned.map(|(_, variable)| variable).collect(), parameters)?;
            self.networks
                .insert(name.to_owned(), (network, adam, variables));
        }
        let (network, adam, variables) = self.networks.get_mut(name).expect("just made");
        if task == "agree" {
            let tensors = candle_core::safetensors::load(argument, &device)?;
            Network::load(variables, name, &tensors)?;
            let logits = network.forward(&tensors["images"], false)?;
            return Ok(format!("{:?}", logits.flatten_all()?.to_vec1::<f32>()?));
        }
        let count: usize = argument.parse().map_err(candle_core::Error::wrap)?;
        let images = Tensor::rand(0f32, 1f32, (count, 1, 28, 28), &device)?;
        let labels: Vec<u32> = (0..count).map(|i| (i % 10) as u32).collect();
        let labels = Tensor::new(labels, &device)?;
        let start = Instant::now();
        if task == "train" {
            let logits = network.forward(&images, true)?;
            adam.backward_step(&loss::cross_entropy(&logits, &labels)?)?;
        } else {
            for first in (0..count).step_by(BATCH) {
                let batch = images.narrow(0, first, BATCH.min(count - first))?;
                network.forward(&batch, false)?;
            }
        }
        Ok((start.elapsed().as_secs_f64() * 1e3).to_string())
    }
}

fn main() -> Result<()> {
    println!("ready candle-core");
    let mut worker = Worker::default();
    for line in std::io::stdin().lock().lines() {
        match worker.answer(&line?) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error}"),
        }
    }
    Ok(())
}
