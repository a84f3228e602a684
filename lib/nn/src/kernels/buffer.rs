//! Memory in vectors of sixteen, and buffers that outlive a step.

use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

use crate::threads::ParForEach;

/// Sixteen values, one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct F32x16(pub [f32; 16]);

/// The values of `vectors`, in order.
pub(crate) fn flat(vectors: &[F32x16]) -> &[f32] {
    // SAFETY: a vector is 16 f32 without padding, so the slice holds 16 times as many f32.
    unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * 16) }
}

/// As [`flat`], writable.
pub(crate) fn flat_mut(vectors: &mut [F32x16]) -> &mut [f32] {
    // SAFETY: as in `flat`; the borrow is unique, and every bit pattern is an f32.
    unsafe { std::slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), vectors.len() * 16) }
}

/// Values that several tasks write, each its own part of them, and their number.
pub(super) struct Target(pub *mut f32, pub usize);
// SAFETY: whoever writes through it sees to it that no two tasks write the same value.
unsafe impl Sync for Target {}

/// `to += values`
pub(crate) fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}

/// Vectors whose memory is used again by later buffers: fresh memory would cost a
/// page fault for every 4 KiB in every step. Its first content is arbitrary.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: Vec<F32x16>,
    len: usize,
}

impl Buffer {
    pub fn new(len: usize) -> Self {
        let memory = with_pool(len, |pool| pool.take(len)).flatten();
        let memory = memory.unwrap_or_else(|| vec![F32x16::default(); len]);
        Self { memory, len }
    }

    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::new(len);
        buffer.fill(F32x16::default());
        buffer
    }

    /// Adds `values`, on all threads.
    pub fn add(&mut self, values: &Self) {
        const CHUNK: usize = 1 << 12;
        (self.chunks_mut(CHUNK))
            .zip(values.chunks(CHUNK))
            .par_for_each(|(to, values)| add(flat_mut(to), flat(values)));
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Buffer {
    type Target = [F32x16];

    fn deref(&self) -> &[F32x16] {
        &self.memory[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [F32x16] {
        &mut self.memory[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        with_pool(memory.len(), |pool| pool.put(memory));
    }
}

/// Memory that waits for its next buffer.
struct Pool(Vec<Vec<F32x16>>);

impl Pool {
    /// The smallest that is large enough, and of those the last used.
    fn take(&mut self, len: usize) -> Option<Vec<F32x16>> {
        let fit = (0..self.0.len())
            .rev()
            .filter(|&i| (len..=2 * len + 1024).contains(&self.0[i].len()))
            .min_by_key(|&i| self.0[i].len())?;
        Some(self.0.remove(fit))
    }

    fn put(&mut self, memory: Vec<F32x16>) {
        self.0.push(memory);
        // The oldest go first: a network's buffers come back in every step.
        if self.0.len() > POOLED {
            self.0.remove(0);
        }
    }
}

const POOLED: usize = 64;

/// Large buffers are shared by all threads. What fits into the cache of a core stays with its
/// thread: taken over by another core, it would have to be fetched from there line by line.
fn with_pool<R>(len: usize, work: impl FnOnce(&mut Pool) -> R) -> Option<R> {
    if len > CACHED {
        let mut pool = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        return Some(work(&mut pool));
    }
    // A thread that is ending has no pool any more.
    let work = |pool: &RefCell<Pool>| work(&mut pool.borrow_mut());
    OWN.try_with(work).ok()
}

/// One MiB.
const CACHED: usize = 1 << 14;

static SHARED: Mutex<Pool> = Mutex::new(Pool(Vec::new()));

thread_local! {
    static OWN: RefCell<Pool> = const { RefCell::new(Pool(Vec::new())) };
}
