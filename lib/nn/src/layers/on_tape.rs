//! Modules that run on dfdx's tape, as layers of a network.

use std::{
    fmt::{self, Debug},
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use dfdx::{
    nn::{BuildOnDevice, DeviceBuildExt, Module, ModuleMut, TensorCollection, modules},
    shapes::ConstDim,
    tensor::{
        Cpu, NoneTape, OwnedTape, PutTape, SplitTape, Tape as _, Tensor, TensorFrom, TensorFromVec,
        Trace,
    },
    tensor_ops::Backward,
};

use super::{Layer, module::Samples, tape::visit};
use crate::{
    Builder, Error, Result, TensorSpec,
    kernels::view::values,
    plan::{
        spec::Init,
        tape::{TapeGradient, TapeLayer, TapePass},
    },
    shape::SampleShape,
};

/// Any module of dfdx, of its own or a reader's, as a layer: `M` is what `build_module` takes.
///
/// It runs on dfdx's tape, its forward pass a second time for its gradient, and is slower than
/// the layers of this crate. What it draws at random follows from the network's seed and the
/// optimiser's step. Its parameters are the network's: named, saved, trained and frozen like all
/// others.
///
/// ```
/// use dfdx_conv::{Network, layers::*};
///
/// type Mlp = (Flatten<784>, Linear<784, 64>, OnTape<dfdx::nn::builders::LayerNorm1D<64>>, ReLU, Linear<64, 10>);
/// let model: Network<Mlp> = Network::new(1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct OnTape<M>(PhantomData<fn() -> M>);

/// A tensor of dfdx that holds a batch of samples.
pub trait TensorBatch {
    type Sample: SampleShape;
}

impl<N: ConstDim, T> TensorBatch for Tensor<(usize, N), f32, Cpu, T> {
    type Sample = (N,);
}

impl<C: ConstDim, H: ConstDim, W: ConstDim, T> TensorBatch
    for Tensor<(usize, C, H, W), f32, Cpu, T>
{
    type Sample = (C, H, W);
}

type Tape = OwnedTape<f32, Cpu>;

impl<M, In, Out> Layer<In> for OnTape<M>
where
    In: SampleShape,
    Out: SampleShape,
    M: BuildOnDevice<Cpu, f32> + 'static,
    M::Built: Module<Samples<In, NoneTape>, Output = Samples<Out, NoneTape>>
        + ModuleMut<Samples<In, Tape>, Output = Samples<Out, Tape>>
        + TensorCollection<f32, Cpu>
        + Send
        + 'static,
    <M::Built as Module<Samples<In, NoneTape>>>::Output: TensorBatch<Sample = Out>,
{
    type Output = Out;

    fn lower(layers: &mut Builder) {
        let layer = TypedModule::<M::Built, In, Out> {
            name: short_name(std::any::type_name::<M>()),
            build: || Cpu::default().build_module::<M, f32>(),
            idle: Mutex::default(),
            shapes: PhantomData,
        };
        layers.on_tape(Arc::new(layer), Out::DIMS);
    }
}

/// A type's name without the paths of modules.
fn short_name(path: &str) -> String {
    let parts = path.split_inclusive(['<', '>', ',', '(', ')', ' ']);
    parts.map(|part| part.rsplit("::").next().unwrap_or(part)).collect()
}

struct TypedModule<B, In, Out> {
    name: String,
    build: fn() -> B,
    /// Modules that no pass is using: each pass takes one, and puts the network's tensors in.
    idle: Mutex<Vec<B>>,
    shapes: PhantomData<fn() -> (In, Out)>,
}

impl<B, In, Out> fmt::Debug for TypedModule<B, In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<B, In, Out> TypedModule<B, In, Out>
where
    In: SampleShape,
    Out: SampleShape,
    B: TensorCollection<f32, Cpu> + Send,
{
    /// Runs `pass` on the module with these tensors.
    fn with<R>(&self, pass: &TapePass, run: impl FnOnce(&mut B) -> Result<R, String>) -> Result<R> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // No lock is held while it runs: rayon may run another pass of this layer meanwhile.
        let taken = idle().pop();
        let mut module = taken.unwrap_or_else(self.build);
        let mut tensors = pass.tensors.iter();
        let loaded = visit(&mut module, &mut |to| {
            if let Some(tensor) = tensors.next() {
                to.values_mut().copy_from_slice(tensor);
            }
            Ok(())
        });
        let passed = loaded.map_err(told).and_then(|()| run(&mut module));
        idle().push(module);
        passed.map_err(|problem| Error::Tape {
            layer: pass.name.into(),
            problem,
            remedy: "see what the module asks of its input".into(),
        })
    }
}

