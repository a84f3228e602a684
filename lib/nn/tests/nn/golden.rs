//! Golden values: what PyTorch 2.15 makes of the same inputs and weights.
//!
//! The recipe, complete:
//! ```python
//! import torch
//! from torch import nn
//! torch.set_num_threads(1)
//! def wave(*shape, step):  # the values of the test
//!     n = 1
//!     for s in shape: n *= s
//!     return torch.sin(torch.arange(n, dtype=torch.float64) * step).float().reshape(shape)
//! def show(name, t):
//!     v = t.detach().flatten().tolist()
//!     print(f"const {name}: [f32; {len(v)}] = [" + ", ".join(f"{x:.7}" if x != int(x) else f"{x:.1f}" for x in v) + "];")
//! def probe(y): return (y * wave(*y.shape, step=1.3)).sum()
//!
//! conv = nn.Conv2d(2, 2, 3, padding=1); conv.weight.data = wave(2,2,3,3, step=0.9); conv.bias.data = wave(2, step=2.0)
//! x = wave(1,2,3,4, step=0.7).requires_grad_(); y = conv(x); probe(y).backward()
//! show("CONV3_Y", y); show("CONV3_DX", x.grad); show("CONV3_DW", conv.weight.grad); show("CONV3_DB", conv.bias.grad)
//! conv = nn.Conv2d(1, 2, 5, padding=2); conv.weight.data = wave(2,1,5,5, step=0.9); conv.bias.data = wave(2, step=2.0)
//! x = wave(1,1,3,4, step=0.7).requires_grad_(); y = conv(x); probe(y).backward()
//! show("CONV5_Y", y); show("CONV5_DX", x.grad); show("CONV5_DW", conv.weight.grad)
//! bn = nn.BatchNorm2d(2); bn.weight.data = torch.tensor([1.5, -0.5]); bn.bias.data = torch.tensor([0.25, 0.5])
//! x = wave(2,2,2,2, step=0.7).requires_grad_(); y = bn(x); probe(y).backward()
//! show("BN_Y", y); show("BN_DX", x.grad); show("BN_DW", bn.weight.grad); show("BN_DB", bn.bias.grad)
//! show("BN_MEAN", bn.running_mean); show("BN_VAR", bn.running_var); bn.eval(); show("BN_EVAL", bn(x))
//! x = wave(1,1,4,4, step=0.7).requires_grad_(); y = nn.MaxPool2d(2)(x); probe(y).backward(); show("POOL_Y", y); show("POOL_DX", x.grad)
//! lin = nn.Linear(3, 2); lin.weight.data = wave(2,3, step=0.9); lin.bias.data = wave(2, step=2.0)
//! x = wave(2,3, step=0.7).requires_grad_(); y = lin(x); loss = nn.functional.cross_entropy(y, torch.tensor([1, 0])); loss.backward()
//! show("LINEAR_Y", y); show("LOSS", loss); show("LINEAR_DX", x.grad); show("LINEAR_DW", lin.weight.grad); show("LINEAR_DB", lin.bias.grad)
//! block = nn.Sequential(nn.Conv2d(1,16,3,padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16,16,3,padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2))
//! block[0].weight.data = wave(16,1,3,3, step=0.9); block[0].bias.data = wave(16, step=2.0)
//! block[3].weight.data = wave(16,16,3,3, step=0.9); block[3].bias.data = wave(16, step=2.0)
//! x = wave(2,1,4,4, step=0.7).requires_grad_(); y = block(x); probe(y).backward()
//! show("BLOCK_Y", y[0]); show("BLOCK_DX", x.grad[0]); show("BLOCK_DW1", block[0].weight.grad[:2]); show("BLOCK_DW2", block[3].weight.grad[0, :2])
//! show("BLOCK_DGAMMA1", block[1].weight.grad); show("BLOCK_DBETA2", block[4].bias.grad)
//! show("BLOCK_MEAN2", block[4].running_mean); show("BLOCK_VAR2", block[4].running_var)
//! block.eval(); show("BLOCK_EVAL", block(x)[0, :4])
//! p = nn.Parameter(torch.tensor([1.0, -2.0, 0.5])); adam = torch.optim.AdamW([p], lr=0.1, weight_decay=0.01)
//! for _ in range(3):
//!     adam.zero_grad(); (p ** 3).sum().backward(); adam.step()
//! show("ADAM", p)
//!
//! conv = nn.Conv2d(2, 2, 3, stride=2, padding=1); conv.weight.data = wave(2,2,3,3, step=0.9); conv.bias.data = wave(2, step=2.0)
//! x = wave(1,2,5,4, step=0.7).requires_grad_(); y = conv(x); probe(y).backward()
//! show("STRIDE_Y", y); show("STRIDE_DX", x.grad); show("STRIDE_DW", conv.weight.grad); show("STRIDE_DB", conv.bias.grad)
//! x = wave(1,2,5,4, step=0.7).requires_grad_(); y = nn.MaxPool2d(2)(x); probe(y).backward(); show("ODD_POOL_Y", y); show("ODD_POOL_DX", x.grad)
//! x = wave(1,2,5,4, step=0.7).requires_grad_(); y = nn.AvgPool2d(2)(x); probe(y).backward(); show("AVG_Y", y); show("AVG_DX", x.grad)
//! x = wave(2,3,2,3, step=0.7).requires_grad_(); y = nn.AdaptiveAvgPool2d(1)(x).flatten(1); probe(y).backward(); show("GLOBAL_Y", y); show("GLOBAL_DX", x.grad)
//! class Residual(nn.Module):
//!     def __init__(self, f, r=nn.Identity()): super().__init__(); self.f = f; self.r = r
//!     def forward(self, x): return self.f(x) + self.r(x)
//! def cb(i, o, k=3, s=1): return [nn.Conv2d(i, o, k, stride=s, padding=k // 2), nn.BatchNorm2d(o)]
//! net = nn.Sequential(*cb(1, 4), nn.ReLU(), Residual(nn.Sequential(*cb(4, 4), nn.ReLU(), *cb(4, 4))), nn.ReLU(),
//!     Residual(nn.Sequential(*cb(4, 6, 3, 2), nn.ReLU(), *cb(6, 6)), nn.Sequential(*cb(4, 6, 1, 2))), nn.ReLU(),
//!     nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
//! for p in net.parameters(): p.data = 0.5 * wave(*p.shape, step=0.9) + (1.0 if p.dim() == 1 else 0.0)
//! sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
//! x = wave(2,1,8,6, step=0.7)
//! for step in range(3):
//!     sgd.zero_grad(); y = net(x); loss = nn.functional.cross_entropy(y, torch.tensor([2, 0])); loss.backward(); sgd.step()
//!     show(f"RESNET_LOSS{step}", loss)
//! show("RESNET_LOGITS", y); net.eval(); show("RESNET_EVAL", net(x))
//! show("RESNET_FIRST", net[0].weight); show("RESNET_LAST", net[-1].weight)
//! ```

