//! Two convolutions and a pooling, fused.

use std::borrow::Cow;

use dfdx::{
    nn::{BuildModule, BuildOnDevice, Module, ModuleMut, ModuleVisitor, TensorCollection},
    shapes::{Const, Dtype, HasShape},
    tensor::{
        Cpu, CpuError, NoneTape, OwnedTape, PutTape, SplitTape, Storage, Tape, Tensor,
        TensorFromVec,
    },
    tensor_ops::{Device, ReshapeTo},
};

use super::{
    BatchNorm2d, Conv2d, TensorMut, TensorRef,
    fused::{self, HalfGradient, Statistics},
    kernels::{
        conv::ConvShape,
        view::{slice, values, values_mut},
    },
    shape::{Halve, Images},
    tape::{add, add_gradient, with_gradients},
};

/// [Conv 3 x 3 "same", batch normalisation, ReLU] twice, then 2 x 2 max pooling, as one
/// operation (after K. Simonyan and A. Zisserman, "Very deep convolutional networks for
/// large-scale image recognition", ICLR 2015, with batch normalisation).
///
/// The same result as its layers one after another, in less than half of the time: the
/// statistics are taken while the convolution writes, normalisation and ReLU happen while the
/// next convolution reads, and nothing of that is stored.
///
/// # Generics
/// - `I`: input channels
/// - `O`: output channels of both convolutions, a multiple of 16 (any other does not compile)
///
/// # Shapes
/// `(batch, I, H, W)` to `(batch, O, H / 2, W / 2)`, for even `H` and `W`.
///
/// As with [`BatchNorm2d`], training is `forward_mut` of a tensor with a tape, evaluation is
/// `forward` of one without. The gradient of the convolutions' biases is 0, for batch
/// normalisation takes them away again.
///
/// PyTorch equivalent:
/// ```python
/// Sequential(Conv2d(I, O, 3, padding=1), BatchNorm2d(O), ReLU(),
///            Conv2d(O, O, 3, padding=1), BatchNorm2d(O), ReLU(), MaxPool2d(2))
/// ```
///
/// # Examples
/// ```
/// use dfdx::prelude::{Backward, Const, Cpu, DeviceBuildExt, Module, ModuleMut, Trace, ZeroGrads, ZerosTensor};
/// use glyphs::nn::{Flatten, Linear, VggBlock, cross_entropy, shape::Images};
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
    pub conv1: Conv2d<I, O, 3, E, D>,
    pub bn1: BatchNorm2d<O, E, D>,
    pub conv2: Conv2d<O, O, 3, E, D>,
    pub bn2: BatchNorm2d<O, E, D>,
}

impl<const I: usize, const O: usize, E: Dtype, D: Device<E>> BuildOnDevice<D, E> for VggBlock<I, O>
where
    VggBlock<I, O, E, D>: BuildModule<D, E>,
{
    type Built = VggBlock<I, O, E, D>;
}

impl<const I: usize, const O: usize> TensorCollection<f32, Cpu> for VggBlock<I, O> {
    type To<E2: Dtype, D2: Device<E2>> = VggBlock<I, O, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, Cpu>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        visitor.visit_fields(
            (
                Self::module("conv1", |s| &s.conv1, |s| &mut s.conv1),
                Self::module("bn1", |s| &s.bn1, |s| &mut s.bn1),
                Self::module("conv2", |s| &s.conv2, |s| &mut s.conv2),
                Self::module("bn2", |s| &s.bn2, |s| &mut s.bn2),
            ),
            |(conv1, bn1, conv2, bn2)| VggBlock {
                conv1,
                bn1,
                conv2,
                bn2,
            },
        )
    }
}

type Pooled<const O: usize, const H: usize, const W: usize, T> = Tensor<
    (
        usize,
        Const<O>,
        <Const<H> as Halve>::Half,
        <Const<W> as Halve>::Half,
    ),
    f32,
    Cpu,
    T,
>;

impl<const I: usize, const O: usize, const H: usize, const W: usize> Module<Images<I, H, W>>
    for VggBlock<I, O>