impl<B, In, Out> TapeLayer for TypedModule<B, In, Out>
where
    In: SampleShape,
    Out: SampleShape,
    B: Module<Samples<In, NoneTape>, Output = Samples<Out, NoneTape>>
        + ModuleMut<Samples<In, Tape>, Output = Samples<Out, Tape>>
        + TensorCollection<f32, Cpu>
        + Send,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn tensors(&self, device: &Cpu) -> Vec<(TensorSpec, Vec<f32>)> {
        let mut tensors = Vec::new();
        let _ = self.with(&TapePass::default(), |module| {
            let reset = visit(module, &mut |tensor| {
                tensor.reset(device)?;
                let spec = TensorSpec {
                    name: tensor.name().into(),
                    shape: tensor.shape(),
                    init: Init::OfModule,
                    trainable: tensor.is_trainable(),
                };
                tensors.push((spec, tensor.values().into_owned()));
                Ok(())
            });
            reset.map_err(told)
        });
        tensors
    }

    fn forward(&self, pass: &TapePass, training: bool) -> Result<Vec<f32>> {
        self.with(pass, |module| {
            let x = tensor::<In>(pass, &Cpu::seed_from_u64(pass.seed))?;
            if training {
                let y = module.try_forward_mut(x.leaky_trace()).map_err(told)?;
                return Ok(values(&y).into_owned());
            }
            let y = module.try_forward(x).map_err(told)?;
            Ok(values(&y).into_owned())
        })
    }

    fn gradient(&self, pass: &TapePass, dy: &[f32]) -> Result<TapeGradient> {
        self.with(pass, |module| {
            let device = Cpu::seed_from_u64(pass.seed);
            let x = tensor::<In>(pass, &device)?;
            let y = module.try_forward_mut(x.leaky_trace()).map_err(told)?;
            let (y, mut tape) = y.split_tape();
            let dy = dy.to_vec();
            // A number whose gradient with respect to `y` is `dy`.
            tape.add_backward_op(move |gradients| {
                gradients.get_or_alloc_mut(&y)?.copy_from_slice(&dy);
                Ok(())
            });
            let end: Tensor<(), f32, Cpu> = device.tensor(0.0);
            let mut gradients = end.put_tape(tape).try_backward().map_err(told)?;
            // 0 where the output does not depend on the input.
            let input = gradients.get_or_alloc_mut(&x).map_err(told)?.to_vec();
            let mut tensors = Vec::new();
            let seen = visit(module, &mut |tensor| {
                tensors.push(match tensor.is_trainable() {
                    true => tensor.gradient(&mut gradients)?.to_vec(),
                    false => tensor.values().into_owned(),
                });
                Ok(())
            });
            seen.map_err(told)?;
            Ok(TapeGradient { input, tensors })
        })
    }
}

fn tensor<S: SampleShape>(pass: &TapePass, device: &Cpu) -> Result<Samples<S, NoneTape>, String> {
    (device.try_tensor_from_vec(pass.x.to_vec(), S::batch(pass.batch))).map_err(told)
}

/// What an error of dfdx says.
fn told(error: impl Debug) -> String {
    format!("{error:?}")
}

/// dfdx's own activations, without a wrapper.
macro_rules! activations {
    ($($name:ident),*) => {
        $(
            impl<In: SampleShape> Layer<In> for modules::$name
            where
                OnTape<modules::$name>: Layer<In, Output = In>,
            {
                type Output = In;

                fn lower(layers: &mut Builder) {
                    layers.unnamed::<OnTape<Self>, In>();
                }
            }
        )*
    };
}

activations!(Tanh, Sigmoid, FastGeLU, AccurateGeLU, Softmax, Abs, Square, Sin, Cos, Exp);
