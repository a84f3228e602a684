//! Our layers among dfdx's own: builders, optimisers, files.

use dfdx::{
    nn::{LoadFromSafetensors, SaveToSafetensors},
    optim::{AdamConfig, Optimizer},
    prelude::{
        AsArray, Backward, Const, Cpu, DeviceBuildExt, Module, ModuleMut, TensorFromVec, Trace,
        ZeroGrads,
    },
};
use dfdx_conv::{
    Adam, Sgd, cross_entropy,
    layers::{BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, VggBlock},
    shape::Images,
};

/// dfdx's tuples hold six layers at most, so they nest; its own layers stand among ours.
type Mixed = (
    (Conv2d<1, 8, 5>, BatchNorm2d<8>, ReLU, MaxPool2d),
    (VggBlock<8, 16>, Flatten<784>),
    (Linear<784, 32>, dfdx::nn::builders::Tanh, Dropout, dfdx::nn::builders::Linear<32, 3>),
);

fn data() -> (Images<1, 28, 28>, Vec<usize>) {
    // Three classes: bright rows at the top, in the middle, at the bottom.
    let labels: Vec<usize> = (0..30).map(|i| i % 3).collect();
    let pixel = |label: usize, at: usize| {
        let bright = at / 28 / 10 == label;
        if bright { 0.5 + (at * 7 % 13) as f32 / 26.0 } else { (at * 5 % 11) as f32 / 30.0 }
    };
    let values = labels.iter().flat_map(|&label| (0..784).map(move |at| pixel(label, at)));
    let x = Cpu::default().tensor_from_vec(values.collect(), (30, Const, Const, Const));
    (x, labels)
}

macro_rules! train {
    ($model:ident, $optimiser:ident) => {{
        let (x, labels) = data();
        let mut gradients = $model.alloc_grads();
        let mut losses = Vec::new();
        for _ in 0..12 {
            let logits = $model.forward_mut(x.clone().traced(gradients));
            let loss = cross_entropy(logits, &labels).unwrap();
            losses.push(loss.array());
            gradients = loss.backward();
            $optimiser.update(&mut $model, &gradients).unwrap();
            $model.zero_grads(&mut gradients);
        }
        losses
    }};
}

#[test]
fn layers_mix_with_dfdx_and_learn_with_its_optimisers_and_ours() {
    let dev = Cpu::seed_from_u64(1);
    let mut model = dev.build_module::<Mixed, f32>();
    let mut ours = Adam::new(3e-3);
    let losses = train!(model, ours);
    assert!(losses[11] < 0.3 * losses[0], "{losses:?}");

    let mut model = dev.build_module::<Mixed, f32>();
    let mut ours = Sgd::new(0.02, 0.9);
    let losses = train!(model, ours);
    assert!(losses[11] < 0.3 * losses[0], "{losses:?}");

    let mut model = dev.build_module::<Mixed, f32>();
    let config = AdamConfig { lr: 3e-3, ..Default::default() };
    let mut theirs = dfdx::optim::Adam::new(&model, config);
    let losses = train!(model, theirs);
    assert!(losses[11] < 0.3 * losses[0], "{losses:?}");
}

#[test]
fn safetensors_keep_every_value() {
    let (x, _) = data();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let mut model = Cpu::seed_from_u64(1).build_module::<Mixed, f32>();
    let mut adam = Adam::new(3e-3);
    train!(model, adam);
    model.save_safetensors(&file).unwrap();
    let mut other = Cpu::seed_from_u64(2).build_module::<Mixed, f32>();
    assert_ne!(model.forward(x.clone()).as_vec(), other.forward(x.clone()).as_vec());
    other.load_safetensors(&file).unwrap();
    assert_eq!(model.forward(x.clone()).as_vec(), other.forward(x).as_vec());
}

#[test]
fn a_kernel_that_no_memory_could_hold_is_refused() {
    use dfdx::prelude::ZerosTensor;
    let dev = Cpu::default();
    // The number of weights wraps to 1.
    let conv = dev.build_module::<Conv2d<1, 1, { usize::MAX }>, f32>();
    let x: Images<1, 4, 4> = dev.zeros_like(&(1, Const, Const, Const));
    assert!(conv.try_forward(x).is_err());
}

#[test]
fn a_view_of_other_strides_is_read_in_its_own_order() {
    use dfdx::prelude::{Axes4, PermuteTo};
    let (x, _) = data();
    let turned: Images<1, 28, 28> = x.clone().permute::<_, Axes4<0, 1, 3, 2>>();
    let values = x.as_vec();
    let copy: Vec<f32> =
        (0..values.len()).map(|i| values[i / 784 * 784 + i % 28 * 28 + i / 28 % 28]).collect();
    let copy: Images<1, 28, 28> = Cpu::default().tensor_from_vec(copy, (30, Const, Const, Const));
    let model = Cpu::seed_from_u64(1).build_module::<Mixed, f32>();
    assert_eq!(model.forward(turned).as_vec(), model.forward(copy).as_vec());
}
