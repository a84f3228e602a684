"""How far set-up and a report are, on a cargo that only says so and on times that were made up."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT

import left

CARGO = r"""#!/bin/sh
printf '    Updating crates.io index\n   Compiling small v1.0.0\n' >&2
printf '    Building [=======>    ] FIRST/10: small\r   Compiling large v1.0.0\n    Building [=========>  ] 9/10: large(build)\r' >&2
printf '    Blocking waiting for file lock on package cache\n' >&2
sleep 1
printf 'error: no space\n\n  --> here\n' >&2
exit 7
"""


@pytest.mark.parametrize("first, time", [(0, ", less than a minute left"), (5, "")])
def test_a_build_says_how_many_crates_are_done_and_what_went_wrong(tmp_path, first, time):
    """And how long it takes, where the crates were not there before."""
    cargo = tmp_path / "cargo"
    cargo.write_text(CARGO.replace("FIRST", str(first)))
    cargo.chmod(0o755)
    build = "import sys, left; left.EVERY = 0.2; sys.exit(left.build('kernel', sys.argv[1:]))"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    done = subprocess.run([sys.executable, "-c", build, cargo], env=environment, capture_output=True, text=True)
    assert done.returncode == 7
    assert f"   kernel: 9 of 10 crates{time}\n" in done.stdout
    assert done.stderr == "    Blocking waiting for file lock on package cache\nerror: no space\n\n  --> here\n"


def test_a_build_ends_where_it_is_told_to(tmp_path):
    command = [sys.executable, ROOT / "workflow/left.py", "kernel", "sh", "-c", "echo started; exec sleep 60"]
    cargo = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert cargo.stdout.readline() == b"started\n"
    cargo.terminate()
    assert cargo.wait(10) != 0


def test_the_largest_crates_come_last():
    assert left.of_crates(5, 100, 60) == ""
    assert left.of_crates(50, 100, 60) == "about 4 min left"
    assert left.of_crates(95, 100, 600) == "about 2 min left"
    assert left.of_crates(100, 100, 600) == "less than a minute left"


@pytest.fixture
def notebooks(tmp_path):
    """Files of executed notebooks, of those that took some seconds."""

    def make(**seconds):
        for name, took in seconds.items():
            (tmp_path / f"{name}.ipynb").write_text(json.dumps({"metadata": {"glyphs": {"seconds": took}}}))
        return tmp_path

    return make


def test_the_first_notebooks_say_how_fast_this_machine_is(notebooks, monkeypatch):
    folder = notebooks(first=30)
    monkeypatch.setenv("GLYPHS_PLAN", json.dumps({"first": [60, False], "second": [600, False], "third": [300, False]}))
    # What others published says little before something was measured here.
    assert left.of_report(folder / "first.ipynb", 0) == ""
    assert left.of_report(folder / "second.ipynb", 0) == "about 8 min left"
    assert left.of_report(folder / "second.ipynb", 120) == "about 6 min left"
    assert left.of_report(folder / "second.ipynb", 900) == "about 2 min left"
    assert left.of_report(folder / "another.ipynb", 0) == ""
    # A time from here does.
    monkeypatch.setenv("GLYPHS_PLAN", json.dumps({"first": [60, True], "second": [600, False]}))
    assert left.of_report(folder / "first.ipynb", 0) == "about 11 min left"
    # One of unknown time; and no report.
    monkeypatch.setenv("GLYPHS_PLAN", json.dumps({"first": [60, True], "second": [None, False]}))
    assert left.of_report(folder / "first.ipynb", 0) == ""
    monkeypatch.delenv("GLYPHS_PLAN")
    assert left.of_report(folder / "first.ipynb", 0) == ""


def test_the_plan_has_the_times_of_this_machine_and_else_those_published(notebooks):
    published = sorted((ROOT / "notebooks").glob("*.ipynb"))
    first, *others = [path.stem for path in published]
    folder = notebooks(**{first: 12.5})
    executed = [folder / path.name for path in published]
    plan = left.plan(executed)
    assert plan.pop(first) == [12.5, True]
    assert list(plan) == others and all(seconds > 10 and not here for seconds, here in plan.values())
