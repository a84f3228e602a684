"""Which jobs a report has, whatever lies beside the data and whatever the user has for other work."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import time

import psutil
import pytest
from conftest import ROOT

DATA = ["handwritten.zip", "mnist/train-images.idx3-ubyte", "mnist/train-labels-idx1-ubyte.gz", "mnistTask3.zip"]
STRAY = [
    ".DS_Store", "._mnistTask3.zip", "Thumbs.db", "notes.txt", "mnistTask3.zip~", "photo.jpeg", "a{1}.zip", "a{1}/b.zip",
    ".Trash/c.zip", "@eaDir/d.zip", "__MACOSX/e.zip", "mnistTask3/0/image_000001.jpg",
    "photos.zip", "sub/other.tar", "x (1).gz", "~$a.zip", "mnist/photos.zip", "mnist/train-images-idx3-ubyte (1).gz",
    "mnist/t10k.idx", "English.tgz",
]  # fmt: skip


def plant(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def report(tmp_path):
    """Starts report.sh with a Snakemake that only says what it would do."""
    dry = tmp_path / "bin/snakemake"
    program(dry, f'exec "{ROOT}/.venv/bin/snakemake" --dry-run --quiet host "$@"')
    plant(tmp_path / "data", DATA)

    def run(**environment):
        ours = {"PATH": f"{dry.parent}:{os.environ['PATH']}", "GLYPHS_DATA": str(tmp_path / "data"), "GLYPHS_QUICK": "1"}
        outputs = os.path.relpath(tmp_path / "outputs", ROOT)
        command, environment = ["workflow/report.sh", outputs], {**os.environ, **ours, **environment}
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return run


def jobs(done):
    """Rules with their inputs, sorted: of those that could run at once, a dry run names any first."""
    assert done.returncode == 0, done.stdout
    return sorted(re.findall(r"^(?:local)?rule .*\n +input: .*", done.stdout, re.MULTILINE))


NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# Those that make a run, and take all cores.
MAKERS = [name for name in NOTEBOOKS if name[:2] in ("02", "03", "04", "06")]
LISTED = json.dumps([{"name": f"run of {name}", "needs": None, "made_by": name, "read_by": []} for name in MAKERS])


# Instead of running notebooks and making pages, these only say so.
RUN = """import os, pathlib, sys
pathlib.Path(sys.argv[2]).write_text("executed")
pathlib.Path("plan").write_text(os.environ["GLYPHS_PLAN"])
print(pathlib.Path(sys.argv[1]).stem, file=open("log", "a"))
"""
PAGES = """import pathlib, sys
outputs, *names = sys.argv[1:]
print("page of " + names[-1] if "--only" in names else "pages", file=open("log", "a"))
for name in [] if "--only" in names else ["index", *names]:
    pathlib.Path(outputs, "report", name + ".html").write_text("page")
