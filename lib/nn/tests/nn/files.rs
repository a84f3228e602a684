//! Networks as safetensors files.

use dfdx_conv::{Batch, Classifier, Network, layers::*};

use crate::reference::{networks::shaken, noise};

type Small = (Conv2d<1, 4, 3, 2>, BatchNorm2d<4>, GlobalAvgPool2d, Linear<4, 3>);
type Larger = (Conv2d<1, 5, 3, 2>, BatchNorm2d<5>, GlobalAvgPool2d, Linear<5, 3>);
type Longer = (Small, ReLU, Linear<3, 3>);

#[test]
fn a_file_keeps_every_value_and_only_its_own_network_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.safetensors");
    let images = noise(2 * 784, 1);
    let batch = Batch { len: 2, images: &images, features: &[] };
    let model = shaken(Network::<Small>::new(1).into_dyn());
    model.save(&file).unwrap();
    let mut copy = Network::<Small>::new(2).into_dyn();
    copy.load(&file).unwrap();
    assert_eq!(copy.logits(batch).unwrap(), model.logits(batch).unwrap());
    let files = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(files.count(), 1);

    let mut larger = Network::<Larger>::new(1);
    let before = larger.logits(batch).unwrap();
    let error = larger.load(&file).unwrap_err().to_string();
    for word in ["small.safetensors", "0.weight", "[4, 1, 3, 3]", "[5, 1, 3, 3]"] {
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(larger.logits(batch).unwrap(), before);
    let error = Network::<Longer>::new(1).load(&file).unwrap_err();
    assert!(error.to_string().contains("0.0.weight"), "{error}");

    std::fs::write(&file, b"broken").unwrap();
    assert!(copy.load(&file).is_err());
    assert!(copy.load(folder.path().join("none")).is_err());
    assert!(copy.save(folder.path().join("none/small")).is_err());
}
