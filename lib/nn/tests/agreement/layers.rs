//! Each layer against its f64 twin, with every instruction set, at odd sizes; every gradient by
//! finite differences.

use crate::{
    each_instruction_set,
    reference::{Maps, Parameters, error, noise, wide},
};
use dfdx::{
    prelude::{
        Backward, BuildModule, Const, Cpu, CpuError, Module, ModuleMut, Shape, SumTo, Tensor,
        TensorFromVec, Trace,
    },
    shapes::HasShape,
    tensor::{Gradients, OwnedTape},
};
use dfdx_conv::{
    Adam, Batch, Classifier, CrossEntropy, Instructions, Network, Optimizer, Sgd, cross_entropy,
    layers::{BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, VggBlock},
    shape::{Features, Image, Images},
};

/// `sum(y * noise)`: a loss in which every output has its own weight.
fn backward<S: Shape>(y: Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>) -> Gradients<f32, Cpu> {
    let weights = noise(y.shape().num_elements(), 77);
    let weights = y.device().tensor_from_vec(weights, *y.shape());
    (y * weights).sum::<(), _>().backward()
}

fn probe(y: &[f64]) -> f64 {
    let weights = wide(&noise(y.len(), 77));
    y.iter().zip(weights).map(|(a, b)| a * b).sum()
}

/// Central differences of `loss` for every value of `at`.
fn differences(at: &[f32], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let at = wide(at);
    let moved = |i: usize, epsilon: f64| {
        let mut at = at.clone();
        at[i] += epsilon;
        loss(&at)
    };
    (0..at.len()).map(|i| (moved(i, 1e-6) - moved(i, -1e-6)) / 2e-6).collect()
}

#[track_caller]
fn check<S: Shape>(what: &str, found: &Tensor<S, f32, Cpu>, expected: &[f64], tolerance: f64) {
    let instructions = Instructions::current();
    let error = error(&found.as_vec(), expected);
    assert!(error < tolerance, "{what} with {instructions:?}: {error:e}");
}

fn tensor<const C: usize, const H: usize, const W: usize>(n: usize, seed: u64) -> Images<C, H, W> {
    let values = noise(n * C * H * W, seed);
    Cpu::default().tensor_from_vec(values, (n, Const, Const, Const))
}

fn maps<const C: usize, const H: usize, const W: usize>(n: usize, values: &[f64]) -> Maps {
    Maps { n, c: C, h: H, w: W, values: values.to_vec() }
}

fn conv_agrees<const I: usize, const O: usize, const K: usize, const H: usize, const W: usize>(
    n: usize,
) {
    let conv: Conv2d<I, O, K> = BuildModule::build(&Cpu::seed_from_u64(3));
    let x: Images<I, H, W> = tensor(n, 1);
    let (xs, ws, bs) = (x.as_vec(), conv.weight.as_vec(), conv.bias.as_vec());
    let run = |x: &[f64], w: &[f64], b: &[f64]| {
        crate::reference::conv(&maps::<I, H, W>(n, x), w, b, K).values
    };
    let y = conv.forward(x.leaky_trace());
    let expected = run(&wide(&xs), &wide(&ws), &wide(&bs));
    let name = format!("conv {I}->{O} {K}x{K} of {n} x {H}x{W}");
    let error = error(&y.as_vec(), &expected);
    assert!(error < 1e-5, "{name} with {:?}: {error:e}", Instructions::current());
    let gradients = backward(y);
    let (x64, w64, b64) = (wide(&xs), wide(&ws), wide(&bs));
    let dx = differences(&xs, |x| probe(&run(x, &w64, &b64)));
    check(&format!("{name}: dx"), &gradients.get(&x), &dx, 1e-4);
    let dw = differences(&ws, |w| probe(&run(&x64, w, &b64)));
    check(&format!("{name}: dw"), &gradients.get(&conv.weight), &dw, 1e-4);
    let db = differences(&bs, |b| probe(&run(&x64, &w64, b)));
    check(&format!("{name}: db"), &gradients.get(&conv.bias), &db, 1e-4);
}

