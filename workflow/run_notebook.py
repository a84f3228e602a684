"""Executes one notebook and proves that every cell did what it says.

    run_notebook.py NOTEBOOK EXECUTED [--timeout SECONDS]

evcxr reports a cell as "ok" after a failing `?`, and its stderr may come after
the kernel has said that it is idle. So, besides what nbclient looks at:

* `?` is refused in notebooks before anything runs (use `.or_stop()`);
* every cell begins by writing a marker to stdout and stderr. A pipe keeps order, so once the
  marker is here, everything the cell before wrote is here too, and anything on stderr
  before it is a failure of that cell. After the last cell a marker is written alone;
* the kernel runs with `preserve_vars_on_panic = false` (kernel/launch.py), so a panic
  ends its child, which nbclient sees as an error.
"""

import argparse
import atexit
import asyncio
import collections
import os
import re
import sys
import time
import uuid
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.client import CellExecutionComplete
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async
from nbformat.v4 import new_output
from pygments.lexers import RustLexer
from pygments.token import Comment, String

import left
import results
from lifetime import end_with_report

ANSI = re.compile(r"\x1b\[[0-9;]*m")
DRAIN_SECONDS = 120
# A cell has begun; all cells so far have ended.
BEGUN, ENDED = "begun", "ended"
TOKEN = uuid.uuid4().hex
MARKER = re.compile(rf"{TOKEN}-(\w+)\n?")


def write_marker(word):
    return f'println!("{TOKEN}-{word}"); eprintln!("{TOKEN}-{word}");'


class NotebookFailed(Exception):
    """Says which notebook, cell and heading, and what went wrong."""


