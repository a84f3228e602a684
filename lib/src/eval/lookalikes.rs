//! Mistakes that a person would make as well: classes whose shapes are the same.

use crate::{Error, Result};

use super::Evaluation;

/// Classes that one character alone, without its neighbours, does not tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookalike {
    /// Class names, one character each.
    pub classes: &'static str,
    /// What would have to be seen to tell them apart.
    pub reason: &'static str,
}

/// The groups of this study: same strokes, told apart by size, by the line, or not at all.
pub const LOOKALIKES: [Lookalike; 13] = [
    Lookalike {
        classes: "0Oo",
        reason: "a closed ring; zero is a little narrower, o only smaller",
    },
    Lookalike {
        classes: "1Il",
        reason: "one upright stroke; serifs are a habit of the writer",
    },
    Lookalike {
        classes: "Cc",
        reason: "same arc, different size",
    },
    Lookalike {
        classes: "Kk",
        reason: "same three strokes; k is only narrower at the top",
    },
    Lookalike {
        classes: "Mm",
        reason: "same strokes when m is written with points",
    },
    Lookalike {
        classes: "Pp",
        reason: "same bowl on a stem; p hangs below the line",
    },
    Lookalike {
        classes: "5Ss",
        reason: "same double bend; the corner of 5 is often rounded off",
    },
    Lookalike {
        classes: "Uu",
        reason: "same cup, different size",
    },
    Lookalike {
        classes: "Vv",
        reason: "same two strokes, different size",
    },
    Lookalike {
        classes: "Ww",
        reason: "same four strokes, different size",
    },
    Lookalike {
        classes: "Xx",
        reason: "same crossing, different size",
    },
    Lookalike {
        classes: "2Zz",
        reason: "same zigzag; the bow of 2 is often pointed",
    },
    Lookalike {
        classes: "9gq",
        reason: "a ring on a stem; the hook at its foot is often left out",
    },
];

/// The letters whose two cases EMNIST's *ByMerge* counts as one (Cohen, Afshar,
/// Tapson and van Schaik, "EMNIST: extending MNIST to handwritten letters", 2017).
pub const EMNIST_BYMERGE: [&str; 15] = [
    "Cc", "Ii", "Jj", "Kk", "Ll", "Mm", "Oo", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Yy", "Zz",
];

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
    pub classes: String,
    /// Why they look alike; empty for groups that are not in [`LOOKALIKES`].
    pub reason: String,
    /// Mistakes between two classes of this group.
    pub mistakes: usize,
    /// Number of images of its classes.
    pub support: usize,
}

impl Evaluation {
    /// Accuracy when each of `groups` (class names of one character, e.g. `"0Oo"`)
    /// counts as one class. The predictions stay what they are.
    ///
    /// # Errors
    /// Where a character is no class, or stands in two groups.
    ///
    /// ```no_run
    /// # fn f(result: glyphs::eval::Evaluation) -> glyphs::Result<()> {
    /// use glyphs::eval::LOOKALIKES;
    /// let merged = result.merged(&LOOKALIKES.map(|group| group.classes))?;
    /// # Ok(()) }
    /// ```
    pub fn merged(&self, groups: &[&str]) -> Result<Merged> {
        let group_of = self.group_of(groups)?;
        let mut merged: Vec<MergedGroup> = groups.iter().map(|g| MergedGroup::new(g)).collect();
        let mut mistakes = 0;
        for (&label, prediction) in self.labels().iter().zip(self.predictions()) {
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
    fn group_of(&self, groups: &[&str]) -> Result<Vec<Option<usize>>> {
        let mut group_of = vec![None; self.classes().len()];
        for (g, group) in groups.iter().enumerate() {
            for name in group.chars() {
                let named = |class: &String| class.chars().eq([name]);
                let Some(class) = self.classes().iter().position(named) else {
                    return Err(Error::argument(
                        format!("group {group:?} names {name:?}, which is no class"),
                        "name classes of the evaluated data only",
                    ));
                };
                if group_of[class].replace(g).is_some() {
                    return Err(Error::argument(
                        format!("class {name:?} stands in two groups"),
                        "put each class into one group at most",
                    ));
                }
            }
        }
        Ok(group_of)
    }
}

impl MergedGroup {
    fn new(classes: &str) -> Self {
        let known = LOOKALIKES.iter().find(|group| group.classes == classes);
        Self {
            classes: classes.to_owned(),
            reason: known.map_or(String::new(), |group| group.reason.to_owned()),
            mistakes: 0,
            support: 0,
        }
    }
}
