#!/bin/sh
# Starts the Rust kernel: `start.sh CONNECTION_FILE`, as the kernelspec does.
# GLYPHS_KERNEL names the configuration beside this file: `lab` (the default)
# keeps variables after a panic, `run` ends the kernel's child instead.
set -e
here=$(cd "$(dirname "$0")" && pwd)
notebooks=$PWD

cd "$here/../.."
. workflow/env.sh
cd "$notebooks"

export EVCXR_CONFIG_DIR="$here/${GLYPHS_KERNEL:-lab}"
exec python "$here/exclusive.py" "$EVCXR_TMPDIR/.kernel.lock" \
    "$GLYPHS_EVCXR/bin/evcxr_jupyter" --control_file "$1"
