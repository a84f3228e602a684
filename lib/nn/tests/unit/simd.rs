//! Of `src/kernels/simd/mod.rs`, within it.

use super::*;

#[test]
fn instructions_are_named_in_capitals_or_not() {
    for these in Instructions::available() {
        assert_eq!(Instructions::wished(these.name()), these);
        assert_eq!(Instructions::wished(&these.name().to_uppercase()), these);
    }
    assert_eq!(Instructions::wished("sse"), Instructions::available()[0]);
}
