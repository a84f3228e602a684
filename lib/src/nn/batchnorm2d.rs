//! Batch normalisation.

use dfdx::{
    nn::{
        BuildModule, BuildOnDevice, ModuleVisitor, ScalarOptions, TensorCollection, TensorOptions,
    },
    shapes::{Dtype, Rank1},
    tensor::{Cpu, Storage, Tensor},
    tensor_ops::Device,
};

#[derive(Clone, Debug)]
pub struct BatchNorm2d<const C: usize, E: Dtype = f32, D: Storage<E> = Cpu> {
    /// γ, 1 at first.
    pub weight: Tensor<Rank1<C>, E, D>,
    /// β, 0 at first.
    pub bias: Tensor<Rank1<C>, E, D>,
    pub running_mean: Tensor<Rank1<C>, E, D>,
    pub running_var: Tensor<Rank1<C>, E, D>,
    /// Added to the variance; 1e-5.
    pub epsilon: f64,
    /// Share of the newest batch in the running statistics; 0.1.
    pub momentum: f64,
}

impl<const C: usize, E: Dtype, D: Device<E>> BuildOnDevice<D, E> for BatchNorm2d<C>
where
    BatchNorm2d<C, E, D>: BuildModule<D, E>,
{
    type Built = BatchNorm2d<C, E, D>;
}

impl<const C: usize> TensorCollection<f32, Cpu> for BatchNorm2d<C> {
    type To<E2: Dtype, D2: Device<E2>> = BatchNorm2d<C, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, Cpu>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let zeros = || {
            TensorOptions::detached(|t: &mut Tensor<Rank1<C>, f32, Cpu>| {
                t.copy_from(&[0.0; C]);
                Ok(())
            })
        };
        let ones = || {
            TensorOptions::detached(|t: &mut Tensor<Rank1<C>, f32, Cpu>| {
                t.copy_from(&[1.0; C]);
                Ok(())
            })
        };
        visitor.visit_fields(
            (
                Self::tensor(
                    "weight",
                    |s| &s.weight,
                    |s| &mut s.weight,
                    TensorOptions::reset_to_ones(),
                ),
                Self::tensor(
                    "bias",
                    |s| &s.bias,
                    |s| &mut s.bias,
                    TensorOptions::reset_to_zeros(),
                ),
                Self::tensor(
                    "running_mean",
                    |s| &s.running_mean,
                    |s| &mut s.running_mean,
                    zeros(),
                ),
                Self::tensor(
                    "running_var",
                    |s| &s.running_var,
                    |s| &mut s.running_var,
                    ones(),
                ),
                Self::scalar(
                    "epsilon",
                    |s| &s.epsilon,
                    |s| &mut s.epsilon,
                    ScalarOptions::from_default(1e-5),
                ),
                Self::scalar(
                    "momentum",
                    |s| &s.momentum,
                    |s| &mut s.momentum,
                    ScalarOptions::from_default(0.1),
                ),
            ),
            |(weight, bias, running_mean, running_var, epsilon, momentum)| BatchNorm2d {
                weight,
                bias,
                running_mean,
                running_var,
                epsilon,
                momentum,
            },
        )
    }
}
