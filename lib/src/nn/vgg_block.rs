//! Two convolutions and a pooling, fused.

use dfdx::{
    nn::{BuildModule, BuildOnDevice, ModuleVisitor, TensorCollection},
    shapes::Dtype,
    tensor::{Cpu, Storage},
    tensor_ops::Device,
};

use std::borrow::Cow;

use super::{BatchNorm2d, Conv2d, fused, kernels::view::values};

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
