//! From images to vectors.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    shapes::{Const, ConstDim, HasShape},
    tensor::{Cpu, CpuError, Tape},
    tensor_ops::ReshapeTo,
};

use super::Layer;
use crate::{
    Builder,
    shape::{Features, Images},
};

/// An image's values as one vector, in the order `(C, H, W)`.
///
/// # Generics
/// - `N`: `C * H * W`, which stable Rust cannot compute in a type; another number does
///   not compile.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, N)`.
///
/// PyTorch equivalent: `torch.nn.Flatten()`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::Flatten, shape::{Features, Images}};
///
/// let dev = Cpu::default();
/// let x: Images<64, 7, 7> = dev.zeros_like(&(10, Const, Const, Const));
/// let y: Features<3136> = Flatten::<3136>.forward(x);
/// ```
///
/// ```compile_fail,E0080
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Conv2d<1, 8>, Flatten<6000>, Linear<6000, 10>)> = Network::new(1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten<const N: usize>;

impl<const N: usize> Flatten<N> {
    const fn check(len: usize) {
        assert!(len == N, "Flatten<N> of an image (C, H, W) needs N = C * H * W");
    }
}

impl<const N: usize> ZeroSizedModule for Flatten<N> {}
impl<const N: usize> NonMutableModule for Flatten<N> {}

impl<const C: usize, const H: usize, const W: usize, const N: usize, T: Tape<f32, Cpu>>
    Module<Images<C, H, W, T>> for Flatten<N>
{
    type Output = Features<N, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Images<C, H, W, T>) -> Result<Self::Output, CpuError> {
        const { Self::check(C * H * W) };
        let batch = x.shape().0;
        x.try_reshape_like(&(batch, Const))
    }
}

impl<C: ConstDim, H: ConstDim, W: ConstDim, const N: usize> Layer<(C, H, W)> for Flatten<N> {
    type Output = (Const<N>,);

    fn lower(layers: &mut Builder) {
        const { Self::check(C::SIZE * H::SIZE * W::SIZE) };
        layers.flatten();
    }
}
