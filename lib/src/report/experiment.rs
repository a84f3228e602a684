//! What makes a run, and runs themselves, in words.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{accuracy, left_out, table};
use crate::{
    display::{Html, Show, Table, note, number, percent, stack},
    study::{Experiment, Grid, RunResult, Seeds, Trained},
    train::{Checkpoint, Config},
};

/// Setup and configuration, one row per setting; what is off is left out.
impl Show for Experiment {
    fn show(&self) -> Html {
        let rows = [settings(&self.setup()), settings(&self.config)].concat();
        setting_table(format!("The run {}", self.name()), rows)
    }
}

impl Show for Config {
    fn show(&self) -> Html {
        setting_table("The configuration".into(), settings(self))
    }
}

fn setting_table(caption: String, rows: Vec<[String; 2]>) -> Html {
    let rows = rows.into_iter().map(|row| row.map(Into::into));
    Table::new(caption, ["setting", "value"]).rows(rows).show()
}

/// Name and value of each field that is not off.
fn settings(of: &impl Serialize) -> Vec<[String; 2]> {
    // By way of text, which gives 32-bit numbers their shortest form.
    let text = serde_json::to_string(of).unwrap_or_default();
    let fields: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let shown = fields.iter().filter(|(_, value)| *value != "study");
    shown.filter_map(|(name, value)| Some([spaced(name), words(value)?])).collect()
}

/// `crop to ink (box size 24, centre box)`; nothing for what is off.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some("yes".into()),
        Value::Number(number) => {
            let number = match number.as_f64().filter(|_| number.is_f64()) {
                // 11/12
                Some(value) if number.to_string().len() > 8 => format!("{value:.4}"),
                _ => number.to_string(),
            };
            Some(number.trim_end_matches(".0").into()).filter(|number| number != "0")
        }
        Value::String(word) => Some(spaced(word)),
        Value::Array(values) => join(values.iter().filter_map(words)),
        Value::Object(fields) => {
            // How smooth a distortion is that is off.
            let is_off = |name: &str| name == "smoothness" && fields["elastic"] == 0.0;
            let fields = fields.iter().filter(|(name, _)| !is_off(name));
            join(fields.filter_map(|(name, value)| {
                let (name, words) = (spaced(name), words(value)?);
                Some(match value {
                    Value::Object(_) => format!("{name} ({words})"),
                    _ => format!("{name} {words}"),
                })
            }))
        }
    }
}

fn join(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// Its training, and how it was judged.
impl Show for Trained {
    fn show(&self) -> Html {
        stack(&[&self.chart(), &self.evaluation])
    }
}

/// One row per run.
impl Show for Seeds {
    fn show(&self) -> Html {
        shown(self.runs.iter(), &self.left_out)
    }
}

/// One row per run.
impl Show for Grid {
    fn show(&self) -> Html {
        shown(self.all(), &self.left_out())
    }
}

fn shown<'a>(runs: impl Iterator<Item = &'a RunResult>, reasons: &[String]) -> Html {
    let rows = runs.map(|run| {
        [
            format!("{}, {}", run.network, run.init).into(),
            run.protocol.as_str().into(),
            run.seed.to_string().into(),
            run.epochs.len().into(),
            percent(accuracy(run).unwrap_or(f64::NAN)),
            number(run.epochs.last().map_or(f64::NAN, |epoch| epoch.val_loss), 4),
        ]
    });
    let columns = "network | protocol | seed | epochs | accuracy | loss";
    stack(&[&table("Runs", columns).rows(rows), &left_out(reasons)])
}

/// What it is of; not its numbers.
impl Show for Checkpoint {
    fn show(&self) -> Html {
        let words = format!(
            "A network of {} classes after {} epochs of training.",
            self.classes.len(),
            self.history.epochs.len()
        );
        stack(&[&note(&words), &self.history, &self.data])
    }
}
