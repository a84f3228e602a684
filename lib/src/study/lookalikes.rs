//! Characters that one drawing alone, without its neighbours, does not tell apart.

use crate::eval::Lookalike;

/// The groups of this study: same strokes, told apart by size, by the line, or not at all.
pub const LOOKALIKES: [Lookalike; 13] = [
    group("0Oo", "a closed ring; zero is a little narrower, o only smaller"),
    group("1Il", "one upright stroke; serifs are a habit of the writer"),
    group("Cc", "same arc, different size"),
    group("Kk", "same three strokes; k is only narrower at the top"),
    group("Mm", "same strokes when m is written with pointed arches"),
    group("Pp", "same bowl on a stem; p hangs below the line"),
    group("5Ss", "same double bend; the corner of 5 is often rounded off"),
    group("Uu", "same cup, different size"),
    group("Vv", "same two strokes, different size"),
    group("Ww", "same four strokes, different size"),
    group("Xx", "same crossing, different size"),
    group("2Zz", "same zigzag; the curve of 2 is often pointed"),
    group("9gq", "a ring on a stem; the hook at its foot is often left out"),
];

const fn group(classes: &'static str, reason: &'static str) -> Lookalike {
    Lookalike { classes, reason }
}

/// The same, and the other capitals each with its small letter: what can be asked of a character
/// that was cut out.
pub const CASE_AND_LOOKALIKES: [&str; 24] = [
    "0Oo", "1Il", "Cc", "Kk", "Mm", "Pp", "5Ss", "Uu", "Vv", "Ww", "Xx", "2Zz", "9gq", "Aa", "Bb",
    "Dd", "Ee", "Ff", "Hh", "Jj", "Nn", "Rr", "Tt", "Yy",
];
