#!/bin/sh
# Brings the notebooks and their pages up to date: `report.sh OUTPUTS [full [TARGET ...]]`
# With `full`, every run is first repeated under all seeds; targets are files to make instead of
# the pages. $PROFILE names a folder of workflow/profiles: local, or slurm.
set -eu
export GLYPHS_OUTPUTS="$GLYPHS_ROOT/$1"
stop() { printf '%s\n' "$*" >&2; exit 1; }

profile="workflow/profiles/${PROFILE:-local}"
[ -d "$profile" ] ||
    stop "PROFILE is '$PROFILE', and workflow/profiles has no such folder: unset it, or set it to one of $(ls workflow/profiles | xargs)."

# Two at once would write the same files. (Two folders of outputs may be made at once.)
mkdir -p "$1"
exec 9<> "$1/.report.lock"
# A gentler signal would have Snakemake wait for the notebook that runs.
other=$(python workflow/lock.py $$) || {
    [ $? = 75 ] || stop "$1/.report.lock could not be locked: see the messages above."
    stop "Another report into $1 is under way: wait until it ends, or end it, and the notebook that it runs (kill -9 $other)."
}
# Its notebooks end with this process (run_notebook.py).
export GLYPHS_REPORT=$$

# Data are fetched before anything is compared with them. The sources are asked once;
# where none answers, notebooks make stand-ins, and `glyphs data fetch` asks again.
if [ -z "${GLYPHS_DATA:-}" ] && [ "${GLYPHS_OFFLINE:-0}" = 0 ] && [ ! -e target/.data-asked ]; then
    glyphs --version > /dev/null
    glyphs data fetch ||
        echo 'Not all data were found: stand-ins take their place, and the pages say so. Once they can be had: `. workflow/env.sh && glyphs data fetch`, then make the report again.'
    touch target/.data-asked
fi

if [ -f "$profile/requirements.txt" ]; then
    python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --requirement "$profile/requirements.txt"
fi

time=" (about 14 minutes on 2 cores if all have to run)"
[ "${GLYPHS_QUICK:-0}" = 0 ] || time=
[ -n "${2:-}" ] || echo "Nine notebooks$time; their pages: $1/report/index.html"

# Whatever profile the user has for other work, this run has its own.
unset SNAKEMAKE_PROFILE
outputs=$1 full=${2:-}
shift "$(($# < 2 ? $# : 2))"
# In this process, which a second report names.
exec snakemake --snakefile workflow/Snakefile --workflow-profile "$profile" --config "outputs=$outputs" "full=$full" "targets=$#" -- "$@"
