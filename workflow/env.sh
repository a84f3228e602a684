# The one place where the environment of command line, tests and notebooks is set.
# Makefile, kernel and CI source it from the repository's root; so can you:
#   . workflow/env.sh

GLYPHS_ROOT=$PWD
if [ ! -f "$GLYPHS_ROOT/workflow/env.sh" ]; then
    echo "workflow/env.sh: source this file from the repository's root" >&2
    return 1
fi
export GLYPHS_ROOT

# Services and containers start programs without one.
[ -n "${HOME:-}" ] || eval "export HOME=~$(id -un)"

# A program started from a desktop may not have cargo on its path.
command -v cargo >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export PATH="$GLYPHS_ROOT/workflow/bin:$GLYPHS_ROOT/.venv/bin:$PATH"

# The kernel compiles cells in a package of its own here, and everything else
# shares its build: same target directory, same triple, same flags, same profile.
# evcxr always passes `-Cprefer-dynamic`; its profile has both checks on, which
# Cargo.toml's has not, and these variables overrule both sides.
export EVCXR_TMPDIR="$GLYPHS_ROOT/target/kernel"
export CARGO_TARGET_DIR="$EVCXR_TMPDIR/target" CARGO_BUILD_BUILD_DIR="$EVCXR_TMPDIR/target"
CARGO_BUILD_TARGET=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_BUILD_TARGET
export RUSTFLAGS=-Cprefer-dynamic
export CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false
export CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false
unset CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS

# The kernel is compiled once for each user, compiler host and version.
GLYPHS_EVCXR_VERSION=0.22.0
GLYPHS_EVCXR="${XDG_CACHE_HOME:-$HOME/.cache}/glyphs/evcxr_jupyter-$GLYPHS_EVCXR_VERSION-$CARGO_BUILD_TARGET"
export GLYPHS_EVCXR GLYPHS_EVCXR_VERSION

# A kernel of the same name elsewhere on the machine does not come first, nor do packages.
export JUPYTER_PREFER_ENV_PATH=1
export JUPYTER_PATH="$GLYPHS_ROOT/.venv/share/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}"
unset PYTHONPATH PYTHONHOME

# The same folder from wherever it is read.
case "${GLYPHS_DATA:-}" in
"" | /*) ;;
*) export GLYPHS_DATA="$GLYPHS_ROOT/$GLYPHS_DATA" ;;
esac