use dfdx::nn::modules::{GeneralizedResidual, Residual};
use dfdx::prelude::{
    Backward, BuildModule, Const, Cpu, Module, ModuleMut, Optimizer, Shape, Tensor, TensorFrom,
    TensorFromVec, Trace,
};
use dfdx::{nn::TensorCollection, shapes::HasShape, tensor::OwnedTape};
use dfdx_conv::{
    Adam, Batch, Classifier, CrossEntropy, Network, Sgd, cross_entropy,
    layers::{AvgPool2d, BatchNorm2d, Conv2d, GlobalAvgPool2d, Linear, MaxPool2d, ReLU, VggBlock},
    shape::{Features, Image, Images},
};

fn wave(len: usize, step: f64) -> Vec<f32> {
    (0..len).map(|i| (i as f64 * step).sin() as f32).collect()
}

fn set<S: Shape>(tensor: &mut Tensor<S, f32, Cpu>, step: f64) {
    tensor.copy_from(&wave(tensor.shape().num_elements(), step));
}

fn images<const C: usize, const H: usize, const W: usize>(batch: usize) -> Images<C, H, W> {
    Cpu::default().tensor_from_vec(wave(batch * C * H * W, 0.7), (batch, Const, Const, Const))
}

/// The gradients of `sum(y * wave(1.3))`.
fn probe<S: Shape>(
    y: Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>,
) -> dfdx::tensor::Gradients<f32, Cpu> {
    use dfdx::tensor_ops::SumTo;
    let weights = y.device().tensor_from_vec(wave(y.shape().num_elements(), 1.3), *y.shape());
    (y * weights).sum::<(), _>().backward()
}