#[test]
fn convolutions_of_every_shape() {
    each_instruction_set(|| {
        // Channels of 1, a few, one block, two, three; widths for every tile; batches of 1 and more.
        conv_agrees::<1, 16, 3, 5, 5>(2);
        conv_agrees::<3, 5, 3, 4, 7>(1);
        conv_agrees::<16, 3, 3, 3, 6>(3);
        conv_agrees::<16, 32, 3, 2, 9>(1);
        conv_agrees::<2, 48, 5, 3, 3>(1);
        conv_agrees::<16, 16, 5, 2, 15>(1);
        conv_agrees::<1, 1, 7, 4, 17>(1);
        conv_agrees::<32, 4, 1, 1, 1>(2);
    });
}

fn bn_agrees<const C: usize, const H: usize, const W: usize>(n: usize) {
    let mut bn: BatchNorm2d<C> = BuildModule::build(&Cpu::default());
    bn.weight.copy_from(&noise(C, 4));
    bn.bias.copy_from(&noise(C, 5));
    let x: Images<C, H, W> = tensor(n, 1);
    let (xs, gs, bs) = (x.as_vec(), bn.weight.as_vec(), bn.bias.as_vec());
    let run = |x: &[f64], gamma: &[f64], beta: &[f64]| {
        let x = maps::<C, H, W>(n, x);
        let (mean, var) = crate::reference::statistics(&x);
        crate::reference::normalise(&x, &mean, &var, gamma, beta).values
    };
    let (x64, g64, b64) = (wide(&xs), wide(&gs), wide(&bs));
    let y = bn.forward_mut(x.leaky_trace());
    assert!(error(&y.as_vec(), &run(&x64, &g64, &b64)) < 1e-5);
    let gradients = backward(y);
    let dx = differences(&xs, |x| probe(&run(x, &g64, &b64)));
    check("bn: dx", &gradients.get(&x), &dx, 1e-4);
    let dg = differences(&gs, |g| probe(&run(&x64, g, &b64)));
    check("bn: dgamma", &gradients.get(&bn.weight), &dg, 1e-4);
    let db = differences(&bs, |b| probe(&run(&x64, &g64, b)));
    check("bn: dbeta", &gradients.get(&bn.bias), &db, 1e-4);
}

#[test]
fn batch_normalisation() {
    each_instruction_set(|| {
        bn_agrees::<3, 3, 5>(4);
        bn_agrees::<1, 2, 2>(1);
    });
}

/// The variance of values whose squares have more digits than 32 bits hold.
#[test]
fn batch_normalisation_far_from_0() {
    each_instruction_set(|| {
        for (centre, distance) in [(1000.0f32, 0.5f32), (101_325.0, 100.0)] {
            let mut bn: BatchNorm2d<3> = BuildModule::build(&Cpu::default());
            bn.running_var.copy_from(&[0.0; 3]);
            let xs = noise(4 * 3 * 28 * 28, 1).into_iter();
            let xs: Vec<f32> = xs.map(|sign| centre + distance.copysign(sign)).collect();
            let (mean, var) = crate::reference::statistics(&maps::<3, 28, 28>(4, &wide(&xs)));
            let x: Images<3, 28, 28> = Cpu::default().tensor_from_vec(xs, (4, Const, Const, Const));
            bn.forward_mut(x.leaky_trace());
            // A tenth of the batch's, from 0.
            let unbiased = 0.1 * (4.0 * 784.0) / (4.0 * 784.0 - 1.0);
            for c in 0..3 {
                let found = f64::from(bn.running_var.as_vec()[c]) / (unbiased * var[c]);
                assert!((found - 1.0).abs() < 1e-4, "{centre}: {found} of the variance");
                let found = f64::from(bn.running_mean.as_vec()[c]) / (0.1 * mean[c]);
                assert!((found - 1.0).abs() < 1e-6, "{centre}: {found} of the mean");
            }
        }
    });
}

