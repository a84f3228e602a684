#!/bin/sh
# Runs a command in the environment of notebooks and tests: the entry of the container.
set -eu
CDPATH= cd "$(dirname "$0")/.."
. workflow/env.sh
exec "$@"
