//! Shapes that the compiler works out.

use dfdx::{
    shapes::{Const, ConstDim},
    tensor::{Cpu, NoneTape, Tensor},
};

/// A batch of images `(batch, C, H, W)`, row-major; the batch size is known at run time only.
pub type Images<const C: usize, const H: usize, const W: usize, T = NoneTape> =
    Tensor<(usize, Const<C>, Const<H>, Const<W>), f32, Cpu, T>;

/// A batch of feature vectors `(batch, N)`.
pub type Features<const N: usize, T = NoneTape> = Tensor<(usize, Const<N>), f32, Cpu, T>;

/// An even size, and its half: what 2 x 2 pooling makes of a height or a width.
///
/// Implemented for `Const<2>` to `Const<64>`, even ones only, and for the usual larger
/// image sizes; stable Rust cannot compute `N / 2` in a type.
#[diagnostic::on_unimplemented(
    message = "2 x 2 pooling cannot halve a height or width of `{Self}`",
    label = "`{Self}` is odd, or too large for `Halve`",
    note = "pool images of even height and width, such as 28 x 28 (to 14 x 14) or 14 x 14 (to 7 x 7)"
)]
pub trait Halve: ConstDim {
    type Half: ConstDim;
}

macro_rules! halve {
    ($($whole:literal => $half:literal),* $(,)?) => {
        $(impl Halve for Const<$whole> { type Half = Const<$half>; })*
    };
}

halve! {
    2 => 1, 4 => 2, 6 => 3, 8 => 4, 10 => 5, 12 => 6, 14 => 7, 16 => 8, 18 => 9, 20 => 10,
    22 => 11, 24 => 12, 26 => 13, 28 => 14, 30 => 15, 32 => 16, 34 => 17, 36 => 18, 38 => 19,
    40 => 20, 42 => 21, 44 => 22, 46 => 23, 48 => 24, 50 => 25, 52 => 26, 54 => 27, 56 => 28,
    58 => 29, 60 => 30, 62 => 31, 64 => 32, 96 => 48, 112 => 56, 128 => 64, 224 => 112, 256 => 128,
}

/// The half of a `Const`.
pub type Half<const N: usize> = <Const<N> as Halve>::Half;
