"""Writes the published results into README.md, and those of `make bench` into
bench-peers/README.md, between their marks.

    readme.py [--check]

With `--check` nothing is written, and it fails where one of them is out of date.
"""

import json
import math
import re
import sys
from pathlib import Path

import results

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"(<!-- results:[^\n]*-->\n).*?(<!-- end of results -->)", re.DOTALL)


def section(runs, machines):
    """The results as markdown; nothing where nothing has been published."""
    lines = [f"- {finding}" for finding in results.findings(runs)] + [pace(bench) for bench in machines]
    if lines:
        lines += ["", "Means over the seeds; the pages in `outputs/reference/report/` have intervals, tests and reasons.", ""]
    for part in results.parts(runs):
        rows = [row for row in part["rows"] if row["main"]]
        if rows:
            lines += [
                f"**Part {part['number']}: {part['title']}.** {part['measure']} in %: {results.legend(rows)}.",
                "",
                "| network | start | protocol | seeds | this project | the 2021 report |",
                "|---|---|---|---:|---:|---:|",
            ]
            for row in rows:
                mark = " (stand-in data)" if row["synthetic"] else ""
                lines.append(
                    f"| {row['network']} | {row['init']} | {row['protocol']}{mark} "
                    f"| {row['seeds']} | {row['ours']} | {row['reported'] or '–'} |"
                )
            lines.append("")
    return "\n".join(["", "## Results", "", *lines]) if lines else ""


PEERS = {
    "keras": "Keras",
    "keras_jax": "Keras on JAX",
    "keras_bfloat16": "Keras, bf16",
    "pytorch_channels_last": "PyTorch, channels last",
    "pytorch_compile": "PyTorch, channels last, compiled",
    "pytorch_bfloat16": "PyTorch, channels last, bf16",
    "flax": "Flax (JAX)",
    "candle": "candle",
    "burn": "burn",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "openvino_auto": "OpenVINO, bf16 as it chooses",
    "tract": "tract",
}
NAMES = {"avx512": "AVX-512", "avx2": "AVX2", "portable": "portable code"}
"""Of instruction sets."""
GOALS = {"training step": 0.5, "inference": 0.4}
"""Share of the fastest peer's time that is aimed at."""
TASKS = {"decode": "decoding", "preprocess": "decoding and preprocessing", "distort": "distortion", "epoch": "an epoch of part 1, distortions included"}


def speed(bench):
    """One machine's measurements as tables."""
    return "\n".join(["", *conditions(bench), *timings(bench, None), *composed(bench), *timings(bench, "AVX2"), *images(bench), *spent(bench)])


def rows_of(bench, name):
    return [row for row in bench if row["name"] == name]


def milliseconds(ms):
    digits = 2 if ms["median"] < 10 else 1
    return f"{ms['median']:,.{digits}f} ({ms['min']:,.{digits}f})"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1), *("| " + " | ".join(row) + " |" for row in rows), ""]


def conditions(bench):
    """Where, when and how quietly it was measured, and that all compute the same."""
    machine, (agreement, *_) = rows_of(bench, "machine")[0], rows_of(bench, "agreement")
    versions = [f"{PEERS[peer]} {version.split('-')[0]}" for peer, version in agreement["versions"].items() if peer in PEERS]
    by_bits = {"f32": [], "bf16": []}
    for peer, of_networks in agreement["logits"].items():
        by_bits["bf16" if "bf16" in PEERS[peer] else "f32"] += of_networks.values()
    return [
        f"### {machine['cpu']}, {machine['instructions']}, {machine['peak_gflops']:.0f} GFLOP/s",
        "",
        f"{machine['started']}, {machine['cpu']} (family {machine['family']}, model {machine['model']}), {machine['cores']} cores, "
        f"{machine['instructions']}; peak {machine['peak_gflops']:.0f} GFLOP/s, varying by {100 * machine['swing']:.0f} %; "
        f"other programs used {100 * machine['others']:.0f} % of the processors before the start"
        f"{'' if machine['quiet'] else ' (**not quiet**)'}. {'; '.join(versions)}.",
        "",
        f"With the same weights and images the logits differ from ours by at most {max(by_bits['f32']):.0e} (f32) and "
        f"{max(by_bits['bf16'], default=math.nan):.0e} (bf16). Times in ms: median (minimum).",
        "",
    ]


def timings(bench, limit):
    """Our times beside the peers', training and inference each in a table; those under a limit apart."""
    lines = []
    for name, goal in GOALS.items():
        rows = [row for row in rows_of(bench, name) if row["limit"] == limit]
        if not rows:
            continue
        peers = [peer for peer in PEERS if any(peer in row["peers"] for row in rows)]
        ours = [of for of in ("glyphs, 1 thread", "glyphs, bf16", "glyphs, portable") if any(of in row["ours"] for row in rows)]
        head = [name, "this project", *(of.removeprefix("glyphs, ") for of in ours), *(PEERS[peer] for peer in peers)]
        cells = []
        for row in rows:
            times = [row["ms"], *(row["ours"].get(of) for of in ours), *(row["peers"].get(peer) for peer in peers)]
            ratios = {ratio: f"{row[ratio]:.2f}" if row[ratio] else "" for ratio in ("ratio_f32", "ratio")}
            # Training is held against those who compute with 32 bits, inference against all.
            aim = "ratio_f32" if name == "training step" else "ratio"
            if (row[aim] or 0) > goal:
                ratios[aim] = f"**{ratios[aim]}**"
            shares = [f"{100 * row['peak_share']:.0f} % of {row['peak_gflops']:.0f}", f"{100 * row['others']:.0f} %"]
            cells.append([f"{row['network']}, {row['batch']:,}", *(milliseconds(ms) if ms else "" for ms in times), *ratios.values(), *shares])
        if limit and not lines:
            lines = [f"With everything that allows it limited to {limit}; *portable* is plain Rust as compiled:", ""]
        lines += table([*head, "ours / fastest f32", "ours / fastest", "share of peak, GFLOP/s", "used by others"], cells)
    return lines


