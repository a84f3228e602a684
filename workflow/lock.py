"""Locks the shell's open file 9: `lock.py PROCESS 9<>FILE`.

The lock lasts as long as the shell and what inherits the file from it, however they end. Where
another one has it, its process is printed, and the exit status is 75 (EX_TEMPFAIL).
"""

import fcntl
import os
import sys

FILE = 9
try:
    fcntl.flock(FILE, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(os.pread(FILE, 20, 0).decode().strip())
    sys.exit(os.EX_TEMPFAIL)
except OSError:
    pass  # Some network file systems have no locks.
os.ftruncate(FILE, 0)
os.pwrite(FILE, sys.argv[1].encode(), 0)
