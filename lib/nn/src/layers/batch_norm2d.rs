//! Batch normalisation.

use dfdx::{
    nn::{
        BuildModule, BuildOnDevice, Module, ModuleMut, ModuleVisitor, ScalarOptions,
        TensorCollection, TensorOptions,
    },
    shapes::{Const, ConstDim, Dtype, HasShape, Rank1},
    tensor::{
        Cpu, CpuError, NoneTape, OwnedTape, PutTape, SplitTape, Storage, Tape, Tensor,
        TensorFromVec,
    },
    tensor_ops::{Device, ReshapeTo},
};
use rayon::prelude::*;

use super::{
    Layer,
    tape::{add_gradient, with_gradients},
};
use crate::{
    Builder,
    kernels::view::{values, values_mut},
    plan::Statistics,
    shape::{Images, SampleShape},
};

/// Batch normalisation of images (S. Ioffe and C. Szegedy, "Batch normalization:
/// accelerating deep network training by reducing internal covariate shift", ICML 2015).
///
/// # Generics
/// - `C`: channels
///
/// # Shapes
/// `(batch, C, H, W)` to the same; parameters and running statistics are `(C)`.
///
/// Training (`forward_mut` of a tensor with a tape) normalises by the batch's mean and
/// biased variance and moves the running statistics by `momentum` towards its mean and
/// unbiased variance. Evaluation (`forward` of a tensor without a tape) uses the running
/// statistics and keeps them. As with dfdx's own, the two other pairs do not compile:
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::{BatchNorm2d}, shape::Images};
///
/// let dev = Cpu::default();
/// let x: Images<4, 2, 2> = dev.zeros_like(&(3, Const, Const, Const));
/// dev.build_module::<BatchNorm2d<4>, f32>().forward(x.leaky_trace());
/// ```
///
/// PyTorch equivalent: `torch.nn.BatchNorm2d(C)`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use dfdx_conv::{layers::{BatchNorm2d}, shape::Images};
///
/// let dev = Cpu::default();
/// let mut bn = dev.build_module::<BatchNorm2d<4>, f32>();
/// let x: Images<4, 2, 2> = dev.sample_normal_like(&(3, Const, Const, Const));
/// let y = bn.forward_mut(x.leaky_trace());
/// let z = bn.forward(x);
/// ```
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

impl<const C: usize, const H: usize, const W: usize> Module<Images<C, H, W, NoneTape>>
    for BatchNorm2d<C>
{
    type Output = Images<C, H, W, NoneTape>;
    type Error = CpuError;

    /// Evaluation.
    fn try_forward(&self, x: Images<C, H, W, NoneTape>) -> Result<Self::Output, CpuError> {
        let mut y = values(&x).into_owned();
        let (gamma, beta) = (values(&self.weight), values(&self.bias));
        let (mean, var) = (values(&self.running_mean), values(&self.running_var));
        for_planes(&mut y, C, H * W, |c, plane| {
            let scale = f64::from(gamma[c]) / (f64::from(var[c]) + self.epsilon).sqrt();
            let shift = f64::from(beta[c]) - f64::from(mean[c]) * scale;
            for y in plane {
                *y = y.mul_add(scale as f32, shift as f32);
            }
        });
        x.device().clone().try_tensor_from_vec(y, *x.shape())
    }
}

