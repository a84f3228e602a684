#!/bin/sh
# Brings the notebooks and their pages up to date: `report.sh OUTPUTS [full]`
# With `full`, every run is first repeated under all seeds.
set -eu
export GLYPHS_OUTPUTS="$GLYPHS_ROOT/$1"
snakemake --snakefile workflow/Snakefile --workflow-profile workflow/profiles/local --config "outputs=$1" "full=${2:-}"
printf 'The report: %s\n' "$1/report/index.html"
