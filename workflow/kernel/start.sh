#!/bin/sh
# Starts the Rust kernel: `start.sh CONNECTION_FILE`, as the kernelspec does.
# GLYPHS_KERNEL=run is for the runner, anything else for people at work.
set -e
here=$(cd "$(dirname "$0")" && pwd)
notebooks=$PWD

cd "$here/../.."
. workflow/env.sh
cd "$notebooks"

# rust-analyzer takes cargo from $CARGO_HOME/bin: see analyzer/bin/cargo. Builds
# get the user's own CARGO_HOME back, through `:build_env`.
export GLYPHS_CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}"
export CARGO_HOME="$here/analyzer"

# The configuration of this start: a panic keeps the variables of earlier cells in
# JupyterLab, and ends the kernel's child in a run, so that no later cell goes on.
# The flags are those of env.sh, whatever linkers are installed; and the
# workspace's lock file governs cells too (a starting kernel empties its own).
export EVCXR_CONFIG_DIR="$EVCXR_TMPDIR/config"
[ "${GLYPHS_KERNEL:-lab}" = run ] && preserve=false || preserve=true
mkdir -p "$EVCXR_CONFIG_DIR"
cat > "$EVCXR_CONFIG_DIR/evcxr.toml" <<TOML
[evcxr]
preserve_vars_on_panic = $preserve
prelude = """
:linker system
:build_env CARGO_HOME=$GLYPHS_CARGO_HOME
!cp "\$GLYPHS_ROOT/Cargo.lock" "\$EVCXR_TMPDIR/Cargo.lock"
"""
TOML
# Where evcxr would bring a kernelspec of its own up to date: there is none.
export JUPYTER_PATH="$EVCXR_TMPDIR/none"

# Jupyter's Interrupt is a signal to all of them. Only a cell that trains listens to it
# (lib/src/interrupt.rs); kernel, compiler and child ignore it, and the variables stay.
trap '' INT
exec python "$here/exclusive.py" "$EVCXR_TMPDIR/.kernel.lock" \
    "$GLYPHS_EVCXR/bin/evcxr_jupyter" --control_file "$1" >/dev/null
