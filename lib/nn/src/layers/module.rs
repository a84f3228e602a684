//! Layers as modules of dfdx: the plan of one layer is one operation on the tape.

use dfdx::{
    nn::TensorCollection,
    shapes::{HasShape, Shape},
    tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor, TensorFromVec},
    tensor_ops::ReshapeTo,
};

use super::{Layer, tape::visit};
use crate::{
    Batch, Builder, Error, Result,
    kernels::{
        buffer::{add, flat},
        view::values,
    },
    plan::{
        Activation, Backward, Context, Folded, Gradients, NetworkTensor, Step, evaluate, forward,
        pack, running_statistics,
        stage::{Stage, fuse},
    },
    shape::{Dims, SampleShape},
    threads::on_threads,
};

/// Makes a layer a collection of tensors, in the order in which it lowers them:
/// `field: tensor(options)`, or `field: module` for a layer within it.
macro_rules! collection {
    ([$($generics:tt)*] $layer:ident<$($argument:tt),*> {
        $($field:ident: $kind:ident $(($options:expr))?),* $(,)?
    }) => {
        impl<$($generics)*, E: dfdx::shapes::Dtype, D: dfdx::tensor_ops::Device<E>>
            dfdx::nn::BuildOnDevice<D, E> for $layer<$($argument),*>
        where
            $layer<$($argument,)* E, D>: dfdx::nn::BuildModule<D, E>,
        {
            type Built = $layer<$($argument,)* E, D>;
        }

        impl<$($generics)*> dfdx::nn::TensorCollection<f32, Cpu> for $layer<$($argument),*> {
            type To<E2: dfdx::shapes::Dtype, D2: dfdx::tensor_ops::Device<E2>> =
                $layer<$($argument,)* E2, D2>;

            fn iter_tensors<V: dfdx::nn::ModuleVisitor<Self, f32, Cpu>>(
                visitor: &mut V,
            ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
                visitor.visit_fields(
                    ($(Self::$kind(
                        stringify!($field),
                        |layer| &layer.$field,
                        |layer| &mut layer.$field
                        $(, $options)?
                    ),)*),
                    |($($field,)*)| $layer { $($field),* },
                )
            }
        }
    };
}

pub(super) use collection;

/// Makes a layer a module of dfdx, in training where its input has a tape and in evaluation where
/// it has none; or, as `by_mode`, one that trains by `forward_mut` of a tensor with a tape and
/// evaluates by `forward` of one without.
macro_rules! module {
    ([$($generics:tt)*] $layer:ty, ($($in:ty),+) => ($($out:ty),+)) => {
        impl<$($generics)*, T: dfdx::tensor::Tape<f32, Cpu>>
            dfdx::nn::Module<Tensor<(usize, $($in),+), f32, Cpu, T>> for $layer
        {
            type Output = Tensor<(usize, $($out),+), f32, Cpu, T>;
            type Error = CpuError;

            fn try_forward(
                &self,
                x: Tensor<(usize, $($in),+), f32, Cpu, T>,
            ) -> Result<Self::Output, CpuError> {
                run::<Self, ($($in,)+), T>(&mut self.clone(), x)
            }
        }
    };
    (by_mode [$($generics:tt)*] $layer:ty, ($($in:ty),+) => ($($out:ty),+)) => {
        impl<$($generics)*> dfdx::nn::Module<Tensor<(usize, $($in),+), f32, Cpu>> for $layer {
            type Output = Tensor<(usize, $($out),+), f32, Cpu>;
            type Error = CpuError;

            fn try_forward(
                &self,
                x: Tensor<(usize, $($in),+), f32, Cpu>,
            ) -> Result<Self::Output, CpuError> {
                run::<Self, ($($in,)+), _>(&mut self.clone(), x)
            }
        }

        impl<$($generics)*>
            dfdx::nn::ModuleMut<Tensor<(usize, $($in),+), f32, Cpu, OwnedTape<f32, Cpu>>>
            for $layer
        {
            type Output = Tensor<(usize, $($out),+), f32, Cpu, OwnedTape<f32, Cpu>>;
            type Error = CpuError;

            fn try_forward_mut(
                &mut self,
                x: Tensor<(usize, $($in),+), f32, Cpu, OwnedTape<f32, Cpu>>,
            ) -> Result<Self::Output, CpuError> {
                run::<Self, ($($in,)+), _>(self, x)
            }
        }
    };
}

pub(super) use module;

pub(super) type Samples<S, T> = Tensor<<S as SampleShape>::Batch, f32, Cpu, T>;

