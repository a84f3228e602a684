//! Dropout.

use dfdx::{
    nn::{Module, ModuleMut, ZeroSizedModule},
    shapes::Shape,
    tensor::{Cpu, CpuError, NoneTape, OwnedTape, RandomU64, Tensor},
};

use super::{Layer, tape::pointwise};
use crate::{Builder, kernels::dropout::drop_out, shape::SampleShape};

/// Sets each value to 0 with a probability of `PERCENT` / 100, and scales the others up to make
/// up for it (N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting", JMLR 2014); in training only.
///
/// # Generics
/// - `PERCENT`: from 0 to 99; 50 unless said otherwise
///
/// As a module of dfdx, its masks follow from the random numbers of the input's device, like those
/// of dfdx's own. In a [`Network`](crate::Network) they follow from the network's seed and the
/// optimiser's step, so that a run can be repeated from any step on.
///
/// PyTorch equivalent: `torch.nn.Dropout(PERCENT / 100)`. As with dfdx's own, training is
/// `forward_mut` of a tensor with a tape, and evaluation is `forward` of one without; evaluation
/// with a tape does not compile, nor does training without one:
/// ```compile_fail,E0277
/// use dfdx::prelude::{Cpu, Module, TensorFrom, Trace};
/// use dfdx_conv::layers::Dropout;
///
/// Dropout::<50>.forward(Cpu::default().tensor([1.0, 2.0]).leaky_trace());
/// ```
/// ```compile_fail,E0277
/// use dfdx::prelude::{Cpu, ModuleMut, TensorFrom};
/// use dfdx_conv::layers::Dropout;
///
/// Dropout::<50>.forward_mut(Cpu::default().tensor([1.0, 2.0]));
/// ```
///
/// # Examples
/// ```
/// use dfdx::prelude::{AsArray, Cpu, Module, ModuleMut, TensorFrom, Trace};
/// use dfdx_conv::layers::Dropout;
///
/// let x = Cpu::default().tensor([1.0, 2.0, 3.0, 4.0]);
/// let mut dropout = Dropout::<50>;
/// let y = dropout.forward_mut(x.leaky_trace());
/// assert!(y.array().iter().zip([2.0, 4.0, 6.0, 8.0]).all(|(y, twice)| *y == 0.0 || *y == twice));
/// assert_eq!(dropout.forward(x.clone()).array(), x.array());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropout<const PERCENT: usize = 50>;

impl<const PERCENT: usize> Dropout<PERCENT> {
    /// The probability, below 1.
    pub const P: f32 = {
        assert!(PERCENT < 100, "a dropout of 100 % leaves nothing to learn from");
        PERCENT as f32 / 100.0
    };
}

impl<const PERCENT: usize> ZeroSizedModule for Dropout<PERCENT> {}

impl<const PERCENT: usize, S: Shape> Module<Tensor<S, f32, Cpu, NoneTape>> for Dropout<PERCENT> {
    type Output = Tensor<S, f32, Cpu, NoneTape>;
    type Error = CpuError;

    /// Evaluation: nothing changes.
    fn try_forward(&self, x: Tensor<S, f32, Cpu, NoneTape>) -> Result<Self::Output, CpuError> {
        Ok(x)
    }
}

impl<const PERCENT: usize, S: Shape> ModuleMut<Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>>
    for Dropout<PERCENT>
{
    type Output = Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>;
    type Error = CpuError;

    /// Training.
    fn try_forward_mut(
        &mut self,
        x: Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>,
    ) -> Result<Self::Output, CpuError> {
        let seed = x.device().random_u64();
        let mask = move |values: &mut [f32]| drop_out(values, Self::P, seed, 0);
        pointwise(x, mask, move |_, dy| mask(dy))
    }
}

impl<const PERCENT: usize, In: SampleShape> Layer<In> for Dropout<PERCENT> {
    type Output = In;

    fn lower(layers: &mut Builder) {
        layers.dropout(Self::P);
    }
}
