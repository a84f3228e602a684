//! Convolution.

use dfdx::{
    nn::{
        BuildModule, BuildOnDevice, Module, ModuleVisitor, NonMutableModule, TensorCollection,
        TensorOptions,
    },
    shapes::{Const, Dtype, HasShape, Rank1, Rank4},
    tensor::{Cpu, CpuError, PutTape, SplitTape, Storage, Tape, Tensor, TensorFromVec},
    tensor_ops::{Device, ReshapeTo},
};

use super::{
    fused, init,
    kernels::{conv::ConvShape, view::values},
    shape::Images,
    tape::{add, add_gradient, with_gradients},
};

/// Convolution with "same" zero padding and stride 1, and a bias.
///
/// # Generics
/// - `I`: input channels
/// - `O`: output channels
/// - `K`: height and width of the kernel, odd: 3 unless said otherwise
///
/// # Shapes
/// `(batch, I, H, W)` to `(batch, O, H, W)`; `weight` is `(O, I, K, K)`, `bias` is `(O)`.
///
/// PyTorch equivalent: `torch.nn.Conv2d(I, O, K, padding="same")`, with the same
/// initial distribution of `weight` and `bias`.
///
/// # Examples
/// ```
/// use dfdx::prelude::*;
/// use glyphs::nn::{Conv2d, shape::Images};
///
/// let dev = Cpu::default();
/// let conv = dev.build_module::<Conv2d<3, 8>, f32>();
/// let x: Images<3, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));
/// let y: Images<8, 28, 28> = conv.forward(x);
/// ```
///
/// Other channels than `I` do not compile; the message names both.
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use glyphs::nn::{Conv2d, shape::Images};
///
/// let dev = Cpu::default();
/// let conv = dev.build_module::<Conv2d<3, 8>, f32>();
/// let x: Images<4, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));
/// conv.forward(x);
/// ```
#[derive(Clone, Debug)]
pub struct Conv2d<
    const I: usize,
    const O: usize,
    const K: usize = 3,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    pub weight: Tensor<Rank4<O, I, K, K>, E, D>,
    pub bias: Tensor<Rank1<O>, E, D>,
}

impl<const I: usize, const O: usize, const K: usize, E: Dtype, D: Device<E>> BuildOnDevice<D, E>
    for Conv2d<I, O, K>
where
    Conv2d<I, O, K, E, D>: BuildModule<D, E>,
{
    type Built = Conv2d<I, O, K, E, D>;
}

impl<const I: usize, const O: usize, const K: usize> TensorCollection<f32, Cpu>
    for Conv2d<I, O, K>
{
    type To<E2: Dtype, D2: Device<E2>> = Conv2d<I, O, K, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, f32, Cpu>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let weight = TensorOptions::reset_with(|t| init::uniform(t, I * K * K));
        let bias = TensorOptions::reset_with(|t| init::uniform(t, I * K * K));
        visitor.visit_fields(
            (
                Self::tensor("weight", |s| &s.weight, |s| &mut s.weight, weight),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, bias),
            ),
            |(weight, bias)| Conv2d { weight, bias },
        )
    }
}

impl<const I: usize, const O: usize, const K: usize> NonMutableModule for Conv2d<I, O, K> {}

impl<const I: usize, const O: usize, const K: usize, const H: usize, const W: usize, T>
    Module<Images<I, H, W, T>> for Conv2d<I, O, K>
where
    T: Tape<f32, Cpu>,
{
    type Output = Images<O, H, W, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Images<I, H, W, T>) -> Result<Self::Output, CpuError> {
        const { assert!(K % 2 == 1, "\"same\" padding needs a kernel of odd size") };
        let shape = ConvShape {
            inputs: I,
            outputs: O,
            kernel: K,
            height: H,
            width: W,
        };
        let all = *x.shape();
        let (x, mut tape) = x.try_reshape_like(&all)?.split_tape();
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let y = fused::conv_planes(&shape, &values(&x), all.0, &values(&weight), &values(&bias));
        let y = (x.device().clone()).try_tensor_from_vec(y, (all.0, Const, Const, Const))?;
        let out: Images<O, H, W> = y.clone();
        tape.add_backward_op(move |grads| {
            let mut parameters = (Vec::new(), Vec::new());
            with_gradients(grads, &x, &out, |dx, dy| {
                let (more, dw, db) =
                    fused::conv_planes_gradient(&shape, &values(&x), dy, all.0, &values(&weight));
                add(dx, &more);
                parameters = (dw, db);
            })?;
            add_gradient(grads, &weight, &parameters.0)?;
            add_gradient(grads, &bias, &parameters.1)
        });
        Ok(y.put_tape(tape))
    }
}
