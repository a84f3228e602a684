//! What layers and optimisers need of dfdx's tape and of its modules.

use std::borrow::Cow;

use dfdx::{
    nn::{
        RecursiveWalker, TensorCollection, TensorOptions, TensorVisitor, ViewTensorMut,
        ViewTensorName,
    },
    shapes::{HasShape, Shape},
    tensor::{
        Cpu, CpuError, Gradients, PutTape, SampleTensor, SplitTape, Tape, Tensor, TensorFromVec,
        ZerosTensor,
    },
    tensor_ops::ReshapeTo,
};

use crate::kernels::{
    buffer::add,
    view::{values, values_mut},
};

/// `change` of every value of `x`; `back(y, dy)` turns the gradient of what came out into that of
/// `x`.
pub(super) fn pointwise<S: Shape, T: Tape<f32, Cpu>>(
    x: Tensor<S, f32, Cpu, T>,
    change: impl FnOnce(&mut [f32]),
    back: impl FnOnce(&[f32], &mut [f32]) + 'static,
) -> Result<Tensor<S, f32, Cpu, T>, CpuError> {
    let (x, mut tape) = x.try_contiguous()?.split_tape();
    let mut y = values(&x).into_owned();
    change(&mut y);
    let y = (x.device().clone()).try_tensor_from_vec(y, *x.shape())?;
    let out = y.clone();
    tape.add_backward_op(move |grads| {
        let mut dy = grads.get_or_alloc_mut(&out)?.to_vec();
        back(&values(&out), &mut dy);
        add(grads.get_or_alloc_mut(&x)?, &dy);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// `len` values, uniform in `±1 / sqrt(fan_in)`: PyTorch's default for weights and biases of
/// convolutions and linear layers (`kaiming_uniform_` with `a = sqrt(5)`; He et al., 2015).
pub(crate) fn uniform_values(device: &Cpu, len: usize, fan_in: usize) -> Vec<f32> {
    let bound = 1.0 / (fan_in.max(1) as f32).sqrt();
    let unit: Tensor<(usize,), f32, Cpu> = device.sample_uniform_like(&(len,));
    values(&unit).iter().map(|x| (2.0 * x - 1.0) * bound).collect()
}

/// The same for a tensor of a layer.
pub(super) fn uniform<S: Shape>(
    tensor: &mut Tensor<S, f32, Cpu>,
    fan_in: usize,
) -> Result<(), CpuError> {
    tensor.copy_from(&uniform_values(tensor.device(), tensor.shape().num_elements(), fan_in));
    Ok(())
}

/// A tensor of a module, whatever its shape.
pub(crate) trait ModuleTensor {
    /// Dotted path within the module.
    fn name(&self) -> &str;

    fn shape(&self) -> Vec<usize>;

    fn is_trainable(&self) -> bool;

    fn values(&self) -> Cow<'_, [f32]>;

    fn values_mut(&mut self) -> &mut [f32];

    /// Its gradient, 0 where there was none.
    fn gradient<'a>(
        &self,
        gradients: &'a mut Gradients<f32, Cpu>,
    ) -> Result<&'a mut [f32], CpuError>;

    /// Sets it to what the module's builder would, drawn from `device`.
    fn reset(&mut self, device: &Cpu) -> Result<(), CpuError>;
}

/// Calls `each` for every tensor of `module`, in the module's order.
pub(crate) fn visit<M: TensorCollection<f32, Cpu>>(
    module: &mut M,
    each: &mut dyn FnMut(&mut dyn ModuleTensor) -> Result<(), CpuError>,
) -> Result<(), CpuError> {
    let visited =
        M::iter_tensors(&mut RecursiveWalker { m: (module, String::new()), f: &mut Visitor(each) });
    visited.map(drop)
}

struct Visitor<'a>(&'a mut dyn FnMut(&mut dyn ModuleTensor) -> Result<(), CpuError>);

struct Visited<'a, S: Shape> {
    options: TensorOptions<S, f32, Cpu>,
    tensor: &'a mut Tensor<S, f32, Cpu>,
    name: String,
}

impl TensorVisitor<f32, Cpu> for Visitor<'_> {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, f32, Cpu>,
        (tensor, name): (&mut Tensor<S, f32, Cpu>, String),
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        (self.0)(&mut Visited { options, tensor, name })?;
        Ok(None)
    }
}

impl<S: Shape> ModuleTensor for Visited<'_, S> {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> Vec<usize> {
        self.tensor.shape().concrete().into()
    }

    fn is_trainable(&self) -> bool {
        self.options.do_gradient_update
    }

    fn values(&self) -> Cow<'_, [f32]> {
        values(self.tensor)
    }

    fn values_mut(&mut self) -> &mut [f32] {
        values_mut(self.tensor)
    }

    fn gradient<'a>(
        &self,
        gradients: &'a mut Gradients<f32, Cpu>,
    ) -> Result<&'a mut [f32], CpuError> {
        Ok(gradients.get_or_alloc_mut(self.tensor)?)
    }

    fn reset(&mut self, device: &Cpu) -> Result<(), CpuError> {
        // A tensor draws from the device that it was made on.
        let mut fresh: Tensor<S, f32, Cpu> = device.try_zeros_like(self.tensor.shape())?;
        (self.options.reset)(&mut fresh)?;
        self.tensor.copy_from(&values(&fresh));
        Ok(())
    }
}
