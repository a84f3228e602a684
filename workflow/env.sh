# The one place where the environment of command line, tests and notebooks is set.
# Makefile, kernel and CI source it from the repository's root; so can you:
#   . workflow/env.sh

GLYPHS_ROOT=$PWD
if [ ! -f "$GLYPHS_ROOT/workflow/env.sh" ]; then
    echo "workflow/env.sh: source this file from the repository's root" >&2
    return 1
fi
export GLYPHS_ROOT
# A copy without .git may lie in another repository, whose commits are not this one's.
export GIT_CEILING_DIRECTORIES="${GLYPHS_ROOT%/*}"

# Services and containers start programs without one.
[ -n "${HOME:-}" ] || eval "export HOME=~$(id -un)"

# A program started from a desktop may not have cargo on its path.
command -v cargo >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
export PATH="$GLYPHS_ROOT/workflow/bin:$GLYPHS_ROOT/.venv/bin:$PATH"

# A relative one counts for nothing (XDG Base Directory Specification), and 0 asks for no quick run.
case "${XDG_CACHE_HOME:-/}" in /*) ;; *) unset XDG_CACHE_HOME ;; esac
[ "${GLYPHS_QUICK:-0}" != 0 ] || unset GLYPHS_QUICK

# What would be written below HOME; pip and JupyterLab manage without.
if [ ! -w "$HOME" ]; then
    export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$GLYPHS_ROOT/target/cache}"
    export JUPYTER_RUNTIME_DIR="${JUPYTER_RUNTIME_DIR:-$GLYPHS_ROOT/target/jupyter}"
    export IPYTHONDIR="${IPYTHONDIR:-$GLYPHS_ROOT/target/ipython}"
    [ -w "${CARGO_HOME:-$HOME/.cargo}" ] || export CARGO_HOME="$GLYPHS_ROOT/target/cargo"
fi

# evcxr splits the paths of compiled cells at blanks: it is told of a link without any.
EVCXR_TMPDIR="$GLYPHS_ROOT/target/kernel"
case $GLYPHS_ROOT in
*[[:space:]]*)
    EVCXR_TMPDIR="${XDG_CACHE_HOME:-$HOME/.cache}/glyphs/clones/$(printf %s "$GLYPHS_ROOT" | cksum | cut -d " " -f 1)"
    case $EVCXR_TMPDIR in
    *[[:space:]]*)
        echo "workflow/env.sh: the kernel works in no folder whose path has a blank, and its link to this one would have one too:" >&2
        echo "  $EVCXR_TMPDIR" >&2
        echo "Name a cache without blanks for all commands (export XDG_CACHE_HOME=/folder), or move the clone." >&2
        return 1
        ;;
    esac
    if [ "$(readlink "$EVCXR_TMPDIR")" != "$GLYPHS_ROOT" ]; then
        mkdir -p "${EVCXR_TMPDIR%/*}" && ln -sfn "$GLYPHS_ROOT" "$EVCXR_TMPDIR" || return 1
    fi
    EVCXR_TMPDIR="$EVCXR_TMPDIR/target/kernel"
    ;;
esac
export EVCXR_TMPDIR

# The kernel compiles cells in a package of its own there, and everything else
# shares its build: same target directory, same triple, same flags, same profile.
# evcxr always passes `-Cprefer-dynamic`; its profile has both checks on, which
# Cargo.toml's has not, and these variables overrule both sides.
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
# Where nothing new can be put into HOME, what is there still serves.
if [ ! -w "$HOME" ] && [ -x "$HOME/.cache/glyphs/${GLYPHS_EVCXR##*/}/bin/evcxr_jupyter" ]; then
    GLYPHS_EVCXR="$HOME/.cache/glyphs/${GLYPHS_EVCXR##*/}"
fi
export GLYPHS_EVCXR GLYPHS_EVCXR_VERSION

# A kernel of the same name elsewhere on the machine does not come first, nor do packages.
export JUPYTER_PREFER_ENV_PATH=1
export JUPYTER_PATH="$GLYPHS_ROOT/.venv/share/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}"
. "$GLYPHS_ROOT/workflow/python.sh"

# The same folder from wherever it is read.
case "${GLYPHS_DATA:-}" in
"" | /*) ;;
*) export GLYPHS_DATA="$GLYPHS_ROOT/$GLYPHS_DATA" ;;
esac
