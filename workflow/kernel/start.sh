#!/bin/sh
# Starts the Rust kernel: `start.sh CONNECTION_FILE`, as the kernelspec does.
# GLYPHS_KERNEL=run is for the runner, anything else for people at work.
set -e
here=$(cd "$(dirname "$0")" && pwd)
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

# The configuration of this start: a panic keeps the variables of earlier cells in
# JupyterLab, and ends the kernel's child in a run, so that no later cell goes on.
# The flags are those of env.sh, whatever linkers are installed.
export EVCXR_CONFIG_DIR="$EVCXR_TMPDIR/config"
[ "${GLYPHS_KERNEL:-lab}" = run ] && preserve=false || preserve=true
mkdir -p "$EVCXR_CONFIG_DIR"
cat > "$EVCXR_CONFIG_DIR/evcxr.toml" <<TOML
[evcxr]
preserve_vars_on_panic = $preserve
prelude = """
:linker system
"""
TOML
# Where evcxr would bring a kernelspec of its own up to date: there is none.
export JUPYTER_PATH="$EVCXR_TMPDIR/none"

# Jupyter's Interrupt is a signal to all of them. Only a cell that trains listens to it
# (lib/src/interrupt.rs); kernel, compiler and child ignore it, and the variables stay.
trap '' INT
exec python "$here/exclusive.py" "$EVCXR_TMPDIR/.kernel.lock" \
    "$GLYPHS_EVCXR/bin/evcxr_jupyter" --control_file "$1" >/dev/null
