//! Threads that stay awake for the length of a step.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::Yield;

/// Runs `work` on one of rayon's threads, and keeps the others awake until it is done.
///
/// A step is many short parallel loops. Between two of them a thread without work would fall
/// asleep, and cost a wake-up by the kernel when the next loop begins: with batches of 32 a
/// twentieth of the step.
pub(crate) fn on_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = Flag::default();
    rayon::scope(|scope| {
        // These are the first jobs in this thread's queue and others steal the oldest first: no
        // job of `work` is taken before them, so none waits below one of them for its own end.
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| help_until(&done));
        }
        let _set_at_the_end = Setter(&done);
        work()
    })
}

/// Takes over jobs as they come.
fn help_until(done: &Flag) {
    let mut idle = 0_u32;
    while !done.0.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(Yield::Executed) {
            idle = 0;
        } else if idle < 64 {
            idle += 1;
            std::hint::spin_loop();
        } else {
            idle = 0;
            std::thread::yield_now();
        }
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

/// Sets a flag when it goes, by a panic too.
struct Setter<'a>(&'a Flag);

impl Drop for Setter<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_within_work_comes_to_an_end_on_any_number_of_threads() {
        use rayon::prelude::*;
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            let sum = || on_threads(|| (0..1000_u64).into_par_iter().sum::<u64>());
            let sums = pool.install(|| (0..500).into_par_iter().map(|_| sum()).sum::<u64>());
            assert_eq!(sums, 500 * 499_500);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let caught = std::panic::catch_unwind(|| on_threads(|| panic!("on purpose")));
        assert!(caught.is_err());
    }
}
