//! candle: answers the requests that README.md describes.

use std::{collections::HashMap, io::BufRead, time::Instant};

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Dropout, Linear, Module, ModuleT,
    Optimizer, ParamsAdamW, VarBuilder, VarMap, batch_norm, conv2d, linear, loss,
};

struct Network {
    convs: Vec<(Conv2d, Option<BatchNorm>)>,
    hidden: Linear,
    dropout: Dropout,
    output: Linear,
}

impl Network {
    fn new(name: &str, vb: &VarBuilder) -> Result<Self> {
        let (units, p) = if name == "experimental" { (500, 0.7) } else { (1000, 0.5) };
        let config = Conv2dConfig {
            padding: 1,
            ..Default::default()
        };
        let mut convs = Vec::new();
        for (i, (inputs, outputs)) in [(1, 32), (32, 32), (32, 64), (64, 64)].into_iter().enumerate() {
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

fn main() -> Result<()> {
    let device = Device::Cpu;
    let mut networks: HashMap<String, (Network, AdamW)> = HashMap::new();
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [task, name, count] = words[..] else {
            continue;
        };
        let count: usize = count.parse().map_err(candle_core::Error::wrap)?;
        if !networks.contains_key(name) {
            let variables = VarMap::new();
            let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
            let network = Network::new(name, &builder)?;
            let parameters = ParamsAdamW {
                lr: 1e-3,
                weight_decay: 0.0,
                ..Default::default()
            };
            let adam = AdamW::new(variables.all_vars(), parameters)?;
            networks.insert(name.to_owned(), (network, adam));
        }
        let Some((network, adam)) = networks.get_mut(name) else {
            continue;
        };
        let images = Tensor::rand(0f32, 1f32, (count, 1, 28, 28), &device)?;
        let labels: Vec<u32> = (0..count).map(|i| (i % 10) as u32).collect();
        let labels = Tensor::new(labels, &device)?;
        let start = Instant::now();
        if task == "train" {
            let logits = network.forward(&images, true)?;
            adam.backward_step(&loss::cross_entropy(&logits, &labels)?)?;
        } else {
            for first in (0..count).step_by(1000) {
                let batch = images.narrow(0, first, 1000.min(count - first))?;
                network.forward(&batch, false)?;
            }
        }
        println!("{}", start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(())
}
