//! What people read in the drawings, beside the network.

use super::from_to;
use crate::{
    Result,
    display::{Html, Show, Table, format_number, note},
    eval::statistics::wilson,
    study::{Human, LOOKALIKES, Trained},
};

/// The answers of people among the records, and the network's in the same drawings.
///
/// # Errors
/// Where a record is damaged.
pub fn people(trained: &Trained) -> Result<Html> {
    let humans = Human::load(&trained.result.name(), &trained.valid.provenance.sha256)?;
    if humans.is_empty() {
        return Ok(note(
            "Nobody has sent in answers yet. The page “Read them yourself” collects them in a \
             file; `glyphs human FILE` adds it to the records.",
        ));
    }
    let evaluation = &trained.evaluation;
    let (classes, predictions) = (&evaluation.classes, evaluation.predictions());
    let columns =
        ["reader", "date", "view", "drawings", "right", "95 % interval", "look-alikes as one"];
    let mut table = Table::new("People, and the network on the same drawings", columns);
    let mut shares: [Vec<f64>; 2] = Default::default();
    for human in humans {
        // Truth, the person's answer, the network's.
        let mut read: Vec<[&str; 3]> = Vec::new();
        for answer in &human.answers {
            if let Some(i) = trained.valid.names.iter().position(|name| *name == answer.drawing) {
                let [truth, network] = [evaluation.labels[i], predictions[i]];
                read.push([&classes[truth], &answer.answer, &classes[network]]);
            }
        }
        if read.is_empty() {
            continue;
        }
        let by_person = [human.date.as_str(), human.view.as_str()];
        for (who, reader, of) in [("a person", 1, by_person), ("the network", 2, ["", "cropped"])] {
            let right = |same: fn(&str, &str) -> bool| {
                read.iter().filter(|row| same(row[0], row[reader])).count()
            };
            let (exact, merged) = (right(|a, b| a == b), right(looks_like));
            let interval = wilson(exact, read.len())?;
            shares[reader - 1].push(exact as f64 / read.len() as f64);
            let share = |value: f64| format!("{:.1} %", 100.0 * value);
            table = table.row([
                who.into(),
                of[0].into(),
                of[1].into(),
                read.len().into(),
                share(exact as f64 / read.len() as f64).into(),
                format!("{} to {}", share(interval.low), share(interval.high)).into(),
                share(merged as f64 / read.len() as f64).into(),
            ]);
        }
    }
    let percents = shares.map(|of| from_to(&of, |share| format_number(100.0 * share, 1)));
    if let [Some(people), Some(network)] = percents {
        table = table.titled(format!(
            "People classify {people} % of these drawings correctly, the network {network} % of the \
             same"
        ));
    }
    Ok(table.show())
}

fn looks_like(a: &str, b: &str) -> bool {
    a == b || LOOKALIKES.iter().any(|group| group.classes.contains(a) && group.classes.contains(b))
}
