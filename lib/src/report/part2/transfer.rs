//! What is carried over from the digits of dataset 1 to MNIST, and what training does to it.

use crate::{
    Result,
    display::{Axis, Html, RowChart, Show, format_count, format_counted, note},
    eval::statistics::mean,
    nn::{LayerSpec, OriginalCnn},
    report::{head_title, val_accuracy},
    study::{CARRIED_OVER, Grid, Head, Init, Seeds, Trained},
};

/// Layers whose change is measured, input first.
pub(super) const LAYERS: [&str; 6] =
    ["block1.conv1", "block1.conv2", "block2.conv1", "block2.conv2", "hidden", "output"];

/// How much of the MNIST network is carried over, in words.
pub fn carried_over() -> Html {
    let summary = OriginalCnn::<10>::new(0).summary();
    let passes = |layer: &&LayerSpec| {
        let tensors = format!("{}.", layer.name);
        (CARRIED_OVER.iter()).any(|prefix| tensors.starts_with(prefix))
    };
    let all = summary.parameters();
    let kept = summary.layers.iter().filter(passes);
    let kept: usize = kept.map(LayerSpec::parameters).sum();
    note(&format!(
        "With the original head, {} of {} parameters ({:.2} %) are carried over, with the running \
         statistics of batch normalisation. The output layer is new, made from the run's seed, so \
         both starts give each digit the same initial weights. The pretraining of the same seed started \
         from the same weights, so the features were trained to fit them.",
        format_count(kept),
        format_count(all),
        kept as f64 / all as f64 * 100.0
    ))
}

/// What pretraining alone is worth on MNIST, in words.
pub fn pretraining_finding(live: &[&Trained]) -> Result<Html> {
    let mut sentences = Vec::new();
    for run in live {
        let seeds = Seeds::beside(run)?;
        let digits = run.on_mnist.iter().flat_map(|mnist| mnist.per_class().0);
        let worst = digits.min_by(|a, b| a.recall.total_cmp(&b.recall));
        let worst = worst.map_or(String::new(), |digit| {
            let (seed, class, found) = (run.result.seed, digit.class, digit.recall * 100.0);
            format!("; under seed {seed} its lowest recall on MNIST is {found:.0} %, for the digit {class}")
        });
        sentences.push(format!(
            "With the {} head, a network trained on {} drawings classifies {:.1} % of the held-out \
             drawings correctly, and {:.1} % of the MNIST test set (means over {}){worst}.",
            run.result.network,
            run.result.dataset.count - run.valid.len(),
            mean(&seeds.values(val_accuracy))?.mean * 100.0,
            mean(&seeds.values(|run| run.metric("mnist_accuracy")))?.mean * 100.0,
            format_counted(seeds.runs.len(), "seed"),
        ));
    }
    Ok(note(&sentences.join(" ")))
}

/// How far training moved the weights of each layer of one head, relative to their length
/// at the start.
pub fn weights_moved(grid: &Grid, head: Head) -> Html {
    let axis = Axis::new("‖after − before‖ / ‖before‖").from(0.0);
    by_layer(grid, head, ("weights", "move furthest"), axis, &|layer| {
        format!("moved_{layer}.weight")
    })
}

/// How alike the features of each layer stayed from start to end (debiased linear CKA).
pub fn features_kept(grid: &Grid, head: Head) -> Html {
    let axis = Axis::new("CKA, start against end").from(0.0).to(1.0);
    by_layer(grid, head, ("features", "change least"), axis, &|layer| format!("cka_{layer}"))
}

/// A layer of [`LAYERS`], for readers.
fn in_words(layer: &str) -> &str {
    match layer {
        "block1.conv1" => "first convolution",
        "block1.conv2" => "second convolution",
        "block2.conv1" => "third convolution",
        "block2.conv2" => "fourth convolution",
        "hidden" => "dense layer",
        "output" => "output layer",
        other => other,
    }
}

/// A measure of each layer from both starts, titled with where it is largest: what (`weights`)
/// does most there (`move furthest`).
fn by_layer(
    grid: &Grid,
    head: Head,
    (what, most): (&str, &str),
    axis: Axis,
    name: &dyn Fn(&str) -> String,
) -> Html {
    let of = |init| {
        let layers = LAYERS.into_iter().filter_map(|layer| {
            let name = name(layer);
            let estimate = grid.mean(head, init, |run| run.metric(&name))?;
            Some((in_words(layer), estimate))
        });
        (init, layers.collect::<Vec<_>>())
    };
    let all = Init::ALL.map(of);
    let largest = all.iter().filter_map(|(init, layers)| {
        let largest = (layers.iter()).max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
        Some((largest.0, init.name()))
    });
    let largest = match largest.collect::<Vec<_>>().as_slice() {
        [] => format!("{what} by layer"),
        [(one, _), (other, _)] if one == other => {
            format!("the {what} of the {one} {most}, from either start")
        }
        [(one, init), others @ ..] => {
            let others = others.iter();
            let others =
                others.map(|(other, init)| format!(", those of the {other} from a {init} one"));
            let others: String = others.collect();
            format!("the {what} of the {one} {most} from a {init} start{others}")
        }
    };
    let title = format!("{}: {largest}", head_title(head));
    let mut chart = RowChart::dots(title, axis);
    for (init, layers) in all.iter().filter(|(_, layers)| !layers.is_empty()) {
        chart = chart.series(init.name());
        for (layer, estimate) in layers {
            chart = chart.estimate(*layer, estimate);
        }
    }
    chart.show()
}
