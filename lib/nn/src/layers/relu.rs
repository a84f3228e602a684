//! Rectified linear units.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    shapes::{HasShape, Shape},
    tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor, TensorFromVec},
    tensor_ops::ReshapeTo,
};
use rayon::prelude::*;

use super::{Layer, tape::with_gradients};
use crate::{Builder, kernels::view::values, shape::SampleShape};

/// `max(0, x)` of every element, of any shape. A NaN stays one.
///
/// PyTorch equivalent: `torch.nn.ReLU()`. dfdx has one of its own, of the same result; this one
/// uses all threads.
///
/// ```
/// use dfdx::prelude::{AsArray, Cpu, Module, TensorFrom};
/// use dfdx_conv::ReLU;
///
/// let y = ReLU.forward(Cpu::default().tensor([-1.0, 0.0, 2.0]));
/// assert_eq!(y.array(), [0.0, 0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ReLU;

impl ZeroSizedModule for ReLU {}
impl NonMutableModule for ReLU {}

const CHUNK: usize = 1 << 14;

impl<S: Shape, T: Tape<f32, Cpu>> Module<Tensor<S, f32, Cpu, T>> for ReLU {
    type Output = Tensor<S, f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<S, f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let shape = *x.shape();
        let (x, mut tape) = x.try_reshape_like(&shape)?.split_tape();
        let mut y = values(&x).into_owned();
        y.par_chunks_mut(CHUNK).for_each(|chunk| {
            for y in chunk {
                *y = if *y < 0.0 { 0.0 } else { *y };
            }
        });
        let y = (x.device().clone()).try_tensor_from_vec(y, shape)?;
        let out = y.clone();
        tape.add_backward_op(move |grads| {
            with_gradients(grads, &x, &out, |dx, dy| {
                let y = values(&out);
                (dx.par_chunks_mut(CHUNK))
                    .zip(dy.par_chunks(CHUNK))
                    .zip(y.par_chunks(CHUNK))
                    .for_each(|((dx, dy), y)| {
                        for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
                            *dx += if *y > 0.0 { *dy } else { 0.0 };
                        }
                    });
            })
        });
        Ok(y.put_tape(tape))
    }
}

impl<In: SampleShape> Layer<In> for ReLU {
    type Output = In;

    fn lower(layers: &mut Builder) {
        layers.relu();
    }
}
