//! Optimisers: what changes a network's parameters after each step.

mod adam;
mod sgd;

use std::{array::from_fn, collections::BTreeMap};

use dfdx::{
    nn::TensorCollection,
    optim::OptimizerUpdateError,
    tensor::{Cpu, CpuError, Gradients},
};

pub use self::{adam::Adam, sgd::Sgd};
use crate::{Error, Result, TensorRef, layers::tape::visit};

/// An optimiser and its state. Its state is keyed by the names of the parameters, so that it can be
/// saved; one optimiser belongs to one network.
pub trait Optimizer: Send {
    /// Counts a step; the updates of the parameters follow.
    fn begin_step(&mut self);

    /// Updates one parameter from its gradient.
    ///
    /// # Panics
    /// Where it has a state of this name for another shape: that of another network.
    fn update_tensor(&mut self, name: &str, shape: &[usize], values: &mut [f32], gradient: &[f32]);

    /// Number of steps made.
    fn steps(&self) -> u64;

    /// That of the next step.
    fn learning_rate(&self) -> f32;

    /// May be set between steps, by a schedule.
    fn set_learning_rate(&mut self, learning_rate: f32);

    /// The state so far, in the same order every time: what a checkpoint saves beside the
    /// network's own tensors.
    fn tensors(&self) -> Vec<TensorRef<'_>>;

    /// Sets the number of steps made, and forgets all other state.
    fn reset(&mut self, steps: u64);

    /// Sets one of [`Optimizer::tensors`]. Whether the network has such a parameter is for the
    /// caller to check.
    ///
    /// # Errors
    /// A name that is none of them, or values that do not fit the shape.
    fn restore(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()>;
}

/// Makes optimisers those of dfdx's modules as well.
macro_rules! of_modules {
    ($($optimizer:ty),*) => {
        $(
            impl<M: TensorCollection<f32, Cpu>> dfdx::optim::Optimizer<M, Cpu, f32> for $optimizer {
                /// Updates every trainable parameter; one that took no part in the loss has a
                /// gradient of 0.
                fn update(
                    &mut self,
                    module: &mut M,
                    gradients: &Gradients<f32, Cpu>,
                ) -> Result<(), OptimizerUpdateError<CpuError>> {
                    self.begin_step();
                    let mut gradients = gradients.clone();
                    let updated = visit(module, &mut |tensor| {
                        if tensor.is_trainable() {
                            let (name, shape) = (tensor.name().to_owned(), tensor.shape());
                            let gradient = tensor.gradient(&mut gradients)?;
                            self.update_tensor(&name, &shape, tensor.values_mut(), gradient);
                        }
                        Ok(())
                    });
                    updated.map_err(OptimizerUpdateError::DeviceError)
                }
            }
        )*
    };
}

of_modules!(Adam, Sgd);

/// The moments of each parameter, with its shape.
#[derive(Clone, Debug)]
struct State<const N: usize> {
    /// Before a parameter's name, that of each of its moments.
    prefixes: [&'static str; N],
    by_parameter: BTreeMap<String, (Vec<usize>, [Vec<f32>; N])>,
}

impl<const N: usize> State<N> {
    fn new(prefixes: [&'static str; N]) -> Self {
        Self { prefixes, by_parameter: BTreeMap::new() }
    }

    /// The moments of a parameter, 0 at first.
    fn of(&mut self, name: &str, shape: &[usize]) -> &mut [Vec<f32>; N] {
        let entry = self.by_parameter.entry(name.into());
        let zeros = |_| vec![0.0; shape.iter().product()];
        let (kept, moments) = entry.or_insert_with(|| (shape.to_vec(), from_fn(zeros)));
        assert!(
            *kept == shape,
            "the optimiser's state of {name} is {kept:?}, and the parameter is {shape:?}: take a \
             new optimiser for each network, or reset this one"
        );
        moments
    }

    fn tensors(&self) -> Vec<TensorRef<'_>> {
        let each = self.by_parameter.iter().flat_map(|(name, (shape, values))| {
            let named = self.prefixes.iter().zip(values);
            named.map(move |(prefix, values)| TensorRef {
                name: format!("{prefix}{name}"),
                shape: shape.clone(),
                values,
            })
        });
        each.collect()
    }

    fn restore(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()> {
        let found = (self.prefixes.iter().enumerate())
            .find_map(|(i, prefix)| Some((i, name.strip_prefix(prefix)?)));
        let Some((index, parameter)) = found else {
            return Err(Error::argument(
                format!("{name} is not part of this optimiser's state"),
                format!("it has to begin with {}", self.prefixes.join(" or ")),
            ));
        };
        // The parameter's other moments may be here already.
        let expected = self.by_parameter.get(parameter).map_or(shape, |(shape, _)| shape);
        if expected != shape || shape.iter().product::<usize>() != values.len() {
            return Err(Error::argument(
                format!("{name}: {} values of {shape:?} do not fit {expected:?}", values.len()),
                "use the checkpoint of the same network",
            ));
        }
        self.of(parameter, shape)[index].copy_from_slice(values);
        Ok(())
    }
}
