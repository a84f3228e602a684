//! What makes a run, in words.

use serde_json::{Map, Value};

use crate::{
    display::{Html, Show, Table},
    study::Experiment,
};

/// Setup and configuration, one row per setting; what is off is left out.
impl Show for Experiment {
    fn show(&self) -> Html {
        // By way of text, which gives 32-bit numbers their shortest form.
        let parts = [serde_json::to_string(&self.setup()), serde_json::to_string(&self.config)];
        let parts = parts.into_iter().flatten();
        let settings = parts.filter_map(|part| serde_json::from_str::<Map<_, _>>(&part).ok());
        let settings = settings.flatten();
        let rows = settings.filter_map(|(name, value)| {
            let value = words(&value)?;
            Some([spaced(&name).into(), value.into()])
        });
        Table::new(format!("The run `{}`", self.name()), ["setting", "value"])
            .rows(rows.collect::<Vec<_>>())
            .show()
    }
}

/// `crop to ink: box size 24, centre box`; nothing for what is off.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some("yes".into()),
        Value::Number(number) => Some(number.to_string()).filter(|number| number != "0.0"),
        Value::String(word) => Some(spaced(word)),
        Value::Array(values) => join(values.iter().filter_map(words)),
        Value::Object(fields) => join(fields.iter().filter_map(|(name, value)| {
            let name = spaced(name);
            words(value).map(|value| format!("{name} {value}"))
        })),
    }
}

fn join(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
