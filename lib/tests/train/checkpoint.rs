//! Checkpoints that are damaged, hostile or of another network: an error that names the
//! file and what to do, and nothing is changed by it.

use std::fs;
use std::path::Path;

use glyphs::Error;
use glyphs::data::{Provenance, Samples};
use glyphs::nn::{Builder, Classifier, DynNetwork, char_cnn, shape::Dims};
use glyphs::train::tensor_file::TensorFile;
use glyphs::train::{Checkpoint, Config, History};
use ndarray::{Array2, Array4};
use proptest::prelude::*;

const REMEDY: &str = "use a checkpoint of this network, or train it again";

fn checkpoint(hidden: usize, classes: usize, features: usize) -> Checkpoint {
    of(&char_cnn(hidden, classes, features, 3))
}

fn of(model: &dyn Classifier) -> Checkpoint {
    let (classes, features) = (model.num_classes(), model.num_features());
    let samples = Samples {
        images: Array4::zeros((1, 1, 28, 28)),
        features: Array2::zeros((1, features)),
        labels: vec![0],
        writers: vec![],
        names: vec![],
        classes: (0..classes).map(|class| class.to_string()).collect(),
        provenance: Provenance {
            name: "test".into(),
            source: "generated".into(),
            sha256: String::new(),
            count: 1,
            synthetic: true,
        },
    };
    Checkpoint::of(model, Config::default(), History::default(), &samples)
}

/// A file that says what it holds in a header of its own.
fn file_of(header: &str, values: usize) -> Vec<u8> {
    let size = (header.len() as u64).to_le_bytes();
    [&size[..], header.as_bytes(), &vec![0; 4 * values]].concat()
}

#[track_caller]
fn refused(bytes: &[u8], part: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    fs::write(&path, bytes).unwrap();
    let error = Checkpoint::load(&path).unwrap_err();
    assert!(matches!(error, Error::Content { .. }), "{error}");
    let words = error.to_string();
    for part in ["network.safetensors", part, REMEDY] {
        assert!(words.contains(part), "{part:?} is not in: {words}");
    }
}

#[test]
fn headers_that_cannot_be_true() {
    for size in [u64::MAX, 1 << 60, 100 << 20, 5 << 20] {
        refused(&[size.to_le_bytes().as_slice(), b"{}"].concat(), "header is too long");
    }
    refused(b"", "not a safetensors file");
    refused(b"1234567", "not a safetensors file");
    refused(&[9, 0, 0, 0, 0, 0, 0, 0, b'{'], "not a safetensors file");
    refused(&file_of("not JSON", 0), "not a safetensors file");
    refused(&file_of("{}", 0), "does not describe a run");
    let tensor = |shape: &str, end: u64, dtype: &str| {
        format!(
            r#"{{"__metadata__":{{"glyphs":"{{}}"}},
                "a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#
        )
    };
    // Sizes whose product overflows, that are more than the file holds, or less.
    let product = tensor("[4294967296,4294967296,4294967296]", 16, "F32");
    refused(&file_of(&product, 4), "not a safetensors file");
    let product = tensor("[4611686018427387904,4]", 16, "F32");
    refused(&file_of(&product, 4), "not a safetensors file");
    refused(&file_of(&tensor("[5]", 20, "F32"), 4), "not a safetensors");
    refused(&file_of(&tensor("[3]", 16, "F32"), 4), "not a safetensors");
    refused(&file_of(&tensor("[3]", 12, "F32"), 4), "not a safetensors");
    refused(&file_of(&tensor("[-1]", 16, "F32"), 4), "not a safetensors");
    refused(&file_of(&tensor("[2]", 16, "F64"), 4), "not of 32-bit floats");
    refused(&file_of(&tensor("[4]", 16, "F32"), 4), "header cannot be read");
}

