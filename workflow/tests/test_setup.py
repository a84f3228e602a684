"""Set-up and its environment in copies of this folder, as far as it comes without compiling anything."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, missing

import results

FILES = ["workflow", "requirements.txt", "Cargo.toml", "Cargo.lock"]
NOBODY = "65534"


def copy_to(folder):
    folder.mkdir(parents=True)
    for name in FILES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    return folder


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def sh(folder, command, **environment):
    ours = {name: value for name, value in os.environ.items() if name != "GLYPHS_DATA"} | environment
    return subprocess.run(["sh", "-c", command], cwd=folder, env=ours, capture_output=True, text=True)


ENV = '. workflow/env.sh && printf "%s\\n" "$EVCXR_TMPDIR" "$CARGO_TARGET_DIR" "$GLYPHS_EVCXR" "$XDG_CACHE_HOME"'


def test_a_blank_in_the_path_does_not_reach_the_kernel(tmp_path):
    cache = tmp_path / "cache"
    clones = [copy_to(tmp_path / "my projects" / name) for name in ("glyphs", "my glyphs")]
    found = [sh(clone, ENV, XDG_CACHE_HOME=str(cache)).stdout.splitlines() for clone in clones]
    for clone, (kernel, target, *_) in zip(clones, found):
        assert " " not in kernel and target == f"{kernel}/target"
        assert Path(kernel).resolve() == clone / "target/kernel"
    assert found[0] != found[1]
    # Once more, with the link there; and where it would have a blank of its own.
    assert sh(clones[0], ENV, XDG_CACHE_HOME=str(cache)).stdout.splitlines() == found[0]
    done = sh(clones[0], ENV, XDG_CACHE_HOME=str(tmp_path / "my cache"))
    assert done.returncode and not done.stdout and "export XDG_CACHE_HOME=" in done.stderr


def test_a_second_set_up_waits_for_the_first_and_not_for_what_that_left_running(tmp_path):
    alone = ["python3", str(ROOT / "workflow/alone.py"), str(tmp_path / "lock")]
    first = [*alone, "sh", "-c", "sleep 60 >/dev/null & echo $!; sleep 1; date +%s.%N"]
    first = subprocess.Popen(first, stdout=subprocess.PIPE, text=True)
    daemon = int(first.stdout.readline())
    second = subprocess.run([*alone, "date", "+%s.%N"], capture_output=True, text=True, timeout=30)
    words, began = second.stdout.splitlines()
    assert "Another set-up" in words and float(began) >= float(first.communicate()[0])
    os.kill(daemon, signal.SIGKILL)


@pytest.fixture
def as_nobody():
    """A folder that others can read, and how a command is run by someone who cannot write there."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = []
        if os.getuid() == 0:
            setpriv = shutil.which("setpriv") or missing("setpriv is not installed")
            command = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        yield Path(folder), command


def test_a_folder_that_cannot_be_written_is_named_with_its_remedy(as_nobody):
    folder, command = as_nobody
    clone = copy_to(folder / "glyphs")
    (clone / "outputs").mkdir(mode=0o555)
    done = subprocess.run([*command, "workflow/setup.sh"], cwd=clone, capture_output=True, text=True)
    unwritable = clone if command else clone / "outputs"
    assert done.returncode == 1 and not done.stdout
    assert f"{unwritable.resolve()}" in done.stderr and "cannot be written" in done.stderr and "sudo chown -R" in done.stderr


def test_what_a_run_as_root_left_anywhere_below_is_named(as_nobody):
    folder, command = as_nobody
    clone = copy_to(folder / "glyphs")
    cargo = program(folder / "bin/cargo", "")
    program(cargo.with_name("rustc"), "echo asked >&2; exit 1")

    def own(*paths):
        for path in paths:
            os.chown(path, int(NOBODY), int(NOBODY)) if command else path.chmod(0o755)

    def said():
        environment = os.environ | {"PATH": f"{cargo.parent}:{os.environ['PATH']}"}
        done = subprocess.run([*command, "workflow/setup.sh"], cwd=clone, env=environment, capture_output=True, text=True)
        assert done.returncode == 1 and not done.stdout
        return done.stderr

    places = ["outputs/quick", "outputs/results/deeper", "target/kernel/target/debug", ".snakemake/log", "data/processed"]
    for place in places:
        (clone / place).mkdir(parents=True)
    own(clone, *(path for top in ("outputs", "target", ".snakemake", "data") for path in [clone / top, *(clone / top).rglob("*")]))
    # This one may be meant so.
    (clone / "data/raw").mkdir(mode=0o555)
    assert "asked" in said()
    for place in places:
        left = clone / place
        left.chmod(0o555)
        words = said()
        assert f"{left.resolve()} cannot be written" in words and "sudo chown -R" in words and "asked" not in words
        left.chmod(0o755)
    lock = clone / "outputs/quick/.report.lock"
    lock.touch()
    lock.chmod(0o444)
    assert f"{lock.resolve()} cannot be written" in said()


