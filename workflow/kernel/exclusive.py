"""Becomes COMMAND while holding a lock: `exclusive.py LOCK COMMAND...`

Two kernels in one build directory would overwrite each other's cells, so the
second one does not start. The lock goes with the process, however it ends; and
where the system can do so, the process ends with the one that started it, so
that a killed runner leaves no kernel behind.
"""

import ctypes
import fcntl
import glob
import os
import signal
import sys



def processes(lock):
    """Who holds the lock, as far as Linux lets one see."""
    found = set()
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.path.samefile(link, lock):
                found.add(int(link.split("/")[2]))
        except OSError:
            pass
    found.discard(os.getpid())
    return f", or end what a killed run has left: kill {' '.join(map(str, sorted(found)))}" if found else "."


lock, *command = sys.argv[1:]
if not os.access(command[0], os.X_OK):
    sys.exit(f"The notebook kernel is not where it was ({command[0]}): run `make setup`.")
os.makedirs(os.path.dirname(lock), exist_ok=True)
handle = os.open(lock, os.O_CREAT | os.O_RDWR)
try:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(
        "Another Rust kernel of this clone is running, and two cannot share one build "
        "directory. Shut it down first (in JupyterLab: Kernel > Shut Down All Kernels)" + processes(lock)
    )
os.set_inheritable(handle, True)
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
os.execv(command[0], command)
