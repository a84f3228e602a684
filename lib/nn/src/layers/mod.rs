//! The layers that networks are made of. Each is a module of dfdx as well, but for [`OnTape`], and
//! [`Linear`] with auxiliary features.

mod batch_norm2d;
mod conv2d;
pub(crate) mod dropout;
mod flatten;
mod linear;
mod module;
pub(crate) mod on_tape;
mod pool2d;
mod relu;
pub(crate) mod tape;
mod vgg_block;

pub use dfdx::nn::modules::{GeneralizedResidual, Residual};

pub use self::{
    batch_norm2d::BatchNorm2d,
    conv2d::Conv2d,
    dropout::Dropout,
    flatten::Flatten,
    linear::Linear,
    on_tape::OnTape,
    pool2d::{AvgPool2d, GlobalAvgPool2d, MaxPool2d},
    relu::ReLU,
    vgg_block::VggBlock,
};
use crate::{Builder, shape::SampleShape};

/// A layer, or a stack of them, on samples of shape `In`: [`Image`](crate::shape::Image) or
/// [`Vector`](crate::shape::Vector).
///
/// Tuples of up to twelve layers are layers, and nest; so are dfdx's `Residual<F>` (`F(x) + x`)
/// and `GeneralizedResidual<F, R>` (`F(x) + R(x)`), and its activations. Any other module of dfdx
/// becomes one as [`OnTape`]. A stack whose parts have names is a type of its own:
///
/// ```
/// use dfdx_conv::{Builder, Network, layers::*, shape::{Image, Vector}};
///
/// struct Reader;
///
/// impl Layer<Image<1, 28, 28>> for Reader {
///     type Output = Vector<10>;
///
///     fn lower(layers: &mut Builder) {
///         layers.layer::<VggBlock<1, 16>, Image<1, 28, 28>>("trunk");
///         layers.unnamed::<Flatten<3136>, Image<16, 14, 14>>();
///         layers.layer::<Linear<3136, 10>, Vector<3136>>("head");
///     }
/// }
///
/// let mut model: Network<Reader> = Network::new(1);
/// model.freeze(&["trunk"]).unwrap();
/// ```
///
/// What is no layer does not compile in a network, nor does a skip connection around another number
/// of channels, nor a network that ends in images; the message names both shapes.
/// ```compile_fail,E0277
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Flatten<784>, f32, Linear<784, 10>)> = Network::new(1);
/// ```
/// ```compile_fail,E0271
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Residual<Conv2d<1, 8>>, GlobalAvgPool2d)> = Network::new(1);
/// ```
/// ```compile_fail,E0271
/// use dfdx_conv::{Network, layers::*};
///
/// let model: Network<(Conv2d<1, 8>, ReLU)> = Network::new(1);
/// ```
#[diagnostic::on_unimplemented(
    message = "the layer `{Self}` does not take samples of shape `{In}`",
    label = "`{In}` arrives here, but `{Self}` takes another shape",
    note = "a shape is (channels, height, width) or (length,)",
    note = "a module of dfdx becomes a layer as `OnTape<M>`; your own type by implementing `Layer`"
)]
pub trait Layer<In: SampleShape>: 'static {
    type Output: SampleShape;

    /// Adds itself to a network's layers.
    fn lower(layers: &mut Builder);
}

macro_rules! tuple {
    ($first:ident $($layer:ident $before:ident)* => $last:ident) => {
        impl<In: SampleShape, $first: Layer<In>, $($layer: Layer<$before::Output>),*> Layer<In>
            for ($first, $($layer,)*)
        {
            type Output = $last::Output;

            fn lower(layers: &mut Builder) {
                let mut index = 0..;
                let mut name = || index.next().map_or(String::new(), |i: usize| i.to_string());
                layers.layer::<$first, In>(&name());
                $(layers.layer::<$layer, $before::Output>(&name());)*
            }
        }
    };
}

tuple!(A => A);
tuple!(A B A => B);
tuple!(A B A C B => C);
tuple!(A B A C B D C => D);
tuple!(A B A C B D C E D => E);
tuple!(A B A C B D C E D F E => F);
tuple!(A B A C B D C E D F E G F => G);
tuple!(A B A C B D C E D F E G F H G => H);
tuple!(A B A C B D C E D F E G F H G I H => I);
tuple!(A B A C B D C E D F E G F H G I H J I => J);
tuple!(A B A C B D C E D F E G F H G I H J I K J => K);
tuple!(A B A C B D C E D F E G F H G I H J I K J L K => L);

/// `F(x) + x` (K. He et al., "Deep residual learning for image recognition", CVPR 2016).
impl<In: SampleShape, F: Layer<In, Output = In>> Layer<In> for Residual<F> {
    type Output = In;

    fn lower(layers: &mut Builder) {
        layers.residual(|main| main.layer::<F, In>("0"), |_| {});
    }
}

/// `F(x) + R(x)`
impl<In: SampleShape, F, R> Layer<In> for GeneralizedResidual<F, R>
where
    F: Layer<In>,
    R: Layer<In, Output = F::Output>,
{
    type Output = F::Output;

    fn lower(layers: &mut Builder) {
        layers.residual(|main| main.layer::<F, In>("f"), |shortcut| shortcut.layer::<R, In>("r"));
    }
}
