//! Initial weights.

use dfdx::{
    shapes::{HasShape, Shape},
    tensor::{Cpu, CpuError, SampleTensor, Tensor},
};

use super::kernels::view::values;

/// `len` values, uniform in `±1 / sqrt(fan_in)`: PyTorch's default for weights and biases of
/// convolutions and linear layers (`kaiming_uniform_` with `a = sqrt(5)`; He et al., 2015).
pub(crate) fn uniform_values(device: &Cpu, len: usize, fan_in: usize) -> Vec<f32> {
    let bound = 1.0 / (fan_in.max(1) as f32).sqrt();
    let unit: Tensor<(usize,), f32, Cpu> = device.sample_uniform_like(&(len,));
    let unit = values(&unit);
    unit.iter().map(|x| (2.0 * x - 1.0) * bound).collect()
}

/// The same for a tensor of dfdx.
pub(crate) fn uniform<S: Shape>(
    tensor: &mut Tensor<S, f32, Cpu>,
    fan_in: usize,
) -> Result<(), CpuError> {
    let len = tensor.shape().num_elements();
    tensor.copy_from(&uniform_values(&tensor.device().clone(), len, fan_in));
    Ok(())
}
