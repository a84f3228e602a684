//! Fully connected layers.

use dfdx::{
    nn::{NonMutableModule, TensorOptions},
    shapes::{Const, Dtype, Rank1, Rank2},
    tensor::{Cpu, CpuError, Storage, Tensor},
};

use super::{
    Layer,
    module::{collection, module, run},
    tape::uniform,
};
use crate::Builder;

/// `x * weight^T + bias`.
///
/// # Generics
/// - `I`: inputs
/// - `O`: outputs
/// - `F`: auxiliary features of each sample, with weights of their own that are initialised in
///   `±1 / sqrt(F)`: else the same as appending them to the inputs. Only a
///   [`Network`](crate::Network) hands them in; 0 unless said otherwise.
///
/// # Shapes
/// `(batch, I)` to `(batch, O)`; `weight` is `(O, I)`, `bias` is `(O)`.
///
/// PyTorch equivalent: `torch.nn.Linear(I, O)`, with the same initial distribution. dfdx has
/// one of its own, of the same result; this one uses all threads and AVX-512.
///
/// # Examples
/// ```
/// use dfdx::prelude::{Const, Cpu, DeviceBuildExt, Module, ZerosTensor};
/// use dfdx_conv::{layers::Linear, shape::Features};
///
/// let dev = Cpu::default();
/// let linear = dev.build_module::<Linear<3136, 10>, f32>();
/// let x: Features<3136> = dev.zeros_like(&(5, Const));
/// let y: Features<10> = linear.forward(x);
/// ```
///
/// A head that does not fit the trunk does not compile; the message names both sizes.
/// ```compile_fail,E0277
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Flatten<784>, Linear<700, 10>)> = Network::new(1);
/// ```
/// ```compile_fail,E0277
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Conv2d<1, 8>, Linear<8, 10>)> = Network::new(1); // not flattened
/// ```
#[derive(Clone, Debug)]
pub struct Linear<
    const I: usize,
    const O: usize,
    const F: usize = 0,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    pub weight: Tensor<Rank2<O, I>, E, D>,
    pub bias: Tensor<Rank1<O>, E, D>,
}

collection! {
    [const I: usize, const O: usize] Linear<I, O, 0> {
        weight: tensor(TensorOptions::reset_with(|t| uniform(t, I))),
        bias: tensor(TensorOptions::reset_with(|t| uniform(t, I))),
    }
}

impl<const I: usize, const O: usize> NonMutableModule for Linear<I, O> {}

module! { [const I: usize, const O: usize] Linear<I, O>, (Const<I>) => (Const<O>) }

impl<const I: usize, const O: usize, const F: usize> Layer<(Const<I>,)> for Linear<I, O, F> {
    type Output = (Const<O>,);

    fn lower(layers: &mut Builder) {
        layers.linear(O, F);
    }
}
