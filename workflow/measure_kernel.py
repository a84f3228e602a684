"""Times the notebook kernel: its start, the first `:dep`, trivial cells.

    measure_kernel.py [--warm]

Starts the kernel twice. The first start compiles what has changed in lib/; the
second one finds everything warm, and its times are what environment.md quotes.
With `--warm` only the first is made (`make setup` does so).
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent
CELLS = [
    (":dep", ':dep glyphs = { path = "../lib" }\nuse glyphs::prelude::*;'),
    ("trivial cell", "1 + 1"),
    ("first variable", "let first: u32 = 40;"),
    ("next variable", "let second: u32 = first + 2;"),
    ("a cell that prints", 'println!("{second}");'),
    ("a cell that uses lib", 'let error: Error = Error::argument("a", "b");\nprintln!("{error}");'),
]


def times():
    """Seconds of a kernel's start and of each cell."""
    folder = ROOT / "notebooks"
    folder.mkdir(exist_ok=True)
    seconds = {}
    begun = time.monotonic()
    manager, client = start_new_kernel(kernel_name="rust", cwd=str(folder), startup_timeout=600)
    try:
        seconds["start"] = time.monotonic() - begun
        for name, code in CELLS:
            begun = time.monotonic()
            problems = []
            reply = client.execute_interactive(
                code, allow_stdin=False, output_hook=lambda msg: note(msg, problems)
            )
            seconds[name] = time.monotonic() - begun
            if reply["content"]["status"] != "ok" or problems:
                sys.exit(f"{name}: {reply['content']['status']}\n" + "\n".join(problems))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return seconds


def note(msg, problems):
    if msg["msg_type"] == "error":
        problems.append(msg["content"]["evalue"])
    elif msg["msg_type"] == "stream" and msg["content"]["name"] == "stderr":
        problems.append(msg["content"]["text"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warm", action="store_true", help="make everything warm, and report nothing")
    arguments = parser.parse_args()
    os.environ["GLYPHS_KERNEL"] = "run"
    cold = times()
    if arguments.warm:
        return
    warm = times()
    print(f"{platform.platform()}, {os.cpu_count()} processors, {time.strftime('%Y-%m-%d')}")
    print(f"| seconds | {' | '.join(cold)} |")
    print(f"|---|{'---|' * len(cold)}")
    for name, row in [("first start", cold), ("warm", warm)]:
        print(f"| {name} | {' | '.join(f'{value:.1f}' for value in row.values())} |")


if __name__ == "__main__":
    main()
