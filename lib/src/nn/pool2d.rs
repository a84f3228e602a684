//! Pooling.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    shapes::{Const, HasShape},
    tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor, TensorFromVec},
    tensor_ops::ReshapeTo,
};
use rayon::prelude::*;

use super::{
    kernels::view::values,
    shape::{Halve, Images},
    tape::with_gradients,
};

/// The largest of each 2 x 2 window, with stride 2; of equal values the first has the gradient.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C, H / 2, W / 2)`, for even `H` and `W`: see [`Halve`].
///
/// PyTorch equivalent: `torch.nn.MaxPool2d(2)`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use glyphs::nn::{MaxPool2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<8, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));
/// let y: Images<8, 14, 14> = MaxPool2d.forward(x);
/// ```
///
/// An odd size does not compile.
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use glyphs::nn::{MaxPool2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<8, 7, 7> = dev.zeros_like(&(10, Const, Const, Const));
/// MaxPool2d.forward(x);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxPool2d;

impl ZeroSizedModule for MaxPool2d {}
impl NonMutableModule for MaxPool2d {}

impl<const C: usize, const H: usize, const W: usize, T: Tape<f32, Cpu>> Module<Images<C, H, W, T>>
    for MaxPool2d
where
    Const<H>: Halve,
    Const<W>: Halve,
{
    type Output = Tensor<
        (
            usize,
            Const<C>,
            <Const<H> as Halve>::Half,
            <Const<W> as Halve>::Half,
        ),
        f32,
        Cpu,
        T,
    >;
    type Error = CpuError;

    fn try_forward(&self, x: Images<C, H, W, T>) -> Result<Self::Output, CpuError> {
        let shape = *x.shape();
        let (x, mut tape) = x.try_reshape_like(&shape)?.split_tape();
        let (y, choice) = pool(&values(&x), H, W);
        let halves = (shape.0, Const, Default::default(), Default::default());
        let y = (x.device().clone()).try_tensor_from_vec(y, halves)?;
        let out = y.clone();
        tape.add_backward_op(move |grads| {
            with_gradients(grads, &x, &out, |dx, dy| {
                for ((dx, dy), choice) in (dx.chunks_exact_mut(H * W))
                    .zip(dy.chunks_exact(H * W / 4))
                    .zip(choice.chunks_exact(H * W / 4))
                {
                    for (dy, choice) in dy.iter().zip(choice) {
                        dx[*choice as usize] += dy;
                    }
                }
            })
        });
        Ok(y.put_tape(tape))
    }
}

/// The largest of each window of every plane, and where in its plane it is.
fn pool(x: &[f32], height: usize, width: usize) -> (Vec<f32>, Vec<u32>) {
    let mut y = vec![0.0; x.len() / 4];
    let mut choice = vec![0; x.len() / 4];
    (y.par_chunks_exact_mut(height * width / 4))
        .zip(choice.par_chunks_exact_mut(height * width / 4))
        .zip(x.par_chunks_exact(height * width))
        .for_each(|((y, choice), x)| {
            for (i, (y, choice)) in y.iter_mut().zip(choice).enumerate() {
                let first = i / (width / 2) * 2 * width + i % (width / 2) * 2;
                let mut best = first;
                for other in [first + 1, first + width, first + width + 1] {
                    // A value that is not a number wins, and stays.
                    if x[other] > x[best] || x[other].is_nan() {
                        best = other;
                    }
                }
                (*y, *choice) = (x[best], best as u32);
            }
        });
    (y, choice)
}
