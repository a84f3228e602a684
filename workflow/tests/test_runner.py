"""The runner on small notebooks: what must be red is red, and says where.

Needs the kernel (`make setup`). Every failure is planted in a copy of one healthy
notebook, so that the difference is the fault and nothing else.
"""

import copy
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import lifetime
import measure_kernel
import run_notebook

LIB = Path(__file__).resolve().parents[2] / "lib"
USES_LIB = f':dep glyphs = {{ path = "{LIB}" }}\nuse glyphs::prelude::*;'
HEALTHY = new_notebook(
    metadata={"kernelspec": {"name": "rust", "display_name": "Rust", "language": "rust"}},
    cells=[
        new_markdown_cell("# A small notebook\n\nText."),
        new_code_cell("use std::collections::BTreeMap;"),
        new_markdown_cell("## Counting"),
        new_code_cell('let numbers: Vec<u32> = vec![1, 2, 3];\nprintln!("three numbers");'),
        new_markdown_cell("Some text.\n\n## The sum\n\nMore text."),
        new_code_cell("let sum: u32 = numbers.iter().sum();\nsum"),
    ],
)
COUNTING, LAST = 3, 5


@pytest.fixture
def execute(tmp_path, capsys):
    """Runs a copy of the healthy notebook in which some cells read otherwise."""

    def run(replaced=None, **options):
        notebook = copy.deepcopy(HEALTHY)
        for index, source in (replaced or {}).items():
            notebook.cells[index].source = source
        nbformat.write(notebook, tmp_path / "small.ipynb")
        executed = tmp_path / "out" / "small.ipynb"
        run_notebook.run(tmp_path / "small.ipynb", executed, **options)
        return nbformat.read(executed, as_version=4), capsys.readouterr().out

    return run


def test_progress_stays_out_of_what_a_notebook_keeps():
    line = "preprocessing: 140 of 248 images, 70 per second\n"
    streams = [new_output("stream", text=text) for text in (line[:20], line[20:], "t10k.gz: 1.2 of 9.9 MB, 3.1 MB/s\n", "epoch 1/2\n")]
    assert [output.text for output in run_notebook.merge_streams(streams)] == ["epoch 1/2\n"]
    assert run_notebook.merge_streams([new_output("stream", text=line)]) == []


def test_a_healthy_notebook_is_green_and_shows_only_its_own_output(execute):
    notebook, progress = execute()
    assert notebook.cells[COUNTING].outputs[0].text == "three numbers\n"
    assert notebook.cells[LAST].outputs[0].data["text/plain"] == "6"
    assert [c.execution_count for c in notebook.cells if c.cell_type == "code"] == [1, 2, 3]
    outputs = [o for c in notebook.cells for o in c.get("outputs", [])]
    assert len(outputs) == 2, outputs
    assert re.search(r"^small · cell 2/3 · Counting · \d\d:\d\d$", progress, re.MULTILINE)
    assert "    three numbers\n" in progress
    assert "small · done" in progress


PANIC = 'let numbers: Vec<u32> = Vec::new();\nprintln!("before");\npanic!("planted");'
QUESTION_MARK = 'let numbers: u32 = "x".parse::<u32>()?;'
FAILURES = [
    pytest.param(COUNTING, PANIC, "cell 2/3 · Counting", "planted", id="panic"),
    pytest.param(LAST, 'panic!("planted");', "cell 3/3 · The sum", "planted", id="panic in the last cell"),
    pytest.param(COUNTING, QUESTION_MARK, "cell 2/3 · Counting", "`?`", id="question mark"),
    pytest.param(LAST, QUESTION_MARK, "cell 3/3 · The sum", "`?`", id="question mark in the last cell"),
    pytest.param(COUNTING, 'let numbers: Vec<u32> = "text";', "cell 2/3 · Counting", "mismatched types", id="type error"),
    pytest.param(LAST, "no_such_name", "cell 3/3 · The sum", "no_such_name", id="unknown name in the last cell"),
    pytest.param(LAST, 'eprintln!("a warning");', "cell 3/3 · The sum", "a warning", id="words on stderr"),
    pytest.param(LAST, "std::process::exit(0);", "cell 3/3 · The sum", "terminated", id="the child ends"),
]