def test_without_a_home_to_write_in_everything_goes_below_target(as_nobody):
    folder, command = as_nobody
    clone = copy_to(folder / "glyphs")
    home = folder / "home"
    home.mkdir(mode=0o555)
    # The user who runs it finds no Rust below another one's HOME.
    tools = program(folder / "bin/rustc", 'echo "host: here"').parent
    program(tools / "cargo", "exit 1")
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(home)}

    def found(**more):
        again = f". workflow/env.sh && {ENV}"  # The kernel's start sources it once more.
        run = [*command, "sh", "-c", f'{again} "$JUPYTER_RUNTIME_DIR" "$CARGO_HOME"']
        return subprocess.run(run, cwd=clone, env=environment | more, capture_output=True, text=True).stdout.splitlines()

    _, _, kernel, *folders = found()
    assert Path(kernel).is_relative_to(clone / "target/cache")
    assert folders == [f"{clone}/target/{name}" for name in ("cache", "jupyter", "cargo")]
    assert found(XDG_CACHE_HOME="/cache")[3] == "/cache"
    # A kernel that is in HOME already serves from there.
    home.chmod(0o755)
    in_home = home / ".cache/glyphs" / Path(kernel).name
    program(in_home / "bin/evcxr_jupyter", "")
    home.chmod(0o555)
    assert found()[2] == str(in_home)


def test_the_python_packages_of_a_clone_that_was_moved_are_installed_anew(tmp_path):
    clone = copy_to(tmp_path / "glyphs")
    python = program(tmp_path / "bin/python", '[ "$1" != -c ] || exit 0\necho "asked for $2"; exit 7')
    program(tmp_path / "bin/rustc", "exit 1")
    path = f"{python.parent}:{os.environ['PATH']}"

    def set_up(folder):
        return sh(folder, "workflow/setup.sh", PATH=path, PYTHON=str(python))

    program(clone / ".venv/bin/snakemake", "")
    (clone / ".venv/installed.txt").write_text(f"{(ROOT / 'requirements.txt').read_text()}{clone.resolve()}\n")
    done = set_up(clone)
    assert "Python" not in done.stdout and "rustc does not run" in done.stderr, done
    moved = clone.rename(tmp_path / "moved")
    # Rust is asked for before anything is installed.
    done = set_up(moved)
    assert not done.stdout and "rustc does not run" in done.stderr, done
    program(tmp_path / "bin/rustc", "")
    done = set_up(moved)
    assert "Python packages into .venv" in done.stdout and (done.returncode, "asked for venv" in done.stdout) == (7, True)
    # Nor does a mark count beside an empty .venv.
    (moved / ".venv/installed.txt").write_text(f"{(ROOT / 'requirements.txt').read_text()}{moved.resolve()}\n")
    (moved / ".venv/bin/snakemake").unlink()
    assert "asked for venv" in set_up(moved).stdout


PYTHONS = (
    "PATH HOME USERBASE PLATLIBDIR EXECUTABLE SAFEPATH CASEOK STARTUP "
    "INSPECT OPTIMIZE WARNINGS IOENCODING DEVMODE DEBUG VERBOSE"
).split()
PIPS = (
    "TARGET PREFIX ROOT PYTHON DRY_RUN CONSTRAINT REQUIREMENT EDITABLE "
    "REQUIRE_HASHES NO_BINARY PRE PLATFORM PYTHON_VERSION IMPLEMENTATION ABI"
).split()
CHOICES = {f"PYTHON{name}": "/elsewhere" for name in PYTHONS} | {f"PIP_{name}": "/elsewhere" for name in PIPS} | {"PIP_USER": "1"}


@pytest.mark.parametrize("start", ["env.sh", "setup.sh"])
def test_the_users_choices_for_python_and_pip_do_not_reach_ours(tmp_path, start):
    clone = copy_to(tmp_path / "glyphs")
    # The first that set-up runs of Python asks for its version.
    python = program(tmp_path / "bin/python3", f"env > {tmp_path}/found; [ $1 = -c ]")
    program(python.parent / "rustc", "echo host: here")
    program(python.parent / "cargo", "")
    path = f"{python.parent}:{os.environ['PATH']}"
    command = {"env.sh": f". workflow/env.sh && {python} -c", "setup.sh": "workflow/setup.sh"}[start]
    sh(clone, command, PATH=path, PYTHON=str(python), PIP_INDEX_URL="https://here", **CHOICES)
    found = dict(line.split("=", 1) for line in (tmp_path / "found").read_text().splitlines() if "=" in line)
    assert {name: found[name] for name in found if name in CHOICES} == {"PIP_USER": "0"}
    assert found["PIP_INDEX_URL"] == "https://here"


def test_programs_of_ours_start_whatever_the_user_chose_for_python(tmp_path):
    (tmp_path / "nbformat.py").write_text("raise SystemExit('another nbformat')")
    for choice in ({"PYTHONPATH": str(tmp_path)}, {"PYTHONSAFEPATH": "1"}, {"PYTHONOPTIMIZE": "2"}, {"PYTHONHOME": str(tmp_path)}):
        command = "python workflow/run_notebook.py --help"
        assert sh(ROOT, command, **choice).returncode != 0, f"{choice} does no harm"
        done = sh(ROOT, f". workflow/env.sh && {command}", **choice)
        assert done.returncode == 0 and "Executes one notebook" in done.stdout, (choice, done)


