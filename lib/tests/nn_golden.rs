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
//! ```

use dfdx::prelude::{
    Backward, BuildModule, Const, Cpu, Module, ModuleMut, Optimizer, Shape, Tensor, TensorFrom,
    TensorFromVec, Trace,
};
use dfdx::{nn::TensorCollection, shapes::HasShape, tensor::OwnedTape};
use glyphs::nn::{
    Adam, BatchNorm2d, Conv2d, Linear, MaxPool2d, VggBlock, cross_entropy,
    shape::{Features, Images},
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
    let weights = y
        .device()
        .tensor_from_vec(wave(y.shape().num_elements(), 1.3), *y.shape());
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
