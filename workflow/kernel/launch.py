"""Runs a Rust kernel in a build folder of its own: `launch.py CONNECTION_FILE`, as start.sh does.

Two kernels in one folder would overwrite each other's cells. The first one has the warm folder,
$EVCXR_TMPDIR; another begins with a copy of it that shares its large files, and is removed when
the kernel ends, or where that was killed, when the next one starts.

For people at work the messages pass through relay.py, which says what evcxr does not.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import relay

PROGRAM = os.environ["GLYPHS_EVCXR"] + "/bin/evcxr_jupyter"
WARM = Path(os.environ["EVCXR_TMPDIR"])
OTHERS = WARM.parent / "kernels"
# For a run, for set-up (which fills the warm folder), or, by default, for people. A run ends with
# its first panic (preserve_vars_on_panic), and nobody types in between.
PURPOSE = os.environ.get("GLYPHS_KERNEL")
AT_WORK = PURPOSE not in ("run", "set-up")


def lock(path, wait=False):
    """Lasts as long as the kernel and what it started; None where another one has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        sys.exit(f"{path} cannot be locked ({error.strerror}), and kernels would disturb each other: move the project to a disk where files can be locked")
    return handle


def build_folder():
    """Its path and lock."""
    starting = lock(OTHERS / ".lock", wait=True)
    for left in OTHERS.glob("*/"):
        if (unused := lock(left / ".kernel.lock")) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(unused)
    folder = WARM
    held = lock(folder / ".kernel.lock")
    if held is None and PURPOSE == "set-up":
        sys.exit(
            "A Rust kernel of this clone works in the build folder that is to be filled. Shut it down first "
            "(in JupyterLab: Kernel > Shut Down All Kernels)."
        )
    if held is None:
        folder = Path(tempfile.mkdtemp(dir=OTHERS))
        held = lock(folder / ".kernel.lock")
    os.close(starting)
    if folder != WARM:
        for profile in WARM.glob("target/**/debug"):
            copy = folder / profile.relative_to(WARM)
            # What is thought to be there comes first: what changes meanwhile is compiled again.
            for part in (".fingerprint", "build", "deps"):
                try:
                    shutil.copytree(profile / part, copy / part, copy_function=share, ignore=of_cells)
                except (OSError, shutil.Error):
                    pass  # What was not copied is compiled again.
    return folder, held


def share(source, target):
    """Compilers write new files, so theirs can be shared; cargo writes its notes in place."""
    if source.endswith((".rlib", ".rmeta", ".so", ".dylib")):
        try:
            return os.link(source, target)
        except OSError:
            pass
    return shutil.copy2(source, target)


def of_cells(folder, names):
    """What no other kernel needs: cells, and the programs of the command line and the tests."""
    in_deps = os.path.basename(folder) == "deps"
    return [name for name in names if name.startswith(("libcode_", "libctx", "ctx-")) or in_deps and "." not in name]


def configure(folder):
    prelude = ":linker system\n" + (relay.PRELUDE if AT_WORK else "")
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/evcxr.toml").write_text(
        f"[evcxr]\npreserve_vars_on_panic = {str(AT_WORK).lower()}\nprelude = {json.dumps(prelude)}\n"
    )
    # The flags are those of env.sh, whatever linkers are installed. JUPYTER_PATH is where evcxr
    # would bring a kernelspec of its own up to date: there is none.
    return {
        **os.environ,
        "EVCXR_TMPDIR": str(folder),
        "EVCXR_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_PATH": str(folder / "none"),
    }


def end_with_parent():
    """Has the system, where it can, end this process with the one that started it."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main():
    (connection_file,) = sys.argv[1:]
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"The notebook kernel is not where it was ({PROGRAM}): run `make setup`.")
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # First of all, as the client already tries to connect.
    between = relay.Relay(connection_file) if AT_WORK else None
    folder, held = build_folder()
    kernel = None
    try:
        environment = configure(folder)

        def launch(connection_file):
            return subprocess.Popen(
                [PROGRAM, "--control_file", connection_file],
                env=environment,
                pass_fds=[held],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE if between else None,
                preexec_fn=end_with_parent,
            )

        kernel = between.start(launch, folder) if between else launch(connection_file)
        if between:
            between.run(kernel)
        sys.exit(kernel.wait())
    finally:
        if kernel:
            # A cell that computes would go on to its end.
            try:
                cells = psutil.Process(kernel.pid).children(recursive=True)
            except psutil.Error:
                cells = []
            for process in [kernel, *cells]:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            kernel.wait()
        if folder != WARM:
            # Jupyter gives a kernel few seconds to end.
            subprocess.Popen(["rm", "-rf", folder], start_new_session=True)


if __name__ == "__main__":
    main()
