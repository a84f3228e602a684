//! Rectified linear units.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    shapes::Shape,
    tensor::{Cpu, CpuError, Tape, Tensor},
};
use rayon::prelude::*;

use super::{Layer, tape::pointwise};
use crate::{Builder, shape::SampleShape};

/// `max(0, x)` of every element, of any shape. A NaN stays one.
///
/// PyTorch equivalent: `torch.nn.ReLU()`. dfdx has one of its own, which makes a NaN 0; this one
/// also uses all threads.
///
/// ```
/// use dfdx::prelude::{AsArray, Cpu, Module, TensorFrom};
/// use dfdx_conv::layers::ReLU;
///
/// let y = ReLU.forward(Cpu::default().tensor([-1.0, 0.0, 2.0]));
/// assert_eq!(y.array(), [0.0, 0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ReLU;

impl ZeroSizedModule for ReLU {}
impl NonMutableModule for ReLU {}

impl<S: Shape, T: Tape<f32, Cpu>> Module<Tensor<S, f32, Cpu, T>> for ReLU {
    type Output = Tensor<S, f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<S, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        pointwise(
            x,
            // Not `max`: it would hide a NaN.
            |y| y.par_iter_mut().for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y }),
            |y, dy| {
                let each = dy.par_iter_mut().zip(y);
                each.for_each(|(dy, y)| *dy = if *y > 0.0 { *dy } else { 0.0 });
            },
        )
    }
}

impl<In: SampleShape> Layer<In> for ReLU {
    type Output = In;

    fn lower(layers: &mut Builder) {
        layers.relu();
    }
}
