//! A dfdx tensor's values as a slice. dfdx 0.13 lends single elements only, and
//! copying a dense layer's weights twice a step would cost more than Adam does.

use std::borrow::Cow;

use dfdx::{
    shapes::{HasShape, Shape},
    tensor::{Cpu, Tensor, TensorFrom},
};

/// The values in row-major order; copied only where the tensor is strided.
pub(crate) fn values<S: Shape, T>(tensor: &Tensor<S, f32, Cpu, T>) -> Cow<'_, [f32]> {
    let len = tensor.shape().num_elements();
    if len == 0 {
        return Cow::Borrowed(&[]);
    }
    if !is_contiguous(tensor) {
        return Cow::Owned(tensor.as_vec());
    }
    let first: *const f32 = &tensor[S::Concrete::default()];
    // SAFETY: the tensor's strides are those of a row-major array, so its vector holds `len` values
    // from the first on, and the slice borrows the tensor for as long. The pointer comes from a
    // reference to the first value: Tree Borrows lets it reach the others, Stacked Borrows does not.
    Cow::Borrowed(unsafe { std::slice::from_raw_parts(first, len) })
}

/// The values in row-major order, writable. A strided tensor is made contiguous first.
pub(crate) fn values_mut<S: Shape>(tensor: &mut Tensor<S, f32, Cpu>) -> &mut [f32] {
    let len = tensor.shape().num_elements();
    if len == 0 {
        return &mut [];
    }
    if !is_contiguous(tensor) {
        let device = tensor.device().clone();
        *tensor = device.tensor((tensor.as_vec(), *tensor.shape()));
    }
    let first: *mut f32 = &mut tensor[S::Concrete::default()];
    // SAFETY: as in `values`; `IndexMut` has made the vector this tensor's own.
    unsafe { std::slice::from_raw_parts_mut(first, len) }
}

/// Strides, read off the addresses of the first element's neighbours.
fn is_contiguous<S: Shape, T>(tensor: &Tensor<S, f32, Cpu, T>) -> bool {
    let sizes = tensor.shape().concrete();
    let origin = S::Concrete::default();
    let first: *const f32 = &tensor[origin];
    let mut stride = 1;
    for axis in (0..S::NUM_DIMS).rev() {
        if sizes[axis] > 1 {
            let mut index = origin;
            index[axis] = 1;
            let next: *const f32 = &tensor[index];
            if next as usize != first as usize + stride * size_of::<f32>() {
                return false;
            }
        }
        stride *= sizes[axis];
    }
    true
}
