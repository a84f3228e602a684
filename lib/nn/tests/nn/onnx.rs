//! Networks as ONNX models. What they compute is compared in `workflow/checks/test_bridges.py`,
//! where onnxruntime reads the models and logits that are written here.

use std::{collections::HashMap, fs, path::Path};

use dfdx_conv::{Batch, Builder, Classifier, DynNetwork, Network, layers::*, shape::Dims, to_onnx};
use safetensors::{Dtype, serialize, tensor::TensorView};

use crate::reference::{
    networks::{char_cnn, shaken},
    noise,
};

#[test]
fn every_kind_of_layer_is_written_for_onnxruntime() {
    let mut layers = Builder::new(Dims::Image { channels: 2, height: 13, width: 10 });
    layers.named("stem", |layers| layers.conv2d(4, 5, 1));
    layers.named("norm", Builder::batch_norm2d);
    layers.named("relu", Builder::relu);
    layers.named("pool", Builder::max_pool2d);
    layers.named("sum", |layers| {
        layers.residual(
            |main| {
                main.named("main", |layers| layers.conv2d(6, 3, 2));
                main.named("norm", Builder::batch_norm2d);
            },
            |shortcut| shortcut.named("shortcut", |layers| layers.conv2d(6, 1, 2)),
        );
    });
    // Layers without tensors may share a name.
    layers.named("relu", Builder::relu);
    layers.named("mean", Builder::avg_pool2d);
    layers.named("means", Builder::global_avg_pool2d);
    layers.named("output", |layers| layers.linear(3, 0));
    write("residual", DynNetwork::new(layers, 1).unwrap());
    write("features", char_cnn(500, 62, 5, 0.7, 1));
}

fn write(name: &str, model: DynNetwork) {
    let model = shaken(model);
    let signature = model.signature();
    let shape = |of_one: &[usize]| [&[7], of_one].concat();
    let images = noise(7 * signature.input.len(), 2);
    let features = noise(7 * signature.features, 3);
    let batch = Batch { len: 7, images: &images, features: &features };
    let logits = model.logits(batch).unwrap();
    let tensors = [
        ("images", shape(&signature.input.to_vec()), images),
        ("features", shape(&[signature.features]), features),
        ("logits", shape(&[signature.classes]), logits.into_iter().collect()),
    ];
    let tensors = tensors.map(|(name, shape, values)| {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        (name, shape, bytes.collect::<Vec<u8>>())
    });
    let views = tensors.each_ref().map(|(name, shape, bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    fs::create_dir_all(&folder).unwrap();
    let onnx = to_onnx(&model, &[("classes", "a test")]).unwrap();
    fs::write(folder.join(name).with_extension("onnx"), onnx).unwrap();
    let values = serialize(views, None::<HashMap<_, _>>).unwrap();
    fs::write(folder.join(name).with_extension("safetensors"), values).unwrap();
}

#[test]
fn a_module_of_dfdx_is_refused_by_name() {
    type Mlp = (Flatten<784>, Linear<784, 8>, OnTape<dfdx::nn::builders::LayerNorm1D<8>>);
    let error = to_onnx(&Network::<Mlp>::new(1).into_dyn(), &[]).unwrap_err();
    assert!(error.to_string().contains("layer 2"), "{error}");
}