@pytest.mark.parametrize("index, source, place, words", FAILURES)
def test_a_failure_is_red_and_names_notebook_cell_and_heading(execute, index, source, place, words, tmp_path):
    with pytest.raises(run_notebook.NotebookFailed) as failure:
        execute({index: source})
    assert f"small · {place}" in str(failure.value)
    assert words in str(failure.value)
    assert not (tmp_path / "out/small.ipynb").exists()
    if words != "`?`":
        partial = nbformat.read(tmp_path / "out/small.partial.ipynb", as_version=4)
        assert partial.cells[1].execution_count == 1, "what ran so far is kept"


@pytest.mark.parametrize("index, place", [(COUNTING, "cell 2/3 · Counting"), (LAST, "cell 3/3 · The sum")])
def test_a_failing_question_mark_is_red_even_where_the_lint_is_off(execute, monkeypatch, index, place):
    monkeypatch.setattr(run_notebook, "refuse_question_marks", lambda *_: None)
    with pytest.raises(run_notebook.NotebookFailed) as failure:
        execute({index: QUESTION_MARK})
    assert f"small · {place}" in str(failure.value)
    assert "invalid digit" in str(failure.value)


@pytest.mark.parametrize(
    "failing, words",
    [
        ('Err::<u32, Error>(Error::argument("planted", "the remedy"))', "planted; the remedy"),
        ('"x".parse::<u32>()', "invalid digit"),
    ],
    ids=["of the library", "of the standard library"],
)
def test_an_error_met_by_or_stop_is_red_and_shows_its_words(execute, failing, words):
    with pytest.raises(run_notebook.NotebookFailed, match=rf"(?s)cell 3/3 · The sum.*{words}"):
        execute({1: USES_LIB, LAST: f"let sum: u32 = {failing}.or_stop();"})


def test_a_cell_that_takes_too_long_is_red(execute):
    with pytest.raises(run_notebook.NotebookFailed, match=r"(?s)cell 3/3 · The sum.*longer than"):
        execute({LAST: "std::thread::sleep(std::time::Duration::from_secs(600));"}, timeout=30)


def test_a_dead_kernel_is_red(execute):
    kill = 'unsafe extern "C" { fn getppid() -> i32; fn kill(pid: i32, signal: i32) -> i32; }\nunsafe { kill(getppid(), 9); }'
    with pytest.raises(run_notebook.NotebookFailed, match=r"(?s)cell 3/3 · The sum.*kernel died"):
        execute({LAST: kill})


def test_question_marks_in_text_and_comments_are_fine():
    cells = [new_code_cell('// why?\nlet c = \'?\';\nprintln!("really?"); /* ? */ fn f<T: ?Sized>(_: &T) {}')]
    run_notebook.refuse_question_marks("small", cells)


def test_a_panic_is_told_without_its_frames():
    told = (
        "thread '<unnamed>' (1) panicked at lib/src/error.rs:90:37:\nplanted\nstack backtrace:\n"
        "   0: std::panicking\n             at /rustc/x.rs:1:2\nnote: with `RUST_BACKTRACE=full` more.\n"
        "\nthread '<unnamed>' (1) panicked at /rustc/panicking.rs:225:5:\n"
        "panic in a function that cannot unwind\nstack backtrace:\n   0: more\nthread caused it. aborting.\n"
    )
    assert run_notebook.without_backtraces(told) == (
        "thread '<unnamed>' (1) panicked at lib/src/error.rs:90:37:\nplanted\n"
    )


def test_the_heading_is_the_nearest_above():
    assert run_notebook.heading_above(HEALTHY.cells, LAST) == "The sum"
    assert run_notebook.heading_above(HEALTHY.cells, 0) == "start"


