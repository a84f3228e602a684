//! Every processor with fused multiply-adds gives the same bits.

use dfdx::shapes::Const;
use dfdx_conv::{
    Adam, Batch, Classifier, CrossEntropy, Instructions, Network,
    layers::*,
    shape::{Image, SampleShape},
};

use crate::{each_instruction_set, reference::noise};

/// FNV-1a of the weights after three steps, and of logits, as made with AVX-512 and with AVX2.
fn hash<M, I, const CLASSES: usize>(len: usize) -> u64
where
    I: SampleShape,
    M: Layer<I, Output = (Const<CLASSES>,)>,
{
    let mut model: Network<M, I> = Network::new(7);
    let pixels = model.signature().input.len();
    let mut optimizer = Adam::new(1e-3);
    let mut logits = Vec::new();
    for step in 0..3 {
        let images = noise(len * pixels, step);
        let labels: Vec<usize> = (0..len).map(|i| (i * 7 + step as usize) % CLASSES).collect();
        let batch = Batch { len, images: &images, features: &[] };
        model.train_step(batch, &CrossEntropy::new(&labels), &mut optimizer).unwrap();
        logits.extend(model.logits(batch).unwrap());
    }
    let tensors = model.tensors();
    let values = tensors.iter().flat_map(|tensor| tensor.values).chain(&logits);
    values.fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        (hash ^ u64::from(value.to_bits())).wrapping_mul(0x100_0000_01b3)
    })
}

type Vgg = (VggBlock<1, 32>, VggBlock<32, 64>, Flatten<3136>, Linear<3136, 20>, Dropout<50>);
type LeNet5 = (
    (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),
    (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, AvgPool2d),
    (Flatten<784>, Linear<784, 10>),
);
type Odd = (
    (Conv2d<3, 32, 3, 2>, BatchNorm2d<32>, ReLU, Conv2d<32, 48>, ReLU, MaxPool2d),
    (Conv2d<48, 20, 5>, BatchNorm2d<20>, GlobalAvgPool2d, Linear<20, 7>),
);

#[test]
fn are_the_same_on_every_processor_with_fused_multiply_adds() {
    each_instruction_set(|| {
        let instructions = Instructions::current();
        // Plain Rust rounds twice where a multiply-add may not be fused.
        if instructions != Instructions::Portable {
            let hashes = [
                hash::<Vgg, Image<1, 28, 28>, 20>(9),
                hash::<LeNet5, Image<1, 28, 28>, 10>(33),
                hash::<Odd, Image<3, 31, 33>, 7>(5),
            ];
            let hashes = hashes.map(|hash| format!("{hash:016x}"));
            assert_eq!(
                hashes,
                ["f7d71e684c08fd38", "875701293e971bac", "0c1dd0cd2ae14028"],
                "{}",
                instructions.name()
            );
        }
    });
}