/// Checks the beginning of `found`, to 2e-5 of the largest value: PyTorch's own sums round as much.
#[track_caller]
fn check<S: Shape, T>(what: &str, found: &Tensor<S, f32, Cpu, T>, expected: &[f32]) {
    let found = found.as_vec();
    assert!(found.len() >= expected.len());
    let scale = expected.iter().fold(1e-3f32, |a, b| a.max(b.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        assert!(error < 2e-5, "{what}[{i}]: {found} instead of {expected}");
    }
}

fn build<M: BuildModule<Cpu, f32> + TensorCollection<f32, Cpu>>() -> M {
    M::build(&Cpu::default())
}

#[test]
fn conv2d_3x3() {
    let mut conv: Conv2d<2, 2> = build();
    set(&mut conv.weight, 0.9);
    set(&mut conv.bias, 2.0);
    let x: Images<2, 3, 4> = images(1);
    let y = conv.forward(x.leaky_trace());
    check("y", &y, &CONV3_Y);
    let gradients = probe(y);
    check("dx", &gradients.get(&x), &CONV3_DX);
    check("dw", &gradients.get(&conv.weight), &CONV3_DW);
    check("db", &gradients.get(&conv.bias), &CONV3_DB);
}

#[test]
fn conv2d_5x5() {
    let mut conv: Conv2d<1, 2, 5> = build();
    set(&mut conv.weight, 0.9);
    set(&mut conv.bias, 2.0);
    let x: Images<1, 3, 4> = images(1);
    let y = conv.forward(x.leaky_trace());
    check("y", &y, &CONV5_Y);
    let gradients = probe(y);
    check("dx", &gradients.get(&x), &CONV5_DX);
    check("dw", &gradients.get(&conv.weight), &CONV5_DW);
}

#[test]
fn batchnorm2d() {
    let mut bn: BatchNorm2d<2> = build();
    bn.weight.copy_from(&[1.5, -0.5]);
    bn.bias.copy_from(&[0.25, 0.5]);
    let x: Images<2, 2, 2> = images(2);
    let y = bn.forward_mut(x.leaky_trace());
    check("y", &y, &BN_Y);
    let gradients = probe(y);
    check("dx", &gradients.get(&x), &BN_DX);
    check("dw", &gradients.get(&bn.weight), &BN_DW);
    check("db", &gradients.get(&bn.bias), &BN_DB);
    check("running mean", &bn.running_mean, &BN_MEAN);
    check("running var", &bn.running_var, &BN_VAR);
    check("evaluation", &bn.forward(x), &BN_EVAL);
}

#[test]
fn max_pool2d() {
    let x: Images<1, 4, 4> = images(1);
    let y = MaxPool2d.forward(x.leaky_trace());
    check("y", &y, &POOL_Y);
    check("dx", &probe(y).get(&x), &POOL_DX);
}

#[test]
fn linear_and_cross_entropy() {
    let mut linear: Linear<3, 2> = build();
    set(&mut linear.weight, 0.9);
    set(&mut linear.bias, 2.0);
    let x: Features<3> = Cpu::default().tensor_from_vec(wave(6, 0.7), (2, Const));
    let y = linear.forward(x.leaky_trace());
    check("y", &y, &LINEAR_Y);
    let loss = cross_entropy(y, &[1, 0]).unwrap();
    check("loss", &loss, &LOSS);
    let gradients = loss.backward();
    check("dx", &gradients.get(&x), &LINEAR_DX);
    check("dw", &gradients.get(&linear.weight), &LINEAR_DW);
    check("db", &gradients.get(&linear.bias), &LINEAR_DB);
}

#[test]
fn vgg_block() {
    let mut block: VggBlock<1, 16> = build();
    for conv in [&mut block.conv1.bias, &mut block.conv2.bias] {
        set(conv, 2.0);
    }
    set(&mut block.conv1.weight, 0.9);
    set(&mut block.conv2.weight, 0.9);
    let x: Images<1, 4, 4> = images(2);
    let y = block.forward_mut(x.leaky_trace());
    check("y", &y, &BLOCK_Y);
    let gradients = probe(y);
    check("dx", &gradients.get(&x), &BLOCK_DX);
    check("dw1", &gradients.get(&block.conv1.weight), &BLOCK_DW1);
    check("dw2", &gradients.get(&block.conv2.weight), &BLOCK_DW2);
    check("dgamma1", &gradients.get(&block.bn1.weight), &BLOCK_DGAMMA1);
    check("dbeta2", &gradients.get(&block.bn2.bias), &BLOCK_DBETA2);
    check("running mean", &block.bn2.running_mean, &BLOCK_MEAN2);
    check("running var", &block.bn2.running_var, &BLOCK_VAR2);
    check("evaluation", &block.forward(x), &BLOCK_EVAL);
}

#[test]
fn adam_with_weight_decay() {
    let mut p = Cpu::default().tensor([1.0, -2.0, 0.5]);
    let mut adam = Adam::new(0.1);
    adam.weight_decay = 0.01;
    for _ in 0..3 {
        use dfdx::tensor_ops::SumTo;
        let gradients = p.leaky_trace().powi(3).sum::<(), _>().backward();
        adam.update(&mut p, &gradients).unwrap();
    }
    check("p", &p, &ADAM);
}

#[test]
fn conv2d_of_stride_2() {
    let mut conv: Conv2d<2, 2, 3, 2> = build();
    set(&mut conv.weight, 0.9);
    set(&mut conv.bias, 2.0);
    let x: Images<2, 5, 4> = images(1);
    let y = conv.forward(x.leaky_trace());
    check("y", &y, &STRIDE_Y);
    let gradients = probe(y);
    check("dx", &gradients.get(&x), &STRIDE_DX);
    check("dw", &gradients.get(&conv.weight), &STRIDE_DW);
    check("db", &gradients.get(&conv.bias), &STRIDE_DB);
}

#[test]
fn pooling() {
    let x: Images<2, 5, 4> = images(1);
    let y = MaxPool2d.forward(x.leaky_trace());
    check("largest of an odd size", &y, &ODD_POOL_Y);
    check("its dx", &probe(y).get(&x), &ODD_POOL_DX);
    let y = AvgPool2d.forward(x.leaky_trace());
    check("mean", &y, &AVG_Y);
    check("its dx", &probe(y).get(&x), &AVG_DX);
    let x: Images<3, 2, 3> = images(2);
    let y = GlobalAvgPool2d.forward(x.leaky_trace());
    check("mean of all", &y, &GLOBAL_Y);
    check("its dx", &probe(y).get(&x), &GLOBAL_DX);
}

type ResNet = (
    (Conv2d<1, 4>, BatchNorm2d<4>, ReLU),
    Residual<(Conv2d<4, 4>, BatchNorm2d<4>, ReLU, Conv2d<4, 4>, BatchNorm2d<4>)>,
    ReLU,
    GeneralizedResidual<
        (Conv2d<4, 6, 3, 2>, BatchNorm2d<6>, ReLU, Conv2d<6, 6>, BatchNorm2d<6>),
        (Conv2d<4, 6, 1, 2>, BatchNorm2d<6>),
    >,
    ReLU,
    (AvgPool2d, GlobalAvgPool2d, Linear<6, 3>),
);

/// A network of many layers, through three steps of SGD.
#[test]
fn a_network_with_skip_connections() {
    let mut model: Network<ResNet, Image<1, 8, 6>> = Network::new(1);
    for tensor in model.tensors_mut() {
        if tensor.name.contains("running_") {
            continue;
        }
        let offset = if tensor.shape.len() == 1 { 1.0 } else { 0.0 };
        let wave = wave(tensor.values.len(), 0.9);
        for (value, wave) in tensor.values.iter_mut().zip(wave) {
            *value = 0.5 * wave + offset;
        }
    }
    let mut sgd = Sgd::new(0.1, 0.9);
    sgd.nesterov = true;
    sgd.weight_decay = 0.01;
    let images = wave(2 * 48, 0.7);
    let batch = Batch { len: 2, images: &images, features: &[] };
    let close = |what: &str, found: &[f32], expected: &[f32]| {
        let error = (found.iter().zip(expected)).fold(0f32, |e, (a, b)| e.max((a - b).abs()));
        assert_eq!(found.len(), expected.len());
        assert!(error < 1e-4, "{what}: {found:?} instead of {expected:?}");
    };
    for expected in [RESNET_LOSS0, RESNET_LOSS1, RESNET_LOSS2] {
        let step = model.train_step(batch, &CrossEntropy::new(&[2, 0]), &mut sgd);
        let step = step.unwrap();
        close("loss", &[step.loss], &expected);
        if expected == RESNET_LOSS2 {
            close("logits", step.logits.as_slice().unwrap(), &RESNET_LOGITS);
        }
    }
    let logits = model.logits(batch).unwrap();
    close("evaluation", logits.as_slice().unwrap(), &RESNET_EVAL);
    let tensors = model.tensors();
    let of = |name: &str| tensors.iter().find(|t| t.name == name).unwrap().values;
    close("first weights", of("0.0.weight"), &RESNET_FIRST);
    close("last weights", of("5.2.weight"), &RESNET_LAST);
}

#[rustfmt::skip]
const CONV3_Y: [f32; 24] = [-2.733767, -4.669287, -1.789969, 2.399585, 3.048423, 7.918128, 5.576163, -1.139119, -0.6633992, -4.868815, -4.854458, -0.6237384, 2.525138, 6.079253, 5.089734, 0.6145815, 0.2736536, -6.130824, -6.962654, -1.012651, -0.2913133, 4.179148, 6.277943, 3.295336];
#[rustfmt::skip]
const CONV3_DX: [f32; 24] = [-1.102074, -1.705221, -0.5760292, 2.088034, -1.707898, -0.9554573, 1.05532, 0.6973734, 0.02786908, 0.006796718, 1.83424, 0.008828163, -1.807036, 0.7367064, 1.915483, -0.09979254, 0.6722516, 1.398681, 1.193709, -0.9352573, 1.199107, 1.548021, -0.3700644, -0.01546377];
#[rustfmt::skip]
const CONV3_DW: [f32; 36] = [-0.3049549, 0.05236202, 1.046525, 0.2343836, 0.7407513, 0.4365737, 0.8320262, 1.421064, -0.2330642, 0.9051067, 0.6234298, -0.4717391, 0.322492, -0.0112607, -0.6763214, -0.1309313, -1.551247, -0.6859251, 0.2105912, -0.1794763, -1.03487, -0.3012505, -0.7148101, -0.3895981, -0.8503839, -1.356673, 0.3352287, -0.8999835, -0.4477262, 0.5466049, -0.260317, 0.06791687, 0.6863228, 0.2345944, 1.543197, 0.6268438];
#[rustfmt::skip]
const CONV3_DB: [f32; 2] = [1.257729, -1.13533];
#[rustfmt::skip]
const CONV5_Y: [f32; 24] = [0.451551, 1.199109, 0.08897128, -1.720968, 0.4715468, 0.5663763, 1.408621, 0.881173, -0.650351, -1.437888, -0.6828341, 1.349473, 0.2325122, -0.5461285, 0.1202329, 2.15387, 0.7720726, 1.071782, -0.1285344, -0.6253474, 1.643936, 2.296221, 2.135903, 0.3117179];
#[rustfmt::skip]
const CONV5_DX: [f32; 12] = [-6.185096, -6.696405, 0.6082215, 6.307002, 4.289499, -4.541976, -8.956607, -4.720668, 4.376678, 8.611264, 3.167808, -4.316807];
#[rustfmt::skip]
const CONV5_DW: [f32; 50] = [0.6356959, 1.243093, 0.774961, -0.9215047, -1.473533, 0.0001767172, -0.3049549, 0.05236195, 1.046525, 0.7852196, -0.4691512, 0.2343836, 0.7407512, 0.4365737, 0.0935661, -0.2110381, 0.8320264, 1.421064, -0.2330643, -1.314493, -0.3369828, -1.051448, -0.32475, 1.142447, 0.9521576, -0.6432481, -1.190078, -0.6442158, 1.030369, 1.46562, -0.02708047, 0.2105911, -0.1794761, -1.03487, -0.6559331, 0.3917781, -0.3012505, -0.7148101, -0.3895981, -0.08009791, 0.2009307, -0.8503839, -1.356673, 0.3352287, 1.32176, 0.3919923, 0.974187, 0.1173647, -1.206287, -0.8473381];
#[rustfmt::skip]
const BN_Y: [f32; 16] = [-0.9596786, 0.8096505, 1.746837, 1.411106, 0.04528189, 0.5849941, 0.9948656, 1.082127, -2.693438, -0.9134996, 0.8447201, 1.754303, -0.3636595, 0.05778739, 0.597347, 1.001256];
#[rustfmt::skip]
const BN_DX: [f32; 16] = [0.819173, 1.961892, -0.06515719, -3.084582, 0.3809789, -0.1305609, -0.4790078, 0.1128081, 0.01900936, -1.312843, 0.4396765, 1.222831, -0.6666273, 0.4251018, 0.5228348, -0.1655278];
#[rustfmt::skip]
const BN_DW: [f32; 2] = [3.713211, -3.324734];
#[rustfmt::skip]
const BN_DB: [f32; 2] = [0.6084225, -0.1713564];
#[rustfmt::skip]
const BN_MEAN: [f32; 2] = [0.04404474, -0.02427877];
#[rustfmt::skip]
const BN_VAR: [f32; 2] = [0.9340885, 0.946127];
#[rustfmt::skip]
const BN_EVAL: [f32; 16] = [0.1816421, 1.181475, 1.711071, 1.521353, 0.3153241, 0.6678348, 0.9355406, 0.9925352, -0.7980911, 0.2077374, 1.201293, 1.715291, 0.04822583, 0.323492, 0.6759031, 0.9397146];
#[rustfmt::skip]
const POOL_Y: [f32; 4] = [0.6442177, 0.9854497, 0.8545989, 0.9881682];
#[rustfmt::skip]
const POOL_DX: [f32; 16] = [0.0, 0.0, 0.9635582, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.6877661, 0.5155014, 0.0, 0.0, 0.0];
#[rustfmt::skip]
const LINEAR_Y: [f32; 4] = [1.464311, -0.3390889, -0.07920417, 1.472878];
#[rustfmt::skip]
const LOSS: [f32; 1] = [1.850045];
#[rustfmt::skip]
const LINEAR_DX: [f32; 6] = [-0.1834661, 0.5262332, 0.8376897, 0.17634, -0.5057933, -0.8051524];
#[rustfmt::skip]
const LINEAR_DW: [f32; 6] = [-0.3561663, 0.138332, 0.5677707, 0.3561663, -0.138332, -0.5677707];
#[rustfmt::skip]
const LINEAR_DB: [f32; 2] = [0.01667407, -0.01667401];
#[rustfmt::skip]
const BLOCK_Y: [f32; 64] = [0.7808521, 0.9257275, 1.129541, 1.107702, 1.489714, 1.829437, 0.9552525, 1.141106, 1.158596, 1.311725, 1.20943, 1.597835, 0.2803294, 0.3155948, 0.61614, 0.3668388, 1.190457, 1.432271, 0.7323089, 0.7228043, 1.224015, 1.47111, 1.519053, 1.773183, 1.18421, 1.001486, 0.9457951, 1.027462, 0.7389419, 0.8554276, 0.4193762, 0.2344196, 0.819307, 0.9727902, 1.166639, 1.164966, 1.512367, 1.861778, 0.9745123, 1.187282, 1.027944, 1.122114, 1.073813, 1.370075, 0.3468316, 0.3964408, 0.6871153, 0.4648696, 1.222837, 1.474262, 0.7554038, 0.7618056, 1.26667, 1.524241, 1.548532, 1.83841, 1.00293, 0.7361421, 0.8471543, 0.872735, 0.8014392, 0.9345714, 0.4619575, 0.2975513];
#[rustfmt::skip]
const BLOCK_DX: [f32; 16] = [0.08117224, -0.2965554, -0.4313316, -0.7709224, -0.3474997, 0.1330075, 0.0880459, 0.2116256, 0.4038409, -0.1865151, 0.02343057, 0.2555686, -0.2102976, 0.3759103, 0.2295125, -0.3778809];
#[rustfmt::skip]
const BLOCK_DW1: [f32; 18] = [-0.1704383, -0.08041849, -0.03554308, 0.2376325, 0.07413601, 0.004913546, -0.1268671, -0.113281, -0.07871754, 0.02512299, -0.006159264, 0.01662347, -0.02421288, 0.06314539, 0.009236537, 0.05767013, -0.02890907, -0.02169274];
#[rustfmt::skip]
const BLOCK_DW2: [f32; 18] = [-0.1512093, -0.01169423, 0.000934201, 0.01481789, 0.05463134, 0.004058902, 0.0556943, 0.1222024, 0.09906802, -0.1617135, -0.1961485, -0.0479511, 0.03415648, 0.04238411, 0.009403002, 0.1050764, 0.1512708, 0.1308241];
#[rustfmt::skip]
const BLOCK_DGAMMA1: [f32; 16] = [0.01405821, 0.07220539, -0.2939741, 0.4335773, -0.362182, 0.1041469, 0.08734841, -0.1103372, 0.1581308, -0.2639903, 0.3768725, -0.3110876, -0.0642848, 0.1715473, -0.2353539, 0.223323];
#[rustfmt::skip]
const BLOCK_DBETA2: [f32; 16] = [0.5176917, 1.233776, 0.6383975, -0.6355762, -1.233953, -0.5206794, 0.7460596, 1.219762, 0.3968982, -0.8478552, -1.191367, -0.2684953, 0.9397779, 1.149098, 0.1369656, -1.020757];
#[rustfmt::skip]
const BLOCK_MEAN2: [f32; 16] = [0.09434864, 0.02545353, -0.07829706, 0.04120074, 0.004684506, 0.00850129, -0.04753343, 0.02757786, 0.0652331, -0.1353422, 0.08167206, 0.07283942, -0.1842232, 0.1337561, 0.04019833, -0.1746673];
#[rustfmt::skip]
const BLOCK_VAR2: [f32; 16] = [19.64801, 11.41556, 4.691874, 13.17451, 19.58256, 10.86147, 4.777942, 13.72539, 19.47599, 10.31456, 4.904859, 14.26758, 19.3289, 9.77784, 5.071923, 14.79809];
#[rustfmt::skip]
const BLOCK_EVAL: [f32; 16] = [5.186257, 5.904948, 6.604255, 8.143648, 6.099769, 11.38233, 4.090812, 6.759447, 4.716649, 7.676997, 6.386928, 9.806239, 2.775526, 2.728739, 4.437079, 3.759663];
#[rustfmt::skip]
const ADAM: [f32; 3] = [0.7015197, -2.294198, 0.2121259];
#[rustfmt::skip]
const STRIDE_Y: [f32; 12] = [-2.873062, -3.949583, -0.6933886, -8.5528, 2.235606, -4.486525, 2.213858, 6.35531, -1.282989, 8.701988, -2.649683, 3.142053];
#[rustfmt::skip]
const STRIDE_DX: [f32; 40] = [0.8124885, 1.387648, -0.1667522, -0.6352049, 0.7319763, -0.1247403, 0.07184024, 0.3522826, -0.9017005, -1.631944, -0.3156554, -0.06007045, -0.6935419, -0.1749568, -0.4428835, -0.3254035, 0.7328256, 1.409142, 0.7077155, 0.7381523, 0.36512, -1.141069, -0.6175364, -0.1277224, -0.5704888, -0.4781939, 0.3633962, 0.09639019, -0.6955005, 0.3786391, 0.2454452, 0.3592304, 0.7649049, 0.5649608, 0.04582619, 0.3771649, 0.8268132, 0.4921662, 0.1968978, -0.4879186];
#[rustfmt::skip]
const STRIDE_DW: [f32; 36] = [0.3099012, -0.06170921, 0.02371932, 0.4762035, 1.044558, 0.8509254, -0.5574651, -0.1472152, -0.1771297, 0.4784298, 0.1006107, 0.1260291, 0.2814639, 0.2227947, -0.489089, -0.3243929, -0.1193621, -0.006169447, 0.5821684, 0.3842573, 0.3050159, -0.4172035, -0.04181827, 0.5528328, -0.3550821, -0.3718267, -0.2576156, -0.1399348, 0.06964095, -0.1904355, 0.198387, 0.8935497, 0.7900779, 0.3707975, -0.009673831, 0.2335495];
#[rustfmt::skip]
const STRIDE_DB: [f32; 2] = [0.1229587, 1.134771];
#[rustfmt::skip]
const ODD_POOL_Y: [f32; 8] = [0.6442177, 0.9854497, 0.8545989, 0.9881682, 0.9906074, 0.3031183, 0.9927664, 0.8366556];
#[rustfmt::skip]
const ODD_POOL_DX: [f32; 40] = [0.0, 0.0, 0.9635582, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.6877661, 0.5155014, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.8834547, 0.0, 0.21512, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9985433, 0.3190984, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
#[rustfmt::skip]
const AVG_Y: [f32; 8] = [0.1571057, -0.001342341, 0.1398111, 0.09974498, -0.006709695, -0.1583408, 0.09549674, -0.1098619];
#[rustfmt::skip]
const AVG_DX: [f32; 40] = [0.0, 0.0, 0.2408895, 0.2408895, 0.0, 0.0, 0.2408895, 0.2408895, 0.1288753, 0.1288753, -0.1719415, -0.1719415, 0.1288753, 0.1288753, -0.1719415, -0.1719415, 0.0, 0.0, 0.0, 0.0, -0.2208637, -0.2208637, 0.05378, 0.05378, -0.2208637, -0.2208637, 0.05378, 0.05378, 0.2496358, 0.2496358, 0.07977459, 0.07977459, 0.2496358, 0.2496358, 0.07977459, 0.07977459, 0.0, 0.0, 0.0, 0.0];
#[rustfmt::skip]
const GLOBAL_Y: [f32; 6] = [0.412847, -0.1372211, -0.2782988, 0.410099, -0.1238122, -0.2886985];
#[rustfmt::skip]
const GLOBAL_DX: [f32; 36] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.160593, 0.160593, 0.160593, 0.160593, 0.160593, 0.160593, 0.0859169, 0.0859169, 0.0859169, 0.0859169, 0.0859169, 0.0859169, -0.1146277, -0.1146277, -0.1146277, -0.1146277, -0.1146277, -0.1146277, -0.1472424, -0.1472424, -0.1472424, -0.1472424, -0.1472424, -0.1472424, 0.03585333, 0.03585333, 0.03585333, 0.03585333, 0.03585333, 0.03585333];
#[rustfmt::skip]
const RESNET_LOSS0: [f32; 1] = [1.611004];
#[rustfmt::skip]
const RESNET_LOSS1: [f32; 1] = [0.7327036];
#[rustfmt::skip]
const RESNET_LOSS2: [f32; 1] = [0.5386628];
#[rustfmt::skip]
const RESNET_LOGITS: [f32; 6] = [4.188739, -0.7601722, 4.01229, 4.791267, -0.9567221, 3.6852];
#[rustfmt::skip]
const RESNET_EVAL: [f32; 6] = [6.530232, -6.085657, 8.98443, 7.791162, -6.621984, 7.850157];
#[rustfmt::skip]
const RESNET_FIRST: [f32; 36] = [0.00192804, 0.3950371, 0.4884821, 0.2011716, -0.233287, -0.4878039, -0.379239, 4.947844e-05, 0.3791688, 0.4694034, 0.199293, -0.2352973, -0.4936609, -0.3851934, 0.02454096, 0.4096662, 0.4708093, 0.1866897, -0.2451488, -0.4814215, -0.359539, 0.02149838, 0.3890973, 0.4796107, 0.1932171, -0.2503152, -0.5044132, -0.341487, 0.05806404, 0.4195487, 0.4592677, 0.170902, -0.2420105, -0.5053591, -0.3835599, 0.01560729];
#[rustfmt::skip]
const RESNET_LAST: [f32; 18] = [0.03681208, 0.533118, 0.6709232, 0.1649704, -0.05904711, -0.4813943, -0.7010647, -0.4366061, -0.05958378, 0.09477773, -0.05461422, -0.3982039, -0.2055521, -0.07758651, 0.2819937, 0.8319361, 0.5775318, 0.3646069];