#[test]
fn pooling_relu_and_flatten() {
    each_instruction_set(|| {
        let x: Images<3, 4, 6> = tensor(2, 1);
        let xs = x.as_vec();
        let relu = |x: &[f64]| crate::reference::relu(maps::<3, 4, 6>(2, x));
        let run = |x: &[f64]| crate::reference::pool(&relu(x)).values;
        let y = Flatten::<18>.forward(MaxPool2d.forward(ReLU.forward(x.leaky_trace())));
        assert!(error(&y.as_vec(), &run(&wide(&xs))) < 1e-6);
        let dx = differences(&xs, |x| probe(&run(x)));
        check("relu and pool: dx", &backward(y).get(&x), &dx, 1e-4);
    });
}

fn linear_agrees<const I: usize, const O: usize>(n: usize) {
    let linear: Linear<I, O> = BuildModule::build(&Cpu::seed_from_u64(3));
    let x: Features<I> = Cpu::default().tensor_from_vec(noise(n * I, 1), (n, Const));
    let labels: Vec<usize> = (0..n).map(|i| i * 5 % O).collect();
    let (xs, ws, bs) = (x.as_vec(), linear.weight.as_vec(), linear.bias.as_vec());
    let (x64, w64, b64) = (wide(&xs), wide(&ws), wide(&bs));
    let y = linear.forward(x.leaky_trace());
    assert!(error(&y.as_vec(), &crate::reference::linear(&x64, &w64, &b64)) < 1e-5);
    let gradients = cross_entropy(y, &labels).unwrap().backward();
    let run = |x: &[f64], w: &[f64], b: &[f64]| {
        crate::reference::cross_entropy(&crate::reference::linear(x, w, b), &labels)
    };
    let dx = differences(&xs, |x| run(x, &w64, &b64));
    check("linear: dx", &gradients.get(&x), &dx, 1e-4);
    let dw = differences(&ws, |w| run(&x64, w, &b64));
    check("linear: dw", &gradients.get(&linear.weight), &dw, 1e-4);
    let db = differences(&bs, |b| run(&x64, &w64, b));
    check("linear: db", &gradients.get(&linear.bias), &db, 1e-4);
}

#[test]
fn linear_layers_of_every_shape() {
    each_instruction_set(|| {
        linear_agrees::<1, 2>(1);
        linear_agrees::<17, 33>(3);
        linear_agrees::<40, 10>(29);
        // More inputs than one packed panel holds.
        linear_agrees::<1100, 3>(2);
    });
}

fn block_agrees<const I: usize, const O: usize, const H: usize, const W: usize>(n: usize)
where
    Const<H>: dfdx_conv::shape::Halve,
    Const<W>: dfdx_conv::shape::Halve,
{
    let mut block: VggBlock<I, O> = BuildModule::build(&Cpu::seed_from_u64(3));
    for (tensor, seed) in [(&mut block.bn1.weight, 4), (&mut block.bn1.bias, 5)] {
        tensor.copy_from(&noise(O, seed));
    }
    for (tensor, seed) in [(&mut block.bn2.weight, 6), (&mut block.bn2.bias, 7)] {
        tensor.copy_from(&noise(O, seed));
    }
    let x: Images<I, H, W> = tensor(n, 1);
    let mut p = Parameters::new();
    let mut add = |name: &str, values: Vec<f32>| p.insert(format!("b.{name}"), wide(&values));
    add("conv1.weight", block.conv1.weight.as_vec());
    add("conv1.bias", block.conv1.bias.as_vec());
    add("bn1.weight", block.bn1.weight.as_vec());
    add("bn1.bias", block.bn1.bias.as_vec());
    add("conv2.weight", block.conv2.weight.as_vec());
    add("conv2.bias", block.conv2.bias.as_vec());
    add("bn2.weight", block.bn2.weight.as_vec());
    add("bn2.bias", block.bn2.bias.as_vec());
    p.insert("x".to_owned(), wide(&x.as_vec()));
    let run = |p: &Parameters| {
        let x = maps::<I, H, W>(n, &p["x"]);
        crate::reference::block(p, "b", &x, true).values
    };
    let y = block.forward_mut(x.leaky_trace());
    let name = format!("block {I}->{O} of {n} x {H}x{W} with {:?}", Instructions::current());
    let error = error(&y.as_vec(), &run(&p));
    assert!(error < 1e-5, "{name}: {error:e}");
    let gradients = backward(y);
    for (field, found) in [
        ("x", gradients.get(&x).as_vec()),
        ("b.conv1.weight", gradients.get(&block.conv1.weight).as_vec()),
        ("b.bn1.weight", gradients.get(&block.bn1.weight).as_vec()),
        ("b.bn1.bias", gradients.get(&block.bn1.bias).as_vec()),
        ("b.conv2.weight", gradients.get(&block.conv2.weight).as_vec()),
        ("b.bn2.weight", gradients.get(&block.bn2.weight).as_vec()),
        ("b.bn2.bias", gradients.get(&block.bn2.bias).as_vec()),
    ] {
        // Every seventh value of the large ones: each costs two passes of the reference.
        let step = if found.len() > 300 { 7 } else { 1 };
        let (mut worst, mut scale) = (0.0f64, 0.0f64);
        for i in (0..found.len()).step_by(step) {
            let moved = |epsilon: f64| {
                let mut p = p.clone();
                p.get_mut(field).unwrap()[i] += epsilon;
                probe(&run(&p))
            };
            let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            worst = worst.max((f64::from(found[i]) - expected).abs());
            scale = scale.max(expected.abs());
        }
        assert!(worst / scale < 1e-4, "{name}: d{field}: {:e}", worst / scale);
    }
}

