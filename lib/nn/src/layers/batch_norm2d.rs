//! Batch normalisation.

use dfdx::{
    nn::TensorOptions,
    shapes::{Const, ConstDim, Dtype, Rank1},
    tensor::{Cpu, CpuError, OwnedTape, Storage, Tensor},
};

use super::{
    Layer,
    module::{collection, module, run},
};
use crate::Builder;

/// Batch normalisation of images (S. Ioffe and C. Szegedy, "Batch normalization:
/// accelerating deep network training by reducing internal covariate shift", ICML 2015).
///
/// # Generics
/// - `C`: channels
///
/// # Shapes
/// `(batch, C, H, W)` to the same; parameters and running statistics are `(C)`.
///
/// Training (`forward_mut` of a tensor with a tape) normalises by the batch's mean and
/// biased variance, to which 1e-5 is added, and moves the running statistics by a tenth
/// towards its mean and unbiased variance. Evaluation (`forward` of a tensor without a tape) uses
/// the running statistics and keeps them. As with dfdx's own, the two other pairs do not compile:
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::BatchNorm2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<4, 2, 2> = dev.zeros_like(&(3, Const, Const, Const));
/// dev.build_module::<BatchNorm2d<4>, f32>().forward(x.leaky_trace());
/// ```
///
/// PyTorch equivalent: `torch.nn.BatchNorm2d(C)`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::BatchNorm2d, shape::Images};
///
/// let dev = Cpu::default();
/// let mut bn = dev.build_module::<BatchNorm2d<4>, f32>();
/// let x: Images<4, 2, 2> = dev.sample_normal_like(&(3, Const, Const, Const));
/// let y = bn.forward_mut(x.leaky_trace());
/// let z = bn.forward(x);
/// ```
#[derive(Clone, Debug)]
pub struct BatchNorm2d<const C: usize, E: Dtype = f32, D: Storage<E> = Cpu> {
    /// γ, 1 at first.
    pub weight: Tensor<Rank1<C>, E, D>,
    /// β, 0 at first.
    pub bias: Tensor<Rank1<C>, E, D>,
    pub running_mean: Tensor<Rank1<C>, E, D>,
    pub running_var: Tensor<Rank1<C>, E, D>,
}

collection! {
    [const C: usize] BatchNorm2d<C> {
        weight: tensor(TensorOptions::reset_to_ones()),
        bias: tensor(TensorOptions::reset_to_zeros()),
        running_mean: tensor(TensorOptions::detached(|t| t.try_fill_with_zeros())),
        running_var: tensor(TensorOptions::detached(|t| t.try_fill_with_ones())),
    }
}

module! {
    by_mode [const C: usize, H: ConstDim, W: ConstDim] BatchNorm2d<C>,
    (Const<C>, H, W) => (Const<C>, H, W)
}

impl<const C: usize, H: ConstDim, W: ConstDim> Layer<(Const<C>, H, W)> for BatchNorm2d<C> {
    type Output = (Const<C>, H, W);

    fn lower(layers: &mut Builder) {
        layers.batch_norm2d();
    }
}