#[test]
fn a_third_of_the_space_and_nearly_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, small) = (folder.path().join("whole"), folder.path().join("small"));
    let checkpoint = checkpoint(500, 10, 0);
    checkpoint.save(&whole).unwrap();
    checkpoint.save_in_8_bits(&small).unwrap();
    let bytes = |path| fs::metadata(path).unwrap().len();
    assert!(bytes(&small) * 3 < bytes(&whole));

    let network = |path| Checkpoint::load(path).unwrap().network().unwrap();
    let (whole, small) = (network(&whole), network(&small));
    for (whole, small) in whole.tensors().iter().zip(small.tensors()) {
        let rows = if whole.name == "hidden.weight" { 500 } else { 1 };
        let each = whole.values.len() / rows;
        for (a, b) in whole.values.chunks(each).zip(small.values.chunks(each)) {
            let largest = a.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            let step = if rows > 1 { largest / 127.0 } else { 0.0 };
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 0.501 * step), "{}", whole.name);
        }
    }
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let mut layers = Builder::new(Dims::Vector(2_600_000));
    layers.linear(10, 0);
    let large = of(&DynNetwork::new(layers, 1).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    let error = large.save(&path).unwrap_err();
    assert!(matches!(error, Error::Content { .. }), "{error}");
    let words = error.to_string();
    for part in ["large.safetensors", "takes 104,0", "most 100,663,296 bytes", "own `save`"] {
        assert!(words.contains(part), "{part:?} is not in: {words}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was written");

    // In a quarter of the space it fits.
    large.save_in_8_bits(&path).unwrap();
    Checkpoint::load(&path).unwrap();
}

/// Its layers, made again, would have the tensors' first names.
#[test]
fn a_network_of_renamed_tensors_is_restored_into_one_made_anew() {
    let network = |seed: u64, is_renamed: bool| {
        let mut layers = Builder::new(Dims::image(1, 28, 28));
        layers.flatten();
        layers.named("skip", |layers| {
            layers.residual(|main| main.named("inner", |inner| inner.linear(784, 0)), |_| {});
        });
        layers.linear(10, 0);
        assert!(!is_renamed || layers.rename("skip.inner.weight", "matrix"));
        DynNetwork::new(layers, seed).unwrap()
    };
    assert!(of(&network(1, false)).network().is_ok());
    let saved = of(&network(1, true));
    let words = saved.network().err().unwrap().to_string();
    assert!(words.contains("does not say which layers") && words.contains("restore"), "{words}");
    let mut again = network(2, true);
    assert_ne!(of(&again).weights_sha256(), saved.weights_sha256());
    saved.restore(&mut again).unwrap();
    assert_eq!(of(&again).weights_sha256(), saved.weights_sha256());

    // The study's with features, one of whose tensors is renamed, is known by its tensors.
    assert!(checkpoint(500, 62, 6).network().is_ok());
}

#[test]
fn integers_need_a_scale_per_row() {
    let tensor = |name: &str, dtype: &str, shape: &str, [from, to]: [usize; 2]| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    for (tensors, values) in [
        (vec![tensor("a", "I8", "[2,2]", [0, 4])], 1),
        (vec![tensor("a", "I8", "[2,2]", [0, 4]), tensor("a.scale", "F32", "[1]", [4, 8])], 2),
        (vec![tensor("a", "I8", "[2,1]", [0, 2]), tensor("a.scale", "I8", "[2]", [2, 4])], 1),
        (vec![tensor("a", "I8", "[]", [0, 1]), tensor("b", "I8", "[3]", [1, 4])], 1),
    ] {
        let header = format!(r#"{{"__metadata__":{{"glyphs":"{{}}"}},{}}}"#, tensors.join(","));
        refused(&file_of(&header, values), "a scale per row");
    }
}

#[test]
fn a_file_that_was_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    checkpoint(500, 10, 0).save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    assert!(Checkpoint::load(&path).unwrap().network().is_ok());
    for length in [4, 8, 100, 3000, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..length], "not a safetensors file");
    }
    refused(&[&whole[..], b"x"].concat(), "not a safetensors file");
}

