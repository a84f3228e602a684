//! Of `src/threads.rs`, within it.

use super::*;
use std::sync::atomic::AtomicU64;

fn sum() -> u64 {
    let sum = AtomicU64::new(0);
    on_threads(|| {
        let add = |value| {
            sum.fetch_add(value, Ordering::Relaxed);
        };
        join(|| (0..500).par_for_each(add), || (500..1000).par_for_each(add));
        (0..10).par_for_each(|_| (0..10).par_for_each(add));
        (0..10).map(|value| (value, 4)).par_work_off(|(value, turns)| {
            add(value);
            (turns > 1).then_some((value, turns - 1))
        });
    });
    sum.into_inner()
}

#[test]
fn steps_beside_and_within_one_another_come_to_an_end_on_any_number_of_threads() {
    use rayon::prelude::*;
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        let steps = |_| on_threads(sum);
        let sums = pool.install(|| (0..500).into_par_iter().map(steps).sum::<u64>());
        assert_eq!(sums, 500 * (499_500 + 450 + 180));
        let from_outside: u64 = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..50).map(|_| pool.install(sum)).sum::<u64>()))
                .collect();
            callers.into_iter().map(|c| c.join().unwrap()).sum()
        });
        assert_eq!(from_outside, 200 * (499_500 + 450 + 180));
    }
}

#[test]
fn a_panic_reaches_the_caller() {
    let panics = |work: fn()| std::panic::catch_unwind(work).is_err();
    assert!(panics(|| on_threads(|| panic!("on purpose"))));
    assert!(panics(|| on_threads(|| (0..8).par_for_each(|_| panic!("on purpose")))));
    assert!(panics(|| join(|| (), || panic!("on purpose"))));
    assert!(panics(|| join(|| panic!("on purpose"), || ())));
}
