"""JupyterLab as a reader uses it, in a browser: cells, Interrupt, restart and run all, two notebooks, export."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import measure_kernel
import nbformat
import pytest
from conftest import ROOT, chromium
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect, sync_playwright
from test_runner import STRIPES, TRAINING, USES_LIB

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECONDS = 1000  # of Playwright's time
# A cell may compile `lib`, where that has changed.
CELL = 180 * SECONDS
WORK = [
    USES_LIB,
    STRIPES,
    f"{measure_kernel.LENET5}\nlet mut model: Network<LeNet5> = Network::new(0);\nmodel.summary()",
    "let short: History = fit(&mut model, &samples, &samples, &config).or_stop();\nshort",
    TRAINING,
    'println!("{} samples, trained: {}", samples.len(), history.epochs.len() > 1);',
]
TABLE, CHART, LONG, LAST = range(2, 6)
FAILING = ["let mut runs: u32 = 1;", 'println!("before");\npanic!("planted");', "runs += 1;", 'println!("{runs} runs");']
SECOND = [USES_LIB, ':dep ndarray = "0.17"\nlet ones: ndarray::Array1<u32> = ndarray::Array1::ones(3);', "ones.sum()"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Notebooks beside `lib`, as in the repository."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    folder.mkdir()
    (folder.parent / "lib").symlink_to(ROOT / "lib")
    spec = nbformat.read(NOTEBOOKS[0], as_version=4).metadata
    for name, cells in {"work": WORK, "failing": FAILING, "second": SECOND}.items():
        notebook = new_notebook(metadata=spec, cells=[new_code_cell(source) for source in cells])
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    """Its address, with a token in it; started by `make lab` with arguments."""
    browser = chromium()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"--no-browser --port={port} --IdentityProvider.token=test {folder}"
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    environment = {**os.environ, **{name: str(folder.parent / name) for name in own}}
    environment.pop("GLYPHS_KERNEL", None)
    process = subprocess.Popen(["make", "lab", f"ARGS={options}"], cwd=ROOT, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/api")
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "JupyterLab did not start"
                time.sleep(0.2)
        yield address, browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="module")
def page(server):
    address, browser = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        # High enough for all cells: JupyterLab draws no other.
        page = browser.new_page(viewport={"width": 1440, "height": 3000})
        page.goto(f"{address}/lab?token=test")
        yield page
        browser.close()


def wait_until(page, happens):
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


class Notebook:
    """One that is open, and in front."""

    def __init__(self, page, name):
        self.page = page
        page.get_by_role("listitem", name=f"{name}.ipynb").dblclick()
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(page.get_by_text("Rust (glyphs) | Idle")).to_be_visible(timeout=120 * SECONDS)

    def cell(self, index):
        return self.panel.locator(".jp-CodeCell").nth(index)

    def output(self, index):
        return self.cell(index).locator(".jp-OutputArea-output")

    def run(self, index):
        """As a person does: a click into the cell, Shift and Enter."""
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def expect_prompt(self, index, prompt):
        expect(self.cell(index).locator(".jp-InputPrompt")).to_have_text(prompt, timeout=CELL)

    def run_all(self):
        self.panel.get_by_role("button", name="Restart the kernel and run all cells").click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.expect_prompt(0, "[*]:")


@pytest.fixture(scope="module")
def work(page):
    notebook = Notebook(page, "work")
    for index in range(LONG):
        notebook.run(index)
        notebook.expect_prompt(index, f"[{index + 2}]:")
    return notebook


def test_cells_run_one_by_one_and_show_tables_and_charts(work):
    expect(work.output(TABLE).locator("table").first).to_contain_text("Conv2d")
    expect(work.output(CHART).locator("svg").first).to_be_visible()


def test_training_streams_and_an_interrupt_keeps_what_there_is(work):
    work.run(LONG)
    output = work.output(LONG).first
    expect(output).to_contain_text("min left", timeout=CELL)
    expect(output).not_to_have_text(output.inner_text(), timeout=60 * SECONDS)
    work.expect_prompt(LONG, "[*]:")
    work.panel.get_by_role("button", name="Interrupt the kernel").click()
    work.expect_prompt(LONG, "[6]:")
    expect(output).to_contain_text("interrupted after")
    work.run(LAST)
    expect(work.output(LAST)).to_have_text("64 samples, trained: true\n", timeout=CELL)


def test_a_second_notebook_works_beside_the_first_with_a_second_dependency(page, work):
    began = time.monotonic()
    second = Notebook(page, "second")
    for index in range(len(SECOND)):
        second.run(index)
    expect(second.output(2)).to_have_text("3", timeout=CELL)
    assert time.monotonic() - began < 120, "the dependencies were compiled anew"
    page.get_by_role("tab", name="work.ipynb").click()
    work.run(LAST)
    work.expect_prompt(LAST, "[8]:")
    expect(work.output(LAST)).to_have_text("64 samples, trained: true\n")


def test_run_all_ends_with_the_cell_that_fails(page):
    notebook = Notebook(page, "failing")
    for _ in range(2):
        notebook.run_all()
        notebook.expect_prompt(1, "[3]:")
        expect(notebook.output(1)).to_have_text(["before\n", "planted"])
        notebook.expect_prompt(2, "[ ]:")
        notebook.expect_prompt(3, "[ ]:")
    # The variables stay.
    notebook.run(3)
    expect(notebook.output(3)).to_have_text("1 runs\n", timeout=CELL)


def test_an_exported_notebook_is_a_page_with_its_charts(page, work, tmp_path):
    page.get_by_role("tab", name="work.ipynb").click()
    page.get_by_role("menuitem", name="File").click()
    page.get_by_text("Save and Export Notebook As").click()
    page.locator(".lm-Menu-item", has_text="HTML").click()
    page.get_by_label("Sanitize HTML output").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Ok").click()
    download.value.save_as(tmp_path / "work.html")
    exported = page.context.browser.new_page()
    exported.goto((tmp_path / "work.html").as_uri())
    expect(exported.locator(".jp-OutputArea-output svg").first).to_be_visible()
    assert "{" not in " ".join(exported.locator(".jp-OutputArea-output").all_inner_texts())
    exported.close()


def test_a_notebook_is_kept_as_jupyterlab_writes_it(page, folder):
    path = folder / "09.ipynb"
    shutil.copy(NOTEBOOKS[-1], path)
    Notebook(page, "09")
    before = path.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    wait_until(page, lambda: path.stat().st_mtime_ns != before)
    assert path.read_text() == NOTEBOOKS[-1].read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_has_that_form(path):
    notebook = nbformat.read(path, as_version=4)
    assert path.read_text() == nbformat.writes(notebook) + "\n"
    last = nbformat.read(NOTEBOOKS[-1], as_version=4)
    # The title names the page.
    assert notebook.metadata == {**last.metadata, "title": notebook.metadata["title"]}
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