/// Of weights or of the header, in 32 bits or in 8.
#[test]
fn a_changed_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let network = checkpoint(500, 10, 0);
    for in_8_bits in [false, true] {
        match in_8_bits {
            false => network.save(&path).unwrap(),
            true => network.save_in_8_bits(&path).unwrap(),
        }
        assert!(Checkpoint::load(&path).unwrap().network().is_ok());
        let whole = fs::read(&path).unwrap();
        for (place, part) in
            [(120, ""), (whole.len() / 2, "its checksum"), (whole.len() - 1, "its checksum")]
        {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            refused(&changed, part);
        }
    }
    // The networks published up to 2026-11 have no checksum.
    let published = "outputs/reference/checkpoints/part1-original-random-ours-seed0.safetensors";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    assert!(Checkpoint::load(root.join(published)).unwrap().network().is_ok());
}

/// A file's tensors come in no order.
#[test]
fn the_hash_of_weights_is_that_of_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let network = checkpoint(500, 10, 0);
    network.save(&path).unwrap();
    for _ in 0..8 {
        let loaded = Checkpoint::load(&path).unwrap();
        assert_eq!(loaded.weights_sha256(), network.weights_sha256());
    }
    let other = checkpoint(500, 11, 0);
    assert_ne!(other.weights_sha256(), network.weights_sha256());
}

#[test]
fn a_name_of_no_layer_hands_nothing_on() {
    let mut model = char_cnn(500, 10, 0, 5);
    let saved = checkpoint(500, 10, 0).network().unwrap();
    model.transfer_from(saved.as_ref(), &["block1.", "hidden."]).unwrap();
    let error = model.transfer_from(saved.as_ref(), &["block1.", "blok2."]).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("blok2.") && error.contains("block2.conv1.weight"), "{error}");
}

#[test]
fn the_weights_of_another_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    checkpoint(500, 62, 6).save(&path).unwrap();
    let other = Checkpoint::load(&path).unwrap();
    let mut model = char_cnn(1000, 10, 0, 5);
    let bits = |model: &dyn Classifier| -> Vec<u32> {
        let tensors = model.tensors().into_iter();
        tensors.flat_map(|t| t.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>()).collect()
    };
    let before = bits(&model);
    let words = other.restore(&mut model).unwrap_err().to_string();
    for part in ["network.safetensors", "shape", REMEDY] {
        assert!(words.contains(part), "{words}");
    }
    assert!(before == bits(&model), "nothing was put in place");

    // One that is none of the study's: no such class count.
    let mut strange = other.clone();
    strange.classes.truncate(61);
    strange.save(&path).unwrap();
    let words = Checkpoint::load(&path).unwrap().network().err().unwrap();
    for part in ["network.safetensors", "[61, 500]", REMEDY] {
        assert!(words.to_string().contains(part), "{words}");
    }
}

proptest! {
    #[test]
    fn tensor_files_of_anything(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = TensorFile::parse(Path::new("x"), &bytes, "glyphs");
        let framed = [&(bytes.len() as u64).to_le_bytes(), bytes.as_slice()].concat();
        let _ = TensorFile::parse(Path::new("x"), &framed, "glyphs");
    }

    #[test]
    fn damaged_tensor_files(
        edits in prop::collection::vec((0.0..1.0, any::<u8>()), 0..6),
        keep in prop_oneof![3 => Just(1.0), 1 => 0.0..1.0],
        shape in prop::collection::vec(0usize..4, 0..4),
    ) {
        let count: usize = shape.iter().product();
        let header = format!(
            r#"{{"__metadata__":{{"glyphs":"text"}},"a":{{"dtype":"F32","shape":{shape:?},"data_offsets":[0,{}]}}}}"#,
            4 * count
        );
        let mut bytes = file_of(&header, count);
        let file = TensorFile::parse(Path::new("x"), &bytes, "glyphs").unwrap();
        prop_assert_eq!(&file.header, "text");
        prop_assert_eq!(&file.tensors[0].shape, &shape);
        let length = bytes.len() as f64;
        for (place, value) in edits {
            bytes[(place * length) as usize] = value;
        }
        bytes.truncate((keep * length) as usize);
        if let Ok(file) = TensorFile::parse(Path::new("x"), &bytes, "glyphs") {
            for tensor in file.tensors {
                prop_assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
            }
        }
    }
}
