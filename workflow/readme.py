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


def section(runs, bench):
    """The results as markdown; nothing where nothing has been published."""
    lines = [f"- {finding}" for finding in results.findings(runs)]
    if bench:
        lines.append(pace(bench))
    if lines:
        lines += ["", "Means of five seeds; the pages in `outputs/reference/report/` have intervals, tests and reasons.", ""]
    for part in results.parts(runs):
        if part["rows"]:
            lines += [
                f"**Part {part['number']}: {part['title']}.** {part['measure']}, mean over the seeds, ± half of its 95 % interval.",
                "",
                "| network | start | protocol | seeds | this project | the 2021 report |",
                "|---|---|---|---:|---:|---:|",
            ]
            for row in part["rows"]:
                mark = " (stand-in data)" if row["synthetic"] else ""
                lines.append(
                    f"| {row['network']} | {row['init']} | {row['protocol']}{mark} "
                    f"| {row['seeds']} | {row['ours']} | {row['reported']} |"
                )
            lines.append("")
    return "\n".join(["", "## Results", "", *lines]) if lines else ""


PEERS = {
    "keras": "Keras",
    "pytorch": "PyTorch",
    "pytorch_channels_last": "PyTorch, channels last",
    "candle": "candle",
    "burn": "burn",
}


def speed(bench):
    """`outputs/reference/bench.json` as a table; nothing where nothing was measured."""
    if not bench:
        return ""

    def times(ms):
        return f"{ms['median']:,.1f} ({ms['min']:,.1f})" if ms else ""

    def scaling(row):
        return f"{row['scaling']['threads']:.2f} ({row['scaling']['processes']:.2f})"

    def memory(row):
        keras = row["peers"].get("keras")
        return f"{row['ms']['peak_memory_mb']:,.0f}" + (f" ({keras['peak_memory_mb']:,.0f})" if keras else "")

    peers = [peer for peer in PEERS if any(peer in row["peers"] for row in bench)]
    alone = {(row["name"], row["network"], row["batch"]): row["ms"] for row in bench if row["threads"] == 1}
    lines = [
        "| | this project | one thread | to one thread | " + " | ".join(PEERS[peer] for peer in peers) + " | ratio to the fastest | share of peak | memory (Keras), MB |",
        "|---|" + "---:|" * (len(peers) + 6),
    ]
    for row in bench:
        if row["threads"] == 1:
            continue
        what = f"{row['name']}, {row['network']}, {row['batch']:,}"
        single = alone[row["name"], row["network"], row["batch"]]
        cells = [times(row["ms"]), times(single), scaling(row), *(times(row["peers"].get(peer)) for peer in peers)]
        cells += [f"{max(row['ratio'].values(), default=math.nan):.2f}", f"{100 * row['peak_share']:.0f} %", memory(row)]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    sentences = composed(bench)
    return "\n".join(["", *lines, "", *sentences, *[""] * bool(sentences)])


def composed(bench):
    """How networks as a reader writes them compare with the study's own; nothing where they were not measured."""
    times = {(row["network"], row["batch"]): row["ms"]["median"] for row in bench if row["name"] == "training step" and row["threads"] > 1}
    sentences = []
    for network, words in (("layers", "freely composed layers"), ("blocks", "blocks")):
        ratios = [
            f"{times[network, batch] / times['original', batch]:.2f} (batches of {batch})"
            for batch in (32, 100, 512)
            if {(network, batch), ("original", batch)} <= times.keys()
        ]
        if ratios:
            sentences.append(f"A step of the original network written as {words} takes {', '.join(ratios)} times as long.")
    return sentences


def pace(bench):
    """The first row of `make bench` in words, for the main page."""
    row = bench[0]
    peers = {peer: row["peers"][peer]["median"] for peer in ("keras", "pytorch_channels_last") if peer in row["peers"]}
    others = "; ".join(f"{PEERS[peer]} {ms:.0f} ms" for peer, ms in peers.items())
    return (
        f"- A training step of {row['batch']} images takes {row['ms']['median']:.0f} ms on {row['threads']} cores "
        f"({others}): see [bench-peers](bench-peers/README.md)."
    )


def fill(path, text, check):
    """`text` between the marks of the file at `path`."""
    old = path.read_text()
    new = PLACE.sub(lambda match: match[1] + text + match[2], old)
    if check and new != old:
        sys.exit(f"{path.name} does not show the published results: run `python workflow/readme.py`")
    if new != old:
        path.write_text(new)


def main(check):
    path = ROOT / "outputs/reference/bench.json"
    bench = json.loads(path.read_text()) if path.exists() else []
    fill(ROOT / "README.md", section(results.read(results.PUBLISHED), bench), check)
    fill(ROOT / "bench-peers/README.md", speed(bench), check)


if __name__ == "__main__":
    main("--check" in sys.argv)
