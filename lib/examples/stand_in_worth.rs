//! What dataset 1's stand-in is worth: a network that saw only the stand-in, tested on
//! the real photographs (in `$GLYPHS_DATA` or `data/raw/`).
//!
//! ```text
//! cargo run --release --example stand_in_worth -- 30      # epochs
//! ```

use std::path::Path;

use glyphs::data::locate::{Dataset, locate};
use glyphs::data::{Handwritten, synthetic};
use glyphs::prelude::*;
use glyphs::study::Part1;
use glyphs::train::{evaluate, fit};

fn main() -> Result<()> {
    let epochs = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let Some(real) = locate(Dataset::Handwritten)?.filter(|found| !found.synthetic) else {
        println!("the real photographs are not here");
        return Ok(());
    };
    let real = Handwritten::open(&real.path)?;
    let folder = std::env::temp_dir().join("glyphs-stand-in-worth");
    let drawn = folder.join("trainPart1.zip");
    synthetic::write_handwritten(Path::new(&drawn), synthetic::SEED)?;
    let drawn = Handwritten::open(&drawn)?;

    let run = Part1::ours(0);
    let config = Config {
        epochs: epochs.unwrap_or(run.config.epochs),
        ..run.config.clone()
    };
    let (train, test) = (
        drawn.preprocess(&run.preprocess)?,
        real.preprocess(&run.preprocess)?,
    );
    let mut model = run.network();
    fit(model.as_mut(), &train, &test, &config)?;
    let result = evaluate(model.as_ref(), &test)?;
    println!(
        "trained on the stand-in, accuracy on real photographs: {:.4}",
        result.accuracy()
    );
    Ok(())
}
