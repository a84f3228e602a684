#!/bin/sh
# Brings the notebooks and their pages up to date: `report.sh OUTPUTS [full]`
# With `full`, every run is first repeated under all seeds.
set -eu
export GLYPHS_OUTPUTS="$GLYPHS_ROOT/$1"

# Data are fetched before anything is compared with them. The sources are asked once;
# where none answers, notebooks make stand-ins, and `glyphs data fetch` asks again.
if [ -z "${GLYPHS_DATA:-}" ] && [ ! -e target/.data-asked ]; then
    cargo run --locked --package glyphs-cli -- data fetch ||
        printf 'Not all data were found: stand-ins take their place, and the pages say so.\n'
    touch target/.data-asked
fi

# Whatever profile the user has for other work, this is a local run.
unset SNAKEMAKE_PROFILE
snakemake --snakefile workflow/Snakefile --workflow-profile workflow/profiles/local --config "outputs=$1" "full=${2:-}"
printf 'The report: %s\n' "$1/report/index.html"
