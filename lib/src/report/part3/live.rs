//! The run that a notebook has just made.

use crate::{
    display::{Html, row},
    eval::ConfusionMatrix,
    report::network_name,
    study::Trained,
};

/// Digit by answer, and digit by the answer thought least likely.
pub fn confusions(trained: &Trained) -> Html {
    let evaluation = &trained.evaluation;
    let name = network_name(trained.experiment.head, trained.experiment.init);
    let title = |end: &str, accuracy: f64| {
        let share = 100.0 * accuracy;
        format!("{name}: the {end} likely digit is right for {share:.1} %")
    };
    let most = (evaluation.confusion())
        .chart(title("most", evaluation.accuracy()))
        .axes("digit", "most likely digit");
    let (labels, answers) = (&evaluation.labels, evaluation.least_likely());
    let least = ConfusionMatrix::new(labels, &answers, &evaluation.classes)
        .chart(title("least", evaluation.least_likely_accuracy()))
        .axes("digit", "least likely digit");
    row(&[&most, &least])
}
