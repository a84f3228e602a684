//! Adam (D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015).

/// The optimiser and its state: the moments of every parameter, and the step count.
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
}
