#!/bin/sh
# What other programs make of this project's files: networks in onnxruntime and tract, metadata in
# their validators. These have a Python environment of their own, some 500 MB, in target/checks.
set -eu
wanted=workflow/checks/requirements.txt
# Their programs name this folder, which may have moved.
mark() { cat "$wanted"; pwd; }
if ! mark | cmp -s - target/checks/installed.txt; then
    printf '\n== %s\n' "Other programs' runtimes and validators into target/checks (about a minute)"
    python -m venv --clear target/checks
    target/checks/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    mark > target/checks/installed.txt
fi
# The validators' caches. (pip, above, uses the user's.)
export XDG_CACHE_HOME="$PWD/target/checks/cache" CROISSANT_CACHE="$PWD/target/checks/cache/croissant"
exec target/checks/bin/python -m pytest workflow/checks "$@"
