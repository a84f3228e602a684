//! What training does to weights and features, layer by layer.

use crate::{
    Result,
    data::Samples,
    display::{Axis, Html, RowChart, Show},
    eval::similarity::debiased_cka,
    study::{Grid, Head, Init, TrainedDigits},
    train::activations,
};

/// Images that two networks are shown to compare their features.
const IMAGES: usize = 500;

/// Tensors whose way is measured, by layer, input first.
const LAYERS: [&str; 6] = [
    "block1.conv1",
    "block1.conv2",
    "block2.conv1",
    "block2.conv2",
    "hidden",
    "output",
];

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

/// How alike two trained networks see the same images, layer by layer (debiased linear
/// CKA), for each pair.
pub fn networks_apart(
    pairs: &[(&str, &TrainedDigits, &TrainedDigits)],
    images: &Samples,
) -> Result<Html> {
    let probe = images.select(&(0..images.len().min(IMAGES)).collect::<Vec<_>>());
    let axis = Axis::new("CKA, one network against the other")
        .from(0.0)
        .to(1.0);
    let mut chart = RowChart::layers("Do both starts end at the same features?", axis);
    for (name, one, other) in pairs {
        chart = chart.series(*name);
        let one = activations(one.model.as_ref(), &probe)?;
        let other = activations(other.model.as_ref(), &probe)?;
        for ((layer, a), (_, b)) in one.iter().zip(&other) {
            chart = chart.value(layer.clone(), debiased_cka(a.view(), b.view())?);
        }
    }
    Ok(chart.show())
}
