//! Two convolutions and a pooling, under names.

use dfdx::{
    shapes::{Const, Dtype},
    tensor::{Cpu, CpuError, OwnedTape, Storage, Tensor},
};

use super::{
    BatchNorm2d, Conv2d, Layer,
    module::{collection, module, run},
};
use crate::{Builder, shape::Halve};

/// [Conv 3 x 3 "same", batch normalisation, ReLU] twice, then 2 x 2 max pooling (after K.
/// Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image
/// recognition", ICLR 2015, with batch normalisation).
///
/// # Generics
/// - `I`: input channels
/// - `O`: output channels of both convolutions
///
/// # Shapes
/// `(batch, I, H, W)` to `(batch, O, H / 2, W / 2)`, rounded down.
///
/// PyTorch equivalent:
/// ```python
/// Sequential(Conv2d(I, O, 3, padding=1), BatchNorm2d(O), ReLU(),
///            Conv2d(O, O, 3, padding=1), BatchNorm2d(O), ReLU(), MaxPool2d(2))
/// ```
///
/// # Examples
/// ```
/// use dfdx_conv::{Network, layers::*};
///
/// type Reader = (VggBlock<1, 32>, VggBlock<32, 64>, Flatten<3136>, Linear<3136, 10>);
/// let model: Network<Reader> = Network::new(1);
/// assert_eq!(model.summary().layers[0].name, "0.conv1");
/// ```
///
/// As a module of dfdx it is one operation on the tape: training is `forward_mut` of a tensor with a
/// tape, evaluation is `forward` of one without.
/// ```
/// use dfdx::prelude::{Backward, Const, Cpu, DeviceBuildExt, Module, ModuleMut, Trace, ZeroGrads, ZerosTensor};
/// use dfdx_conv::{cross_entropy, layers::{Flatten, Linear, VggBlock}, shape::Images};
///
/// let dev = Cpu::default();
/// let mut model = dev.build_module::<(VggBlock<1, 16>, Flatten<3136>, Linear<3136, 10>), f32>();
/// let x: Images<1, 28, 28> = dev.zeros_like(&(2, Const, Const, Const));
/// let logits = model.forward_mut(x.trace(model.alloc_grads()));
/// let gradients = cross_entropy(logits, &[3, 7]).unwrap().backward();
/// let logits = model.forward(x);
/// ```
#[derive(Clone, Debug)]
pub struct VggBlock<const I: usize, const O: usize, E: Dtype = f32, D: Storage<E> = Cpu> {
    pub conv1: Conv2d<I, O, 3, 1, E, D>,
    pub bn1: BatchNorm2d<O, E, D>,
    pub conv2: Conv2d<O, O, 3, 1, E, D>,
    pub bn2: BatchNorm2d<O, E, D>,
}

collection! {
    [const I: usize, const O: usize] VggBlock<I, O> {
        conv1: module,
        bn1: module,
        conv2: module,
        bn2: module,
    }
}

module! {
    by_mode [const I: usize, const O: usize, H: Halve, W: Halve] VggBlock<I, O>,
    (Const<I>, H, W) => (Const<O>, H::Half, W::Half)
}

impl<const I: usize, const O: usize, H: Halve, W: Halve> Layer<(Const<I>, H, W)>
    for VggBlock<I, O>
{
    type Output = (Const<O>, H::Half, W::Half);

    fn lower(layers: &mut Builder) {
        layers.vgg_block(O, true);
    }
}
