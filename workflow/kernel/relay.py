"""Stands between a Jupyter client and evcxr, and adds what evcxr does not do.

* A panic is an error: its words alone are shown, and the reply says so.
* After an error the cells that wait are not run, as the protocol has it (`stop_on_error`); nor are
  they after an Interrupt, which also ends a compilation. A second Interrupt ends any cell.
* While crates are compiled, the cell says which.

Messages: https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections import deque
from pathlib import Path

import psutil
import zmq
from jupyter_client.connect import write_connection_file
from jupyter_client.session import Session

PANIC = "text/x-panic"
# evcxr says of a cell that panics that it went well. What a cell puts on stdout between these two
# lines is part of its result, which evcxr sends before its reply.
PRELUDE = """
std::panic::set_hook(Box::new(|panic| {
    let words = panic.payload_as_str().unwrap_or("a panic without words");
    // A place within the cell's own package says nothing to whoever wrote the cell.
    let place = panic.location().filter(|place| place.file() != "src/lib.rs");
    let place = place.map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    println!("EVCXR_BEGIN_CONTENT %s\\n{words}{place}\\nEVCXR_END_CONTENT");
}));
""" % PANIC
CHANNELS = ("shell", "control", "stdin", "hb")
POLL_MS = 200
# How long a reply waits for the end of the cell's output, which comes on another socket.
OUTPUT_SECONDS = 5
# How often the kernel is started with other ports, where another program has taken one of them.
STARTS = 5
# How long a cell may go on after an Interrupt before it is said what a second one does.
PATIENCE_SECONDS = 4
TERMINATED = "Subprocess terminated"
AGAIN = "The cell is still running. Interrupt once more to end it; all variables will be lost.\n"


class Relay:
    def __init__(self, connection_file):
        with open(connection_file) as file:
            self.client = json.load(file)
        self.key, self.scheme = self.client["key"].encode(), self.client["signature_scheme"]
        self.session = Session(key=self.key, signature_scheme=self.scheme)
        self.context, self.poller = zmq.Context(), zmq.Poller()
        self.output = self.socket(zmq.PUB, "bind", self.client, "iopub")
        self.outer = {channel: self.socket(zmq.ROUTER, "bind", self.client, channel) for channel in CHANNELS}

        self.waiting = deque()  # requests to run a cell
        self.running = None  # the one whose cell runs
        self.reply = None  # evcxr's, and until when it waits for the end of the output
        self.idle = False  # the output has ended
        self.error = None  # what was shown of an error
        self.interrupted = None  # when its cell was
        self.told = False  # that a second Interrupt ends the cell
        self.ended = False  # by a second Interrupt
        self.begun_line = b""

    def socket(self, kind, link, info, channel):
        socket = self.context.socket(kind)
        # The kernel asks for input by the name under which it was asked to run a cell.
        socket.setsockopt(zmq.IDENTITY, b"relay")
        socket.set_hwm(0)
        getattr(socket, link)(f"{info['transport']}://{info['ip']}:{info[channel + '_port']}")
        return socket

    def start(self, launch, folder):
        """The kernel, which `launch` starts with a connection file, and connections to it."""
        ip, transport = self.client["ip"], self.client["transport"]
        for _ in range(STARTS):
            file, info = write_connection_file(
                str(folder / "connection.json"), key=self.key, signature_scheme=self.scheme, ip=ip, transport=transport
            )
            kernel = launch(file)
            if listens(kernel, {info[f"{channel}_port"] for channel in ("iopub", *CHANNELS)}):
                self.connect(info)
                break
            os.write(sys.stderr.fileno(), kernel.stderr.read())
        return kernel

    def connect(self, kernel):
        output = self.socket(zmq.SUB, "connect", kernel, "iopub")
        output.subscribe(b"")
        self.handlers = {output: self.pass_output}
        for channel, outer in self.outer.items():
            inner = self.socket(zmq.DEALER, "connect", kernel, channel)
            self.handlers |= {outer: inner.send_multipart, inner: outer.send_multipart}
            if channel == "shell":
                self.shell, self.inner = outer, inner
        self.handlers |= {self.shell: self.take_request, self.inner: self.take_reply}
        for ready in self.handlers:
            self.poller.register(ready, zmq.POLLIN)

    def run(self, kernel):
        """Until the kernel ends."""
        signal.signal(signal.SIGINT, self.take_interrupt)
        self.stderr = kernel.stderr.fileno()
        self.poller.register(self.stderr, zmq.POLLIN)
        while kernel.poll() is None:
            self.pass_on(POLL_MS)
            if self.interrupted:
                # Until the cell ends: evcxr runs cargo several times.
                self.drop_waiting()
                end(kernel.pid, "cargo", signal.SIGTERM)
                if self.ended and self.told:
                    # Once: evcxr starts another.
                    self.told = False
                    end(kernel.pid, Path(kernel.args[0]).name, signal.SIGKILL)
                elif not self.told and not self.ended and time.monotonic() > self.interrupted + PATIENCE_SECONDS:
                    self.told = True
                    self.publish("stream", {"name": "stdout", "text": AGAIN}, self.running[2])
            if self.reply and time.monotonic() > self.reply[1]:
                self.finish()
        self.pass_on(0)
        self.context.destroy(linger=1000)

    def take_interrupt(self, *_):
        """Of the cell that runs now, not of the next one."""
        if self.told:
            self.ended = True
        elif self.running and not self.interrupted:
            self.interrupted = time.monotonic()

    def pass_on(self, milliseconds):
        for ready, _ in self.poller.poll(milliseconds):
            if ready == self.stderr:
                self.pass_stderr()
            else:
                self.handlers[ready](ready.recv_multipart())

    def unpack(self, frames):
        """Identities, header, header of the request, content."""
        identities, (_, header, parent, _, content, *_) = self.session.feed_identities(frames)
        return identities, *map(json.loads, (header, parent, content))

    def is_of_running(self, parent):
        return self.running and parent.get("msg_id") == self.running[2]["msg_id"]

    def publish(self, kind, content, parent):
        self.session.send(self.output, kind, content, parent={"header": parent})

    def take_request(self, frames):
        identities, header, _, content = self.unpack(frames)
        if header["msg_type"] != "execute_request":
            self.inner.send_multipart(frames)
        else:
            self.waiting.append((frames, identities, header, content.get("stop_on_error", True)))
            self.run_next()

    def run_next(self):
        if self.waiting and not self.running:
            self.running = self.waiting.popleft()
            self.idle, self.error, self.ended = False, None, False
            self.inner.send_multipart(self.running[0])

    def drop_waiting(self):
        for _, identities, header, _ in self.waiting:
            self.publish("status", {"execution_state": "busy"}, header)
            self.session.send(self.shell, "execute_reply", {"status": "aborted"}, {"header": header}, identities)
            self.publish("status", {"execution_state": "idle"}, header)
        self.waiting.clear()

    def pass_output(self, frames):
        _, header, parent, content = self.unpack(frames)
        kind = header["msg_type"]
        if kind == "execute_result" and PANIC in content["data"]:
            self.error = error(content["data"].pop(PANIC))
            if content["data"]:
                self.publish(kind, content, parent)
            self.publish("error", self.error, parent)
        elif kind == "error" and content["evalue"].startswith("Compilation failed, but no parsable errors"):
            self.error = error("The compilation was interrupted, or failed: the terminal says more.")
            self.publish("error", self.error, parent)
        elif kind == "error" and self.ended and content["evalue"].startswith(TERMINATED):
            self.error = error("The cell was ended by the second Interrupt, and all variables are lost.")
            self.publish("error", self.error, parent)
        else:
            self.output.send_multipart(frames)
            if kind == "error":
                self.error = content
            elif kind == "status" and content["execution_state"] == "idle" and self.is_of_running(parent):
                self.idle = True
                if self.reply:
                    self.finish()

    def take_reply(self, frames):
        _, header, parent, _ = self.unpack(frames)
        if header["msg_type"] != "execute_reply" or not self.is_of_running(parent):
            self.shell.send_multipart(frames)
        else:
            self.reply = frames, time.monotonic() + OUTPUT_SECONDS
            if self.idle:
                self.finish()

    def finish(self):
        """The reply goes to the client, and the next cell to the kernel."""
        (frames, _), self.reply = self.reply, None
        _, identities, request, stop_on_error = self.running
        content = self.unpack(frames)[-1]
        if self.error:
            content |= {"status": "error", **self.error}
        self.session.send(self.shell, "execute_reply", content, {"header": request}, identities)
        self.running, self.interrupted, self.told = None, None, False
        if content["status"] != "ok" and stop_on_error:
            self.drop_waiting()
        if self.ended or TERMINATED in content.get("evalue", ""):
            # evcxr has started a new one, without the prelude.
            self.session.send(self.inner, "execute_request", {"code": PRELUDE})
        self.run_next()

    def pass_stderr(self):
        """To the terminal; which crates are compiled, to the cell as well."""
        read = os.read(self.stderr, 1 << 16)
        if not read:
            self.poller.unregister(self.stderr)
        os.write(sys.stderr.fileno(), read)
        *lines, self.begun_line = (self.begun_line + read).split(b"\n")
        told = [line.decode(errors="replace").strip() + "\n" for line in lines if line.lstrip().startswith(b"Compiling ")]
        if told and self.running:
            self.publish("stream", {"name": "stdout", "text": "".join(told)}, self.running[2])


def error(words):
    return {"ename": "Error", "evalue": words, "traceback": words.splitlines()}


def listens(kernel, ports):
    """Waits until it does, or has ended. To connect before could take the port from it: a connection
    to a free port of this machine may be given that very port, and is then one with itself."""
    while kernel.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            connections = psutil.Process(kernel.pid).net_connections("tcp")
            if ports <= {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}:
                return True
        time.sleep(0.02)
    return False


def end(pid, name, how):
    """Ends the children of that name, and theirs: they ignore the signal that Interrupt is."""
    with contextlib.suppress(psutil.Error):  # It may just have ended.
        for child in psutil.Process(pid).children():
            if child.name() == name:
                for process in (child, *child.children(recursive=True)):
                    process.send_signal(how)
