//! Pooling.

use dfdx::{
    nn::{Module, NonMutableModule, ZeroSizedModule},
    shapes::{Const, ConstDim, HasShape},
    tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor, TensorFromVec},
    tensor_ops::ReshapeTo,
};
use rayon::prelude::*;

use super::{Layer, tape::with_gradients};
use crate::{
    Builder,
    kernels::view::values,
    shape::{Half, Halve, SampleShape},
};

type Batch<C, H, W, T> = Tensor<(usize, C, H, W), f32, Cpu, T>;

/// The largest of each 2 x 2 window, with stride 2; of equal values the first has the gradient.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C, H / 2, W / 2)`, rounded down: see [`Halve`].
///
/// PyTorch equivalent: `torch.nn.MaxPool2d(2)`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::MaxPool2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<8, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));
/// let y: Images<8, 14, 14> = MaxPool2d.forward(x);
/// ```
///
/// A single pixel cannot be pooled.
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::MaxPool2d, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<8, 1, 1> = dev.zeros_like(&(10, Const, Const, Const));
/// MaxPool2d.forward(x);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxPool2d;

/// The mean of each 2 x 2 window, with stride 2.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C, H / 2, W / 2)`, rounded down: see [`Halve`].
///
/// PyTorch equivalent: `torch.nn.AvgPool2d(2)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AvgPool2d;

/// The mean of each channel.
///
/// # Shapes
/// `(batch, C, H, W)` to `(batch, C)`.
///
/// PyTorch equivalent: `torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())`.
///
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::GlobalAvgPool2d, shape::{Features, Images}};
///
/// let x: Images<8, 5, 7> = Cpu::default().ones_like(&(10, Const, Const, Const));
/// let y: Features<8> = GlobalAvgPool2d.forward(x);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalAvgPool2d;

/// Where in its plane of `width` pixels the four pixels of window `at` are.
fn window(at: usize, width: usize) -> [usize; 4] {
    let half = width / 2;
    let first = at / half * 2 * width + at % half * 2;
    [first, first + 1, first + width, first + width + 1]
}

/// Pools every plane by `pool(plane, windows)`, and sends the gradient back by
/// `back(gradient of the plane, gradient of what came out, plane)`.
fn on_tape<C, H, W, OH, OW, T>(
    x: Batch<C, H, W, T>,
    pool: impl Fn(&[f32], &mut [f32]) + Sync,
    back: impl Fn(&mut [f32], &[f32], &[f32]) + Sync + 'static,
) -> Result<Batch<C, OH, OW, T>, CpuError>
where
    C: ConstDim,
    H: ConstDim,
    W: ConstDim,
    OH: ConstDim,
    OW: ConstDim,
    T: Tape<f32, Cpu>,
{
    let shape = *x.shape();
    let (area, out_area) = (H::SIZE * W::SIZE, OH::SIZE * OW::SIZE);
    let (x, mut tape) = x.try_reshape_like(&shape)?.split_tape();
    let mut y = vec![0.0; shape.0 * C::SIZE * out_area];
    (y.par_chunks_exact_mut(out_area))
        .zip(values(&x).par_chunks_exact(area))
        .for_each(|(y, x)| pool(x, y));
    let outputs = (shape.0, C::default(), OH::default(), OW::default());
    let y = (x.device().clone()).try_tensor_from_vec(y, outputs)?;
    let out = y.clone();
    tape.add_backward_op(move |grads| {
        with_gradients(grads, &x, &out, |dx, dy| {
            (dx.par_chunks_exact_mut(area))
                .zip(dy.par_chunks_exact(out_area))
                .zip(values(&x).par_chunks_exact(area))
                .for_each(|((dx, dy), x)| back(dx, dy, x));
        })
    });
    Ok(y.put_tape(tape))
}

/// The place of a window's largest value.
fn largest(x: &[f32], window: [usize; 4]) -> usize {
    let mut best = window[0];
    for other in window {
        // A NaN wins, and stays.
        if x[other] > x[best] || x[other].is_nan() {
            best = other;
        }
    }
    best
}

impl<C: ConstDim, H: Halve, W: Halve, T: Tape<f32, Cpu>> Module<Batch<C, H, W, T>> for MaxPool2d {
    type Output = Batch<C, Half<H>, Half<W>, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Batch<C, H, W, T>) -> Result<Self::Output, CpuError> {
        on_tape(
            x,
            |x, y| {
                for (at, y) in y.iter_mut().enumerate() {
                    *y = x[largest(x, window(at, W::SIZE))];
                }
            },
            |dx, dy, x| {
                for (at, dy) in dy.iter().enumerate() {
                    dx[largest(x, window(at, W::SIZE))] += dy;
                }
            },
        )
    }
}

impl<C: ConstDim, H: Halve, W: Halve, T: Tape<f32, Cpu>> Module<Batch<C, H, W, T>> for AvgPool2d {
    type Output = Batch<C, Half<H>, Half<W>, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Batch<C, H, W, T>) -> Result<Self::Output, CpuError> {
        on_tape(
            x,
            |x, y| {
                for (at, y) in y.iter_mut().enumerate() {
                    *y = window(at, W::SIZE).iter().map(|&i| x[i]).sum::<f32>() / 4.0;
                }
            },
            |dx, dy, _| {
                for (at, dy) in dy.iter().enumerate() {
                    for i in window(at, W::SIZE) {
                        dx[i] += dy / 4.0;
                    }
                }
            },
        )
    }
}

impl<C: ConstDim, H: ConstDim, W: ConstDim, T: Tape<f32, Cpu>> Module<Batch<C, H, W, T>>
    for GlobalAvgPool2d
{
    type Output = Tensor<(usize, C), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Batch<C, H, W, T>) -> Result<Self::Output, CpuError> {
        let batch = x.shape().0;
        let y: Batch<C, Const<1>, Const<1>, T> = on_tape(
            x,
            |x, y| y[0] = x.iter().sum::<f32>() / x.len() as f32,
            |dx, dy, x| dx.iter_mut().for_each(|dx| *dx += dy[0] / x.len() as f32),
        )?;
        y.try_reshape_like(&(batch, C::default()))
    }
}

impl<C: ConstDim, H: Halve, W: Halve> Layer<(C, H, W)> for MaxPool2d
where
    (C, H, W): SampleShape,
    (C, H::Half, W::Half): SampleShape,
{
    type Output = (C, H::Half, W::Half);

    fn lower(layers: &mut Builder) {
        layers.max_pool2d();
    }
}

impl<C: ConstDim, H: Halve, W: Halve> Layer<(C, H, W)> for AvgPool2d
where
    (C, H, W): SampleShape,
    (C, H::Half, W::Half): SampleShape,
{
    type Output = (C, H::Half, W::Half);

    fn lower(layers: &mut Builder) {
        layers.avg_pool2d();
    }
}

impl<C: ConstDim, H: ConstDim, W: ConstDim> Layer<(C, H, W)> for GlobalAvgPool2d
where
    (C, H, W): SampleShape,
    (C,): SampleShape,
{
    type Output = (C,);

    fn lower(layers: &mut Builder) {
        layers.global_avg_pool2d();
    }
}

macro_rules! without_state {
    ($($layer:ty),*) => {
        $(
            impl ZeroSizedModule for $layer {}
            impl NonMutableModule for $layer {}
        )*
    };
}

without_state!(MaxPool2d, AvgPool2d, GlobalAvgPool2d);
