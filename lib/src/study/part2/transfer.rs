//! What passes from the photographed digits to MNIST.

use crate::{
    Result,
    display::{Flow, Html, Show, Table, format_count, note, percent, stack},
    eval::statistics::mean,
    nn::{LayerSummary, OriginalCnn},
    study::{Pretrained, RunResult, Seeds, digits::CARRIED_OVER},
};

/// The layers of the MNIST network: which are carried over, and which are made anew.
pub fn carried_over() -> Html {
    let network: OriginalCnn<10> = OriginalCnn::new(0);
    let layers = network.summary().layers;
    let mut flow = Flow::new("From the photographed digits to MNIST (head: original)");
    let (mut kept, mut anew) = (0, 0);
    for layer in layers.iter().filter(|layer| layer.parameters > 0) {
        let carried = is_carried_over(layer);
        *(if carried { &mut kept } else { &mut anew }) += layer.parameters;
        let parameters = format_count(layer.parameters);
        flow = flow.step(&layer.name, &format!("{parameters} weights"), carried);
    }
    let flow = flow.legend("carried over", "made anew");
    let share = kept as f64 / (kept + anew) as f64;
    let words = format!(
        "Carried over: {} of {} parameters ({:.2} %) with the running statistics of batch \
         normalisation. Made anew, from the run's seed: the output layer, so that both starts \
         give each digit the same first weights.",
        format_count(kept),
        format_count(kept + anew),
        share * 100.0
    );
    stack(&[&flow, &note(&words)])
}

/// Whether the tensors of a layer, e.g. `hidden`, pass to the MNIST network.
fn is_carried_over(layer: &LayerSummary) -> bool {
    let tensors = format!("{}.", layer.name);
    CARRIED_OVER
        .iter()
        .any(|prefix| tensors.starts_with(prefix))
}

/// Pretrained networks on the digits that were held out, and on MNIST as they are: the
/// runs of this notebook, then the mean over all seeds.
pub fn pretraining_table(live: &[&Pretrained]) -> Result<Html> {
    let mut table = Table::new(
        "Networks that have seen nothing but photographed digits",
        [
            "head",
            "runs",
            "photographs held out",
            "MNIST test set, as it is",
        ],
    );
    let validation = |run: &RunResult| Some(run.last()?.val_accuracy);
    let on_mnist = |run: &RunResult| run.metric("mnist_accuracy");
    for run in live {
        let seeds = Seeds::beside(&run.result)?;
        table = table.row([
            run.result.network.as_str().into(),
            format!("seed {}", run.result.seed).into(),
            percent(run.evaluation.accuracy()),
            percent(run.on_mnist.accuracy()),
        ]);
        table = table.row([
            run.result.network.as_str().into(),
            format!("mean of {} seeds", seeds.runs.len()).into(),
            percent(mean(&seeds.values(validation))?.mean),
            percent(mean(&seeds.values(on_mnist))?.mean),
        ]);
    }
    Ok(table.show())
}

/// What pretraining alone is worth on MNIST, in words.
pub fn pretraining_finding(live: &[&Pretrained]) -> Result<Html> {
    let mut sentences = Vec::new();
    for run in live {
        let seeds = Seeds::beside(&run.result)?;
        let read = mean(&seeds.values(|run| run.metric("mnist_accuracy")))?;
        let worst = run.on_mnist.per_class().0.into_iter();
        let worst = worst.min_by(|a, b| a.recall.total_cmp(&b.recall));
        let worst = worst.map_or(String::new(), |digit| {
            format!(
                "; under seed {} it is worst at {}, of which it finds {:.0} %",
                run.result.seed,
                digit.class,
                digit.recall * 100.0
            )
        });
        sentences.push(format!(
            "With the head {}, {} photographs teach a network to read {:.1} % of the MNIST test \
             set (mean of {} seeds){worst}.",
            run.result.network,
            run.result.dataset.count - run.valid.len(),
            read.mean * 100.0,
            seeds.runs.len(),
        ));
    }
    Ok(note(&sentences.join(" ")))
}
