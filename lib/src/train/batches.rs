//! Batches: in which order samples come, and what a network is given of them.

use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64;
use rayon::prelude::*;

use crate::{
    Result,
    data::Samples,
    error::ensure,
    image::Augment,
    nn::{Batch, Classifier, shape::Dims, split_mix64},
};

/// Indices `0..n` in the order of one epoch.
pub(super) fn shuffled(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut Pcg64::seed_from_u64(mix(seed, epoch)));
    order
}

/// One seed from two numbers, well spread (the finaliser of SplitMix64; Steele et al., 2014).
fn mix(seed: u64, stream: u64) -> u64 {
    let seed = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    split_mix64(seed.wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03)))
}

/// Memory for one batch, kept from step to step.
#[derive(Default)]
pub(super) struct Buffer {
    len: usize,
    images: Vec<f32>,
    features: Vec<f32>,
    /// A network without features gets none, whatever the samples have.
    takes_features: bool,
}

impl Buffer {
    pub fn of(model: &dyn Classifier) -> Self {
        Self { takes_features: model.num_features() > 0, ..Self::default() }
    }

    /// The samples at `indices`, pixels scaled to 0..=1 and augmented.
    pub fn fill(
        &mut self,
        samples: &Samples,
        indices: &[usize],
        augment: &Augment,
        (seed, epoch): (u64, u64),
    ) {
        self.len = indices.len();
        let pixels: usize = samples.image_shape().iter().product();
        self.images.resize(indices.len() * pixels, 0.0);
        self.images.par_chunks_mut(pixels.max(1)).zip(indices).with_min_len(8).for_each(
            |(out, &index)| {
                let image = samples.image(index).mapv(|pixel| f32::from(pixel) / 255.0);
                augment.apply(image.view(), out, seed, epoch, index as u64);
            },
        );
        self.features.clear();
        for &index in indices.iter().filter(|_| self.takes_features) {
            let start = self.features.len();
            self.features.extend(samples.features.row(index));
            augment.apply_to_features(&mut self.features[start..], seed, epoch, index as u64);
        }
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch { len: self.len, images: &self.images, features: &self.features }
    }
}

/// Whether `model` takes images like these.
pub(super) fn check_shape(model: &dyn Classifier, samples: &Samples) -> Result<()> {
    let (given, wanted) = (samples.image_shape(), model.signature().input);
    // A network of vectors takes an image's values in their order.
    let fits = match wanted {
        Dims::Image { .. } => wanted.to_vec() == given,
        Dims::Vector(len) => len == given.iter().product::<usize>(),
    };
    let [channels, height, width] = given;
    ensure(
        fits,
        || format!("the images are {channels} x {height} x {width} and the network takes {wanted}"),
        "name the shape in the network's type, Network<_, Image<C, H, W>>, or scale the images to it",
    )
}
