"""Kills quick runs, fills their disk, damages their files, starts them again, and compares.

    faults.py [KILLS]

`glyphs train` is killed with -9 at KILLS random moments, and finds a full disk a fifth as often
(as root: the disk is a small tmpfs); each file of an interrupted run is cut, emptied and changed
in one byte; and one quick report is killed, with all that it started, KILLS / 10 times.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
RUN = "part1-original-random-ours-seed0"
ROOT = Path(__file__).resolve().parent.parent
GLYPHS = Path(os.environ["CARGO_TARGET_DIR"]) / os.environ["CARGO_BUILD_TARGET"] / "debug/glyphs"
QUICK = os.environ | {"GLYPHS_QUICK": "1"}
SEED = random.randrange(2**32)
DRAW = random.Random(SEED)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        whole = folder / "whole"
        finish(whole)
        # The first run makes caches: the second says how long one takes.
        shutil.rmtree(whole)
        began = time.monotonic()
        finish(whole)
        seconds, expected = time.monotonic() - began, files(whole)
        size = sum(path.stat().st_size for path in whole.rglob("*"))
        say(kills(folder / "killed", seconds, expected))
        say(full_disks(folder / "disk", size, expected))
        say(damages(folder / "damaged", expected))
    say(killed_reports())


def say(words):
    print(f"{words} (seed {SEED})", flush=True)


def check(holds, words):
    if not holds:
        sys.exit(f"{words} (seed {SEED})")


def start(folder, **options):
    return subprocess.Popen([GLYPHS, "train", RUN], env=QUICK | {"GLYPHS_OUTPUTS": str(folder)}, text=True, **options)


def run(folder):
    """Its exit code, and what it said of errors."""
    child = start(folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    words, errors = child.communicate()
    return child.returncode, words + errors


def finish(folder):
    """Runs to the end; whether it went on with what an earlier run had done."""
    code, words = run(folder)
    check(code == 0, f"the run did not go on in {folder}: {words}")
    return "resuming after epoch" in words


def files(folder):
    """What a finished run leaves; a record holds times, so only its name counts."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.suffix == ".json" or hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def kills(folder, seconds, expected):
    killed = resumed = 0
    for number in range(KILLS):
        child = start(folder, stdout=subprocess.DEVNULL)
        try:
            child.wait(DRAW.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            killed += 1
        resumed += finish(folder)
        check(files(folder) == expected, f"kill {number}: {files(folder)} instead of {expected}")
        shutil.rmtree(folder)
    check(KILLS < 10 or resumed > 0, "no run that was killed had saved an epoch")
    return f"{RUN}: {killed} of {KILLS} runs killed within {seconds:.0f} s, {resumed} of them went on from a saved epoch, and each ended with the same files"


@contextmanager
def disk(folder, size):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def full_disks(folder, size, expected):
    if os.geteuid() != 0:
        return "full disks: left out, because only root can mount a small one"
    full = 0
    for number in range(KILLS // 5):
        with disk(folder, DRAW.randrange(4096, size)):
            code, errors = run(folder)
            if code != 0:
                full += 1
                check(str(folder) in errors and "make room" in errors, f"full disk {number}: {errors}")
                subprocess.run(["mount", "-o", "remount,size=1g", folder], check=True)
                finish(folder)
            check(files(folder) == expected, f"full disk {number}: {files(folder)} instead of {expected}")
    return f"{RUN}: {full} of {KILLS // 5} runs found a disk that was full, said so, and ended with the same files once there was room"


def damages(folder, expected):
    """Each file of a run that was interrupted after its first epoch. It is refused by its name, or does not matter."""
    interrupted = folder.with_name("interrupted")
    child = start(interrupted, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in child.stdout:
        if line.startswith("epoch"):
            child.terminate()
            break
    child.communicate()
    check(child.returncode != 0, "the run was over before it was interrupted")
    ways = {
        "cut": lambda data: data[: DRAW.randrange(1, len(data))],
        "emptied": lambda data: b"",
        "changed in one byte": lambda data: flipped(data, DRAW.randrange(len(data))),
    }
    paths = [path for path in sorted(interrupted.rglob("*")) if path.is_file() and path.stat().st_size > 0]
    check(len(paths) > 1, f"the interrupted run left {paths}")
    refused = 0
    for path in paths:
        for way, damage in ways.items():
            shutil.copytree(interrupted, folder)
            damaged = folder / path.relative_to(interrupted)
            damaged.write_bytes(damage(path.read_bytes()))
            code, errors = run(folder)
            if code != 0:
                refused += 1
                check(str(damaged) in errors and "delete it" in errors, f"{damaged.name}, {way}: {errors}")
                damaged.unlink()
                if damaged.name.endswith(".best.safetensors"):
                    # The last state is of no use without the best one beside it, and says so.
                    last = damaged.with_name(damaged.name.replace(".best.", ".last."))
                    code, errors = run(folder)
                    check(code != 0 and f"{last}: " in errors and "delete it" in errors, f"{damaged.name}, deleted: {errors}")
                    last.unlink()
                finish(folder)
            check(files(folder) == expected, f"{damaged.name}, {way}: {files(folder)} instead of {expected}")
            shutil.rmtree(folder)
    return f"{RUN}: {len(paths) * len(ways)} damaged files of an interrupted run; {refused} were refused by name, and every run ended with the same files"


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def killed_reports():
    outputs = "outputs/faults"
    folder = ROOT / outputs
    shutil.rmtree(folder, ignore_errors=True)
    began = time.monotonic()
    check(report(outputs).wait() == 0, "the report failed")
    seconds, expected = time.monotonic() - began, made(folder)
    shutil.rmtree(folder)
    killed = 0
    for _ in range(KILLS // 10):
        child = report(outputs)
        try:
            child.wait(DRAW.uniform(0, seconds / 2))
        except subprocess.TimeoutExpired:
            tree = [child, *psutil.Process(child.pid).children(recursive=True)]
            for process in tree:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    pass
            child.wait()
            killed += 1
    check(report(outputs).wait() == 0, "the report did not go on")
    check(made(folder) == expected, f"the report in {folder} is another one than the one that was not killed")
    shutil.rmtree(folder)
    return f"quick report: killed {killed} times within {seconds:.0f} s, started again, it ended with the same records and pages"


def report(outputs):
    return subprocess.Popen(["workflow/report.sh", outputs], cwd=ROOT, env=QUICK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def made(folder):
    """The pages of a report, and its records without times."""
    pages = sorted(path.name for path in (folder / "report").glob("*.html"))
    return pages, {path.name: without_times(json.loads(path.read_text())) for path in (folder / "results").glob("*.json")}


def without_times(value):
    if isinstance(value, dict):
        times = ("seconds", "environment", "peak_gflops", "path", "sha256")
        return {key: without_times(each) for key, each in value.items() if key not in times}
    return [without_times(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
