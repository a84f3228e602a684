//! Adam (D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015).

use super::{Optimizer, OptimizerState};
use crate::kernels::update::{self, AdamFactors};

/// Adam, with two moments of each parameter in its state, `first.` and `second.`.
///
/// As PyTorch's `torch.optim.Adam`, and `AdamW` where `weight_decay` is not 0. It updates a
/// [`Network`](crate::Network) in its `train_step`, and any module of dfdx as dfdx's own
/// optimisers do.
///
/// ```
/// use dfdx::prelude::{Backward, Const, Cpu, DeviceBuildExt, Module, Optimizer, Trace, ZeroGrads, ZerosTensor};
/// use dfdx_conv::{Adam, cross_entropy, layers::Linear, shape::Features};
///
/// let dev = Cpu::default();
/// let mut model = dev.build_module::<Linear<8, 3>, f32>();
/// let mut adam = Adam::new(1e-3);
/// let x: Features<8> = dev.zeros_like(&(2, Const));
/// let loss = cross_entropy(model.forward(x.traced(model.alloc_grads())), &[0, 2]).unwrap();
/// adam.update(&mut model, &loss.backward()).unwrap();
/// assert_eq!(adam.state.tensors()[0].name, "first.bias");
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    /// Learning rate, step count and moments.
    pub state: OptimizerState,
    /// Share of the first moment (the mean of the gradients) that a step keeps.
    pub beta1: f32,
    /// Share of the second moment (the mean of their squares) that a step keeps.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay (Loshchilov and Hutter, 2019); 0 is plain Adam.
    pub weight_decay: f32,
    factors: AdamFactors,
}

impl Adam {
    /// The usual settings: betas 0.9 and 0.999, epsilon 1e-8, no weight decay.
    pub fn new(learning_rate: f32) -> Self {
        Self {
            state: OptimizerState::new(learning_rate, &["first.", "second."]),
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            factors: AdamFactors::default(),
        }
    }
}

impl Optimizer for Adam {
    fn begin_step(&mut self) {
        self.state.step += 1;
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(self.state.step as f64);
        let rate = f64::from(self.state.learning_rate);
        self.factors = AdamFactors {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            step_size: (rate / correction(self.beta1)) as f32,
            root_scale: (1.0 / correction(self.beta2).sqrt()) as f32,
            decay: (1.0 - rate * f64::from(self.weight_decay)) as f32,
        };
    }

    fn update_tensor(&mut self, name: &str, shape: &[usize], values: &mut [f32], gradient: &[f32]) {
        let [first, second] = self.state.moments(name, shape);
        update::adam(self.factors, gradient, first, second, values);
    }

    fn state(&self) -> &OptimizerState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut OptimizerState {
        &mut self.state
    }
}
