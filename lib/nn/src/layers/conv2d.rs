//! Convolution.

use dfdx::{
    nn::{NonMutableModule, TensorOptions},
    shapes::{Const, Dtype, Rank1, Rank4},
    tensor::{Cpu, CpuError, Storage, Tensor},
};

use super::{
    Layer,
    module::{collection, module, run},
    tape::uniform,
};
use crate::{Builder, shape::Stride};

/// Convolution with "same" zero padding, and a bias.
///
/// # Generics
/// - `I`: input channels
/// - `O`: output channels
/// - `K`: height and width of the kernel, odd: 3 unless said otherwise
/// - `S`: stride, 1 or 2: 1 unless said otherwise
///
/// # Shapes
/// `(batch, I, H, W)` to `(batch, O, H / S, W / S)`, rounded up; `weight` is `(O, I, K, K)`,
/// `bias` is `(O)`.
///
/// PyTorch equivalent: `torch.nn.Conv2d(I, O, K, stride=S, padding=K // 2)`, with the same
/// initial distribution of `weight` and `bias`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::Conv2d, shape::Images};
///
/// let dev = Cpu::default();
/// let conv = dev.build_module::<Conv2d<3, 8>, f32>();
/// let x: Images<3, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));
/// let y: Images<8, 28, 28> = conv.forward(x);
/// ```
///
/// Other channels than `I` do not compile, the message names both; nor does a kernel of even size.
/// ```compile_fail,E0277
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Conv2d<3, 8>, GlobalAvgPool2d)> = Network::new(1); // of 1 x 28 x 28
/// ```
/// ```compile_fail,E0080
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Conv2d<1, 8, 4>, GlobalAvgPool2d)> = Network::new(1);
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d<
    const I: usize,
    const O: usize,
    const K: usize = 3,
    const S: usize = 1,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    pub weight: Tensor<Rank4<O, I, K, K>, E, D>,
    pub bias: Tensor<Rank1<O>, E, D>,
}

collection! {
    [const I: usize, const O: usize, const K: usize, const S: usize] Conv2d<I, O, K, S> {
        weight: tensor(TensorOptions::reset_with(|t| uniform(t, I * K * K))),
        bias: tensor(TensorOptions::reset_with(|t| uniform(t, I * K * K))),
    }
}

impl<const I: usize, const O: usize, const K: usize, const S: usize> NonMutableModule
    for Conv2d<I, O, K, S>
{
}

module! {
    [const I: usize, const O: usize, const K: usize, const S: usize, H: Stride<S>, W: Stride<S>]
    Conv2d<I, O, K, S>,
    (Const<I>, H, W) => (Const<O>, H::Output, W::Output)
}

impl<const I: usize, const O: usize, const K: usize, const S: usize, H, W> Layer<(Const<I>, H, W)>
    for Conv2d<I, O, K, S>
where
    H: Stride<S>,
    W: Stride<S>,
{
    type Output = (Const<O>, H::Output, W::Output);

    fn lower(layers: &mut Builder) {
        const { assert!(K % 2 == 1, "\"same\" padding needs a kernel of odd size") };
        layers.conv2d(O, K, S);
    }
}
