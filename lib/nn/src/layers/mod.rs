//! The layers that networks are made of. Each is a module of dfdx as well, but for [`OnTape`], and
//! [`Linear`] with auxiliary features.

mod batch_norm2d;
mod conv2d;
mod dropout;
mod flatten;
mod linear;
mod module;
mod on_tape;
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
pub use crate::plan::layer::Layer;
use crate::{Builder, shape::SampleShape};

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
