//! Steps from left to right, each of one of two kinds: the layers of a network.

use super::html::{Html, Show, escape};

/// Boxes joined by arrows; marked boxes are filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    title: String,
    steps: Vec<Step>,
    /// What marked and unmarked boxes mean.
    legend: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    name: String,
    detail: String,
    marked: bool,
}

impl Flow {
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            steps: Vec::new(),
            legend: None,
        }
    }

    pub fn step(mut self, name: &str, detail: &str, marked: bool) -> Self {
        self.steps.push(Step {
            name: name.into(),
            detail: detail.into(),
            marked,
        });
        self
    }

    pub fn legend(mut self, marked: &str, unmarked: &str) -> Self {
        self.legend = Some((marked.into(), unmarked.into()));
        self
    }
}

impl Show for Flow {
    fn show(&self) -> Html {
        let class = |marked: bool| if marked { "g-marked" } else { "" };
        let mut text = format!("{}:", self.title);
        let mut steps = String::new();
        for step in &self.steps {
            let (name, detail) = (escape(&step.name), escape(&step.detail));
            steps += &format!(
                "<li class=\"{}\">{name}<span>{detail}</span></li>",
                class(step.marked)
            );
            text += &format!(
                " {}{} ({})",
                if step.marked { "*" } else { "" },
                step.name,
                step.detail
            );
        }
        let legend = match &self.legend {
            Some((marked, unmarked)) => {
                text += &format!("; * {marked}, others {unmarked}");
                format!(
                    "<ul class=\"g-flow\"><li class=\"g-marked\">{}</li><li>{}</li></ul>",
                    escape(marked),
                    escape(unmarked)
                )
            }
            None => String::new(),
        };
        let body = format!(
            "<figure class=\"g-figure g-listing\"><figcaption>{}</figcaption>\
             <ol class=\"g-flow g-arrows\">{steps}</ol>{legend}</figure>",
            escape(&self.title)
        );
        Html::new(body, text)
    }
}
