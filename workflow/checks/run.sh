#!/bin/sh
# What other programs make of this project's files: networks in onnxruntime and tract, metadata in
# their validators. These have a Python environment of their own, some 500 MB, in target/checks.
set -eu
wanted=workflow/checks/requirements.txt
if ! cmp -s "$wanted" target/checks/installed.txt; then
    printf '\n== %s\n' "Other programs' runtimes and validators into target/checks (about a minute)"
    python -m venv --clear target/checks
    target/checks/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" target/checks/installed.txt
fi
exec target/checks/bin/python -m pytest workflow/checks "$@"
