//! Adam (D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015).

use std::collections::BTreeMap;

use dfdx::{
    nn::{
        RecursiveWalker, TensorCollection, TensorOptions, TensorVisitor, ViewTensorMut,
        ViewTensorName,
    },
    optim::{Optimizer, OptimizerUpdateError},
    shapes::{HasShape, Shape},
    tensor::{Cpu, CpuError, Gradients, Tensor},
};

use super::{
    TensorMut, TensorRef,
    kernels::{
        update::{self, AdamFactors},
        view::values_mut,
    },
};
use crate::{Error, Result};

/// The optimiser and its state: the moments of every parameter, and the step count.
///
/// As PyTorch's `torch.optim.Adam`, and `AdamW` where `weight_decay` is not 0. It updates a
/// [`Classifier`](super::Classifier) in its `train_step`, and any dfdx module as dfdx's
/// own optimisers do; but keyed by the names of the parameters, so that the moments can be
/// saved. One `Adam` belongs to one network.
///
/// ```
/// use dfdx::prelude::{Backward, Const, Cpu, DeviceBuildExt, Module, Optimizer, Trace, ZeroGrads, ZerosTensor};
/// use glyphs::nn::{Adam, Linear, cross_entropy, shape::Features};
///
/// let dev = Cpu::default();
/// let mut model = dev.build_module::<Linear<8, 3>, f32>();
/// let mut adam = Adam::new(1e-3);
/// let x: Features<8> = dev.zeros_like(&(2, Const));
/// let loss = cross_entropy(model.forward(x.traced(model.alloc_grads())), &[0, 2]).unwrap();
/// adam.update(&mut model, &loss.backward()).unwrap();
/// assert_eq!(adam.tensors()[0].name, "first.bias");
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    /// May be set between steps, by a schedule.
    pub learning_rate: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    /// Decoupled weight decay (Loshchilov and Hutter, 2019); 0 is plain Adam.
    pub weight_decay: f32,
    /// Number of updates made.
    pub step: u64,
    /// By the parameter's name.
    moments: BTreeMap<String, Moments>,
}

#[derive(Clone, Debug)]
struct Moments {
    shape: Vec<usize>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Moments {
    fn zeros(shape: &[usize]) -> Self {
        let len = shape.iter().product();
        Self {
            shape: shape.to_vec(),
            first: vec![0.0; len],
            second: vec![0.0; len],
        }
    }
}

const FIRST: &str = "first.";
const SECOND: &str = "second.";

impl Adam {
    /// The usual settings: betas 0.9 and 0.999, epsilon 1e-8, no weight decay.
    pub fn new(learning_rate: f32) -> Self {
        Self {
            learning_rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            step: 0,
            moments: BTreeMap::new(),
        }
    }

    /// The moments so far, named `first.` and `second.` and the parameter; in the same
    /// order every time. What a checkpoint saves beside the network's own tensors.
    pub fn tensors(&self) -> Vec<TensorRef<'_>> {
        let each = self.moments.iter().flat_map(|(name, moments)| {
            [(FIRST, &moments.first), (SECOND, &moments.second)].map(|(prefix, values)| TensorRef {
                name: format!("{prefix}{name}"),
                shape: moments.shape.clone(),
                values,
            })
        });
        each.collect()
    }

    /// As [`Adam::tensors`], writable.
    pub fn tensors_mut(&mut self) -> Vec<TensorMut<'_>> {
        let each = self.moments.iter_mut().flat_map(|(name, moments)| {
            let Moments {
                shape,
                first,
                second,
            } = moments;
            [(FIRST, first), (SECOND, second)].map(|(prefix, values)| TensorMut {
                name: format!("{prefix}{name}"),
                shape: shape.clone(),
                values,
            })
        });
        each.collect()
    }

    /// Sets one of [`Adam::tensors`], also in an optimiser that has made no step yet.
    ///
    /// # Errors
    /// A name without `first.` or `second.` before it, or values that do not fit the shape.
    pub fn restore(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()> {
        let split = (name.strip_prefix(FIRST).map(|name| (true, name)))
            .or_else(|| name.strip_prefix(SECOND).map(|name| (false, name)));
        let Some((is_first, parameter)) = split else {
            return Err(Error::argument(
                format!("{name} is not the name of one of Adam's moments"),
                format!("it has to begin with {FIRST} or {SECOND}"),
            ));
        };
        let entry = self.moments.entry(parameter.to_owned());
        let moments = entry.or_insert_with(|| Moments::zeros(shape));
        let to = if is_first {
            &mut moments.first
        } else {
            &mut moments.second
        };
        if moments.shape != shape || to.len() != values.len() {
            return Err(Error::argument(
                format!(
                    "{name}: {} values of shape {shape:?} do not fit {:?}",
                    values.len(),
                    moments.shape
                ),
                "use the checkpoint of the same network",
            ));
        }
        to.copy_from_slice(values);
        Ok(())
    }

    /// Begins an update: counts it, and works out what is the same for all parameters.
    pub(crate) fn begin(&mut self) -> AdamFactors {
        self.step += 1;
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(self.step as f64);
        let rate = f64::from(self.learning_rate);
        AdamFactors {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            step_size: (rate / correction(self.beta1)) as f32,
            root_scale: (1.0 / correction(self.beta2).sqrt()) as f32,
            decay: (1.0 - rate * f64::from(self.weight_decay)) as f32,
        }
    }

    /// Updates one parameter.
    pub(crate) fn update_one(
        &mut self,
        factors: AdamFactors,
        parameter: TensorMut,
        gradient: &[f32],
    ) {
        let TensorMut {
            name,
            shape,
            values,
        } = parameter;
        let entry = self.moments.entry(name);
        let moments = entry.or_insert_with(|| Moments::zeros(&shape));
        let (first, second) = (&mut moments.first, &mut moments.second);
        update::adam(factors, gradient, first, second, values);
    }
}

impl<M: TensorCollection<f32, Cpu>> Optimizer<M, Cpu, f32> for Adam {
    /// Updates every trainable parameter; one that took no part in the loss has a gradient of 0.
    fn update(
        &mut self,
        module: &mut M,
        gradients: &Gradients<f32, Cpu>,
    ) -> Result<(), OptimizerUpdateError<CpuError>> {
        let factors = self.begin();
        let mut updater = Updater {
            adam: self,
            factors,
            gradients: gradients.clone(),
        };
        let updated = M::iter_tensors(&mut RecursiveWalker {
            m: (module, String::new()),
            f: &mut updater,
        });
        updated
            .map(|_| ())
            .map_err(OptimizerUpdateError::DeviceError)
    }
}

/// Walks over a module's parameters.
struct Updater<'a> {
    adam: &'a mut Adam,
    factors: AdamFactors,
    gradients: Gradients<f32, Cpu>,
}

impl TensorVisitor<f32, Cpu> for Updater<'_> {
    type Viewer = (ViewTensorMut, ViewTensorName);
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, f32, Cpu>,
        (tensor, name): (&mut Tensor<S, f32, Cpu>, String),
    ) -> Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        if options.do_gradient_update {
            let gradient = self.gradients.get_or_alloc_mut(tensor)?;
            let parameter = TensorMut {
                name,
                shape: tensor.shape().concrete().into(),
                values: values_mut(tensor),
            };
            self.adam.update_one(self.factors, parameter, gradient);
        }
        Ok(None)
    }
}
