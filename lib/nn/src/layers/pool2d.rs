//! Pooling.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    shapes::ConstDim,
    tensor::{Cpu, CpuError, Tape, Tensor},
};

use super::{
    Layer,
    module::{Maps, run},
};
use crate::{
    Builder,
    shape::{Half, Halve},
};

/// The largest of each 2 x 2 window, with stride 2; of equal values the first has the gradient.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C, H / 2, W / 2)`, rounded down: see [`Halve`].
///
/// PyTorch equivalent: `torch.nn.MaxPool2d(2)`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::MaxPool2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<8, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));
/// let y: Images<8, 14, 14> = MaxPool2d.forward(x);
/// ```
///
/// A single pixel cannot be pooled.
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::MaxPool2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<8, 1, 1> = dev.zeros_like(&(10, Const, Const, Const));
/// MaxPool2d.forward(x);
/// ```
///
/// ```compile_fail,E0277
/// use dfdx_conv::{Network, layers::*, shape::Image};
///
/// type Pooled = (Conv2d<1, 8>, MaxPool2d, MaxPool2d, GlobalAvgPool2d);
/// let model: Network<Pooled, Image<1, 3, 3>> = Network::new(1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxPool2d;

/// The mean of each 2 x 2 window, with stride 2.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C, H / 2, W / 2)`, rounded down: see [`Halve`].
///
/// PyTorch equivalent: `torch.nn.AvgPool2d(2)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AvgPool2d;

/// The mean of each channel.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C)`.
///
/// PyTorch equivalent: `torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())`.
///
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::GlobalAvgPool2d, shape::{Features, Images}};
///
/// let x: Images<8, 5, 7> = Cpu::default().ones_like(&(10, Const, Const, Const));
/// let y: Features<8> = GlobalAvgPool2d.forward(x);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalAvgPool2d;

macro_rules! halving {
    ($($layer:ident: $lower:ident),*) => {
        $(
            impl ZeroSizedModule for $layer {}
            impl NonMutableModule for $layer {}

            impl<C: ConstDim, H: Halve, W: Halve, T: Tape<f32, Cpu>> Module<Maps<C, H, W, T>>
                for $layer
            {
                type Output = Maps<C, Half<H>, Half<W>, T>;
                type Error = CpuError;

                fn try_forward(&self, x: Maps<C, H, W, T>) -> Result<Self::Output, CpuError> {
                    run::<Self, (C, H, W), _>(self, x)
                }
            }

            impl<C: ConstDim, H: Halve, W: Halve> Layer<(C, H, W)> for $layer {
                type Output = (C, H::Half, W::Half);

                fn lower(layers: &mut Builder) {
                    layers.$lower();
                }
            }
        )*
    };
}

halving!(MaxPool2d: max_pool2d, AvgPool2d: avg_pool2d);

impl ZeroSizedModule for GlobalAvgPool2d {}
impl NonMutableModule for GlobalAvgPool2d {}

impl<C: ConstDim, H: ConstDim, W: ConstDim, T: Tape<f32, Cpu>> Module<Maps<C, H, W, T>>
    for GlobalAvgPool2d
{
    type Output = Tensor<(usize, C), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Maps<C, H, W, T>) -> Result<Self::Output, CpuError> {
        run::<Self, (C, H, W), _>(self, x)
    }
}

impl<C: ConstDim, H: ConstDim, W: ConstDim> Layer<(C, H, W)> for GlobalAvgPool2d {
    type Output = (C,);

    fn lower(layers: &mut Builder) {
        layers.global_avg_pool2d();
    }
}