def composed(bench):
    """How networks as a reader writes them compare with the study's own; nothing where they were not measured."""
    sentences = []
    for network, words in (("layers", "freely composed layers"), ("blocks", "blocks")):
        ratios = [
            f"{row['ours'][f'glyphs, {network}']['median'] / row['ms']['median']:.2f} (batches of {row['batch']})"
            for row in rows_of(bench, "training step")
            if f"glyphs, {network}" in row["ours"]
        ]
        if ratios:
            sentences.append(f"A step of the original network written as {words} takes {', '.join(ratios)} times as long.")
    return [*sentences, *[""] * bool(sentences)]


def images(bench):
    """Images a second before training."""
    rows = [[TASKS[row["task"]], f"{row['images']:,.0f}", f"{row['ms']['median']:,.0f}", f"{row['images_a_second']:,.0f}"] for row in rows_of(bench, "data")]
    return table(["the drawings of part 1", "images", "ms", "images a second"], rows) if rows else []


def spent(bench):
    """What a step spends, and what the processor's peak and memory allow at best."""
    lines = []
    for row in rows_of(bench, "passes"):
        lines += [
            f"A step of {row['batch']} images of the original network ({row['step_ms']:.1f} ms), sampled by function. The limit is the longer of two "
            f"times: the operations at {row['peak_gflops']:.0f} GFLOP/s, and the bytes, each read or written once, at {row['bandwidth_gb']:.0f} GB/s.",
            "",
        ]
        cells = []
        for of in row["passes"]:
            cell = [of["pass"], f"{100 * of['share']:.1f} %"]
            if of.get("bytes") and of["ms"]:
                gflops = f"{of['operations'] / of['ms'] / 1e6:.0f}" if of["operations"] else ""
                cell += [f"{of['ms']:.2f}", gflops, f"{of['bytes'] / 1e6:.0f}", f"{of['limit_ms']:.2f}", f"{of['ms'] / of['limit_ms']:.1f}"]
            cells.append(cell + [""] * (7 - len(cell)))
        lines += table(["pass", "share", "ms", "GFLOP/s made", "MB", "limit, ms", "times the limit"], cells)
    return lines


def pace(bench):
    """The first training step of one machine's measurements in words, for the main page."""
    row, machine = rows_of(bench, "training step")[0], rows_of(bench, "machine")[0]
    of_peers = {"32 bits": [], "bf16": []}
    for peer, ms in row["peers"].items():
        name = PEERS[peer]
        of_peers["bf16" if name.endswith(", bf16") else "32 bits"].append((ms["median"], name.removesuffix(", bf16")))
    fastest = [(*min(of), bits) for bits, of in of_peers.items() if of]
    # Where 16 bits are slower, they matter to nobody.
    fastest = [f"{ms:.0f} ms in {bits} ({name})" for ms, name, bits in fastest if ms <= fastest[0][0]]
    others = f" The fastest of the others takes {' and '.join(fastest)}." if fastest else ""
    return (
        f"- {machine['cpu']} ({row['threads']} cores, {NAMES[machine['instructions']]}, {machine['started'].split()[0]}): a training step of "
        f"{row['batch']} images takes {row['ms']['median']:.0f} ms in 32-bit arithmetic.{others}{inference(bench)} "
        "See [bench-peers](bench-peers/README.md)."
    )


def inference(bench):
    """The same of many images and of one."""
    rows = [row for row in rows_of(bench, "inference") if row["network"] == "original" and not row["limit"] and row["peers"]]
    told = []
    for row in rows:
        ms, fastest = min((ms["median"], PEERS[peer]) for peer, ms in row["peers"].items())
        images = "one image" if row["batch"] == 1 else f"{row['batch']:,} images"
        ours, theirs = (f"{of:,.0f}" if of >= 10 else f"{of:.2f}" for of in (row["ms"]["median"], ms))
        told.append(f"{ours} ms for {images} (the fastest of the others: {theirs} ms, {fastest})")
    return f" Inference takes {' and '.join(told)}." if told else ""


def fill(path, text, check):
    """`text` between the marks of the file at `path`."""
    old = path.read_text()
    new = PLACE.sub(lambda match: match[1] + text + match[2], old)
    if check and new != old:
        sys.exit(f"{path.name} does not show the published results: run `python workflow/readme.py`")
    if new != old:
        path.write_text(new)


def main(check):
    # One file a machine, `make bench`'s as it is; their names begin with the date.
    latest_first = sorted((ROOT / "outputs/reference/bench").glob("*.json"), reverse=True)
    machines = [json.loads(path.read_text()) for path in latest_first]
    fill(ROOT / "README.md", section(results.read(results.PUBLISHED), machines), check)
    fill(ROOT / "bench-peers/README.md", "\n".join(map(speed, machines)), check)


if __name__ == "__main__":
    main("--check" in sys.argv)
