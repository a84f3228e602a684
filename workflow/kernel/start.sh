#!/bin/sh
# Starts the Rust kernel: `start.sh CONNECTION_FILE`, as the kernelspec does.
# GLYPHS_KERNEL=run is for the runner, set-up for set-up, anything else for people at work.
set -e
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
notebooks=$PWD

cd "$here/../.."
. workflow/env.sh
cd "$notebooks"

# Kernel and rust-analyzer run a cargo of ours (cargo/bin/cargo), which the one finds through
# rustup or the path, the other in $CARGO_HOME.
GLYPHS_RUSTUP=$(command -v rustup || true)
GLYPHS_CARGO=$(rustup which cargo 2>/dev/null || command -v cargo)
export GLYPHS_RUSTUP GLYPHS_CARGO GLYPHS_CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}"
export CARGO_HOME="$here/cargo" PATH="$here/cargo/bin:$PATH"

# Jupyter's Interrupt is a signal to all of them. Only a cell that trains listens to it
# (lib/src/interrupt.rs); kernel, compiler and child ignore it, and the variables stay.
trap '' INT
exec python "$here/launch.py" "$1"
