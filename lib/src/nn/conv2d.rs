//! Convolution.

use dfdx::{
    nn::{
        BuildModule, BuildOnDevice, ModuleVisitor, NonMutableModule, TensorCollection,
        TensorOptions,
    },
    shapes::{Dtype, Rank1, Rank4},
    tensor::{Cpu, Storage, Tensor},
    tensor_ops::Device,
};

use super::init;

#[derive(Clone, Debug)]
pub struct Conv2d<
    const I: usize,
    const O: usize,
    const K: usize = 3,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    pub weight: Tensor<Rank4<O, I, K, K>, E, D>,
    pub bias: Tensor<Rank1<O>, E, D>,
}

impl<const I: usize, const O: usize, const K: usize, E: Dtype, D: Device<E>> BuildOnDevice<D, E>
    for Conv2d<I, O, K>
where
    Conv2d<I, O, K, E, D>: BuildModule<D, E>,
{
    type Built = Conv2d<I, O, K, E, D>;
}

impl<const I: usize, const O: usize, const K: usize> TensorCollection<f32, Cpu>
    for Conv2d<I, O, K>
{
    type To<E2: Dtype, D2: Device<E2>> = Conv2d<I, O, K, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, Cpu>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let weight = TensorOptions::reset_with(|t| init::uniform(t, I * K * K));
        let bias = TensorOptions::reset_with(|t| init::uniform(t, I * K * K));
        visitor.visit_fields(
            (
                Self::tensor("weight", |s| &s.weight, |s| &mut s.weight, weight),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, bias),
            ),
            |(weight, bias)| Conv2d { weight, bias },
        )
    }
}

impl<const I: usize, const O: usize, const K: usize> NonMutableModule for Conv2d<I, O, K> {}
