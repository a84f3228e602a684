//! The study's network.

use dfdx_conv::{
    Builder, DynNetwork, Network,
    layers::Layer,
    shape::{Dims, Image, Vector},
};

/// Dense units of the head *original*, whose dropout is 0.5.
pub const ORIGINAL: usize = 1000;
/// Dense units of the head *experimental*, whose dropout is 0.7.
pub const EXPERIMENTAL: usize = 500;

/// The network with the head *original*: 1000 dense units, dropout 0.5.
pub type OriginalCnn<const CLASSES: usize, const FEATURES: usize = 0> =
    Network<CharCnn<ORIGINAL, CLASSES, FEATURES>>;

/// Classifies grey images of 28 x 28 pixels; the same layers as
/// ```
/// # use glyphs::nn::*;
/// # const HIDDEN: usize = 1000; const CLASSES: usize = 10; const FEATURES: usize = 0;
/// type Reader = (
///     VggBlock<1, 32>,
///     VggBlock<32, 64>,
///     (Flatten<3136>, Linear<3136, HIDDEN, FEATURES>, ReLU, Dropout, Linear<HIDDEN, CLASSES>),
/// );
/// # let _: Network<Reader> = Network::new(1);
/// ```
/// under the names `block1`, `block2`, `hidden`, `features` and `output`. Dropout is 0.7 for 500
/// units, and 0.5 for all others.
#[derive(Clone, Copy, Debug)]
pub struct CharCnn<const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize = 0>;

impl<const HIDDEN: usize, const CLASSES: usize, const FEATURES: usize> Layer<Image<1, 28, 28>>
    for CharCnn<HIDDEN, CLASSES, FEATURES>
{
    type Output = Vector<CLASSES>;

    fn lower(layers: &mut Builder) {
        add_layers(layers, HIDDEN, CLASSES, FEATURES);
    }
}

/// A network of the study, by numbers that are known only at run time.
///
/// # Panics
/// Where `hidden` or `classes` is 0.
pub fn char_cnn(hidden: usize, classes: usize, features: usize, seed: u64) -> DynNetwork {
    let layers = char_cnn_layers(hidden, classes, features);
    DynNetwork::new(layers, seed).expect("these layers fit")
}

/// Its layers alone.
pub fn char_cnn_layers(hidden: usize, classes: usize, features: usize) -> Builder {
    let mut layers = Builder::new(Dims::Image { channels: 1, height: 28, width: 28 });
    add_layers(&mut layers, hidden, classes, features);
    layers
}

fn add_layers(layers: &mut Builder, hidden: usize, classes: usize, features: usize) {
    for (block, channels) in [("block1", 32), ("block2", 64)] {
        layers.named(block, |layers| layers.vgg_block(channels, true));
    }
    layers.named("flatten", Builder::flatten);
    layers.named("hidden", |layers| layers.linear(hidden, features));
    layers.rename("hidden.features.weight", "features.weight");
    layers.named("relu", Builder::relu);
    let dropout = if hidden == EXPERIMENTAL { 0.7 } else { 0.5 };
    layers.named("dropout", |layers| layers.dropout(dropout));
    layers.named("output", |layers| layers.linear(classes, 0));
}