def test_of_two_set_ups_at_once_one_makes_the_kernel(tmp_path):
    lock = tmp_path / "kernel.lock"
    take = f'exec 9<> "{lock}"; "{ROOT}/.venv/bin/python" workflow/lock.py $$'
    first = subprocess.Popen(["sh", "-c", f"{take}; echo taken; read wait"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "taken\n"
    second = sh(ROOT, take)
    assert (second.returncode, second.stdout) == (os.EX_TEMPFAIL, f"{first.pid}\n")
    first.kill()
    first.wait()
    assert sh(ROOT, take).returncode == 0


@pytest.fixture
def stubs(tmp_path):
    """A copy of this folder, and how it is set up where one script stands for Python."""
    clone = copy_to(tmp_path / "glyphs")
    program(tmp_path / "bin/rustc", "echo host: here")
    program(tmp_path / "bin/cargo", "")
    ours = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "XDG_CACHE_HOME": f"{tmp_path}/cache", "CARGO_HOME": f"{tmp_path}/cargo"}

    def set_up(script, name="python"):
        environment = os.environ | ours | {"PYTHON": str(program(tmp_path / "bin" / name, script))}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(["workflow/setup.sh"], cwd=clone, env=environment, start_new_session=True, **pipes)

    return clone, set_up


def test_after_an_interrupt_nothing_of_a_set_up_goes_on(stubs, tmp_path):
    _, set_up = stubs
    script = """case "$*" in
"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && exit ;;
"-m pip"*) name=pip ;;
*"left.py notebook kernel"*) name=kernel ;;
*"left.py Rust dependencies"*) name=dependencies ;;
*) echo done && exit ;;
esac
echo $$ > ../$name && exec sleep 100"""
    files = [tmp_path / name for name in ("pip", "kernel", "dependencies")]
    done = set_up(script)
    until = time.monotonic() + 60
    while not all(file.exists() and file.read_text() for file in files) and time.monotonic() < until:
        time.sleep(0.1)
    running = [psutil.Process(int(file.read_text())) for file in files]
    # As a terminal sends it: to all. Those in the background ignore it.
    os.killpg(done.pid, signal.SIGINT)
    assert done.wait(60) == 130
    _, left = psutil.wait_procs(running, timeout=20)
    for process in left:
        process.kill()
    assert not left


def test_a_lock_that_fails_is_no_other_set_up(stubs):
    _, set_up = stubs
    script = """case "$*" in
"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*lock.py*) echo "Traceback" >&2; exit 1 ;;
esac"""
    _, errors = (done := set_up(script)).communicate(timeout=60)
    assert done.returncode == 1 and "Traceback" in errors and "could not be locked" in errors, errors


def test_the_python_that_was_named_is_used_or_refused(stubs):
    clone, set_up = stubs
    out, _ = (done := set_up('[ "$1" = -c ] || { echo "asked for $2"; exit 7; }', "my python")).communicate(timeout=60)
    assert (done.returncode, "asked for venv" in out) == (7, True)
    # Even where nothing has to be installed.
    program(clone / ".venv/bin/snakemake", "")
    (clone / ".venv/installed.txt").write_text(f"{(ROOT / 'requirements.txt').read_text()}{clone.resolve()}\n")
    out, errors = (done := set_up("exit 1", "wrong")).communicate(timeout=60)
    assert (done.returncode, out) == (1, "") and "PYTHON is" in errors and "/bin/wrong'" in errors


@pytest.mark.parametrize("version", ["right", "wrong"])
def test_an_installed_kernel_is_copied_if_its_version_is_right(stubs, tmp_path, version):
    wanted = re.search(r"GLYPHS_EVCXR_VERSION=(.+)", (ROOT / "workflow/env.sh").read_text())[1]
    program(tmp_path / "cargo/bin/evcxr_jupyter", "installed")
    program(tmp_path / "bin/cargo", f"echo evcxr_jupyter v{wanted if version == 'right' else '0.1.0'}:")
    _, set_up = stubs
    script = """case "$*" in
"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"left.py Rust dependencies"*) exit 7 ;;
*) echo done ;;
esac"""
    out, _ = (done := set_up(script)).communicate(timeout=60)
    assert done.returncode == 7
    copies = [path.read_text() for path in (tmp_path / "cache").glob("glyphs/*/bin/evcxr_jupyter")]
    assert copies == (["#!/bin/sh\ninstalled\n"] if version == "right" else [])
    assert ("of the same version" in out) != (f"Notebook kernel evcxr_jupyter {wanted} into" in out)


def test_without_git_and_without_a_repository_no_commit_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert results.tool("git", "describe", "--always") == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert results.tool("git", "--version") == ""
