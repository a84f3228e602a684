"""Locks the shell's open file 9: `lock.py PROCESS 9<>FILE`.

The lock lasts as long as the shell and what inherits the file from it, however they end. Where
another one has it, its process is printed, with its computer where that is another, and the exit
status is 75 (EX_TEMPFAIL).
"""

import fcntl
import os
import socket
import sys

FILE = 9
HERE = socket.gethostname()
try:
    fcntl.flock(FILE, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    process, _, computer = os.pread(FILE, 300, 0).decode().strip().partition(" ")
    print(process if computer in ("", HERE) else f"{process} on {computer}")
    sys.exit(os.EX_TEMPFAIL)
except OSError:
    pass  # Some network file systems have no locks.
os.ftruncate(FILE, 0)
os.pwrite(FILE, f"{sys.argv[1]} {HERE}".encode(), 0)
