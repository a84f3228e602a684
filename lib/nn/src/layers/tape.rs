//! What every layer needs of dfdx's tape.

use dfdx::{
    shapes::Shape,
    tensor::{Cpu, CpuError, Gradients, Tensor},
};

/// Lends `run` the gradient of `input`, to add to, and that of `output`.
pub(crate) fn with_gradients<SI: Shape, SO: Shape>(
    grads: &mut Gradients<f32, Cpu>,
    input: &Tensor<SI, f32, Cpu>,
    output: &Tensor<SO, f32, Cpu>,
    run: impl FnOnce(&mut [f32], &[f32]),
) -> Result<(), CpuError> {
    let from = std::mem::take(&mut **grads.get_or_alloc_mut(output)?);
    run(grads.get_or_alloc_mut(input)?, &from);
    **grads.get_or_alloc_mut(output)? = from;
    Ok(())
}

/// Adds `values` to the gradient of `tensor`.
pub(crate) fn add_gradient<S: Shape>(
    grads: &mut Gradients<f32, Cpu>,
    tensor: &Tensor<S, f32, Cpu>,
    values: &[f32],
) -> Result<(), CpuError> {
    add(grads.get_or_alloc_mut(tensor)?, values);
    Ok(())
}

/// `to += values`
pub(crate) fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}
