//! Pooling.

use dfdx::{
    nn::{NonMutableModule, ZeroSizedModule},
    shapes::ConstDim,
    tensor::{Cpu, CpuError, Tensor},
};

use super::{
    Layer,
    module::{module, run},
};
use crate::{Builder, shape::Halve};

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

macro_rules! pooling {
    ($layer:ident, $lower:ident, $size:ident => ($($out:ty),+)) => {
        impl ZeroSizedModule for $layer {}
        impl NonMutableModule for $layer {}

        module! { [C: ConstDim, H: $size, W: $size] $layer, (C, H, W) => ($($out),+) }

        impl<C: ConstDim, H: $size, W: $size> Layer<(C, H, W)> for $layer {
            type Output = ($($out,)+);

            fn lower(layers: &mut Builder) {
                layers.$lower();
            }
        }
    };
}

pooling!(MaxPool2d, max_pool2d, Halve => (C, H::Half, W::Half));
pooling!(AvgPool2d, avg_pool2d, Halve => (C, H::Half, W::Half));
pooling!(GlobalAvgPool2d, global_avg_pool2d, ConstDim => (C));
