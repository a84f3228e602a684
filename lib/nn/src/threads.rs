//! Threads that stay awake for the length of a step.
//!
//! A step is many short parallel loops. A thread without work between two of them, or at the end
//! of one, would fall asleep, and cost a wake-up by the kernel soon after: with batches of 32 up to
//! a tenth of the step.

use std::{
    cell::Cell,
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rayon::Yield;

/// Runs `work` on one of rayon's threads, and keeps the others awake until it is done.
pub(crate) fn on_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let running = Running::new(1);
    rayon::scope(|scope| {
        scope.spawn_broadcast(|_, _| {
            if !IN_STEP.get() {
                let _in_step = in_step();
                running.help(PATIENCE);
            }
        });
        let _in_step = in_step();
        let _end = running.guard();
        work()
    })
}

/// Runs both at the same time, where a thread is free.
pub(crate) fn join<R: Send>(first: impl FnOnce() -> R + Send, second: impl FnOnce() + Send) -> R {
    let running = Running::new(1);
    rayon::scope(|scope| {
        scope.spawn(|_| {
            let _end = running.guard();
            second();
        });
        let result = first();
        running.wait();
        result
    })
}

/// Parallel loops over few, long pieces of work.
///
/// Every thread takes another item when it is done with its last, so that a slower processor takes
/// fewer. The caller takes the first, the others the last: in one loop after another the same
/// images come to the same core, whose cache has what the loop before wrote.
pub(crate) trait ParForEach: Iterator<Item: Send> + Sized {
    fn par_for_each(self, work: impl Fn(Self::Item) + Sync) {
        self.par_work_off(|item| {
            work(item);
            None
        });
    }

    /// `work` returns what is left of an item, for any thread to go on with.
    fn par_work_off(self, work: impl Fn(Self::Item) -> Option<Self::Item> + Sync) {
        let mut items = self.peekable();
        let Some(mut item) = items.next() else { return };
        if items.peek().is_none() {
            while let Some(rest) = work(item) {
                item = rest;
            }
            return;
        }
        let items: VecDeque<Self::Item> = std::iter::once(item).chain(items).collect();
        let helpers = rayon::current_num_threads().min(items.len()) - 1;
        let items = Mutex::new(items);
        let items = || items.lock().unwrap_or_else(PoisonError::into_inner);
        let work_off =
            |next: fn(&mut VecDeque<Self::Item>) -> Option<Self::Item>,
             put_back: fn(&mut VecDeque<Self::Item>, Self::Item)| {
                let next = || next(&mut items());
                while let Some(item) = next() {
                    if let Some(rest) = work(item) {
                        put_back(&mut items(), rest);
                    }
                }
            };
        let running = Running::new(helpers);
        rayon::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|_| {
                    let _end = running.guard();
                    work_off(VecDeque::pop_back, VecDeque::push_back);
                });
            }
            work_off(VecDeque::pop_front, VecDeque::push_front);
            running.wait();
        });
    }
}

impl<I: Iterator<Item: Send>> ParForEach for I {}

/// How often an idle thread looks for a job before it gives up: about a millisecond. It has to give
/// up: where steps run beside each other, a thread may help with one above a job that this one waits
/// for.
const PATIENCE: u64 = 1 << 14;

thread_local! {
    /// Whether this thread runs a step, or helps with one.
    static IN_STEP: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread until the returned guard is dropped.
fn in_step() -> OnDrop<impl Fn()> {
    let before = IN_STEP.replace(true);
    OnDrop(move || IN_STEP.set(before))
}

/// Runs its closure when dropped, also on a panic.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// How many jobs are not done yet.
struct Running(AtomicUsize);

impl Running {
    fn new(jobs: usize) -> Self {
        Self(AtomicUsize::new(jobs))
    }

    /// For one job: counts it as done when it goes.
    fn guard(&self) -> OnDrop<impl Fn()> {
        OnDrop(|| _ = self.0.fetch_sub(1, Ordering::Release))
    }

    /// Takes over jobs as they come, until none of these is running.
    fn wait(&self) {
        self.help(u64::MAX);
    }

    /// As [`Running::wait`], but gives up after `patience` looks without a job.
    fn help(&self, patience: u64) {
        let mut idle = 0;
        while self.0.load(Ordering::Acquire) > 0 && idle < patience {
            if rayon::yield_now() == Some(Yield::Executed) {
                idle = 0;
                continue;
            }
            idle += 1;
            if idle.is_multiple_of(64) {
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
    }
}

#[cfg(test)]
#[path = "../tests/unit/threads.rs"]
mod tests;
