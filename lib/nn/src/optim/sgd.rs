//! Stochastic gradient descent.

use super::{Optimizer, OptimizerState};
use crate::threads::ParForEach;

/// Stochastic gradient descent with momentum (B. T. Polyak, "Some methods of speeding up the
/// convergence of iteration methods", 1964), or with Nesterov's (I. Sutskever et al., "On the
/// importance of initialization and momentum in deep learning", ICML 2013).
///
/// As PyTorch's `torch.optim.SGD`, with one moment of each parameter in its state, `velocity.`. It
/// updates networks, and modules of dfdx as [`Adam`](crate::Adam) does.
///
/// ```
/// use dfdx_conv::{Batch, Classifier, CrossEntropy, Network, Sgd, layers::*};
///
/// let mut model: Network<(Flatten<784>, Linear<784, 10>)> = Network::new(1);
/// let mut sgd = Sgd::new(0.1, 0.9);
/// sgd.nesterov = true;
/// let batch = Batch { len: 1, images: &[0.5; 784], features: &[] };
/// model.train_step(batch, &CrossEntropy::new(&[3]), &mut sgd).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    /// Learning rate, step count and velocities.
    pub state: OptimizerState,
    /// Share of the velocity that a step keeps; 0 is plain gradient descent.
    pub momentum: f32,
    /// Whether the momentum is Nesterov's.
    pub nesterov: bool,
    /// Added to the gradient, times the parameter: an L2 penalty.
    pub weight_decay: f32,
}

impl Sgd {
    /// Without Nesterov's momentum, and without weight decay.
    pub fn new(learning_rate: f32, momentum: f32) -> Self {
        Self {
            state: OptimizerState::new(learning_rate, &["velocity."]),
            momentum,
            nesterov: false,
            weight_decay: 0.0,
        }
    }
}

impl Optimizer for Sgd {
    fn update_tensor(&mut self, name: &str, shape: &[usize], values: &mut [f32], gradient: &[f32]) {
        const CHUNK: usize = 1 << 14;
        const LEAST: f32 = 1e-30;
        let (rate, momentum, decay) = (self.state.learning_rate, self.momentum, self.weight_decay);
        let nesterov = self.nesterov;
        let [velocity] = self.state.moments(name, shape);
        assert!(gradient.len() == values.len() && velocity.len() == values.len());
        (values.chunks_mut(CHUNK))
            .zip(velocity.chunks_mut(CHUNK))
            .zip(gradient.chunks(CHUNK))
            .par_for_each(|((values, velocity), gradient)| {
                for ((value, velocity), gradient) in values.iter_mut().zip(velocity).zip(gradient) {
                    let gradient = gradient + decay * *value;
                    *velocity = momentum * *velocity + gradient;
                    if velocity.abs() < LEAST && *velocity != 0.0 {
                        *velocity = LEAST.copysign(*velocity); // As in `kernels::update::adam`.
                    }
                    let direction = match nesterov {
                        true => gradient + momentum * *velocity,
                        false => *velocity,
                    };
                    *value -= rate * direction;
                }
            });
    }

    fn state(&self) -> &OptimizerState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut OptimizerState {
        &mut self.state
    }
}
