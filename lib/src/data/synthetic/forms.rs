//! How each character is written: what `forms.txt` says.

use std::sync::LazyLock;

/// One class as people write it.
pub struct Character {
    /// Width and height, in hundredths of the forms.
    pub size: [f64; 2],
    /// Ways to write it, as [`super::pen::parse`] reads them, with how often people choose each.
    pub forms: Vec<(u32, &'static str)>,
}

/// The 62 classes in label order.
pub static CHARACTERS: LazyLock<Vec<Character>> =
    LazyLock::new(|| read(include_str!("forms.txt")).expect("forms.txt is built in, and tested"));

fn read(text: &'static str) -> Option<Vec<Character>> {
    let mut characters: Vec<Character> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (first, rest) = line.trim_start().split_once(' ')?;
        if line.starts_with(' ') {
            let forms = &mut characters.last_mut()?.forms;
            forms.push((first.parse().ok()?, rest));
        } else {
            let (width, height) = rest.split_once(' ')?;
            characters.push(Character {
                size: [width.parse().ok()?, height.parse().ok()?],
                forms: Vec::new(),
            });
        }
    }
    Some(characters)
}
