//! The pen of a drawing, made thinner.

use super::{Ink, InkBox, ink::THRESHOLD};

/// From a pixel to its neighbour, and to one across a corner, in thirds of a pixel
/// (G. Borgefors, "Distance transformations in digital images", 1986).
const STEPS: [u16; 2] = [3, 4];

impl Ink {
    /// The same drawing by a pen that is `share` times as wide: what lies deeper in the ink than
    /// the rest of the pen's radius stays. Ink is full or none afterwards.
    pub fn thinned(mut self, share: f32) -> Self {
        let Some(bounds) = self.bounds() else {
            return self;
        };
        let (stride, depths) = self.depths(&bounds);
        // Where no neighbour is deeper, there runs the middle of a stroke.
        let around = [1, stride - 1, stride, stride + 1];
        let is_middle = |&i: &usize| {
            let near = around.iter().flat_map(|offset| [i - offset, i + offset]);
            depths[i] > 0 && near.into_iter().all(|near| depths[near] <= depths[i])
        };
        let inside = stride + 1..depths.len() - stride - 1;
        let mut radii: Vec<u16> = inside.filter(is_middle).map(|i| depths[i]).collect();
        radii.sort_unstable();
        let radius = radii.get(radii.len() / 2).copied().unwrap_or(0);
        let least = (f32::from(radius) * (1.0 - share.clamp(0.0, 1.0))) as u16;
        for (y, row) in depths.chunks_exact(stride).skip(1).take(bounds.height).enumerate() {
            let pixels = &mut self.pixels[(bounds.top + y) * self.width + bounds.left..];
            for (pixel, &depth) in pixels.iter_mut().zip(&row[1..=bounds.width]) {
                *pixel = if depth > least { 255 } else { 0 };
            }
        }
        self
    }

    /// How far each pixel of the box is from paper, in thirds of a pixel, in rows of so many
    /// values: one of paper is on each side.
    fn depths(&self, bounds: &InkBox) -> (usize, Vec<u16>) {
        let stride = bounds.width + 2;
        let mut depths = vec![0; stride * (bounds.height + 2)];
        let rows = self.pixels.chunks_exact(self.width).skip(bounds.top);
        for (row, depths) in rows.zip(depths.chunks_exact_mut(stride).skip(1)).take(bounds.height) {
            for (depth, &value) in depths[1..].iter_mut().zip(&row[bounds.left..][..bounds.width]) {
                *depth = if value >= THRESHOLD { u16::MAX / 2 } else { 0 };
            }
        }
        let [side, corner] = STEPS;
        let near = [(1, side), (stride - 1, corner), (stride, side), (stride + 1, corner)];
        let inside = stride + 1..depths.len() - stride - 1;
        for i in inside.clone() {
            let nearest = near.map(|(offset, step)| depths[i - offset] + step);
            depths[i] = nearest.into_iter().fold(depths[i], u16::min);
        }
        for i in inside.rev() {
            let nearest = near.map(|(offset, step)| depths[i + offset] + step);
            depths[i] = nearest.into_iter().fold(depths[i], u16::min);
        }
        (stride, depths)
    }
}