where
    Const<H>: Halve,
    Const<W>: Halve,
{
    type Output = Pooled<O, H, W, NoneTape>;
    type Error = CpuError;

    /// Evaluation.
    fn try_forward(&self, x: Images<I, H, W>) -> Result<Self::Output, CpuError> {
        let batch = x.shape().0;
        let [half1, half2] = &self.values();
        let shape = Self::shape(H, W);
        let y = fused::infer_planes(shape, &values(&x), batch, &half1.half(), &half2.half());
        let shape = (batch, Const, Default::default(), Default::default());
        x.device().clone().try_tensor_from_vec(y, shape)
    }
}

impl<const I: usize, const O: usize, const H: usize, const W: usize>
    ModuleMut<Images<I, H, W, OwnedTape<f32, Cpu>>> for VggBlock<I, O>
where
    Const<H>: Halve,
    Const<W>: Halve,
{
    type Output = Pooled<O, H, W, OwnedTape<f32, Cpu>>;
    type Error = CpuError;

    /// Training.
    fn try_forward_mut(
        &mut self,
        x: Images<I, H, W, OwnedTape<f32, Cpu>>,
    ) -> Result<Self::Output, CpuError> {
        let shape = *x.shape();
        let batch = shape.0;
        let (x, mut tape) = x.try_reshape_like(&shape)?.split_tape();
        if batch == 0 {
            return Err(CpuError::WrongNumElements);
        }
        let block = self.clone();
        let [half1, half2] = &self.values();
        let shape = Self::shape(H, W);
        let (y, saved) =
            fused::forward_planes(shape, &values(&x), batch, &half1.half(), &half2.half());
        let statistics = [saved.statistics1.clone(), saved.statistics2.clone()];
        self.update_statistics(&statistics);
        let shape = (batch, Const, Default::default(), Default::default());
        let y = x.device().clone().try_tensor_from_vec(y, shape)?;
        let out = y.clone();
        tape.add_backward_op(move |grads| {
            let mut gradients: [HalfGradient; 2] = Default::default();
            with_gradients(grads, &x, &out, |dx, dy| {
                let [half1, half2] = &block.values();
                let (halves, more) =
                    fused::backward_planes(saved, &values(&x), &half1.half(), &half2.half(), dy);
                add(dx, &more);
                gradients = halves;
            })?;
            let [half1, half2] = &gradients;
            add_gradient(grads, &block.conv1.weight, &half1.weight)?;
            add_gradient(grads, &block.bn1.weight, &half1.gamma)?;
            add_gradient(grads, &block.bn1.bias, &half1.beta)?;
            add_gradient(grads, &block.conv2.weight, &half2.weight)?;
            add_gradient(grads, &block.bn2.weight, &half2.gamma)?;
            add_gradient(grads, &block.bn2.bias, &half2.beta)?;
            // Nothing to add, but a place for it: dfdx's optimisers ask for every gradient.
            add_gradient(grads, &block.conv1.bias, &[])?;
            add_gradient(grads, &block.conv2.bias, &[])
        });
        Ok(y.put_tape(tape))
    }
}

/// A half's parameters, borrowed from its tensors.
pub(crate) struct HalfValues<'a> {
    tensors: [Cow<'a, [f32]>; 6],
    epsilon: f64,
}

impl HalfValues<'_> {
    pub fn half(&self) -> fused::Half<'_> {
        let [weight, bias, gamma, beta, running_mean, running_var] = &self.tensors;
        fused::Half {
            weight,
            bias,
            gamma,
            beta,
            running_mean,
            running_var,
            epsilon: self.epsilon,
        }
    }
}

impl<const I: usize, const O: usize> VggBlock<I, O> {
    fn shape(height: usize, width: usize) -> ConvShape {
        const {
            assert!(
                O.is_multiple_of(16),
                "VggBlock<I, O> needs an O that is a multiple of 16"
            )
        };
        ConvShape {
            inputs: I,
            outputs: O,
            kernel: 3,
            height,
            width,
        }
    }