#[test]
fn fused_blocks() {
    each_instruction_set(|| {
        block_agrees::<1, 16, 4, 6>(3);
        block_agrees::<3, 16, 2, 2>(5);
        block_agrees::<16, 32, 4, 4>(1);
    });
}

/// Evaluation: running statistics, and the algorithm that fits.
fn block_evaluates<const I: usize, const O: usize, const H: usize, const W: usize>(n: usize)
where
    Const<H>: dfdx_conv::shape::Halve,
    Const<W>: dfdx_conv::shape::Halve,
{
    let mut block: VggBlock<I, O> = BuildModule::build(&Cpu::seed_from_u64(3));
    let bns = [&mut block.bn1, &mut block.bn2];
    for (bn, seed) in bns.into_iter().zip([4, 8]) {
        bn.weight.copy_from(&noise(O, seed));
        bn.bias.copy_from(&noise(O, seed + 1));
        bn.running_mean.copy_from(&noise(O, seed + 2));
        let var: Vec<f32> = noise(O, seed + 3).iter().map(|v| 0.6 + v / 2.0).collect();
        bn.running_var.copy_from(&var);
    }
    let x: Images<I, H, W> = tensor(n, 1);
    let mut p = Parameters::new();
    let (conv1, conv2) = (&block.conv1, &block.conv2);
    for (half, weight, bias, bn) in [
        ("1", conv1.weight.as_vec(), &conv1.bias, &block.bn1),
        ("2", conv2.weight.as_vec(), &conv2.bias, &block.bn2),
    ] {
        for (name, values) in [
            ("conv?.weight", weight),
            ("conv?.bias", bias.as_vec()),
            ("bn?.weight", bn.weight.as_vec()),
            ("bn?.bias", bn.bias.as_vec()),
            ("bn?.running_mean", bn.running_mean.as_vec()),
            ("bn?.running_var", bn.running_var.as_vec()),
        ] {
            let name = format!("b.{}", name.replace('?', half));
            p.insert(name, wide(&values));
        }
    }
    let expected = crate::reference::block(&p, "b", &maps::<I, H, W>(n, &wide(&x.as_vec())), false);
    let name = format!("block {I}->{O} of {n} x {H}x{W}");
    check(&name, &block.forward(x), &expected.values, 1e-5);
}

#[test]
fn fused_blocks_in_evaluation() {
    each_instruction_set(|| {
        // Tiles of 2 x 2: one, a few, a strip of them and a rest; one block of channels to four.
        block_evaluates::<3, 16, 2, 2>(2);
        block_evaluates::<16, 48, 4, 6>(3);
        block_evaluates::<1, 32, 28, 28>(1);
        block_evaluates::<32, 64, 14, 14>(2);
        block_evaluates::<64, 16, 10, 22>(1);
    });
}

