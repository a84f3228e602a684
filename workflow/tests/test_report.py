"""Which jobs a report has, whatever lies beside the data and whatever the user has for other work."""

import fcntl
import os
import re
import subprocess

import pytest
from conftest import ROOT

DATA = ["handwritten.zip", "mnist/train-images.idx3-ubyte", "mnist/train-labels-idx1-ubyte.gz", "mnistTask3.zip"]
STRAY = [
    ".DS_Store", "._mnistTask3.zip", "Thumbs.db", "notes.txt", "mnistTask3.zip~", "photo.jpeg", "a{1}.zip", "a{1}/b.zip",
    ".Trash/c.zip", "@eaDir/d.zip", "__MACOSX/e.zip", "mnistTask3/0/image_000001.jpg",
]  # fmt: skip


def plant(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def report(tmp_path):
    """Starts report.sh with a Snakemake that only says what it would do."""
    (tmp_path / "bin").mkdir()
    dry = tmp_path / "bin/snakemake"
    dry.write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/snakemake" --dry-run --quiet host "$@"\n')
    dry.chmod(0o755)
    plant(tmp_path / "data", DATA)

    def run(**environment):
        ours = {"PATH": f"{dry.parent}:{os.environ['PATH']}", "GLYPHS_DATA": str(tmp_path / "data"), "GLYPHS_QUICK": "1"}
        outputs = os.path.relpath(tmp_path / "outputs", ROOT)
        command, environment = ["workflow/report.sh", outputs], {**os.environ, **ours, **environment}
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return run


def jobs(done):
    """Rules and their inputs."""
    assert done.returncode == 0, done.stdout
    return re.findall(r"^(?:local)?rule .*|^ +input: .*", done.stdout, re.MULTILINE)


def test_stray_files_beside_the_data_change_no_job(report, tmp_path):
    before = jobs(report())
    notebooks = [line for line in before if line.lstrip().startswith("input: notebooks/")]
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
        assert done.returncode == 1 and f"kill {os.getpid()}" in done.stdout, done.stdout
    assert jobs(report())
