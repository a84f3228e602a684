"""Ends a job soon after the report that it is a part of, however that ended: a Snakemake that is
killed does not end its jobs.

    lifetime.py COMMAND ...    becomes that command, and so has its signals and exit status
"""

import os
import signal
import sys
import time

import psutil


def end_with_report():
    """Leaves a process behind that looks after this one, until one of the two has ended."""
    number = os.environ.get("GLYPHS_REPORT")
    # A job of Slurm belongs to a process elsewhere, and ends as Slurm has it.
    if not number or "SLURM_JOB_ID" in os.environ:
        return
    report = next((p for p in psutil.Process().parents() if str(p.pid) == number), None)
    if report is None:
        sys.exit("The report that this job belongs to has ended.")
    job = os.getpid()
    if os.fork() == 0:
        try:
            watch(report, job)
        finally:
            os._exit(0)


def watch(report, job):
    # Nobody waits for this process: not at the end of its output, nor for a lock that it inherited.
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
    while os.getppid() == job and has_not_ended(report):
        time.sleep(1)
    for last, seconds in ((signal.SIGTERM, 60), (signal.SIGKILL, 0)):
        if os.getppid() != job:
            return
        os.kill(job, last)
        until = time.monotonic() + seconds
        while os.getppid() == job and time.monotonic() < until:
            time.sleep(1)


def has_not_ended(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    end_with_report()
    os.execvp(sys.argv[1], sys.argv[1:])
