"""Becomes a command that no two processes run at once: `alone.py FILE COMMAND...`

It waits while another process has FILE, which is locked for as long as the command runs. What the
command starts does not hold the lock: a program that it leaves running keeps nobody waiting.
"""

import fcntl
import os
import sys

path, *command = sys.argv[1:]
os.environ["GLYPHS_ALONE"] = str(os.getpid())
try:
    # POSIX's locks outlast exec, and belong to this process alone.
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    os.set_inheritable(file, True)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        print("Another set-up of this clone is under way: waiting for it to end.", flush=True)
        fcntl.lockf(file, fcntl.LOCK_EX)
except OSError:
    pass  # As on some network file systems.
except KeyboardInterrupt:
    sys.exit(130)
os.execvp(command[0], command)
