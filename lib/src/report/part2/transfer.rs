//! What passes from the digits of dataset 1 to MNIST, and what training then does to it.

use crate::{
    Result,
    display::{Axis, Html, RowChart, Show, format_count, note},
    eval::statistics::mean,
    nn::{LayerSummary, OriginalCnn},
    report::val_accuracy,
    study::{CARRIED_OVER, Grid, Head, Init, RunResult, Seeds, Trained},
};

/// Tensors whose way is measured, by layer, input first.
pub(super) const LAYERS: [&str; 6] = [
    "block1.conv1",
    "block1.conv2",
    "block2.conv1",
    "block2.conv2",
    "hidden",
    "output",
];

/// How much of the MNIST network is carried over, in words.
pub fn carried_over() -> Html {
    let layers = OriginalCnn::<10>::new(0).summary().layers;
    let passes = |layer: &&LayerSummary| {
        let tensors = format!("{}.", layer.name);
        CARRIED_OVER
            .iter()
            .any(|prefix| tensors.starts_with(prefix))
    };
    let all: usize = layers.iter().map(|layer| layer.parameters).sum();
    let kept: usize = layers
        .iter()
        .filter(passes)
        .map(|layer| layer.parameters)
        .sum();
    note(&format!(
        "Carried over with the head original: {} of {} parameters ({:.2} %) with the running \
         statistics of batch normalisation. Made anew, from the run's seed: the output layer, so \
         that both starts give each digit the same first weights.",
        format_count(kept),
        format_count(all),
        kept as f64 / all as f64 * 100.0
    ))
}

fn on_mnist(run: &RunResult) -> Option<f64> {
    run.metric("mnist_accuracy")
}

/// What pretraining alone is worth on MNIST, in words.
pub fn pretraining_finding(live: &[&Trained]) -> Result<Html> {
    let mut sentences = Vec::new();
    for run in live {
        let seeds = Seeds::beside(run)?;
        let digits = run.on_mnist.iter().flat_map(|mnist| mnist.per_class().0);
        let worst = digits.min_by(|a, b| a.recall.total_cmp(&b.recall));
        let worst = worst.map_or(String::new(), |digit| {
            format!(
                "; under seed {} it is worst at {}, of which it finds {:.0} %",
                run.result.seed,
                digit.class,
                digit.recall * 100.0
            )
        });
        sentences.push(format!(
            "With the head {}, {} drawings teach a network to classify {:.1} % of the drawings \
             held out correctly, and {:.1} % of the MNIST test set (means of {} seeds){worst}.",
            run.result.network,
            run.result.dataset.count - run.valid.len(),
            mean(&seeds.values(val_accuracy))?.mean * 100.0,
            mean(&seeds.values(on_mnist))?.mean * 100.0,
            seeds.runs.len(),
        ));
    }
    Ok(note(&sentences.join(" ")))
}

/// How far training moved the weights of each layer of one head, relative to their length
/// at the start.
pub fn weights_moved(grid: &Grid, head: Head) -> Html {
    let axis = Axis::new("‖after − before‖ / ‖before‖").from(0.0);
    let title = format!("{}: how far the weights moved", head.name());
    by_layer(grid, head, RowChart::layers(title, axis), &|layer| {
        format!("moved_{layer}.weight")
    })
}

/// How alike the features of each layer stayed from start to end (debiased linear CKA).
pub fn features_kept(grid: &Grid, head: Head) -> Html {
    let axis = Axis::new("CKA, start against end").from(0.0).to(1.0);
    let title = format!("{}: how much of the features was kept", head.name());
    by_layer(grid, head, RowChart::layers(title, axis), &|layer| {
        format!("cka_{layer}")
    })
}

fn by_layer(grid: &Grid, head: Head, chart: RowChart, name: &dyn Fn(&str) -> String) -> Html {
    let mut chart = chart;
    for init in Init::ALL {
        if grid.runs(head, init).is_empty() {
            continue;
        }
        chart = chart.series(init.name());
        for layer in LAYERS {
            let name = name(layer);
            if let Some(estimate) = grid.mean(head, init, |run| run.metric(&name)) {
                chart = chart.estimate(layer, &estimate);
            }
        }
    }
    chart.show()
}
