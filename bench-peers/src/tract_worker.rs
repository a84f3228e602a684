//! tract: answers the requests that README.md describes, for inference.

use std::{collections::HashMap, error::Error, io::BufRead, path::Path, sync::Arc, time::Instant};

use candle_core::{Device, safetensors::load};
use tract_onnx::prelude::*;

/// Images that pass at once: its plans are made for one size. The fastest is taken.
const BATCHES: [usize; 4] = [1, 10, 50, 250];

type Plan = Arc<TypedRunnableModel>;

fn plan(name: &str, batch: usize) -> TractResult<Plan> {
    let folder = std::env::var("BENCH_ONNX")?;
    let mut model =
        tract_onnx::onnx().model_for_path(Path::new(&folder).join(format!("{name}.onnx")))?;
    model.set_input_fact(0, f32::fact([batch, 1, 28, 28]).into())?;
    model.into_optimized()?.into_runnable()
}

#[derive(Default)]
struct Worker {
    plans: HashMap<(String, usize), Plan>,
    best: Option<usize>,
}

impl Worker {
    fn logits(&mut self, name: &str, images: &[f32], batch: usize) -> TractResult<Vec<f32>> {
        let key = (name.to_owned(), batch);
        if !self.plans.contains_key(&key) {
            self.plans.insert(key.clone(), plan(name, batch)?);
        }
        let mut logits = Vec::new();
        for part in images.chunks_exact(batch * 784) {
            let part = Tensor::from_shape(&[batch, 1, 28, 28], part)?;
            let outputs = self.plans[&key].run(tvec!(part.into()))?;
            logits.extend_from_slice(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?);
        }
        Ok(logits)
    }

    fn answer(&mut self, line: &str) -> Result<String, Box<dyn Error>> {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let [task, name, argument] = words[..] else {
            return Err("three words make a request".into());
        };
        if task == "agree" {
            let images = load(argument, &Device::Cpu)?["images"]
                .flatten_all()?
                .to_vec1::<f32>()?;
            return Ok(format!("{:?}", self.logits(name, &images, 50)?));
        }
        let count: usize = argument.parse()?;
        let images: Vec<f32> = (0..count * 784)
            .map(|i| (i % 1009) as f32 / 1009.0)
            .collect();
        let best = self.best;
        let mut time = |batch: usize, images: &[f32]| -> TractResult<f64> {
            let start = Instant::now();
            self.logits(name, images, batch)?;
            Ok(start.elapsed().as_secs_f64() * 1e3)
        };
        if count < 1000 {
            return Ok(time(count, &images)?.to_string());
        }
        let batch = match best {
            Some(batch) => batch,
            None => {
                let mut tried = Vec::new();
                for batch in BATCHES {
                    time(batch, &images[..batch * 784])?;
                    tried.push((time(batch, &images[..1000 * 784])?, batch));
                }
                tried.sort_by(|a, b| a.0.total_cmp(&b.0));
                tried[0].1
            }
        };
        let ms = time(batch, &images)?;
        self.best = Some(batch);
        Ok(ms.to_string())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("ready tract-onnx");
    let mut worker = Worker::default();
    for line in std::io::stdin().lock().lines() {
        match worker.answer(&line?) {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error}"),
        }
    }
    Ok(())
}
