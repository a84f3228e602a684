//! Dropout.

use super::{
    kernels::view::values,
    mask::drop_out,
    tape::{add, with_gradients},
};
use dfdx::{
    nn::{BuildOnDevice, Module, ModuleMut, ModuleVisitor, ScalarOptions, TensorCollection},
    shapes::{Dtype, HasShape, Shape},
    tensor::{Cpu, CpuError, NoneTape, OwnedTape, PutTape, SplitTape, Tape, Tensor, TensorFromVec},
    tensor_ops::{Device, ReshapeTo},
};

/// Sets each value to 0 with probability `p`, and divides the others by `1 - p`
/// (N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting", JMLR 2014); in training only.
///
/// The masks follow from `seed` and `step`, which every training pass counts up, so that a run
/// can be repeated from any step on.
///
/// PyTorch equivalent: `torch.nn.Dropout(p)`. As with dfdx's own, training is `forward_mut` of a
/// tensor with a tape, and evaluation is `forward` of one without; evaluation with a tape
/// does not compile, nor does training without one:
/// ```compile_fail,E0277
/// use dfdx::prelude::{Cpu, Module, TensorFrom, Trace};
/// use glyphs::nn::Dropout;
///
/// Dropout::new(0.5).forward(Cpu::default().tensor([1.0, 2.0]).leaky_trace());
/// ```
/// ```compile_fail,E0277
/// use dfdx::prelude::{Cpu, ModuleMut, TensorFrom};
/// use glyphs::nn::Dropout;
///
/// Dropout::new(0.5).forward_mut(Cpu::default().tensor([1.0, 2.0]));
/// ```
///
/// # Examples
/// ```
/// use dfdx::prelude::{AsArray, Cpu, Module, ModuleMut, TensorFrom, Trace};
/// use glyphs::nn::Dropout;
///
/// let x = Cpu::default().tensor([1.0, 2.0, 3.0, 4.0]);
/// let mut dropout = Dropout::new(0.5);
/// let y = dropout.forward_mut(x.leaky_trace());
/// assert!(y.array().iter().zip([2.0, 4.0, 6.0, 8.0]).all(|(y, twice)| *y == 0.0 || *y == twice));
/// assert_eq!(dropout.forward(x.clone()).array(), x.array());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    /// At least 0, below 1.
    pub p: f32,
    pub seed: u64,
    /// Training passes made.
    pub step: u64,
}

impl Dropout {
    pub fn new(p: f32) -> Self {
        Self {
            p,
            seed: 0,
            step: 0,
        }
    }
}

impl Default for Dropout {
    /// `p` is 0.5.
    fn default() -> Self {
        Self::new(0.5)
    }
}

impl<E: Dtype, D: Device<E>> BuildOnDevice<D, E> for Dropout {
    type Built = Dropout;
}

impl<E: Dtype, D: Device<E>> TensorCollection<E, D> for Dropout {
    type To<E2: Dtype, D2: Device<E2>> = Dropout;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let p = <Self as TensorCollection<E, D>>::scalar(
            "p",
            |s| &s.p,
            |s| &mut s.p,
            ScalarOptions::from_default(0.5),
        );
        visitor.visit_fields(p, Dropout::new)
    }
}

impl<S: Shape> Module<Tensor<S, f32, Cpu, NoneTape>> for Dropout {
    type Output = Tensor<S, f32, Cpu, NoneTape>;
    type Error = CpuError;

    /// Evaluation: nothing changes.
    fn try_forward(&self, x: Tensor<S, f32, Cpu, NoneTape>) -> Result<Self::Output, CpuError> {
        Ok(x)
    }
}

impl<S: Shape> ModuleMut<Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>> for Dropout {
    type Output = Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>;
    type Error = CpuError;

    /// Training.
    fn try_forward_mut(
        &mut self,
        x: Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>,
    ) -> Result<Self::Output, CpuError> {
        let (p, seed, step) = (self.p, self.seed, self.step);
        self.step += 1;
        let shape = *x.shape();
        let (x, mut tape) = x.try_reshape_like(&shape)?.split_tape();
        let mut y = values(&x).into_owned();
        drop_out(&mut y, p, seed, step);
        let y = (x.device().clone()).try_tensor_from_vec(y, shape)?;
        let out = y.clone();
        tape.add_backward_op(move |grads| {
            with_gradients(grads, &x, &out, |dx, dy| {
                let mut kept = dy.to_vec();
                drop_out(&mut kept, p, seed, step);
                add(dx, &kept);
            })
        });
        Ok(y.put_tape(tape))
    }
}
