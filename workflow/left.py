"""How long set-up and a report will still take, so that nobody thinks they hang.

    left.py NAME COMMAND ...    runs a command that compiles with cargo, and says how far it is
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

EVERY = 20
BUILDING = re.compile(r"Building \[.*\] (\d+)/(\d+)")
TIME = re.compile(r'<a href="([^"]+)\.html">.*?<td class="num">(?:(\d+)\sh\s)?(\d+)\smin(?:\s(\d+)\ss)?</td></tr>')
# The share of the time after each tenth of the crates: the largest come last. The mean of two set-ups
# (318 crates, 16 and 21 min on 2 busy cores); of the kernel's crates it is assumed.
SPENT = [0, 0.03, 0.06, 0.11, 0.16, 0.22, 0.31, 0.43, 0.54, 0.68, 1]
PUBLISHED = Path(__file__).parents[1] / "outputs/reference/report/index.html"


def about(seconds):
    return "less than a minute left" if seconds < 60 else f"about {round(seconds / 60)} min left"


def of_crates(done, total, seconds):
    place = done / total * (len(SPENT) - 1)
    if place < 1:
        return ""
    step = min(int(place), len(SPENT) - 2)
    spent = SPENT[step] + (SPENT[step + 1] - SPENT[step]) * (place - step)
    return about(seconds * (1 / spent - 1))


def build(name, command):
    settings = {"CARGO_TERM_PROGRESS_WHEN": "always", "CARGO_TERM_PROGRESS_WIDTH": "80", "CARGO_TERM_COLOR": "never"}
    cargo = subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.PIPE, text=True, errors="replace")
    signal.signal(signal.SIGTERM, lambda *_: cargo.terminate())
    begun, first, built, ended = None, None, None, threading.Event()

    def tell():
        while not ended.wait(EVERY):
            said = ["crates are fetched"]
            if built:
                said = [f"{built[0]} of {built[1]} crates"]
                # Where crates were there before, nothing says how long the others take.
                if first < built[1] / 20:
                    said.append(of_crates(*built, time.monotonic() - begun))
            print(f"   {name}: {', '.join(filter(None, said))}", flush=True)

    threading.Thread(target=tell, daemon=True).start()
    # Each stage of cargo's own progress ends in a carriage return.
    for line in cargo.stderr:
        if found := BUILDING.search(line):
            built = (int(found[1]), int(found[2]))
            begun, first = begun or time.monotonic(), built[0] if first is None else first
        elif not is_status(line):
            print(line, end="", file=sys.stderr, flush=True)
    ended.set()
    return cargo.wait()


def is_status(line):
    """What cargo says while all is well, its verbs right-aligned. That it waits for another is no such line."""
    verb = line[:12].strip()
    usual = line[12:13] == " " and verb.isalpha() and verb.istitle() and verb != "Blocking"
    return usual or (line.isspace() and len(line) > 1) or line.startswith("warning: be sure to add")


def plan(executed):
    """The notebooks that will run, in order, each with the seconds that it took before, and whether
    that was here: `executed` has their files of the last report."""
    published = {} if not PUBLISHED.exists() else {
        name: 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds or 0)
        for name, hours, minutes, seconds in TIME.findall(PUBLISHED.read_text())
    }  # fmt: skip
    here = {path.stem: seconds_of(path) for path in executed}
    return {name: [here[name] or published.get(name), bool(here[name])] for name in sorted(here)}


def seconds_of(executed):
    try:
        return json.loads(executed.read_text())["metadata"]["glyphs"]["seconds"]
    except (OSError, ValueError, KeyError):
        return None


def of_report(executed, spent):
    """Where the notebook whose file will be `executed` has run for some seconds. The times of the plan
    are scaled by what its first notebooks took now; before any has run, they count if they are from here."""
    planned = json.loads(os.environ.get("GLYPHS_PLAN", "{}"))
    names = list(planned)
    if executed.stem not in names or not all(seconds for seconds, _ in planned.values()):
        return ""
    now = names.index(executed.stem)
    before = sum(planned[name][0] for name in names[:now])
    took = sum(seconds_of(executed.with_name(f"{name}.ipynb")) or 0 for name in names[:now])
    if not took and not planned[executed.stem][1]:
        return ""
    scale = took / before if took else 1
    later = sum(planned[name][0] for name in names[now + 1 :])
    return about(max(scale * planned[executed.stem][0] - spent, 0) + scale * later)


if __name__ == "__main__":
    try:
        sys.exit(build(sys.argv[1], sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
