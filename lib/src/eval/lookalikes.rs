//! Mistakes between classes that look alike: what is left when they count as one.

use crate::{Error, Result, error::ensure};

use super::evaluation::Evaluation;

/// Classes that look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookalike {
    /// Class names, one character each.
    pub classes: &'static str,
    /// What would have to be seen to tell them apart; may be empty.
    pub reason: &'static str,
}

impl From<&'static str> for Lookalike {
    fn from(classes: &'static str) -> Self {
        Self { classes, reason: "" }
    }
}

/// What is left of the mistakes when groups of classes count as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// Share of images whose prediction is in the label's group, 0 to 1.
    pub accuracy: f64,
    /// The same before merging.
    pub accuracy_before: f64,
    pub mistakes: usize,
    pub mistakes_before: usize,
    /// Groups in the order given.
    pub groups: Vec<MergedGroup>,
}

/// One group of classes, and the mistakes within it.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedGroup {
    pub lookalike: Lookalike,
    /// Mistakes between two classes of this group.
    pub mistakes: usize,
    /// Number of images of its classes.
    pub support: usize,
}

impl Evaluation {
    /// Accuracy when each of `groups` (e.g. `"0Oo"`, or a [`Lookalike`] with its reason)
    /// counts as one class. The predictions stay what they are.
    ///
    /// # Errors
    /// If a character is not a class, or is in two groups.
    ///
    /// ```no_run
    /// # fn f(result: glyphs::eval::Evaluation) -> glyphs::Result<()> {
    /// let merged = result.merged(&["0Oo", "1Il"])?;
    /// # Ok(()) }
    /// ```
    pub fn merged(&self, groups: &[impl Into<Lookalike> + Copy]) -> Result<Merged> {
        let groups: Vec<Lookalike> = groups.iter().map(|&group| group.into()).collect();
        let group_of = self.group_of(&groups)?;
        let group = |lookalike| MergedGroup { lookalike, mistakes: 0, support: 0 };
        let mut merged: Vec<MergedGroup> = groups.into_iter().map(group).collect();
        let mut mistakes = 0;
        for (&label, prediction) in self.labels.iter().zip(self.predictions()) {
            let group = group_of[label];
            if let Some(g) = group {
                merged[g].support += 1;
            }
            if prediction == label {
                continue;
            }
            match group {
                Some(g) if group_of[prediction] == group => merged[g].mistakes += 1,
                _ => mistakes += 1,
            }
        }
        let n = self.len();
        let mistakes_before = mistakes + merged.iter().map(|g| g.mistakes).sum::<usize>();
        Ok(Merged {
            accuracy: (n - mistakes) as f64 / n as f64,
            accuracy_before: (n - mistakes_before) as f64 / n as f64,
            mistakes,
            mistakes_before,
            groups: merged,
        })
    }

    /// The group of each class, if it is in one.
    fn group_of(&self, groups: &[Lookalike]) -> Result<Vec<Option<usize>>> {
        let mut group_of = vec![None; self.classes.len()];
        for (g, group) in groups.iter().map(|group| group.classes).enumerate() {
            for name in group.chars() {
                let named = |class: &String| class.chars().eq([name]);
                let class = self.classes.iter().position(named).ok_or_else(|| {
                    let problem = format!("group {group:?} names {name:?}, which is not a class");
                    Error::argument(problem, "name classes of the evaluated data only")
                })?;
                ensure(
                    group_of[class].replace(g).is_none(),
                    || format!("class {name:?} is in two groups"),
                    "put each class into one group at most",
                )?;
            }
        }
        Ok(group_of)
    }
}