"""


@pytest.fixture
def finished(tmp_path):
    """A copy of this folder whose report is finished, and whose command line names one run of each
    notebook that makes some, and no data."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("workflow", "lib", "notebooks", "Cargo.toml", "Cargo.lock"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, clone / name)
    program(
        tmp_path / "bin/glyphs",
        f"case $1 in train) echo '{LISTED}' ;; "
        'readings) echo readings >> log && touch "$GLYPHS_OUTPUTS/readings.json" ;; esac',
    )
    (clone / "workflow/run_notebook.py").write_text(RUN)
    (clone / "workflow/pages.py").write_text(PAGES)
    past = time.time() - 1000
    for path in clone.rglob("*"):
        os.utime(path, (past, past))
    pages = [f"report/{name}.html" for name in ("index", *NOTEBOOKS)]
    made = [f"notebooks/{name}.ipynb" for name in NOTEBOOKS] + [f"notebooks/.{name}.page" for name in NOTEBOOKS]
    for step, name in enumerate([*made, "readings.json", *pages]):
        plant(clone / "outputs", [name])
        os.utime(clone / "outputs" / name, (past + 1 + step, past + 1 + step))

    def plan(*more, outputs="outputs", **config):
        """Notebooks that would run, the most urgent first, and what is said."""
        settings = [f"{name}={value}" for name, value in ({"outputs": outputs, "full": "", "targets": 0} | config).items()]
        command = [f"{ROOT}/.venv/bin/snakemake", "--snakefile", "workflow/Snakefile", "--dry-run", "--cores", "2"]
        command += ["--config", *settings, *more]
        environment = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "GLYPHS_DATA": ""}
        done = subprocess.run(command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        jobs = re.findall(r"^rule (notebook|page):(?:\n .*)*\n +wildcards: name=(.*)(?:\n +priority: (\d+))?", done.stdout, re.MULTILINE)
        notebooks = {name: int(priority or 0) for rule, name, priority in jobs if rule == "notebook"}
        # A page is made as soon as its notebook has run.
        assert all(int(priority) > max(notebooks.values()) for rule, _, priority in jobs if rule == "page")
        return sorted(notebooks, key=notebooks.get, reverse=True), done.stdout

    return clone, plan


def test_after_a_change_of_the_library_one_report_runs_every_notebook(finished):
    clone, plan = finished
    assert plan()[0] == []
    os.utime(clone / "lib/src/lib.rs")
    run, said = plan()
    # In the order in which they are read.
    assert run == NOTEBOOKS, said
    os.utime(clone / "lib/src/lib.rs", (0, 0))
    os.utime(clone / "notebooks/05-preprocess-dataset3.ipynb")
    # One that changed, and those that read its results.
    assert [name[:2] for name in plan()[0]] == ["05", "06", "08"]


def test_a_report_runs_the_notebooks_in_order_and_the_next_one_none(finished, tmp_path):
    clone, _ = finished
    environment = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "GLYPHS_ROOT": str(clone), "GLYPHS_DATA": str(tmp_path)}
    for expected in ([line for name in NOTEBOOKS for line in (name, f"page of {name}")] + ["readings", "pages"], []):
        if expected:
            os.utime(clone / "lib/src/lib.rs")
        (clone / "log").write_text("")
        command = ["workflow/report.sh", "outputs"]
        done = subprocess.run(command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        said = (clone / "log").read_text().splitlines()
        assert sorted(said) == sorted(expected), said
        if expected:
            # Others go in pairs, once those that are read before them have run.
            assert [name for name in said if name in [NOTEBOOKS[0], *MAKERS]] == [NOTEBOOKS[0], *MAKERS]
            assert all(said.index(name) < said.index(f"page of {name}") for name in NOTEBOOKS)
            assert said.index(f"page of {NOTEBOOKS[0]}") < said.index(MAKERS[1])
            assert said.index(MAKERS[2]) < min(said.index(name) for name in NOTEBOOKS if name[:2] > "04")
            assert said[-1] == "pages"
    # They know of each other, for the time that is left.
    assert list(json.loads((clone / "plan").read_text())) == NOTEBOOKS


def test_stray_files_beside_the_data_change_no_job(report, tmp_path):
    before = jobs(report())
    notebooks = [job for job in before if "input: notebooks/" in job]
    assert len(notebooks) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert all(name in line for line in notebooks for name in DATA)
    plant(tmp_path / "data", STRAY)
    assert jobs(report()) == before
    # The folder's own path may have any name.
    (tmp_path / "data").rename(tmp_path / ".data{1}")
    jobs(report(GLYPHS_DATA=str(tmp_path / ".data{1}")))


def test_the_users_own_profile_does_not_count(report, tmp_path):
    plant(tmp_path / "slurm", ["config.yaml"])
    (tmp_path / "slurm/config.yaml").write_text("executor: slurm\n")
    assert jobs(report(SNAKEMAKE_PROFILE=str(tmp_path / "slurm")))


def test_a_profile_that_is_not_there_is_named(report):
    done = report(PROFILE="elsewhere")
    assert done.returncode == 1 and "PROFILE is 'elsewhere'" in done.stdout and "local slurm" in done.stdout


def test_a_second_report_into_one_folder_names_the_first(report, tmp_path):
    (tmp_path / "outputs").mkdir()
    with (tmp_path / "outputs/.report.lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        print(os.getpid(), file=first, flush=True)
        done = report()
        assert done.returncode == 1 and f"kill -9 {os.getpid()}" in done.stdout, done.stdout
    assert jobs(report())


def test_a_training_ends_with_its_report(finished, tmp_path):
    clone, _ = finished
    shutil.copy(ROOT / "workflow/lifetime.py", clone / "workflow")
    program(
        tmp_path / "target/host/debug/glyphs",
        """case "$*" in
"train --list") echo '[{"name": "run", "made_by": null, "needs": null, "read_by": []}]' ;;
"train run") echo $$ > started; mv started training; exec sleep 600 ;;
esac""",
    )
    (tmp_path / "bin/glyphs").unlink()
    program(tmp_path / "bin/cargo", "")
    (clone / "data").mkdir()
    environment = os.environ | {
        "PATH": f"{clone}/workflow/bin:{tmp_path}/bin:{os.environ['PATH']}", "GLYPHS_ROOT": str(clone), "GLYPHS_DATA": "data",
        "CARGO_TARGET_DIR": str(tmp_path / "target"), "CARGO_BUILD_TARGET": "host",
    }  # fmt: skip
    report = subprocess.Popen(["workflow/report.sh", "outputs", "full", "outputs/results/run.json"], cwd=clone, env=environment)
    until = time.monotonic() + 60
    while not (clone / "training").exists() and report.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    training = psutil.Process(int((clone / "training").read_text()))
    while training.name() != "sleep" and time.monotonic() < until:
        time.sleep(0.1)
    report.kill()
    report.wait()
    assert training.name() == "sleep"
    _, left = psutil.wait_procs([training], timeout=60)
    for process in left:
        process.kill()
    assert not left
