//! Shapes that the compiler works out.

use std::fmt;

use dfdx::{
    shapes::{Const, ConstDim, Rank1, Rank3, Shape},
    tensor::{Cpu, NoneTape, Tensor},
};

/// The shape of an image, as a network's type names it: channels, height, width.
pub type Image<const C: usize, const H: usize, const W: usize> = Rank3<C, H, W>;
/// The shape of a vector of `N` values.
pub type Vector<const N: usize> = Rank1<N>;

/// A batch of images `(batch, C, H, W)`, row-major; the batch size is known at run time only.
pub type Images<const C: usize, const H: usize, const W: usize, T = NoneTape> =
    Tensor<(usize, Const<C>, Const<H>, Const<W>), f32, Cpu, T>;

/// A batch of feature vectors `(batch, N)`.
pub type Features<const N: usize, T = NoneTape> = Tensor<(usize, Const<N>), f32, Cpu, T>;

/// The shape of one sample: [`Image`] or [`Vector`].
pub trait SampleShape: 'static {
    /// The shape of a batch of such samples, as dfdx's tensors have it.
    type Batch: Shape;

    const DIMS: Dims;

    fn batch(len: usize) -> Self::Batch;
}

impl<C: ConstDim, H: ConstDim, W: ConstDim> SampleShape for (C, H, W) {
    type Batch = (usize, C, H, W);

    const DIMS: Dims = Dims::image(C::SIZE, H::SIZE, W::SIZE);

    fn batch(len: usize) -> Self::Batch {
        (len, C::default(), H::default(), W::default())
    }
}

impl<N: ConstDim> SampleShape for (N,) {
    type Batch = (usize, N);

    const DIMS: Dims = Dims::Vector(N::SIZE);

    fn batch(len: usize) -> Self::Batch {
        (len, N::default())
    }
}

/// The shape of one sample at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dims {
    /// `channels * height * width` values, in this order.
    Image { channels: usize, height: usize, width: usize },
    /// So many values.
    Vector(usize),
}

impl Dims {
    /// [`Dims::Image`] of these sizes.
    pub const fn image(channels: usize, height: usize, width: usize) -> Self {
        Self::Image { channels, height, width }
    }

    /// Number of values.
    pub fn len(self) -> usize {
        let (channels, height, width) = self.sizes();
        channels.saturating_mul(height).saturating_mul(width)
    }

    /// Whether a size is 0.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// E.g. `[64, 7, 7]`.
    pub fn to_vec(self) -> Vec<usize> {
        let (channels, height, width) = self.sizes();
        match self {
            Self::Image { .. } => vec![channels, height, width],
            Self::Vector(len) => vec![len],
        }
    }

    /// Channels, height and width; a vector is an image of one pixel.
    pub(crate) fn sizes(self) -> (usize, usize, usize) {
        match self {
            Self::Image { channels, height, width } => (channels, height, width),
            Self::Vector(len) => (len, 1, 1),
        }
    }

    /// Channels and pixels a channel.
    pub(crate) fn channels_and_area(self) -> (usize, usize) {
        let (channels, height, width) = self.sizes();
        (channels, height * width)
    }
}

/// `64 x 7 x 7`
impl fmt::Display for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self.to_vec().iter().map(usize::to_string).collect();
        f.write_str(&sizes.join(" x "))
    }
}

/// A size and its halves: what a window of 2, or a stride of 2, makes of a height or a width.
///
/// Implemented for `Const<2>` to `Const<257>`; stable Rust cannot compute `N / 2` in a type.
#[diagnostic::on_unimplemented(
    message = "a height or width of `{Self}` cannot be halved",
    label = "`{Self}` is below 2, or above 257",
    note = "pool images of at least 2 x 2 pixels, such as 28 x 28 (to 14 x 14) or 7 x 7 (to 3 x 3)"
)]
pub trait Halve: ConstDim {
    /// `N / 2`, rounded down: pooling drops the last row or column of an odd size.
    type Half: ConstDim;
    /// `N / 2`, rounded up: a convolution with stride 2 sees it.
    type HalfUp: ConstDim;
}

macro_rules! halve {
    ($($half:literal)*) => {
        $(
            impl Halve for Const<{ 2 * $half }> {
                type Half = Const<$half>;
                type HalfUp = Const<$half>;
            }
            impl Halve for Const<{ 2 * $half + 1 }> {
                type Half = Const<$half>;
                type HalfUp = Const<{ $half + 1 }>;
            }
        )*
    };
}

halve! {
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
    65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96
    97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120
    121 122 123 124 125 126 127 128
}

/// What a stride of `S`, 1 or 2, makes of a height or width.
#[diagnostic::on_unimplemented(
    message = "a convolution of stride `{S}` does not take a height or width of `{Self}`",
    note = "strides are 1 (any size) and 2 (sizes from 2 to 257)"
)]
pub trait Stride<const S: usize>: ConstDim {
    type Output: ConstDim;
}

impl<const N: usize> Stride<1> for Const<N> {
    type Output = Self;
}

impl<const N: usize> Stride<2> for Const<N>
where
    Self: Halve,
{
    type Output = <Self as Halve>::HalfUp;
}
