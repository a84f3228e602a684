"""Kills a quick `glyphs train` with -9 at random moments, starts it again, and compares the files.

    faults.py [KILLS] [RUN]
"""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
RUN = sys.argv[2] if len(sys.argv) > 2 else "part1-original-random-ours-seed0"
GLYPHS = Path(os.environ["CARGO_TARGET_DIR"]) / os.environ["CARGO_BUILD_TARGET"] / "debug/glyphs"


def start(folder):
    environment = {**os.environ, "GLYPHS_OUTPUTS": str(folder), "GLYPHS_QUICK": "1"}
    return subprocess.Popen([GLYPHS, "train", RUN], env=environment, stdout=subprocess.DEVNULL)


def finish(folder):
    if start(folder).wait() != 0:
        sys.exit(f"the run did not go on in {folder}")


def files(folder):
    """What a finished run leaves; a record holds times, so only its name counts."""
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.suffix == ".json" or hashlib.sha256(path.read_bytes()).hexdigest()
        for path in names
    }


def main():
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        finish(whole)
        # The first run makes caches: the second says how long one takes.
        subprocess.run(["rm", "-r", whole], check=True)
        began = time.monotonic()
        finish(whole)
        seconds, expected = time.monotonic() - began, files(whole)
        killed = 0
        for number in range(KILLS):
            run = Path(folder) / str(number)
            child = start(run)
            try:
                child.wait(draw.uniform(0, seconds))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                killed += 1
            finish(run)
            if files(run) != expected:
                sys.exit(f"seed {seed}, kill {number}: {files(run)} instead of {expected}")
            subprocess.run(["rm", "-r", run], check=True)
    print(f"{RUN}: {killed} of {KILLS} runs killed within {seconds:.0f} s, each ended with the same files (seed {seed})")


main()
