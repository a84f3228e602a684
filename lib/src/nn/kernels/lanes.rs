//! Memory in vectors of sixteen, and buffers that outlive a step.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

/// Sixteen values, one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub [f32; 16]);

/// The values of `lanes`, in order.
pub(crate) fn flat(lanes: &[Lane]) -> &[f32] {
    // SAFETY: `Lane` is 16 f32 without padding, so the slice holds 16 times as many f32.
    unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * 16) }
}

/// As [`flat`], writable.
pub(crate) fn flat_mut(lanes: &mut [Lane]) -> &mut [f32] {
    // SAFETY: as in `flat`; the borrow is unique, and every bit pattern is an f32.
    unsafe { std::slice::from_raw_parts_mut(lanes.as_mut_ptr().cast(), lanes.len() * 16) }
}

/// Lanes whose memory is used again by later buffers: fresh memory would cost a
/// page fault for every 4 KiB in every step. Its first content is arbitrary.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: Vec<Lane>,
    len: usize,
}

impl Buffer {
    pub fn new(len: usize) -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let fit = (0..pool.len())
            .filter(|&i| pool[i].len() >= len && pool[i].len() <= 2 * len + 1024)
            .min_by_key(|&i| pool[i].len());
        let memory = match fit {
            Some(i) => pool.swap_remove(i),
            None => {
                drop(pool);
                vec![Lane::default(); len]
            }
        };
        Self { memory, len }
    }

    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::new(len);
        buffer.fill(Lane::default());
        buffer
    }
}

impl Deref for Buffer {
    type Target = [Lane];

    fn deref(&self) -> &[Lane] {
        &self.memory[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [Lane] {
        &mut self.memory[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.push(std::mem::take(&mut self.memory));
        // The oldest go first: a network's buffers come back in every step.
        if pool.len() > POOLED {
            pool.remove(0);
        }
    }
}

static POOL: Mutex<Vec<Vec<Lane>>> = Mutex::new(Vec::new());
const POOLED: usize = 64;