/// The layer's output: in training where `x` has a tape, which moves the running statistics; in
/// evaluation where it has none.
///
/// # Errors
/// Where statistics are to be taken of an empty batch; where the layer cannot run.
pub(super) fn run<M, In, T>(
    module: &mut M,
    x: Samples<In, T>,
) -> Result<Samples<M::Output, T>, CpuError>
where
    In: SampleShape,
    M: Layer<In> + TensorCollection<f32, Cpu> + Clone,
    T: Tape<f32, Cpu>,
{
    let (x, mut tape) = x.try_contiguous()?.split_tape();
    let batch = x.shape().concrete()[0];
    let plan = Plan::new::<M, In>(module, batch)?;
    let (y, steps) = match (batch, T::OWNS_TAPE) {
        (0, true) if plan.keeps_statistics() => return Err(CpuError::WrongNumElements),
        (0, _) => (Vec::new(), Vec::new()),
        (_, true) => plan.train(&values(&x), module)?,
        (_, false) => (plan.evaluate(&values(&x))?, Vec::new()),
    };
    let y = (x.device().clone()).try_tensor_from_vec(y, M::Output::batch(batch))?;
    let (out, mut module) = (y.clone(), module.clone());
    tape.add_backward_op(move |grads| {
        if batch == 0 {
            return Ok(());
        }
        let dy = grads.get_or_alloc_mut(&out)?.to_vec();
        let (dx, gradients) = plan.backward(&values(&x), steps, &dy)?;
        add(grads.get_or_alloc_mut(&x)?, &dx);
        let mut index = 0;
        visit(&mut module, &mut |tensor| {
            let to = tensor.gradient(grads)?;
            for (_, gradient) in gradients.values.iter().filter(|(of, _)| *of == index) {
                add(to, flat(gradient));
            }
            index += 1;
            Ok(())
        })
    });
    Ok(y.put_tape(tape))
}

/// A layer, fused, with its tensors.
struct Plan {
    input: Dims,
    output: Dims,
    stages: Vec<Stage>,
    tensors: Vec<NetworkTensor>,
    batch: usize,
}

impl Plan {
    fn new<M, In>(module: &mut M, batch: usize) -> Result<Self, CpuError>
    where
        In: SampleShape,
        M: Layer<In> + TensorCollection<f32, Cpu>,
    {
        let mut layers = Builder::new(In::DIMS);
        layers.unnamed::<M, In>();
        if layers.is_refused() {
            return Err(CpuError::WrongNumElements);
        }
        let mut tensors = Vec::new();
        visit(module, &mut |tensor| {
            tensors.push(NetworkTensor {
                name: tensor.name().into(),
                shape: tensor.shape(),
                values: tensor.values().into_owned(),
                trainable: tensor.is_trainable(),
                frozen: false,
            });
            Ok(())
        })?;
        Ok(Self {
            input: In::DIMS,
            output: M::Output::DIMS,
            stages: fuse(layers.layers(), false),
            tensors,
            batch,
        })
    }

    fn keeps_statistics(&self) -> bool {
        self.tensors.iter().any(|tensor| !tensor.trainable)
    }

    fn context<'a>(&'a self, x: &'a [f32]) -> Context<'a> {
        Context {
            tensors: &self.tensors,
            batch: Batch { len: self.batch, images: x, features: &[] },
            seed: 0,
            step: 0,
        }
    }

    fn evaluate(&self, x: &[f32]) -> Result<Vec<f32>, CpuError> {
        let context = self.context(x);
        let y = on_threads(|| {
            let folded = Folded::new(&self.stages, &context, false);
            evaluate(&self.stages, &folded, &context, Activation::input(self.input))
        });
        Ok(y.map_err(of_plan)?.rows(&context).into_owned())
    }

    /// The forward pass in training; moves the running statistics of `module`.
    fn train<M: TensorCollection<f32, Cpu>>(
        &self,
        x: &[f32],
        module: &mut M,
    ) -> Result<(Vec<f32>, Vec<Step>), CpuError> {
        let context = self.context(x);
        let input = Activation::input(self.input);
        let steps = on_threads(|| forward(&self.stages, &context, &input)).map_err(of_plan)?;
        let y = steps.last().map_or(&input, |step| &step.out);
        let y = y.rows(&context).into_owned();
        if self.keeps_statistics() {
            // Mean and variance of each batch normalisation, in the module's order.
            let mut moved = running_statistics(&self.stages, &steps, &context).into_iter();
            visit(module, &mut |tensor| {
                if !tensor.is_trainable() {
                    let (_, values) = moved.next().unwrap_or_default();
                    tensor.values_mut().copy_from_slice(&values);
                }
                Ok(())
            })?;
        }
        Ok((y, steps))
    }

    /// The gradients of `x` and of the tensors.
    fn backward(
        &self,
        x: &[f32],
        steps: Vec<Step>,
        dy: &[f32],
    ) -> Result<(Vec<f32>, Gradients), CpuError> {
        let (context, input) = (self.context(x), Activation::input(self.input));
        let mut back = Backward::new(&context);
        let dy = pack(dy, self.output).into();
        let through = || back.through(&self.stages, steps, &input, dy, true);
        let dx = on_threads(through).map_err(of_plan)?;
        let rows = |dx| Activation::of(dx, self.input).rows(&context).into_owned();
        Ok((dx.map_or(Vec::new(), |dx| rows(dx.values)), back.gradients))
    }
}

/// Only a module on the tape fails, and none of these layers holds one.
fn of_plan(_: Error) -> CpuError {
    CpuError::WrongNumElements
}
