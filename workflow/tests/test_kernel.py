"""The kernel among people: Interrupt while a cell trains, and surroundings that are not ours."""

import json
import os
import pwd
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from test_runner import STRIPES, TRAINING, USES_LIB
import measure_kernel

ROOT = Path(__file__).resolve().parents[2]
AFTER_SECONDS = 12


def runs_in(manager, client):
    """Runs a cell as JupyterLab does, and gives its status and text."""

    def run(code, on_text=lambda text: None):
        words = []

        def hook(msg):
            words.append(msg["content"].get("text", msg["content"].get("evalue", "")))
            on_text(words[-1])

        reply = client.execute_interactive(code, allow_stdin=False, output_hook=hook, timeout=300)
        return reply["content"]["status"], "".join(words)

    run.manager, run.client = manager, client
    return run


@pytest.fixture
def kernel(monkeypatch):
    monkeypatch.delenv("GLYPHS_KERNEL", raising=False)
    manager, client = start_new_kernel(kernel_name="rust", cwd=str(ROOT / "notebooks"), startup_timeout=600)
    yield runs_in(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_interrupt_ends_a_training_cell_and_keeps_what_there_is(kernel):
    for code in (USES_LIB, STRIPES, f"{measure_kernel.LENET5}\nlet mut model: Network<LeNet5> = Network::new(0);"):
        assert kernel(code)[0] == "ok"
    began, sent = [], []

    def interrupt(text):
        if "epoch" in text:
            began.append(time.monotonic())
        if began and not sent and time.monotonic() - began[0] > AFTER_SECONDS:
            kernel.manager.interrupt_kernel()
            sent.append(time.monotonic())

    status, words = kernel(TRAINING, interrupt)
    took = time.monotonic() - sent[0]
    print(f"the cell ended {took:.1f} s after the interrupt")
    assert (status, took < 5) == ("ok", True), (status, took, words[-300:])
    assert "interrupted after" in words
    status, words = kernel('println!("{} {}", history.epochs.len() > 10, evaluate(&model, &samples).or_stop().len());')
    assert (status, words) == ("ok", "true 64\n"), words
    # Where nothing trains, an interrupt changes nothing.
    kernel.manager.interrupt_kernel()
    assert kernel("samples.len()")[0] == "ok"
    # A step that fails shows its words alone, and the variables stay.
    status, words = kernel('let sum: u32 = Err::<u32, Error>(Error::argument("planted", "remedy")).or_stop();')
    assert (status, words) == ("error", "planted; remedy")
    assert kernel("samples.len()")[0] == "ok"


def test_an_interrupt_ends_a_compilation(kernel, tmp_path):
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "slow"\nversion = "0.1.0"\nedition = "2024"\n')
    (tmp_path / "build.rs").write_text("fn main() { std::thread::sleep(std::time::Duration::from_secs(600)) }")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_text("")
    assert kernel("let kept: u32 = 7;")[0] == "ok"
    compiling = []

    def interrupt(text):
        if "Compiling slow" in text and not compiling:
            compiling.append(text)
            kernel.manager.interrupt_kernel()

    status, words = kernel(f':dep slow = {{ path = "{tmp_path}" }}\nuse slow as _;', interrupt)
    assert status == "error" and "The compilation was interrupted" in words, words
    assert kernel('println!("{kept}");') == ("ok", "7\n")


def statuses(kernel, *cells):
    """Of cells that were sent at once, as Run All does."""
    requests = [kernel.client.execute(code) for code in cells]
    replies = {}
    while len(replies) < len(cells):
        reply = kernel.client.get_shell_msg(timeout=120)
        replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
    return [replies[request] for request in requests]


def test_what_fails_stops_the_cells_that_wait(kernel):
    assert kernel("let mut count: u32 = 0;")[0] == "ok"
    for failing in ('panic!("planted");', "let all: Vec<u32> = vec![]; let first: u32 = all[0];", "no_such_name"):
        assert statuses(kernel, failing, "count += 1;", "count += 1;") == ["error", "aborted", "aborted"]
    assert statuses(kernel, "count += 1;", "1 + 1") == ["ok", "ok"]
    assert kernel('println!("{count}");') == ("ok", "1\n")
    assert kernel('panic!("planted {count}");') == ("error", "planted 1")
    # So does an Interrupt, though it does not end this cell.
    threading.Timer(3, kernel.manager.interrupt_kernel).start()
    sleep = "std::thread::sleep(std::time::Duration::from_secs(8));"
    assert statuses(kernel, sleep, "count += 1;") == ["ok", "aborted"]
    # A second Interrupt ends any cell. That it does is said first.
    interrupt = kernel.manager.interrupt_kernel
    threading.Timer(3, interrupt).start()
    status, words = kernel("loop {}", lambda text: interrupt() if "once more" in text else None)
    assert status == "error" and words.endswith("second Interrupt, and all variables are lost."), words
    assert kernel('println!("{}", 1 + 1);') == ("ok", "2\n")
    # What ends the kernel's child takes the variables with it, and nothing else.
    status, words = kernel("std::process::exit(1);")
    assert status == "error" and "Subprocess terminated" in words
    assert kernel('panic!("planted");') == ("error", "planted")


def test_two_kernels_work_at_once_and_leave_nothing(kernel):
    folders = Path(os.environ["EVCXR_TMPDIR"]).parent / "kernels"
    manager, client = start_new_kernel(kernel_name="rust", cwd=str(ROOT / "notebooks"), startup_timeout=600)
    try:
        other = runs_in(manager, client)
        assert len(list(folders.glob("*/"))) == 1
        began = time.monotonic()
        for run, number in ((kernel, 1), (other, 2)):
            assert run(f"{USES_LIB}\nlet number: u32 = {number};")[0] == "ok"
        for run, number in ((kernel, 1), (other, 2)):
            assert run('println!("{number}");') == ("ok", f"{number}\n")
        assert time.monotonic() - began < 120, "the dependencies were compiled anew"
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    deadline = time.monotonic() + 60
    while list(folders.glob("*/")) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not list(folders.glob("*/"))


def versions(lock):
    """Of every package in a lock file."""
    packages = tomllib.loads(Path(lock).read_text())["package"]
    return {(package["name"], package["version"]) for package in packages if "source" in package}


def test_a_second_dependency_compiles_nothing_but_itself(kernel, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "own"\nedition = "2024"\n[dependencies]\nndarray = "0.17"\n')
    (tmp_path / "src/lib.rs").write_text("pub fn zeros() -> ndarray::Array1<f32> { ndarray::Array1::zeros(2) }\n")
    began = time.monotonic()
    for code in (
        USES_LIB,
        ':dep ndarray = "0.17"\nlet a: ndarray::Array1<f32> = ndarray::Array1::zeros(2);',
        f':dep own = {{ path = "{tmp_path}" }}\nlet b: glyphs::ndarray::Array1<f32> = own::zeros() + &a;',
        "let t: glyphs::polars::prelude::DataFrame = glyphs::polars::prelude::DataFrame::default();",
    ):
        assert kernel(code)[0] == "ok"
    assert kernel("println!(\"{b}\");") == ("ok", "[0, 0]\n")
    kept = versions(Path(os.environ["EVCXR_TMPDIR"]) / "Cargo.lock")
    assert len(kept) > 100 and kept <= versions(ROOT / "Cargo.lock")
    # A type that is not found is asked of the compiler, which has the dependencies already.
    status, words = kernel("let f = |x: i32| x + 1;")
    assert status == "error" and "is a closure" in words
    assert time.monotonic() - began < 120, "the dependencies were compiled anew"


def test_a_kernel_whose_program_is_gone_says_make_setup(tmp_path):
    command = [sys.executable, "workflow/kernel/launch.py", "no-connection.json"]
    gone = {**os.environ, "GLYPHS_EVCXR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=gone)
    assert done.returncode and "make setup" in done.stderr and "Traceback" not in done.stderr


def test_a_kernel_of_the_users_stays_as_it_is_and_is_not_chosen(tmp_path, monkeypatch):
    for name, folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("XDG_CACHE_HOME", ".cache")):
        monkeypatch.setenv(name, os.environ.get(name, str(Path.home() / folder)))
    home = tmp_path / "home"
    theirs = [home / f"{data}/jupyter/kernels/rust/kernel.json" for data in (".local/share", "Library")]
    spec = json.dumps({"argv": ["evcxr_jupyter", "--control_file", "{connection_file}"], "display_name": "Rust", "language": "rust"})
    for path in theirs:
        path.parent.mkdir(parents=True)
        path.write_text(spec)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("GLYPHS_KERNEL", raising=False)
    manager, client = start_new_kernel(kernel_name="rust", cwd=str(ROOT / "notebooks"), startup_timeout=600)
    try:
        assert manager.kernel_spec.display_name == "Rust (glyphs)"
        assert runs_in(manager, client)('println!("ours");') == ("ok", "ours\n")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert [path.read_text() for path in theirs] == [spec, spec]
    assert [file.name for path in theirs for file in path.parent.iterdir()] == ["kernel.json"] * 2


def from_env(variable, **environment):
    command = f'. workflow/env.sh && printf %s "${{{variable}-unset}}"'
    known = {k: v for k, v in os.environ.items() if k not in ("JUPYTER_PATH", "GLYPHS_DATA")}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, env={**known, **environment})
    return done.stdout


def test_the_surroundings_do_not_reach_us():
    assert from_env("PYTHONPATH", PYTHONPATH="/elsewhere") == "unset"
    assert from_env("GLYPHS_DATA", GLYPHS_DATA="some/folder") == f"{ROOT}/some/folder"
    assert from_env("GLYPHS_DATA", GLYPHS_DATA="/data") == "/data"
    assert from_env("HOME", HOME="") == pwd.getpwuid(os.getuid()).pw_dir
    assert from_env("CARGO_BUILD_BUILD_DIR", CARGO_BUILD_BUILD_DIR="/elsewhere") == from_env("EVCXR_TMPDIR") + "/target"
    first, *others = from_env("JUPYTER_PATH", JUPYTER_PATH="/elsewhere").split(":")
    assert first == f"{ROOT}/.venv/share/jupyter" and others == ["/elsewhere"]
    assert json.loads((Path(first) / "kernels/rust/kernel.json").read_text())["interrupt_mode"] == "signal"