class Runner(NotebookClient):
    """nbclient's client with progress lines and a proof for every cell."""

    def __init__(self, notebook, name, executed, **options):
        super().__init__(notebook, **options)
        self.name = name
        self.executed = executed
        self.cells = [i for i, cell in enumerate(notebook.cells) if is_code(cell)]
        self.started = time.monotonic()
        self.cleanup = None
        # Indices of the cell that is running, and of the one before, while it may still be writing.
        self.running = self.before = None
        # What each cell wrote to stderr.
        self.stderr = collections.defaultdict(str)
        # Markers that came since the running cell was sent: (stream, word).
        self.markers = set()

    async def _async_cleanup_kernel(self):
        """Once, though an interrupt and the end that follows from it both ask for it."""
        if self.cleanup is None:
            self.cleanup = asyncio.ensure_future(super()._async_cleanup_kernel())
        await self.cleanup

    def place(self, index):
        number = self.cells.index(index) + 1
        heading = heading_above(self.nb.cells, index)
        return f"{self.name} · cell {number}/{len(self.cells)} · {heading}"

    async def async_execute_cell(self, cell, cell_index, **options):
        if not is_code(cell):
            return cell
        spent = time.monotonic() - self.started
        say(" · ".join(filter(None, [self.place(cell_index), clock(spent), left.of_report(self.executed, spent)])))
        self.running, self.markers = cell_index, set()
        problem = None
        try:
            await self.execute_marked(cell, cell_index, **options)
            self.before = cell_index
            number(cell, self.cells.index(cell_index) + 1)
            if cell_index == self.cells[-1]:
                await self.prove_end()
        except CellExecutionError as error:
            problem = f"{explain(cell) or error}\n{self.stderr[cell_index]}"
        except CellTimeoutError:
            problem = f"the cell ran longer than {self.timeout} s"
        except DeadKernelError:
            self.close_before()
            problem = "the kernel died"
        if problem is not None:
            self.fail(cell_index, problem)
        return cell

    async def execute_marked(self, cell, cell_index, **options):
        """Executes a cell and proves that the one before has ended."""
        source = cell.source
        execute = super().async_execute_cell
        if self.before is None or source.lstrip().startswith(":"):
            # Nothing stands before a command in its line.
            await self.prove_end()
            await execute(cell, cell_index, **options)
            return
        cell.source = f"{write_marker(BEGUN)} {source}"
        try:
            await execute(cell, cell_index, **options)
            await self.wait_for(BEGUN)
            self.close_before()
        except CellExecutionError:
            await self.prove_end()
            if ("stderr", BEGUN) in self.markers:
                raise
            # Nothing of it ran. Its own message is about its source as it is.
            cell.source = source
            await execute(cell, cell_index, **options)
        finally:
            cell.source = source

    def output(self, outs, msg, display_id, cell_index):
        if msg["msg_type"] != "stream":
            return super().output(outs, msg, display_id, cell_index)
        name, text = msg["content"]["name"], msg["content"]["text"]
        while marker := MARKER.search(text):
            self.keep(name, text[: marker.start()])
            self.markers.add((name, marker[1]))
            text = text[marker.end() :]
        self.keep(name, text)
        if ("stderr", BEGUN) in self.markers and self.stderr[self.before].strip():
            # The cell before failed: the running one need not go on.
            self.task_poll_for_reply.cancel()

    def keep(self, name, text):
        """Adds text to the outputs of the cell that wrote it."""
        index = self.running if self.before is None or (name, BEGUN) in self.markers else self.before
        if not text:
            return
        if name == "stderr":
            self.stderr[index] += text
        else:
            say(indent(text.rstrip("\n")))
        self.nb.cells[index].outputs.append(new_output("stream", name=name, text=text))

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        """As nbclient's, with what the cell before wrote at its end."""
        while True:
            msg = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
            if msg["parent_header"].get("msg_id") == parent_msg_id:
                try:
                    self.process_message(msg, cell, cell_index)
                except CellExecutionComplete:
                    return
            elif msg["msg_type"] == "stream":
                self.output(cell.outputs, msg, None, cell_index)

    async def prove_end(self):
        """Proves that the cell before has ended, by a marker alone."""
        if self.before is not None:
            # It may have come for an earlier cell.
            self.markers -= {("stdout", ENDED), ("stderr", ENDED)}
            self.kc.execute(write_marker(ENDED), store_history=False)
            await self.wait_for(ENDED)
            self.close_before()

    async def wait_for(self, word):
        """Reads what the kernel writes until this marker is there."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while not {("stdout", word), ("stderr", word)} <= self.markers:
            remaining = deadline - time.monotonic()
            try:
                msg = await asyncio.wait_for(self.kc.get_iopub_msg(), max(remaining, 0.01))
            except asyncio.TimeoutError:
                raise DeadKernelError("no marker") from None
            if msg["msg_type"] == "error" and word == ENDED:
                # The marker itself cannot fail to compile: an item of the cell before does.
                self.stderr[self.before] += ANSI.sub("", "\n".join(msg["content"]["traceback"]))
                return
            if msg["msg_type"] == "stream":
                self.output(None, msg, None, None)

    def close_before(self):
        """Judges the cell before, all of whose output is here."""
        index, self.before = self.before, None
        if index is None:
            return
        if self.stderr[index].strip():
            self.fail(index, self.stderr[index])
        self.nb.cells[index].outputs = merge_streams(self.nb.cells[index].outputs)

    def fail(self, index, problem):
        raise NotebookFailed(f"{self.place(index)}\n{indent(without_backtraces(problem))}")


def run(notebook, executed, timeout=None):
    """Executes `notebook` in its own folder and writes `executed`, whole or not at all."""
    notebook, executed = Path(notebook), Path(executed)
    partial = executed.with_suffix(".partial.ipynb")
    content = nbformat.read(notebook, as_version=4)
    name = notebook.stem
    refuse_question_marks(name, content.cells)

    os.environ["GLYPHS_KERNEL"] = "run"
    executed.parent.mkdir(parents=True, exist_ok=True)
    started, commit = time.time(), results.commit()
    executed_now = False
    try:
        execute(content, name, executed, timeout, notebook.parent)
        content.metadata["glyphs"] = {
            "started": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(started)),
            "seconds": round(time.time() - started, 1),
            "commit": commit,
        }
        nbformat.write(content, partial)
        os.replace(partial, executed)
        executed_now = True
    except NotebookFailed as failure:
        raise NotebookFailed(f"{failure}\n    What ran so far: {partial}") from None
    finally:
        if not executed_now:
            nbformat.write(content, partial)
    say(f"{name} · done · {clock(time.time() - started)}")


def execute(content, name, executed, timeout, folder):
    """Runs the cells. A kernel that does not start is started once more: another program may have
    taken one of the ports that were chosen for it."""
    for last in (False, True):
        client = Runner(
            content,
            name,
            executed,
            timeout=timeout,
            startup_timeout=600,
            kernel_name="rust",
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            return client.execute()
        except RuntimeError as error:
            atexit.unregister(client._cleanup_kernel)
            if last:
                raise NotebookFailed(f"{name} · the kernel did not start\n{indent(str(error))}") from None


def refuse_question_marks(name, cells):
    """A failing `?` would leave its cell "successful", so notebooks have none."""
    code = [i for i, cell in enumerate(cells) if is_code(cell)]
    for number, index in enumerate(code, 1):
        if operator_question_mark(cells[index].source):
            raise NotebookFailed(
                f"{name} · cell {number}/{len(code)} · {heading_above(cells, index)}\n"
                + indent("`?` in a notebook hides errors: write `.or_stop()` instead")
            )


def operator_question_mark(source):
    code = "".join(
        text for kind, text in RustLexer().get_tokens(source) if kind not in String and kind not in Comment
    )
    return re.search(r"\?(?!\s*Sized\b)", code)


def heading_above(cells, index):
    """The nearest markdown heading above a cell."""
    for cell in reversed(cells[:index]):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#{1,6} +(.+?) *#*$", cell.source, re.MULTILINE)
            if headings:
                return headings[-1]
    return "start"


def explain(cell):
    """The kernel's own words about a failed cell."""
    lines = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            lines += [output.evalue, *output.traceback]
    return ANSI.sub("", "\n".join(dict.fromkeys(lines)))


