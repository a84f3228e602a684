#!/bin/sh
# Runs a command in the environment of notebooks and tests: the entry of the container.
set -eu
cd "$(dirname "$0")/.."
. workflow/env.sh
exec "$@"
