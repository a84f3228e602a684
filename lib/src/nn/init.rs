//! Initial weights.

use dfdx::{
    shapes::Shape,
    tensor::{Cpu, CpuError, SampleTensor, Tensor},
};

use super::kernels::view::values;

/// Uniform in `±1 / sqrt(fan_in)`: PyTorch's default for weights and biases of
/// convolutions and linear layers (`kaiming_uniform_` with `a = sqrt(5)`; He et al., 2015).
pub(crate) fn uniform<S: Shape>(
    tensor: &mut Tensor<S, f32, Cpu>,
    fan_in: usize,
) -> Result<(), CpuError> {
    let bound = 1.0 / (fan_in.max(1) as f32).sqrt();
    let unit = tensor.device().sample_uniform_like(tensor);
    let scaled: Vec<f32> = values(&unit)
        .iter()
        .map(|x| (2.0 * x - 1.0) * bound)
        .collect();
    tensor.copy_from(&scaled);
    Ok(())
}