    /// Moves the running statistics towards those of a batch.
    pub(crate) fn update_statistics(&mut self, statistics: &[Statistics; 2]) {
        let biases = [values(&self.conv1.bias), values(&self.conv2.bias)];
        let bns = [&mut self.bn1, &mut self.bn2];
        for ((bn, statistics), bias) in bns.into_iter().zip(statistics).zip(&biases) {
            let mean = values_mut(&mut bn.running_mean);
            let var = values_mut(&mut bn.running_var);
            statistics.update(bn.momentum, bias, mean, var);
        }
    }

    pub(crate) fn values(&self) -> [HalfValues<'_>; 2] {
        [
            half_values(&self.conv1, &self.bn1),
            half_values(&self.conv2, &self.bn2),
        ]
    }
}

fn half_values<'a, const I: usize, const O: usize>(
    conv: &'a Conv2d<I, O>,
    bn: &'a BatchNorm2d<O>,
) -> HalfValues<'a> {
    HalfValues {
        tensors: [
            values(&conv.weight),
            values(&conv.bias),
            values(&bn.weight),
            values(&bn.bias),
            values(&bn.running_mean),
            values(&bn.running_var),
        ],
        epsilon: bn.epsilon,
    }
}

/// A block's tensors, under the names of their fields.
pub(crate) fn block_tensors<'a, const I: usize, const O: usize>(
    block_name: &str,
    block: &'a VggBlock<I, O>,
    tensors: &mut Vec<TensorRef<'a>>,
) {
    let mut add = |name: &str, shape: &[usize], values: &'a [f32]| {
        tensors.push(TensorRef {
            name: format!("{block_name}.{name}"),
            shape: shape.to_vec(),
            values,
        });
    };
    add("conv1.weight", &[O, I, 3, 3], slice(&block.conv1.weight));
    add("conv1.bias", &[O], slice(&block.conv1.bias));
    add("bn1.weight", &[O], slice(&block.bn1.weight));
    add("bn1.bias", &[O], slice(&block.bn1.bias));
    add("bn1.running_mean", &[O], slice(&block.bn1.running_mean));
    add("bn1.running_var", &[O], slice(&block.bn1.running_var));
    add("conv2.weight", &[O, O, 3, 3], slice(&block.conv2.weight));
    add("conv2.bias", &[O], slice(&block.conv2.bias));
    add("bn2.weight", &[O], slice(&block.bn2.weight));
    add("bn2.bias", &[O], slice(&block.bn2.bias));
    add("bn2.running_mean", &[O], slice(&block.bn2.running_mean));
    add("bn2.running_var", &[O], slice(&block.bn2.running_var));
}

/// As [`block_tensors`], writable.
pub(crate) fn block_tensors_mut<'a, const I: usize, const O: usize>(
    block_name: &str,
    block: &'a mut VggBlock<I, O>,
    tensors: &mut Vec<TensorMut<'a>>,
) {
    let mut add = |name: &str, shape: &[usize], values: &'a mut [f32]| {
        tensors.push(TensorMut {
            name: format!("{block_name}.{name}"),
            shape: shape.to_vec(),
            values,
        });
    };
    add(
        "conv1.weight",
        &[O, I, 3, 3],
        values_mut(&mut block.conv1.weight),
    );
    add("conv1.bias", &[O], values_mut(&mut block.conv1.bias));
    add("bn1.weight", &[O], values_mut(&mut block.bn1.weight));
    add("bn1.bias", &[O], values_mut(&mut block.bn1.bias));
    add(
        "bn1.running_mean",
        &[O],
        values_mut(&mut block.bn1.running_mean),
    );
    add(
        "bn1.running_var",
        &[O],
        values_mut(&mut block.bn1.running_var),
    );
    add(
        "conv2.weight",
        &[O, O, 3, 3],
        values_mut(&mut block.conv2.weight),
    );
    add("conv2.bias", &[O], values_mut(&mut block.conv2.bias));
    add("bn2.weight", &[O], values_mut(&mut block.bn2.weight));
    add("bn2.bias", &[O], values_mut(&mut block.bn2.bias));
    add(
        "bn2.running_mean",
        &[O],
        values_mut(&mut block.bn2.running_mean),
    );
    add(
        "bn2.running_var",
        &[O],
        values_mut(&mut block.bn2.running_var),
    );
}
