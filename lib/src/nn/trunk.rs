//! A [`CharCnn`](super::CharCnn) with its sizes as numbers: compiled once, here, for
//! every head, so that a notebook's cell never compiles it again.

use super::{
    Batch,
    dense_head::{Drop, Head, HeadGradient, Inputs, values},
    fused::{self, Folded, Half, HalfGradient, Images, Saved, Statistics},
    kernels::{
        conv::ConvShape,
        lanes::{Buffer, Lane, flat_mut},
        passes::{blocks_to_planes, planes_to_blocks},
    },
    threads::{ParForEach, both},
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

/// The parameters of both blocks, by their halves.
#[derive(Clone, Copy)]
pub(crate) struct Trunk<'a>(pub [[Half<'a>; 2]; 2]);

/// All parameters of a network.
pub(crate) struct Network<'a> {
    pub trunk: Trunk<'a>,
    pub head: Head<'a>,
}

/// The gradients of both blocks, by their halves.
pub(crate) type TrunkGradient = [[HalfGradient; 2]; 2];

/// What a training step's forward pass keeps.
pub(crate) struct Forward {
    trunk: Option<SavedTrunk>,
    flattened: Buffer,
    hidden: Buffer,
    pub logits: Vec<f32>,
    p: f32,
}

struct SavedTrunk {
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

    /// Through the head, from the gradient of the logits.
    pub fn backward_head(&self, head: &Head, dlogits: &[f32]) -> HeadBackward {
        let units = head.hidden_bias.len();
        let batch = dlogits.len() / head.output_bias.len();
        let dhidden = head.backward_hidden(values(&self.hidden, batch * units), self.p, dlogits);
        let dx = (self.trunk.as_ref()).map(|_| head.backward_input(&dhidden));
        HeadBackward { dhidden, dx }
    }

    /// Through the trunk, while `update_head` takes the gradients of the head: its update
    /// waits for memory where the trunk waits for arithmetic.
    pub fn backward_trunk(
        self,
        trunk: Trunk,
        batch: Batch,
        dlogits: &[f32],
        through: HeadBackward,
        update_head: impl FnOnce(HeadGradient) + Send,
    ) -> Option<TrunkGradient> {
        let HeadBackward { dhidden, dx } = through;
        let inputs = Inputs {
            x: values(&self.flattened, batch.len * FLAT),
            features: batch.features,
            batch: batch.len,
        };
        let hidden = values(&self.hidden, dhidden.len());
        let saved = self.trunk;
        both(
            || Some(trunk.backward(batch.images, saved?, &dx?)),
            || update_head(HeadGradient::new(inputs, hidden, &dhidden, dlogits)),
        )
    }
}

/// The gradients of the hidden units, and of the trunk's output where it is not frozen.
pub(crate) struct HeadBackward {
    dhidden: Vec<f32>,
    dx: Option<Buffer>,
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
            (None, self.trunk.frozen(images))
        } else {
            let (saved, pooled) = self.trunk.forward(images);
            (Some(saved), flatten(&pooled, batch))
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

    /// `(batch, classes)` in evaluation mode.
    pub fn logits(&self, images: &[f32], features: &[f32]) -> Vec<f32> {
        let batch = images.len() / (SIDE * SIDE);
        let per_image = features.len() / batch;
        let folded = self.trunk.fold();
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

    /// Evaluation-mode outputs of every layer: name, units, `(batch, units)`.
    pub fn activations(
        &self,
        images: &[f32],
        features: &[f32],
    ) -> Vec<(&'static str, usize, Vec<f32>)> {
        let batch = images.len() / (SIDE * SIDE);
        let folded = self.trunk.fold();
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
                (planes.chunks_exact_mut(units))
                    .zip(lanes.chunks_exact(units / 16))
                    .par_for_each(|(planes, lanes)| blocks_to_planes(lanes, *area, planes));
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

impl Trunk<'_> {
    /// What the backward pass needs, and the output in blocks.
    fn forward(&self, images: &[f32]) -> (SavedTrunk, Buffer) {
        let batch = images.len() / (SIDE * SIDE);
        let Self([block1, block2]) = self;
        let planes = Images::Planes(images);
        let (pooled1, saved1) = fused::forward(shape(0), planes, batch, &block1[0], &block1[1]);
        let blocks = Images::Blocks(&pooled1);
        let (pooled2, saved2) = fused::forward(shape(1), blocks, batch, &block2[0], &block2[1]);
        let saved = SavedTrunk {
            pooled1,
            saved: [saved1, saved2],
        };
        (saved, pooled2)
    }

    /// From the gradient of the output, `(batch, 64, 7, 7)`.
    fn backward(&self, images: &[f32], saved: SavedTrunk, dx: &Buffer) -> TrunkGradient {
        let batch = images.len() / (SIDE * SIDE);
        let Self([block1, block2]) = self;
        let [saved1, saved2] = saved.saved;
        let mut dy = unflatten(dx, batch);
        let blocks = Images::Blocks(&saved.pooled1);
        let (gradient2, dy1) =
            fused::backward(saved2, blocks, &block2[0], &block2[1], &mut dy, true);
        let mut dy1 = dy1.unwrap_or_else(|| Buffer::zeros(saved.pooled1.len()));
        let planes = Images::Planes(images);
        let (gradient1, _) =
            fused::backward(saved1, planes, &block1[0], &block1[1], &mut dy1, false);
        [gradient1, gradient2]
    }

    fn fold(&self) -> [Folded; 2] {
        let Self([block1, block2]) = self;
        [
            Folded::new(shape(0), &block1[0], &block1[1]),
            Folded::new(shape(1), &block2[0], &block2[1]),
        ]
    }

    /// In evaluation mode, as a training step of the head alone sees it: `(batch, 64, 7, 7)`.
    fn frozen(&self, images: &[f32]) -> Buffer {
        let Self([block1, block2]) = self;
        let folded = [
            Folded::direct(shape(0), &block1[0], &block1[1]),
            Folded::direct(shape(1), &block2[0], &block2[1]),
        ];
        trunk(&folded, images)
    }
}

fn trunk(folded: &[Folded; 2], images: &[f32]) -> Buffer {
    let batch = images.len() / (SIDE * SIDE);
    let mut out = Buffer::new(batch * FLAT / 16);
    out.chunks_exact_mut(FLAT / 16)
        .enumerate()
        .par_for_each(|(image, out)| {
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
    (planes.chunks_exact_mut(FLAT / 16))
        .zip(blocks.chunks_exact(FLAT / 16))
        .par_for_each(|(planes, blocks)| {
            blocks_to_planes(blocks, POOLED * POOLED, flat_mut(planes))
        });
    planes
}

/// The inverse of [`flatten`].
fn unflatten(planes: &Buffer, batch: usize) -> Buffer {
    let mut blocks = Buffer::new(batch * FLAT / 16);
    (blocks.chunks_exact_mut(FLAT / 16))
        .zip(values(planes, batch * FLAT).chunks_exact(FLAT))
        .par_for_each(|(blocks, planes)| planes_to_blocks(planes, POOLED * POOLED, blocks));
    blocks
}
