#!/bin/sh
# Makes everything ready that the other targets need; what is done is skipped.
# Writes to .venv/ and target/ of this clone, and to the cache that holds the
# compiled kernel ($GLYPHS_EVCXR, see env.sh). A step counts as done only when
# it ended: each leaves its mark last.
set -eu
CDPATH= cd "$(dirname "$0")/.."

. workflow/python.sh

say() { printf '\n== %s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }
packages() { cat requirements.txt; pwd -P; }
digest() { python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

# (A data/raw that cannot be written may be meant so. Where find has no -writable, the outermost are looked at.)
below=$(find .venv target outputs data .snakemake -path data/raw -prune -o \( -type d -o -name .report.lock \) ! -writable -print -quit 2>/dev/null) || true
for path in . .venv target target/kernel outputs "$below"; do
    [ ! -e "$path" ] || [ -w "$path" ] ||
        stop "$PWD/$path cannot be written. After a run as root: sudo chown -R $(id -un) '$PWD'"
done

# Two set-ups of one clone at once would undo each other's work.
if [ "${GLYPHS_ALONE:-}" != $$ ] && command -v python3 >/dev/null; then
    mkdir -p target
    exec python3 workflow/alone.py target/.setup.lock workflow/setup.sh
fi

command -v cargo >/dev/null || [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" ] ||
    stop "cargo was not found: install Rust 1.95 or newer first (environment.md, section 'What is needed')."
(PATH="$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin"; rustc --version) >/dev/null ||
    stop "rustc does not run: see above. Rust that was installed under another HOME is found through RUSTUP_HOME and CARGO_HOME."

# What goes on beside the rest ends with it. (It ignores Ctrl-C, and dash runs no EXIT trap after a signal.)
pip= kernel=
trap 'kill $pip $kernel 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# 1. The Python side, from requirements.txt. Its programs name this folder, which may have moved.
suits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }
[ -z "${PYTHON:-}" ] || suits "$PYTHON" ||
    stop "PYTHON is '$PYTHON', which is no Python 3.11 to 3.13 with its venv module: name another, or unset it."
if ! packages | cmp -s - .venv/installed.txt || [ ! -x .venv/bin/snakemake ]; then
    python=${PYTHON:-}
    for candidate in python3 python3.13 python3.12 python3.11; do
        [ -n "$python" ] || ! suits $candidate || python=$candidate
    done
    [ -n "$python" ] || stop "No Python 3.11 to 3.13 with its venv module was found: install one (on Debian and Ubuntu: python3 and python3-venv), or name it: make setup PYTHON=/path/to/python3"
    say "Python packages into .venv (about a minute, while the next steps run)"
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --requirement requirements.txt &
    pip=$!
fi

. workflow/env.sh
minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rustc --version | python -c '
import re, sys
found = tuple(map(int, re.findall(r"\d+", sys.stdin.read())[:2]))
sys.exit(found < tuple(map(int, sys.argv[1].split("."))))' "$minimum" ||
    stop "$(rustc --version) is too old: this project needs Rust $minimum (rustup update stable)."

# 2. The kernel: the one that `cargo install` put on this machine, where it is of the same version;
# else it is compiled, without this project's flags, to serve any clone. Of several set-ups at once
# one does so, and the others wait for it.
has_kernel() { [ -x "$GLYPHS_EVCXR/bin/evcxr_jupyter" ]; }
is_first() {
    python workflow/lock.py $$ >/dev/null && return
    [ $? != 75 ] || return 1 # Another has it.
    stop "$GLYPHS_EVCXR.lock could not be locked: see the messages above."
}
place_kernel() {
    rm -rf "$GLYPHS_EVCXR.part/build" "$GLYPHS_EVCXR"
    mv "$GLYPHS_EVCXR.part" "$GLYPHS_EVCXR"
}
installed=${CARGO_HOME:-$HOME/.cargo}/bin/evcxr_jupyter
if ! has_kernel; then
    mkdir -p "${GLYPHS_EVCXR%/*}" && touch "$GLYPHS_EVCXR.lock" ||
        stop "The kernel's folder cannot be written. Name another for this command and all later ones: XDG_CACHE_HOME=/folder make setup"
    exec 9<> "$GLYPHS_EVCXR.lock"
    is_first || kernel=another
fi
if has_kernel; then
    kernel=
elif [ -n "$kernel" ]; then
    say "Notebook kernel: another set-up is making it while the next steps run"
elif [ -x "$installed" ] && cargo install --list | grep -qxF "evcxr_jupyter v$GLYPHS_EVCXR_VERSION:"; then
    say "Notebook kernel: $installed is of the same version, and copied into $GLYPHS_EVCXR"
    mkdir -p "$GLYPHS_EVCXR.part/bin"
    cp "$installed" "$GLYPHS_EVCXR.part/bin/"
    place_kernel
else
    say "Notebook kernel evcxr_jupyter $GLYPHS_EVCXR_VERSION into $GLYPHS_EVCXR (once for each user, while the next steps run)"
    # Two builds at once: near its end each waits for single crates, and leaves cores idle. This one
    # would end a minute before the other, which has more of such crates: it makes way for it.
    (
        unset CARGO_BUILD_TARGET CARGO_BUILD_BUILD_DIR RUSTFLAGS CARGO_PROFILE_DEV_DEBUG_ASSERTIONS CARGO_PROFILE_DEV_OVERFLOW_CHECKS
        export CARGO_TARGET_DIR="$GLYPHS_EVCXR.part/build"
        exec nice -n 1 python workflow/left.py "notebook kernel" cargo install --config workflow/kernel/build.toml --locked evcxr_jupyter --version "$GLYPHS_EVCXR_VERSION" --root "$GLYPHS_EVCXR.part"
    ) &
    kernel=$!
fi

# 3. The command line, and with it all dependencies, which tests and notebooks use as well (env.sh).
wanted=$( (pwd -P; cat Cargo.lock Cargo.toml .cargo/config.toml lib/Cargo.toml lib/*/Cargo.toml workflow/env.sh; rustc -vV) | digest)
if [ "$(cat target/kernel/.warm 2>/dev/null)" != "$wanted" ]; then
    say "Rust dependencies into target/kernel (on 2 cores about 4 minutes, 7 with the kernel beside them)"
    rm -rf target/kernel/program
    python workflow/left.py "Rust dependencies" glyphs --version
    cargo fetch --locked --target "$CARGO_BUILD_TARGET"
fi

if [ -n "$kernel" ]; then
    say "Waiting for the notebook kernel (a few minutes at most)"
    if [ "$kernel" = another ]; then
        until has_kernel || is_first; do sleep 2; done
        has_kernel || stop "The other set-up ended without the notebook kernel: run make setup again."
    else
        wait "$kernel" || stop "The notebook kernel could not be compiled: see the messages above."
        place_kernel
    fi
    kernel=
fi

if [ -n "$pip" ]; then
    wait "$pip" || stop "The Python packages could not be installed: see the messages above."
    pip=
    [ -x .venv/bin/snakemake ] ||
        stop "pip did not put the packages into .venv: see 'target' and 'prefix' in what '.venv/bin/pip config list' says."
    packages > .venv/installed.txt
fi

# 4. The kernelspec, inside .venv, which Jupyter started from there finds first.
spec=.venv/share/jupyter/kernels/rust
if ! grep -qsF "\"$GLYPHS_ROOT/workflow/kernel/start.sh\"" $spec/kernel.json || ! grep -q '"signal"' $spec/kernel.json; then
    mkdir -p $spec
    python - > $spec/kernel.json.part <<'PYTHON'
import json, os
start = os.environ["GLYPHS_ROOT"] + "/workflow/kernel/start.sh"
print(json.dumps({
    "argv": ["/bin/sh", start, "{connection_file}"],
    "display_name": "Rust (glyphs)",
    "language": "rust",
    "interrupt_mode": "signal",
}, indent=1, ensure_ascii=False))
PYTHON
    mv $spec/kernel.json.part $spec/kernel.json
fi

# 5. The first notebook cell.
if [ "$(cat target/kernel/.warm 2>/dev/null)" != "$wanted" ]; then
    python workflow/measure_kernel.py --warm
    printf '%s\n' "$wanted" > target/kernel/.warm
fi
