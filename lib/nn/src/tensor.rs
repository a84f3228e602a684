//! A network's or an optimiser's tensors by their names.

/// A named tensor of a network: a parameter or a running statistic.
#[derive(Clone, Debug)]
pub struct TensorRef<'a> {
    /// Dotted path, e.g. `block1.conv1.weight`.
    pub name: String,
    pub shape: Vec<usize>,
    pub values: &'a [f32],
}

/// As [`TensorRef`], writable.
#[derive(Debug)]
pub struct TensorMut<'a> {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: &'a mut [f32],
}
