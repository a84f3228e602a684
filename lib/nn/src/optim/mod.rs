//! Optimisers: what changes a network's parameters after each step.

mod adam;
mod sgd;

use std::collections::BTreeMap;

use dfdx::{
    nn::TensorCollection,
    optim::OptimizerUpdateError,
    tensor::{Cpu, CpuError, Gradients},
};

pub use self::{adam::Adam, sgd::Sgd};
use crate::{Error, Result, TensorRef, layers::tape::visit};

/// What changes a network's parameters. One optimiser belongs to one network.
pub trait Optimizer: Send {
    /// Counts a step; the updates of the parameters follow.
    fn begin_step(&mut self) {
        self.state_mut().step += 1;
    }

    /// Updates one parameter from its gradient.
    ///
    /// # Panics
    /// Where it has a state of this name for another shape: that of another network.
    fn update_tensor(&mut self, name: &str, shape: &[usize], values: &mut [f32], gradient: &[f32]);

    fn state(&self) -> &OptimizerState;

    /// A schedule sets its learning rate between steps.
    fn state_mut(&mut self) -> &mut OptimizerState;
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

/// The part of an optimiser that changes from step to step. It is keyed by the names of the
/// parameters, so that it can be saved and restored.
#[derive(Clone, Debug)]
pub struct OptimizerState {
    /// That of the next step.
    pub learning_rate: f32,
    /// Number of steps made.
    pub step: u64,
    /// Before a parameter's name, that of each of its moments.
    prefixes: &'static [&'static str],
    /// With the shape of each.
    by_parameter: BTreeMap<String, (Vec<usize>, Vec<Vec<f32>>)>,
}

impl OptimizerState {
    /// For one moment of each parameter for each of `prefixes`: what begins its name, e.g.
    /// `velocity.`.
    pub fn new(learning_rate: f32, prefixes: &'static [&'static str]) -> Self {
        Self { learning_rate, step: 0, prefixes, by_parameter: BTreeMap::new() }
    }

    /// The moments of a parameter, 0 at first.
    ///
    /// # Panics
    /// Where they have another shape, or are not `N`.
    pub fn moments<const N: usize>(&mut self, name: &str, shape: &[usize]) -> &mut [Vec<f32>; N] {
        self.of(name, shape).try_into().expect("one moment for each prefix")
    }

    fn of(&mut self, name: &str, shape: &[usize]) -> &mut [Vec<f32>] {
        let prefixes = self.prefixes;
        let zeros = |_| vec![0.0; shape.iter().product()];
        let new = || (shape.to_vec(), prefixes.iter().map(zeros).collect());
        let (kept, moments) = self.by_parameter.entry(name.into()).or_insert_with(new);
        assert!(
            *kept == shape,
            "the optimiser's state of {name} is {kept:?}, and the parameter is {shape:?}: take a \
             new optimiser for each network, or reset this one"
        );
        moments
    }

    /// All moments, in the same order every time: what a checkpoint saves beside the network's own
    /// tensors.
    pub fn tensors(&self) -> Vec<TensorRef<'_>> {
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

    /// Sets the number of steps made, and forgets all moments.
    pub fn reset(&mut self, step: u64) {
        self.step = step;
        self.by_parameter.clear();
    }

    /// Sets one of [`OptimizerState::tensors`]. Whether the network has such a parameter is for the
    /// caller to check.
    ///
    /// # Errors
    /// A name that is none of them, or values that do not fit the shape.
    pub fn restore(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()> {
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
