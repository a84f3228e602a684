//! A [`CharCnn`](super::CharCnn) with its sizes as numbers: compiled once, here, for
//! every head, so that a notebook's cell never compiles it again.

use rayon::prelude::*;

use super::{
    dense_head::{Drop, Head, HeadGradient, Inputs, values},
    fused::{self, Folded, Half, HalfGradient, Images, Saved, Statistics},
    kernels::{
        conv::ConvShape,
        lanes::{Buffer, Lane, flat_mut},
        passes::{blocks_to_planes, planes_to_blocks},
    },
};
use crate::data::SIDE;

pub(crate) const CHANNELS: [usize; 2] = [32, 64];
/// Height and width after two poolings.
pub(crate) const POOLED: usize = SIDE / 4;
/// Values that the trunk hands to the head, in the order `(64, 7, 7)`.
pub(crate) const FLAT: usize = CHANNELS[1] * POOLED * POOLED;
/// Images that go through the network at once in evaluation: so many rows of a matrix product,
/// whose weights are packed once for them. A multiple of the rows of its tiles.
const CHUNK: usize = 504;

/// All parameters of a network.
pub(crate) struct Network<'a> {
    pub blocks: [[Half<'a>; 2]; 2],
    pub head: Head<'a>,
}

/// The gradients of one step; none of the trunk where it is frozen.
pub(crate) struct Gradients {
    pub trunk: Option<[[HalfGradient; 2]; 2]>,
    pub head: HeadGradient,
}

/// What a training step's forward pass keeps.
pub(crate) struct Forward {
    trunk: Option<Trunk>,
    flattened: Buffer,
    hidden: Buffer,
    pub logits: Vec<f32>,
    p: f32,
}

struct Trunk {
    pooled1: Buffer,
    saved: [Saved; 2],
}

impl Forward {
    /// The batch statistics of both blocks' halves; none where the trunk is frozen.
    pub fn statistics(&self) -> Option<[[&Statistics; 2]; 2]> {
        let trunk = self.trunk.as_ref()?;
        Some(
            trunk
                .saved
                .each_ref()
                .map(|saved| [&saved.statistics1, &saved.statistics2]),
        )
    }
}

fn shape(block: usize) -> ConvShape {
    ConvShape {
        inputs: if block == 0 { 1 } else { CHANNELS[0] },
        outputs: CHANNELS[block],
        kernel: 3,
        height: SIDE >> block,
        width: SIDE >> block,
    }
}

impl Network<'_> {
    /// The forward pass in training mode.
    pub fn forward(
        &self,
        images: &[f32],
        features: &[f32],
        drop: Drop,
        freeze_trunk: bool,
    ) -> Forward {
        let batch = images.len() / (SIDE * SIDE);
        let (trunk, flattened) = if freeze_trunk {
            (None, self.frozen_trunk(images))
        } else {
            let [block1, block2] = &self.blocks;
            let planes = Images::Planes(images);
            let (pooled1, saved1) = fused::forward(shape(0), planes, batch, &block1[0], &block1[1]);
            let blocks = Images::Blocks(&pooled1);
            let (pooled2, saved2) = fused::forward(shape(1), blocks, batch, &block2[0], &block2[1]);
            let trunk = Trunk {
                pooled1,
                saved: [saved1, saved2],
            };
            (Some(trunk), flatten(&pooled2, batch))
        };
        let inputs = Inputs {
            x: values(&flattened, batch * FLAT),
            features,
            batch,
        };
        let hidden = self.head.hidden(inputs, Some(drop));
        let units = self.head.hidden_bias.len();
        let logits = self.head.logits(values(&hidden, batch * units), batch);
        Forward {
            trunk,
            flattened,
            hidden,
            logits,
            p: drop.p,
        }
    }

    /// The backward pass from the gradient of the logits.
    pub fn backward(
        &self,
        images: &[f32],
        features: &[f32],
        forward: Forward,
        dlogits: &[f32],
    ) -> Gradients {
        let batch = images.len() / (SIDE * SIDE);
        let inputs = Inputs {
            x: values(&forward.flattened, batch * FLAT),
            features,
            batch,
        };
        let (head, dx) = self.head.backward(
            inputs,
            values(&forward.hidden, batch * self.head.hidden_bias.len()),
            forward.p,
            dlogits,
            forward.trunk.is_some(),
        );
        let (Some(dx), Some(trunk)) = (dx, forward.trunk) else {
            return Gradients { trunk: None, head };
        };
        let [saved1, saved2] = trunk.saved;
        let [block1, block2] = &self.blocks;
        let mut dy = unflatten(&dx, batch);
        let blocks = Images::Blocks(&trunk.pooled1);
        let (gradient2, dy1) =
            fused::backward(saved2, blocks, &block2[0], &block2[1], &mut dy, true);
        let mut dy1 = dy1.unwrap_or_else(|| Buffer::zeros(trunk.pooled1.len()));
        let planes = Images::Planes(images);
        let (gradient1, _) =
            fused::backward(saved1, planes, &block1[0], &block1[1], &mut dy1, false);
        Gradients {
            trunk: Some([gradient1, gradient2]),
            head,
        }
    }

    /// `(batch, classes)` in evaluation mode.
    pub fn logits(&self, images: &[f32], features: &[f32]) -> Vec<f32> {
        let batch = images.len() / (SIDE * SIDE);
        let per_image = features.len() / batch;
        let folded = self.fold();
        let mut logits = Vec::with_capacity(batch * self.head.output_bias.len());
        for from in (0..batch).step_by(CHUNK) {
            let to = (from + CHUNK).min(batch);
            let x = trunk(&folded, &images[from * SIDE * SIDE..to * SIDE * SIDE]);
            let inputs = Inputs {
                x: values(&x, (to - from) * FLAT),
                features: &features[from * per_image..to * per_image],
                batch: to - from,
            };
            let hidden = self.head.hidden(inputs, None);
            let units = self.head.hidden_bias.len();
            logits.extend(
                self.head
                    .logits(values(&hidden, (to - from) * units), to - from),
            );
        }
        logits
    }

    fn fold(&self) -> [Folded; 2] {
        let [block1, block2] = &self.blocks;
        [
            Folded::new(shape(0), &block1[0], &block1[1]),
            Folded::new(shape(1), &block2[0], &block2[1]),
        ]
    }

    /// The trunk in evaluation mode, as a training step of the head alone sees it: `(batch, 64, 7, 7)`.
    fn frozen_trunk(&self, images: &[f32]) -> Buffer {
        let [block1, block2] = &self.blocks;
        let folded = [
            Folded::direct(shape(0), &block1[0], &block1[1]),
            Folded::direct(shape(1), &block2[0], &block2[1]),
        ];
        trunk(&folded, images)
    }

    /// Evaluation-mode outputs of every layer: name, units, `(batch, units)`.
    pub fn activations(
        &self,
        images: &[f32],
        features: &[f32],
    ) -> Vec<(&'static str, usize, Vec<f32>)> {
        let batch = images.len() / (SIDE * SIDE);
        let folded = self.fold();
        let names = [
            ["block1.conv1", "block1.conv2", "block1.pool"],
            ["block2.conv1", "block2.conv2", "block2.pool"],
        ];
        let mut layers: Vec<(&'static str, usize, Vec<f32>)> = Vec::new();
        let mut pooled = Buffer::new(0);
        for (block, names) in names.into_iter().enumerate() {
            let input = if block == 0 {
                Images::Planes(images)
            } else {
                Images::Blocks(&pooled)
            };
            let outputs = folded[block].layers(input, batch);
            for (name, (lanes, area)) in names.into_iter().zip(&outputs) {
                let units = CHANNELS[block] * area;
                let mut planes = vec![0.0; batch * units];
                (planes.par_chunks_exact_mut(units))
                    .zip(lanes.par_chunks_exact(units / 16))
                    .for_each(|(planes, lanes)| blocks_to_planes(lanes, *area, planes));
                layers.push((name, units, planes));
            }
            let [_, _, (last, _)] = outputs;
            pooled = last;
        }
        let inputs = Inputs {
            x: &layers[5].2,
            features,
            batch,
        };
        let units = self.head.hidden_bias.len();
        let hidden = self.head.hidden(inputs, None);
        let hidden = values(&hidden, batch * units).to_vec();
        let logits = self.head.logits(&hidden, batch);
        layers.push(("hidden", units, hidden));
        layers.push(("output", self.head.output_bias.len(), logits));
        layers
    }
}

fn trunk(folded: &[Folded; 2], images: &[f32]) -> Buffer {
    let batch = images.len() / (SIDE * SIDE);
    let mut out = Buffer::new(batch * FLAT / 16);
    out.par_chunks_exact_mut(FLAT / 16)
        .enumerate()
        .for_each(|(image, out)| {
            let mut pooled1 = Buffer::new(folded[0].output_len());
            folded[0].apply(Images::Planes(images), image, &mut pooled1);
            let mut pooled2 = Buffer::new(folded[1].output_len());
            folded[1].apply(Images::Blocks(&pooled1), 0, &mut pooled2);
            blocks_to_planes(&pooled2, POOLED * POOLED, flat_mut(out));
        });
    out
}

/// `(batch, 64, 7, 7)` from blocks.
fn flatten(blocks: &[Lane], batch: usize) -> Buffer {
    let mut planes = Buffer::new(batch * FLAT / 16);
    (planes.par_chunks_exact_mut(FLAT / 16))
        .zip(blocks.par_chunks_exact(FLAT / 16))
        .for_each(|(planes, blocks)| blocks_to_planes(blocks, POOLED * POOLED, flat_mut(planes)));
    planes
}

/// The inverse of [`flatten`].
fn unflatten(planes: &Buffer, batch: usize) -> Buffer {
    let mut blocks = Buffer::new(batch * FLAT / 16);
    (blocks.par_chunks_exact_mut(FLAT / 16))
        .zip(values(planes, batch * FLAT).par_chunks_exact(FLAT))
        .for_each(|(blocks, planes)| planes_to_blocks(planes, POOLED * POOLED, blocks));
    blocks
}
