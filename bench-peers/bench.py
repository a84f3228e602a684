"""Compares the project with its peers, as README.md describes.

    bench.py OURS [OUTPUT.json]

OURS is the program of lib/benches/networks.rs, which calls this: `make bench`.
BENCH_ROUNDS asks for another number of rounds, BENCH_ONLY=train:original:100,... for some rows alone.
"""

import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORES = len(os.sched_getaffinity(0))
OURS = sys.argv[1]
OUTPUT = HERE.parent / (sys.argv[2] if len(sys.argv) > 2 else "outputs/bench.json")
PYTHON = os.environ.get("BENCH_PEERS_PYTHON", str(HERE / ".venv/bin/python"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
PATIENCE = 2.0
"""Seconds after which a contestant is not asked again for a row."""
FEW = 1000
"""Images that those are asked to classify who would take longer than PATIENCE for 10,000; the time is multiplied."""
TOLERANCE = 1e-3
"""Largest difference of a logit from ours, of those who compute with 32 bits."""
NETWORKS = ("original", "experimental", "plain", "lenet")
NO_AVX512 = {
    "DFDX_CONV_SIMD": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}
"""For libraries that can be told: they use AVX2 at most."""


class Contestant:
    """One process, or several beside each other, which answer requests."""

    def __init__(self, name, command, *, env=None, copies=1, only=None, tasks=("train", "infer"), networks=NETWORKS, bits=32, calls=None):
        self.name, self.command, self.env, self.copies = name, command, env or {}, copies
        self.tasks, self.networks, self.bits = tasks, networks, bits
        self.calls = calls or (lambda network: network)
        self.only = only
        self.workers, self.version, self.problem = [], "", None
        self.refused = {}
        self.errors = tempfile.TemporaryFile()

    @property
    def ours(self):
        return self.command[0] == OURS

    def start(self):
        env = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": str(CORES), **self.env}
        try:
            for _ in range(self.copies):
                worker = subprocess.Popen(
                    self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=env
                )
                self.workers.append(worker)
        except OSError as error:
            self.problem = f"does not start: {error.strerror}"
            return
        lines = [worker.stdout.readline().strip() for worker in self.workers]
        self.version = lines[0].removeprefix("ready ")
        locked = re.search(rf'name = "{self.version}"\nversion = "(.*)"', (HERE / "Cargo.lock").read_text())
        if locked:
            self.version = f"{locked[1]}"
        if not all(line.startswith("ready") for line in lines):
            self.problem = f"does not start: {self.said() or 'it ended'}"

    def said(self):
        """The last line that it wrote to its standard error."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip().rpartition("\n")[2][:200]

    def answer(self, worker):
        """The next line that is one: what else a worker prints is progress."""
        while (line := worker.stdout.readline()) and not re.match(r"[\d\[]|error", line):
            pass
        return line.strip()

    def request(self, task, network, argument):
        """Its answers as texts. RuntimeError where one cannot."""
        for worker in self.workers:
            try:
                worker.stdin.write(f"{task} {self.calls(network)} {argument}\n")
                worker.stdin.flush()
            except BrokenPipeError:
                pass
        answers = [self.answer(worker) for worker in self.workers]
        for answer in answers:
            if not answer or answer.startswith("error"):
                raise RuntimeError(answer or f"it ended: {self.said()}")
        return answers

    def ask(self, task, network, argument):
        """Milliseconds of a task; what is done beside each other adds up."""
        return 1 / sum(1 / float(answer.split()[0]) for answer in self.request(task, network, argument))

    def peak_memory(self):
        """MB since the last call; 0 where the system does not say."""
        total = 0
        for worker in self.workers:
            try:
                status = Path(f"/proc/{worker.pid}/status").read_text()
                total += int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024
                Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
            except (OSError, TypeError):
                pass
        return total

    def seconds(self):
        """Processor time so far."""
        total = 0
        for worker in self.workers:
            try:
                fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(") ")[2].split()
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except (OSError, IndexError):
                pass
        return total

    def stop(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.workers = []


def contestants():
    """Those of the main rows."""
    ours = [OURS, "worker"]

    def one(threads):
        return {"RAYON_NUM_THREADS": str(threads)}

    def python(script, *arguments):
        return [PYTHON, str(HERE / script), *arguments]

    def rust(name):
        return [str(HERE / "target/release" / name)]

    original = ("original",)
    return [
        Contestant("glyphs", ours, env=one(CORES)),
        Contestant("glyphs, 1 thread", ours, env=one(1)),
        Contestant("glyphs, processes", ours, env=one(1), copies=CORES),
        Contestant("glyphs, bf16", [OURS, "worker-bf16"], env=one(CORES), tasks=("infer",), bits=16),
        Contestant("glyphs, layers", ours, env=one(CORES), networks=original, calls=lambda _: "layers", tasks=("train",)),
        Contestant("glyphs, blocks", ours, env=one(CORES), networks=original, calls=lambda _: "blocks", tasks=("train",)),
        Contestant("keras", python("keras_worker.py", "tensorflow", "float32")),
        Contestant("keras_jax", python("keras_worker.py", "jax", "float32")),
        Contestant("keras_bfloat16", python("keras_worker.py", "tensorflow", "mixed_bfloat16"), bits=16),
        Contestant("pytorch_channels_last", python("torch_worker.py")),
        Contestant("pytorch_compile", python("torch_worker.py", "compile")),
        Contestant("pytorch_bfloat16", python("torch_worker.py", "bf16"), bits=16),
        Contestant("flax", python("flax_worker.py")),
        Contestant("candle", rust("candle_worker"), networks=NETWORKS[:3]),
        Contestant("burn", rust("burn_worker"), networks=NETWORKS[:3]),
        Contestant("onnxruntime", python("onnx_worker.py", "onnxruntime"), tasks=("infer",)),
        Contestant("openvino", python("onnx_worker.py", "openvino", "f32"), tasks=("infer",)),
        Contestant("openvino_auto", python("onnx_worker.py", "openvino", "auto"), tasks=("infer",), bits=16),
        Contestant("tract", rust("tract_worker"), tasks=("infer",)),
    ]


def limited():
    """Those of the rows without AVX-512."""
    portable = Contestant("glyphs, portable", [OURS, "worker"], env={**NO_AVX512, "DFDX_CONV_SIMD": "portable"})
    told = {"glyphs", "keras", "keras_jax", "pytorch_channels_last", "pytorch_compile", "flax"}
    found = [contestant for contestant in contestants() if contestant.name in told]
    for contestant in found:
        contestant.env |= NO_AVX512
    return [*found, portable]


ROWS = [
    *(("train", network, 100) for network in NETWORKS),
    *(("infer", network, 10_000) for network in NETWORKS),
    *(("train", network, count) for count in (32, 512) for network in NETWORKS[:3]),
    *(("infer", network, 1) for network in NETWORKS),
]
LIMITED_ROWS = [
    *(("train", network, 100) for network in NETWORKS[:3]),
    *(("infer", network, 10_000) for network in NETWORKS[:3]),
]


def wanted(row):
    only = os.environ.get("BENCH_ONLY")
    return not only or ":".join(map(str, row)) in only.split(",")


def operations(task, network, count):
    """Multiplications and additions by direct convolution, the way back counted as two forward passes."""
    lenet = network == "lenet"
    convs = [(1, 6, 5, 28), (6, 16, 5, 14)] if lenet else [(1, 32, 3, 28), (32, 32, 3, 28), (32, 64, 3, 14), (64, 64, 3, 14)]
    units = {"lenet": [784, 120, 84, 10], "experimental": [3136, 500, 10]}.get(network, [3136, 1000, 10])
    forward = sum(i * o * k * k * side * side for i, o, k, side in convs) + sum(a * b for a, b in zip(units, units[1:]))
    return 2 * forward * count * (3 if task == "train" else 1)


def busy():
    """Seconds that the machine's processors have worked, and that its host has taken away."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:])
    tick = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / tick, steal / tick


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def swing(values):
    """The middle four fifths of what was measured, as a share of the median."""
    return (quantile(values, 0.9) - quantile(values, 0.1)) / statistics.median(values)


def quiet(ours):
    """Whether the machine is quiet enough: what others do while nothing is asked, and how much the peak swings."""
    before, stolen = busy()
    time.sleep(2)
    after, taken = busy()
    others = (after - before + taken - stolen) / 2 / CORES
    peaks = [float(ours.request("peak", "-", "0")[0]) for _ in range(20)]
    found = {
        "others": others,
        "load": os.getloadavg()[0],
        "peak_gflops": max(peaks),
        "swing": swing(peaks),
        "bandwidth_gb": float(ours.request("bandwidth", "-", "0")[0]),
    }
    found["quiet"] = others < 0.05 and found["swing"] < 0.1
    print(
        f"{'quiet' if found['quiet'] else 'NOT QUIET: what follows is no fair measurement'}: others use {100 * others:.0f} % of the "
        f"processors, the peak is {found['peak_gflops']:.0f} GFLOP/s and swings by {100 * found['swing']:.0f} %, "
        f"load {found['load']:.1f}",
        flush=True,
    )
    return found


def machine(instructions):
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        lines = []
    info = dict(re.split(r"\s*:\s*", line, maxsplit=1) for line in lines if ":" in line)
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True)
    return {
        "cpu": info.get("model name") or platform.processor() or "unknown",
        "family": info.get("cpu family"),
        "model": info.get("model"),
        "stepping": info.get("stepping"),
        "flags": [flag for flag in info.get("flags", "").split() if flag.startswith(("avx", "amx", "fma"))],
        "cores": CORES,
        "instructions": instructions,
        "rustc": rustc.stdout.strip(),
    }


def agreement(everyone, folder):
    """Gives all the same weights, and compares their logits with ours. Who differs is left out."""
    ours = next(c for c in everyone if c.name == "glyphs")
    found = {}
    for network in NETWORKS:
        path = folder / f"{network}.safetensors"
        right = json.loads(ours.request("weights", network, path)[0])
        size = max(map(abs, right))
        for contestant in everyone:
            if contestant.ours or contestant.problem or network not in contestant.networks:
                continue
            try:
                logits = json.loads(contestant.request("agree", network, path)[0])
                difference = max(abs(a - b) for a, b in zip(logits, right, strict=True))
            except (RuntimeError, ValueError, TypeError) as error:
                contestant.refused[network] = str(error)
                print(f"  {network} {contestant.name}: {error}")
                continue
            found.setdefault(contestant.name, {})[network] = difference
            if contestant.bits == 32 and not difference < TOLERANCE:
                contestant.refused[network] = f"its logits differ by {difference:.1e}"
                print(f"  {network} {contestant.name} is left out: {contestant.refused[network]}")
        print(f"agreement, {network}, of logits up to {size:.1f}:", flush=True)
        for name, of_networks in found.items():
            if network in of_networks:
                print(f"  {name:20} {of_networks[network]:.1e}", flush=True)
    return found


def measure(everyone, task, network, count):
    """Asks all in turn, round after round. Milliseconds by name, with what else was seen."""
    ours = next(c for c in everyone if c.name == "glyphs")
    peak = max(float(ours.request("peak", "-", "0")[0]) for _ in range(4))
    asked = [
        c for c in everyone if not c.problem and task in c.tasks and network in c.networks and network not in c.refused
    ]
    samples = {c.name: [] for c in asked}
    started, (busy_before, stolen_before) = time.monotonic(), busy()
    used = sum(c.seconds() for c in everyone)

    scale = dict.fromkeys(samples, 1)

    def ask(contestant, number=count):
        """Milliseconds; None, and nothing more asked of it for this network, where it fails."""
        try:
            return contestant.ask(task, network, number)
        except RuntimeError as error:
            contestant.refused[network] = str(error)
            print(f"  {contestant.name}: {error}")
            return None

    for contestant in asked:
        contestant.peak_memory()
        if count > FEW and task == "infer":
            ask(contestant, FEW)
            ms = ask(contestant, FEW)
            if ms and ms * count / FEW > PATIENCE * 1e3:
                scale[contestant.name] = count // FEW
                continue
        ask(contestant)
    times = 30 if count == 1 else 1 if task == "infer" else 7 if count < 512 else 3
    for _ in range(ROUNDS):
        for contestant in asked:
            # The first after the others' turn finds cold caches and sleeping threads, for everyone alike.
            taken, factor = samples[contestant.name], scale[contestant.name]
            for _ in range(times):
                if network not in contestant.refused and sum(taken) / 1e3 < PATIENCE * factor:
                    if ms := ask(contestant, count // factor):
                        taken.append(ms * factor)
    busy_after, stolen_after = busy()
    elapsed = (time.monotonic() - started) * CORES
    others = max(0, busy_after - busy_before - sum(c.seconds() for c in everyone) + used) + stolen_after - stolen_before
    found = {}
    for contestant in asked:
        if (values := samples[contestant.name]) and network not in contestant.refused:
            found[contestant.name] = {
                "median": statistics.median(values),
                "min": min(values),
                "max": max(values),
                "requests": len(values),
                "images": count // scale[contestant.name],
                "swing": swing(values),
                "peak_memory_mb": contestant.peak_memory(),
                "bits": contestant.bits,
            }
    return found, {"peak_gflops": peak, "others": others / elapsed, "load": os.getloadavg()[0]}


def row(everyone, task, network, count, limit=None):
    """One row of the table, printed."""
    found, seen = measure(everyone, task, network, count)
    mine = found["glyphs"]
    gflops = operations(task, network, count) / mine["median"] / 1e6
    names = {c.name for c in everyone if c.ours}
    peers = {name: times for name, times in found.items() if name not in names}

    def fastest(bits):
        of = {name: times["median"] for name, times in peers.items() if times["bits"] >= bits}
        return min(of, key=of.get) if of else None

    def ratio(name, mine=mine):
        return mine["median"] / peers[name]["median"] if name else None

    # Held against all, with the precision that is faster.
    best = min((found[name] for name in ("glyphs", "glyphs, bf16") if name in found), key=lambda times: times["median"])

    result = {
        "name": "training step" if task == "train" else "inference",
        "network": network,
        "batch": count,
        "threads": CORES,
        "limit": limit,
        "ms": mine,
        "ours": {name: times for name, times in found.items() if name in names and name != "glyphs"},
        "peers": peers,
        "fastest_f32": fastest(32),
        "fastest": fastest(0),
        "ratio_f32": ratio(fastest(32)),
        "ratio": ratio(fastest(0), best),
        "gflops": gflops,
        "peak_share": gflops / seen["peak_gflops"],
        **seen,
    }
    print(
        f"{result['name']}, {network}, {count}{', ' + limit if limit else ''}: peak {seen['peak_gflops']:.0f} GFLOP/s, "
        f"others {100 * seen['others']:.0f} %"
    )
    for name, times in found.items():
        print(f"  {name:20} {times['median']:9.2f} ms (least {times['min']:.2f}, swing {100 * times['swing']:.0f} %)")
    if result["ratio_f32"]:
        print(f"  {result['ratio_f32']:.2f} of {result['fastest_f32']}, {result['ratio']:.2f} of {result['fastest']}", flush=True)
    return result


def data(ours):
    """Images a second through decoding, preprocessing and distortion, and an epoch of part 1."""
    rows = []
    for task, times in (("decode", 2), ("preprocess", 2), ("distort", 3), ("epoch", 3)):
        try:
            answers = [tuple(map(float, ours.request("data", task, "0")[0].split())) for _ in range(times)]
        except RuntimeError as error:
            print(f"{task}: {error}")
            continue
        ms, images = [ms for ms, _ in answers], answers[0][1]
        rate = images / statistics.median(ms) * 1e3
        rows.append({"name": "data", "task": task, "images": images, "ms": {"median": statistics.median(ms), "min": min(ms)}, "images_a_second": rate})
        print(f"{task}: {images:.0f} images in {statistics.median(ms):.0f} ms, {rate:,.0f} a second", flush=True)
    return rows


def passes(batch):
    """What a step of the original network is made of: names of functions, operations and bytes that it cannot do
    without, each tensor read or written once. By Winograd's algorithm 36 products make 4 x 4 outputs, or 3 x 3 taps."""
    parameters = 9 * (32 + 32 * 32 + 32 * 64 + 64 * 64) + 3136 * 1000 + 1000 * 10
    # Values of an image: the outputs of the four convolutions, their padded inputs, and what pooling leaves.
    out, padded, pooled = [32 * 784, 32 * 784, 64 * 196, 64 * 196], [900, 32 * 900, 32 * 256, 64 * 256], [32 * 196, 64 * 49]
    gradients = [32 * 900, 32 * 900, 64 * 256, 64 * 256]
    dx = [32 * 784, 32 * 196, 64 * 196]
    products = 2 * 36 * (49 * 32 * 32 + 16 * 32 * 64 + 16 * 64 * 64)
    dense = 3136 * 1000 + 1000 * 10
    of_image = {
        "convolutions, forward, and gradients of their inputs": (
            r"winograd::(winograd|transform)",
            2 * products,
            sum(padded[1:]) + sum(out[1:]) + sum(gradients[1:]) + sum(dx),
        ),
        "gradients of their weights": (r"winograd_gradient", products, sum(padded[1:]) + sum(gradients[1:])),
        "first convolution and the gradient of its weights": (
            r"kernels::conv::conv\b|conv_gradient",
            2 * 2 * 9 * 32 * 784,
            2 * padded[0] + out[0] + gradients[0],
        ),
        "dense layers: products": (r"dense::panel_product", 3 * 2 * dense, 3 * (3136 + 1000 + 1000 + 10)),
        "dense layers: weights and batch laid out for them": (r"dense::", 0, 2 * 3 * (3136 + 1000)),
        "backward pass through normalisation, ReLU and pooling": (
            r"pad_gradient|relu_gradient",
            0,
            sum(gradients) + 2 * sum(out) + 3 * (sum(pooled) + dx[0] + dx[2]),
        ),
        "normalisation, ReLU, padding": (r"pad_blocks|passes::pad|blocks_to|planes_to", 0, sum(padded) + sum(out[::2]) + pooled[0]),
        "normalisation, ReLU, pooling": (r"normalise_pool|pooling", 0, sum(out[1::2]) + 3 * sum(pooled)),
    }
    table = [(name, names, operations * batch, 4 * values * batch) for name, (names, operations, values) in of_image.items()]
    table[3] = (*table[3][:3], table[3][3] + 4 * 3 * dense)
    table[4] = (*table[4][:3], table[4][3] + 4 * 2 * 3 * dense)
    return [
        *table,
        ("update by Adam", r"kernels::update|adam", 12 * parameters, 28 * parameters),
        ("waiting for each other, and handing out work", r"rayon|crossbeam|threads::|sched|spin|futex|switch", 0, 0),
        ("memory: copies, zeros, pages", r"memmove|memset|memcpy|page|folio|pte|Buffer|lru|memcg|clear_", 0, 0),
    ]


def profile(peak, bandwidth, batch=100):
    """A step of the original network by functions, as perf samples them; nothing where it cannot."""
    if not shutil.which("perf"):
        print("passes: perf is not installed")
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/perf.data"
        env = {**os.environ, "RAYON_NUM_THREADS": str(CORES)}
        record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-o", file, OURS, "worker"]
        requests = f"train original {batch}\n" * 150
        recorded = subprocess.run(record, input=requests, capture_output=True, text=True, env=env)
        report = ["perf", "report", "-i", file, "--stdio", "--no-children", "-F", "overhead,symbol"]
        report = subprocess.run(report, capture_output=True, text=True).stdout
    times = [float(line) for line in recorded.stdout.splitlines() if re.fullmatch(r"[\d.]+", line)]
    shares = re.findall(r"^\s*([\d.]+)%\s+\[.\]\s+(.*?)\s*$", report, re.MULTILINE)
    if not times or not shares:
        print("passes: perf may not record here")
        return None
    step, found, rest = statistics.median(times), [], [(float(share) / 100, name) for share, name in shares]
    for name, names, operations, size in passes(batch):
        mine = [share for share, symbol in rest if re.search(names, symbol)]
        rest = [(share, symbol) for share, symbol in rest if not re.search(names, symbol)]
        limit = max(operations / peak / 1e6, size / bandwidth / 1e6)
        found.append({"pass": name, "share": sum(mine), "ms": sum(mine) * step, "operations": operations, "bytes": size, "limit_ms": limit})
    found.append({"pass": "all else", "share": 1 - sum(of["share"] for of in found)})
    for of in found:
        print(f"  {100 * of['share']:5.1f} %  {of['pass']}")
    largest = sorted(rest, reverse=True)[:8]
    print("  of all else:", "; ".join(f"{name} {100 * share:.1f} %" for share, name in largest), flush=True)
    return {"name": "passes", "network": "original", "batch": batch, "step_ms": step, "peak_gflops": peak, "bandwidth_gb": bandwidth, "passes": found}


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    rows = []

    def keep(row):
        rows.append(row)
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        part = OUTPUT.with_name(OUTPUT.name + ".part")
        with part.open("w") as file:
            file.write(json.dumps(rows, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(OUTPUT)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["BENCH_ONNX"] = folder
        for limit, found, table in ((None, contestants(), ROWS), ("AVX2", limited(), LIMITED_ROWS)):
            table = [of for of in table if wanted(of)]
            # A limit that is the processor's own says nothing new.
            if not table or limit and rows and rows[0]["instructions"] != "avx512":
                continue
            try:
                for contestant in found:
                    contestant.start()
                    if not limit or contestant.problem:
                        print(f"{contestant.name}: {contestant.problem or contestant.version}", flush=True)
                if found[0].problem:
                    sys.exit(f"bench.py: {found[0].problem}")
                if not limit:
                    instructions = found[0].version.split(", ")[1]
                    keep({"name": "machine", **machine(instructions), **quiet(found[0]), "started": time.strftime("%Y-%m-%d %H:%M")})
                differences = agreement(found, Path(folder))
                keep({"name": "agreement", "limit": limit, "logits": differences, "versions": {c.name: c.problem or c.version for c in found}})
                if not limit:
                    for of in data(found[0]):
                        keep(of)
                    if of := profile(rows[0]["peak_gflops"], rows[0]["bandwidth_gb"]):
                        keep(of)
                for of in table:
                    keep(row(found, *of, limit))
            finally:
                for contestant in found:
                    contestant.stop()
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
