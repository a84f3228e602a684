//! Everything that computes, against its f64 twin, with every instruction set.

mod bits;
mod layers;
mod networks;
#[path = "../reference/mod.rs"]
#[allow(dead_code)] // The other program uses the rest.
mod reference;

use std::sync::{Mutex, PoisonError};

use dfdx_conv::Instructions;

/// Runs `test` with each set that this processor has. One test at a time: the set is the program's.
fn each_instruction_set(test: impl Fn()) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    for instructions in Instructions::available() {
        assert!(instructions.force());
        test();
    }
}