impl<const C: usize, const H: usize, const W: usize> ModuleMut<Images<C, H, W, OwnedTape<f32, Cpu>>>
    for BatchNorm2d<C>
{
    type Output = Images<C, H, W, OwnedTape<f32, Cpu>>;
    type Error = CpuError;

    /// Training.
    fn try_forward_mut(
        &mut self,
        x: Images<C, H, W, OwnedTape<f32, Cpu>>,
    ) -> Result<Self::Output, CpuError> {
        let shape = *x.shape();
        if shape.0 == 0 {
            return Err(CpuError::WrongNumElements);
        }
        let (x, mut tape) = x.try_reshape_like(&shape)?.split_tape();
        let statistics = statistics(&values(&x), C, H * W);
        statistics.update(
            self.momentum,
            &[],
            values_mut(&mut self.running_mean),
            values_mut(&mut self.running_var),
        );
        let epsilon = self.epsilon;
        let deviation: Vec<f64> = (statistics.var.iter())
            .map(|var| 1.0 / (var + epsilon).sqrt())
            .collect();
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let mut y = values(&x).into_owned();
        let (gamma, beta) = (values(&weight), values(&bias));
        for_planes(&mut y, C, H * W, |c, plane| {
            let (mean, scale) = (statistics.mean[c], f64::from(gamma[c]) * deviation[c]);
            for y in plane {
                *y = ((f64::from(*y) - mean) * scale) as f32 + beta[c];
            }
        });
        drop((gamma, beta));
        let y = (x.device().clone()).try_tensor_from_vec(y, shape)?;
        let out = y.clone();
        tape.add_backward_op(move |grads| {
            let mut parameters = (Vec::new(), Vec::new());
            with_gradients(grads, &x, &out, |dx, dy| {
                let x = values(&x);
                parameters = parameter_gradients(&x, dy, &statistics, &deviation, H * W);
                let (dgamma, dbeta) = &parameters;
                let (gamma, n) = (values(&weight), statistics.count as f64);
                (dx.par_chunks_exact_mut(H * W))
                    .zip(x.par_chunks_exact(H * W))
                    .zip(dy.par_chunks_exact(H * W))
                    .enumerate()
                    .for_each(|(plane, ((dx, x), dy))| {
                        let c = plane % C;
                        let scale = f64::from(gamma[c]) * deviation[c];
                        for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                            let normal = (f64::from(*x) - statistics.mean[c]) * deviation[c];
                            let through = f64::from(*dy) - (dbeta[c] + normal * dgamma[c]) / n;
                            *dx += (scale * through) as f32;
                        }
                    });
            })?;
            let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
            add_gradient(grads, &weight, &narrow(&parameters.0))?;
            add_gradient(grads, &bias, &narrow(&parameters.1))
        });
        Ok(y.put_tape(tape))
    }
}

impl<const C: usize, H: ConstDim, W: ConstDim> Layer<(Const<C>, H, W)> for BatchNorm2d<C>
where
    (Const<C>, H, W): SampleShape,
{
    type Output = (Const<C>, H, W);

    fn lower(layers: &mut Builder) {
        layers.batch_norm2d();
    }
}

/// Runs `each(channel, plane)` for all planes.
fn for_planes(
    values: &mut [f32],
    channels: usize,
    area: usize,
    each: impl Fn(usize, &mut [f32]) + Sync,
) {
    let planes = values.par_chunks_exact_mut(area).enumerate();
    planes.for_each(|(plane, values)| each(plane % channels, values));
}

fn statistics(x: &[f32], channels: usize, area: usize) -> Statistics {
    let count = x.len() / channels;
    let n = count as f64;
    let (mean, var) = (0..channels)
        .into_par_iter()
        .map(|c| {
            let of_channel = || x.chunks_exact(area).skip(c).step_by(channels).flatten();
            let mean = of_channel().map(|&x| f64::from(x)).sum::<f64>() / n;
            let square = |&x: &f32| (f64::from(x) - mean).powi(2);
            (mean, of_channel().map(square).sum::<f64>() / n)
        })
        .unzip();
    Statistics { mean, var, count }
}

/// The gradients of `weight` and `bias`.
fn parameter_gradients(
    x: &[f32],
    dy: &[f32],
    statistics: &Statistics,
    deviation: &[f64],
    area: usize,
) -> (Vec<f64>, Vec<f64>) {
    let channels = deviation.len();
    (0..channels)
        .into_par_iter()
        .map(|c| {
            let planes = x.chunks_exact(area).zip(dy.chunks_exact(area));
            let (mut gamma, mut beta) = (0.0, 0.0);
            for (x, dy) in planes.skip(c).step_by(channels) {
                for (x, dy) in x.iter().zip(dy) {
                    let normal = (f64::from(*x) - statistics.mean[c]) * deviation[c];
                    gamma += f64::from(*dy) * normal;
                    beta += f64::from(*dy);
                }
            }
            (gamma, beta)
        })
        .unzip()
}
