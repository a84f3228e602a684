#!/usr/bin/env bash
# Every fuzz target for so many seconds, one after the other; stops at a finding.
set -euo pipefail
cd "$(dirname "$0")/.."
unset CARGO_BUILD_TARGET CARGO_TARGET_DIR CARGO_BUILD_BUILD_DIR RUSTFLAGS
for target in archive image photograph idx tensor_file; do
    mkdir -p "fuzz/corpus/$target"
    nice cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="${1:-600}" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1
done
