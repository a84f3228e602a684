//! What a plan asks of a type of layers.

use super::builder::Builder;
use crate::shape::SampleShape;

/// A layer, or a stack of them, on samples of shape `In`: [`Image`](crate::shape::Image) or
/// [`Vector`](crate::shape::Vector).
///
/// Tuples of up to twelve layers are layers, and nest; so are dfdx's `Residual<F>` (`F(x) + x`)
/// and `GeneralizedResidual<F, R>` (`F(x) + R(x)`), and its activations. Any other module of dfdx
/// becomes one as [`OnTape`](crate::layers::OnTape). A stack whose parts have names is a type of
/// its own:
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