def number(cell, count):
    """Numbers cells from 1, as if the kernel had seen no markers."""
    cell.execution_count = count
    for output in cell.outputs:
        if output.output_type == "execute_result":
            output.execution_count = count


def without_backtraces(text):
    """A panic's own words: its frames, its place in the cell's package, and that it may not unwind,
    say nothing about a cell."""
    text = re.sub(r"^stack backtrace:\n( .*\n?)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"^thread [^\n]* panicked at src/lib\.rs:[\d:]+\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^note: .*RUST_BACKTRACE.*\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"\nthread [^\n]*\npanic in a function that cannot unwind\n(.*\n?)*", "", text)


# Lines that say how far some work is (lib/src/progress.rs): for the terminal, not for a page.
PROGRESS = re.compile(r"^(preprocessing: \d+ of .*|.* MB, [\d.]+ MB/s)\n", re.MULTILINE)


def merge_streams(outputs):
    """One output for neighbouring lines of the same stream, without those of progress."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            output["text"] = PROGRESS.sub("", output.text)
    return [output for output in merged if output.output_type != "stream" or output.text]


def is_code(cell):
    return cell.cell_type == "code" and bool(cell.source.strip())


def clock(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def indent(text):
    return "\n".join("    " + line for line in text.splitlines())


def say(line):
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("executed", type=Path)
    parser.add_argument("--timeout", type=int, help="seconds that one cell may take")
    arguments = parser.parse_args()
    try:
        end_with_report()
        run(arguments.notebook, arguments.executed, arguments.timeout)
    except NotebookFailed as failure:
        sys.exit(f"FAILED {failure}")


if __name__ == "__main__":
    main()