def test_beside_another_kernel_a_run_has_a_build_folder_of_its_own(execute):
    with (Path(os.environ["EVCXR_TMPDIR"]) / ".kernel.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        notebook, _ = execute()
    assert notebook.cells[LAST].outputs[0].data["text/plain"] == "6"


# dfdx numbers its tensors from a static counter and keys gradients by the number.
# `lib` is a dylib so that all cells count with the same one.
DFDX = ':dep dfdx = { version = "0.13", default-features = false, features = ["std", "cpu", "safetensors", "fast-alloc"] }\n'
GRADIENT = [
    "use dfdx::prelude::*;\nlet dev: Cpu = Cpu::default();\nlet w: Tensor<Rank1<3>, f32, Cpu> = dev.tensor([1.0, 2.0, 3.0]);",
    "let x: Tensor<Rank1<3>, f32, Cpu> = dev.tensor([4.0, 5.0, 6.0]);",
    "let loss: Tensor<Rank0, f32, Cpu, OwnedTape<f32, Cpu>> = (w.leaky_trace() * x.leaky_trace()).sum();\n"
    "let gradients: Gradients<f32, Cpu> = loss.backward();\n"
    'println!("{:?} {:?}", gradients.get(&w).array(), gradients.get(&x).array());',
]
PRODUCT_RULE = "[4.0, 5.0, 6.0] [1.0, 2.0, 3.0]\n"


def test_a_gradient_of_tensors_from_several_cells_is_right(tmp_path):
    cells = [new_code_cell(source) for source in (DFDX + USES_LIB, *GRADIENT)]
    nbformat.write(new_notebook(metadata=HEALTHY.metadata, cells=cells), tmp_path / "gradient.ipynb")
    run_notebook.run(tmp_path / "gradient.ipynb", tmp_path / "out.ipynb")
    shown = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs[0].text
    assert shown == PRODUCT_RULE


# The same with a network: batch statistics, running statistics and weights in cells of their own.
MODEL = "let dev: Cpu = Cpu::seed_from_u64(1);\nlet mut model: Net = dev.build_module::<Net, f32>();"
BATCH = (
    "let pixels: Vec<f32> = (0..32).map(|i| (i * 7 % 32) as f32 / 32.0).collect();\n"
    "let x: Images<1, 4, 4> = dev.tensor_from_vec(pixels, (2, Const, Const, Const));"
)
STEP = (
    "let logits: Features<10, OwnedTape<f32, Cpu>> = model.forward_mut(x.trace(model.alloc_grads()));\n"
    "let loss: Tensor<Rank0, f32, Cpu, OwnedTape<f32, Cpu>> = cross_entropy(logits, &[3, 7]).unwrap();\n"
    "let gradients: Gradients<f32, Cpu> = loss.backward();\n"
    'println!("{:?}", gradients.get(&model.0.conv1.weight).as_vec());\n'
    'println!("{:?}", gradients.get(&model.0.bn2.weight).as_vec());\n'
    'println!("{:?}", gradients.get(&model.2.weight).as_vec());'
)
NETWORK = (
    "use dfdx::prelude::{Backward, Const, Cpu, DeviceBuildExt, Gradients, ModuleMut, OwnedTape, Rank0, Tensor, "
    "TensorFromVec, Trace, ZeroGrads};\n"
    "use glyphs::nn::{Flatten, Linear, VggBlock, cross_entropy, shape::{Features, Images}};\n"
    "type Net = (VggBlock<1, 16>, Flatten<64>, Linear<64, 10>);"
)


def test_a_network_a_batch_and_their_gradient_in_three_cells_are_as_in_one(tmp_path):
    whole = "{\n" + "\n".join((MODEL, BATCH, STEP)) + "\n};"
    cells = [new_code_cell(source) for source in (DFDX + USES_LIB, NETWORK, MODEL, BATCH, STEP, whole)]
    nbformat.write(new_notebook(metadata=HEALTHY.metadata, cells=cells), tmp_path / "network.ipynb")
    run_notebook.run(tmp_path / "network.ipynb", tmp_path / "out.ipynb")
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    apart, together = (cell.outputs[0].text for cell in cells[-2:])
    gradients = [json.loads(line) for line in apart.splitlines()]
    assert [len(values) for values in gradients] == [144, 16, 640]
    assert all(any(values) for values in gradients), "a gradient of 0 shows nothing"
    assert apart == together


# Networks as a reader writes them, each defined, created, trained and evaluated in cells of its own. That
# `fit` prints no line of its own shows that cells share the library's statics.
STRIPES = (
    "let images: glyphs::ndarray::Array4<u8> =\n"
    "    glyphs::ndarray::Array4::from_shape_fn((64, 1, 28, 28), |(i, _, y, x)| ([y, x][i % 2] % 4 / 2 * 255) as u8);\n"
    "let labels: Vec<usize> = (0..64).map(|i| i % 2).collect();\n"
    'let samples: Samples = Samples::new("stripes", images, labels, ["rows", "columns"]).or_stop();\n'
    "let config: Config = Config { epochs: 1, batch_size: 16, ..Config::default() };\n"
    "glyphs::progress::set_silent(true);"
)
# Endless, unless interrupted.
TRAINING = (
    "glyphs::progress::set_silent(false);\n"
    "let long: Config = Config { epochs: 1_000_000, batch_size: 16, ..Config::default() };\n"
    "let history: History = fit(&mut model, &samples, &samples, &long).or_stop();"
)
TRAINED = (
    "let history: History = fit(&mut model, &samples, &samples, &config).or_stop();\n"
    'println!("{} {}", history.epochs.len(), history.epochs[0].loss);'
)
EVALUATED = (
    "let result: Evaluation = evaluate(&model, &samples).or_stop();\n"
    'println!("{} {}", model.summary().layers.len(), result.loss());'
)


def test_a_killed_run_leaves_no_process_behind_and_can_be_started_again(tmp_path, execute):
    network = f"{measure_kernel.LENET5}\nlet mut model: Network<LeNet5> = Network::new(0);"
    cells = [new_code_cell(source) for source in (USES_LIB, STRIPES, network, TRAINING)]
    nbformat.write(new_notebook(metadata=HEALTHY.metadata, cells=cells), tmp_path / "endless.ipynb")
    command = [sys.executable, run_notebook.__file__, tmp_path / "endless.ipynb", tmp_path / "out.ipynb"]
    runner = psutil.Popen(command, stdout=subprocess.PIPE, text=True)
    assert any("epoch" in line for line in runner.stdout), "it does not train"
    started = runner.children(recursive=True)
    assert len(started) >= 3, "launch.py, the kernel and its child"
    runner.kill()
    runner.wait()
    _, left = psutil.wait_procs(started, timeout=60)
    for process in left:
        process.kill()
    assert not left
    notebook, _ = execute()
    assert notebook.cells[LAST].outputs[0].data["text/plain"] == "6"


JOB = "import lifetime, time; lifetime.end_with_report(); print('begun', flush=True); time.sleep(600)"
COMMAND = [lifetime.__file__, "sh", "-c", "echo begun; exec sleep 600"]


@pytest.mark.parametrize("job", [["-c", JOB], COMMAND], ids=["a notebook", "a command"])
def test_a_job_ends_with_its_report_whatever_stands_between_them(job):
    between = f"import subprocess, sys; subprocess.run([sys.executable, *{job!r}])"
    first = f"import os, subprocess, sys; os.environ['GLYPHS_REPORT'] = str(os.getpid()); subprocess.run([sys.executable, '-c', {between!r}])"
    environment = os.environ | {"PYTHONPATH": str(Path(lifetime.__file__).parent)}
    report = psutil.Popen([sys.executable, "-c", first], env=environment, stdout=subprocess.PIPE, text=True)
    assert report.stdout.readline() == "begun\n"
    started = report.children(recursive=True)
    assert len(started) == 3, "what is between, the job, and what looks after it"
    report.kill()
    report.wait()
    _, left = psutil.wait_procs(started, timeout=60)
    for process in left:
        process.kill()
    assert not left
    # Nor does it begin where the report has ended already.
    environment["GLYPHS_REPORT"] = str(report.pid)
    late = subprocess.run([sys.executable, *job], env=environment, capture_output=True, text=True)
    assert late.returncode and not late.stdout and "has ended" in late.stderr


def test_a_command_that_a_report_started_has_its_own_signals_and_exit_status():
    environment = os.environ | {"GLYPHS_REPORT": str(os.getpid())}
    command = [sys.executable, lifetime.__file__, "sh", "-c"]
    assert subprocess.run([*command, "exit 3"], env=environment).returncode == 3
    job = psutil.Popen([*command, "echo begun; exec sleep 600"], env=environment, stdout=subprocess.PIPE, text=True)
    assert job.stdout.readline() == "begun\n"
    (watcher,) = job.children()
    job.terminate()
    assert job.wait(timeout=60) == -signal.SIGTERM and job.stdout.read() == ""
    watcher.wait(timeout=60)


OF_READERS = {
    "LeNet5": (measure_kernel.LENET5, 12),
    "Skip": (measure_kernel.SKIP, 13),
}


def test_networks_of_readers_are_defined_trained_and_evaluated_in_cells(tmp_path):
    cells = [new_code_cell(source) for source in (USES_LIB, STRIPES)]
    for name, (definition, _) in OF_READERS.items():
        created = f"{definition}\nlet mut model: Network<{name}> = Network::new(0);"
        cells += [new_code_cell(source) for source in (created, TRAINED, EVALUATED)]
    nbformat.write(new_notebook(metadata=HEALTHY.metadata, cells=cells), tmp_path / "readers.ipynb")
    run_notebook.run(tmp_path / "readers.ipynb", tmp_path / "out.ipynb")
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[2:]
    for i, (name, (_, layers)) in enumerate(OF_READERS.items()):
        (epochs, before), (found, after) = (cell.outputs[0].text.split() for cell in cells[3 * i + 1 : 3 * i + 3])
        assert (int(epochs), int(found)) == (1, layers), name
        assert 0 < float(after) < 1 and 0 < float(before) < 2, f"{name}: {before} to {after}"


# Notebook 9 as a reader changes it: another rate, 32 channels, one class left out.
CHANGES = [
    ('path = "../lib"', f'path = "{LIB}"'),
    ("Config { epochs: 30,", "Config { epochs: 2, learning_rate: 3e-3,"),
    ("Conv2d<6, 16, 5>, BatchNorm2d<16>", "Conv2d<6, 32, 5>, BatchNorm2d<32>"),
    ("(Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 5>)", "(Flatten<1568>, Linear<1568, 120>, ReLU, Linear<120, 4>)"),
    ("shapes.split(0.8, SEED)", "shapes.filter_classes(&[0, 2, 3, 4]).split(0.8, SEED)"),
]


def test_notebook_9_runs_as_a_reader_changes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GLYPHS_OUTPUTS", str(tmp_path / "outputs"))
    notebook = nbformat.read(LIB.parent / "notebooks/09-your-own-network.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for old, new in CHANGES:
        (cell,) = (cell for cell in cells if old in cell.source)
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    run_notebook.run(tmp_path / "changed.ipynb", tmp_path / "out.ipynb")
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    shown = "\n".join(output.get("data", {}).get("text/plain", "") for cell in cells for output in cell.get("outputs", []))
    assert "640 images train the network, and 160 are held out." in shown
    assert "2 images classified" in shown


# What does not fit does not compile, and a cell shows the compiler's message, which names both
# shapes; of dropout, both tapes. Every kind of misfit: lib/nn/tests/nn/messages.rs.
WRONG_SHAPES = [
    (
        "let _: Network<(Conv2d<1, 8>, ReLU, Conv2d<16, 8>, GlobalAvgPool2d)> = Network::new(1);",
        ["Conv2d<16, 8>", "does not take samples of shape", "Const<8>", "Const<28>"],
    ),
    (
        "let _: Network<(Conv2d<1, 8>, Flatten<6000>, Linear<6000, 10>)> = Network::new(1);",
        ["needs N = C * H * W", "Flatten<6000>", "Const<8>", "Const<28>"],
    ),
    (
        "let x: Images<4, 28, 28> = dev.zeros_like(&(10, Const, Const, Const));"
        "dev.build_module::<Conv2d<3, 8>, f32>().forward(x);",
        ["expected `3`, found `4`"],
    ),
    (
        "let x: Images<1, 2, 2> = dev.zeros_like(&(10, Const, Const, Const));"
        "dev.build_module::<Dropout, f32>().forward(x.leaky_trace());",
        ["expected `Tensor<_, f32, Cpu>`, found `Tensor<"],
    ),
]


def test_the_message_of_a_wrong_shape_names_both_shapes(tmp_path):
    import nbclient

    uses = (
        "use dfdx::prelude::{Const, Cpu, DeviceBuildExt, Module, Trace, ZerosTensor};\n"
        "use glyphs::nn::{Conv2d, Dropout, Flatten, GlobalAvgPool2d, Linear, Network, ReLU, shape::Images};\n"
        "let dev: Cpu = Cpu::default();"
    )
    cells = [new_code_cell(DFDX + USES_LIB), new_code_cell(uses)]
    cells += [new_code_cell(f"{{ {source} }}") for source, _ in WRONG_SHAPES]
    notebook = new_notebook(metadata=HEALTHY.metadata, cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, allow_errors=True).execute(cwd=tmp_path)
    for cell, (source, words) in zip(cells[2:], WRONG_SHAPES):
        told = "".join(run_notebook.ANSI.sub("", "\n".join(o.get("traceback", []))) for o in cell.outputs)
        assert told, f"{source} compiles"
        for word in words:
            assert word in told, f"{source}: {told}"
