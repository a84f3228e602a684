//! Fully connected layers.

use dfdx::{
    nn::{
        BuildModule, BuildOnDevice, ModuleVisitor, NonMutableModule, TensorCollection,
        TensorOptions,
    },
    shapes::{Dtype, Rank1, Rank2},
    tensor::{Cpu, Storage, Tensor},
    tensor_ops::Device,
};

use super::init;

#[derive(Clone, Debug)]
pub struct Linear<const I: usize, const O: usize, E: Dtype = f32, D: Storage<E> = Cpu> {
    pub weight: Tensor<Rank2<O, I>, E, D>,
    pub bias: Tensor<Rank1<O>, E, D>,
}

impl<const I: usize, const O: usize, E: Dtype, D: Device<E>> BuildOnDevice<D, E> for Linear<I, O>
where
    Linear<I, O, E, D>: BuildModule<D, E>,
{
    type Built = Linear<I, O, E, D>;
}

impl<const I: usize, const O: usize> TensorCollection<f32, Cpu> for Linear<I, O> {
    type To<E2: Dtype, D2: Device<E2>> = Linear<I, O, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, Cpu>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let weight = TensorOptions::reset_with(|t| init::uniform(t, I));
        let bias = TensorOptions::reset_with(|t| init::uniform(t, I));
        visitor.visit_fields(
            (
                Self::tensor("weight", |s| &s.weight, |s| &mut s.weight, weight),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, bias),
            ),
            |(weight, bias)| Linear { weight, bias },
        )
    }
}

impl<const I: usize, const O: usize> NonMutableModule for Linear<I, O> {}