#[test]
fn an_empty_batch() {
    let conv: Conv2d<1, 16> = BuildModule::build(&Cpu::default());
    assert_eq!(conv.forward(tensor::<1, 4, 4>(0, 1)).shape().0, 0);
    // No statistics can be taken of nothing.
    let mut block: VggBlock<1, 16> = BuildModule::build(&Cpu::default());
    let found = block.try_forward_mut(tensor::<1, 4, 4>(0, 1).leaky_trace());
    assert!(matches!(found, Err(CpuError::WrongNumElements)));
}

#[test]
fn labels_that_do_not_fit() {
    let logits: Features<3> = Cpu::default().tensor_from_vec(vec![0.0; 6], (2, Const));
    assert!(cross_entropy(logits.clone(), &[1]).is_err());
    assert!(cross_entropy(logits, &[1, 3]).unwrap().as_vec()[0].is_nan());
}

#[test]
fn a_nan_stays_one() {
    each_instruction_set(|| {
        let mut x: Images<1, 4, 4> = tensor(1, 1);
        x[[0, 0, 1, 2]] = f32::NAN;
        let conv: Conv2d<1, 16> = BuildModule::build(&Cpu::default());
        let y = MaxPool2d.forward(ReLU.forward(conv.forward(x.clone())));
        assert!(y.as_vec().iter().any(|y| y.is_nan()));
        let mut block: VggBlock<1, 16> = BuildModule::build(&Cpu::default());
        let y = block.forward_mut(x.leaky_trace());
        assert!(y.as_vec().iter().all(|y| y.is_nan()));
    });
}

/// At each pixel of a window that is pooled by itself, or after a convolution in training and in
/// evaluation.
#[test]
fn a_nan_stays_one_in_pooling() {
    type Pooled = (Conv2d<16, 16, 1>, MaxPool2d, Flatten<16>);
    each_instruction_set(|| {
        for at in 0..4 {
            let mut x: Images<16, 2, 2> = tensor(1, 1);
            for channel in 0..16 {
                x[[0, channel, at / 2, at % 2]] = f32::NAN;
            }
            assert!(MaxPool2d.forward(x.clone()).as_vec().iter().all(|y| y.is_nan()), "{at}");
            let mut model: Network<Pooled, Image<16, 2, 2>> = Network::new(1);
            let batch = Batch { len: 1, images: &x.as_vec(), features: &[] };
            for bf16 in [false, true] {
                model.evaluate_in_bf16(bf16);
                assert!(model.logits(batch).unwrap().iter().all(|y| y.is_nan()), "{at}");
            }
            let step = model.train_step(batch, &CrossEntropy::new(&[0]), &mut Adam::new(1e-3));
            assert!(step.unwrap().logits.iter().all(|y| y.is_nan()), "{at}");
        }
    });
}

#[test]
fn moments_fade_and_never_to_subnormal_numbers() {
    each_instruction_set(|| {
        for optimizer in [&mut Adam::new(1e-3) as &mut dyn Optimizer, &mut Sgd::new(1e-3, 0.9)] {
            let mut values = noise(19, 1);
            let mut gradient = noise(19, 2);
            gradient[3] = f32::NAN;
            gradient[4] = 0.0;
            let signs: Vec<f32> = gradient.iter().map(|x| x.signum()).collect();
            for _ in 0..1000 {
                optimizer.begin_step();
                optimizer.update_tensor("weight", &[19], &mut values, &gradient);
                gradient = vec![0.0; 19];
                for moments in optimizer.state().tensors() {
                    assert!(!moments.values.iter().any(|x| x.is_subnormal()), "{}", moments.name);
                }
            }
            let faded = &optimizer.state().tensors()[0];
            let expected = |i: usize| if i == 4 { 0.0 } else { 1e-30 * signs[i] };
            assert!(faded.values[3].is_nan() && values[3].is_nan(), "{}", faded.name);
            assert!((0..19).all(|i| i == 3 || faded.values[i] == expected(i)), "{}", faded.name);
        }
    });
}
