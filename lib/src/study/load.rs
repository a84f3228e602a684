//! The data of the study; in a quick run, a small part of each.

use crate::{
    Result,
    data::{Handwritten, Mislabelled, Mnist, Samples},
    files::is_quick,
};

/// Drawings of each class in a quick run.
const QUICK_PER_CLASS: usize = 4;
/// Training and test digits in a quick run.
const QUICK_TRAIN: usize = 400;
const QUICK_TEST: usize = 200;

/// Dataset 1: drawings of 62 characters.
pub fn load_drawings() -> Result<Handwritten> {
    let drawings = Handwritten::load()?;
    Ok(if is_quick() { drawings.take_per_class(QUICK_PER_CLASS) } else { drawings })
}

/// MNIST with its standard training and test part.
pub fn load_mnist() -> Result<Mnist> {
    let mut mnist = Mnist::load()?;
    if is_quick() {
        mnist.train = mnist.train.take(QUICK_TRAIN);
        mnist.test = mnist.test.take(QUICK_TEST);
    }
    Ok(mnist)
}

/// Dataset 3: digits under wrong labels.
pub fn load_mislabelled() -> Result<Samples> {
    let samples = Mislabelled::load()?;
    Ok(if is_quick() { samples.take(QUICK_TRAIN) } else { samples })
}
