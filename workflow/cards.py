"""Writes a model card for each published network, beside it: `cards.py`, after publish.py.

Figures are those of the records and of `glyphs judge`, which reads once more what a run held out
for validation.
"""

import csv
import json
import math
import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import results

FOLDER = results.PUBLISHED.parent / "checkpoints"

CARD = """\
---
license: [mit, apache-2.0]
library_name: dfdx-conv
pipeline_tag: image-classification
datasets: [{datasets}]
metrics: [accuracy]
---
# {stem}

A convolutional network that reads one character in a grey image of 28 x 28 pixels: {classes}
classes, {parameters:,} parameters. It is the run `{run}` of the study, trained under seed {seed}.

## Use
- To read images: `glyphs predict --checkpoint {file} --images FOLDER`.
- In other programs: `glyphs export {file} --onnx F`; `workflow/checks/pytorch_network.py` reads it
  in PyTorch.
- Meant for the study, and for teaching. It was not made to decide anything about people.

## Data
{data}

sha256 of the images, features and labels that it learned from: `{train}`; of those held out for
validation: `{valid}`.

## Figures
On the {count} images held out for validation, with the published weights (8 bits): accuracy **{accuracy:.4f}**
(95 % interval {low:.3f} to {high:.3f}, Wilson). The record, made before they were rounded, says {recorded:.4f}.

| class | images | correct |
|---|---:|---:|
{by_class}
{by_writer}
## Limits
- {limits}
- It gives one of its classes for any image, whatever is on it.

## Cost
{hours} of training on {threads} of one processor ({cpu}, {cpu_model}, {instructions}), {epochs} epochs.
Energy was not measured.

Weights: sha256 `{weights}` before they were rounded to 8 bits; commit {commit}.
"""

WRITERS = """
{writers} writers drew them; of each writer's drawings {worst:.2f} (the worst) to {best:.2f} (the best) were read
correctly.

| writer | images | correct |
|---|---:|---:|
{rows}
"""

LIMITS = (
    "Writers of the validation part also drew images that it learned from; for accuracy on new writers, see the runs "
    "`…-by-writer`. All drew with one pen on one tablet computer. Photographs are read by the run `…-photographs` alone, "
    "which saw none either; for how well it does, see `data/README.md`."
)


def wilson(correct, count, z=1.96):
    centre = (correct + z * z / 2) / (count + z * z)
    half = z * (correct * (count - correct) / count + z * z / 4) ** 0.5 / (count + z * z)
    return centre - half, centre + half


def grouped(rows, column):
    """Images and correct ones by the values of a column."""
    groups = defaultdict(lambda: [0, 0])
    for row in rows:
        groups[row[column]][0] += 1
        groups[row[column]][1] += row["correct"] == "true"
    return dict(sorted(groups.items(), key=lambda group: (group[0].zfill(9), group[0])))


def table(groups):
    return "\n".join(f"| {name} | {count} | {correct} |" for name, (count, correct) in groups.items())


def judged(run):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "judged.csv"
        results.glyphs("judge", run, "--out", out, stdout=subprocess.DEVNULL)
        return list(csv.DictReader(out.open()))


def parameters(checkpoint):
    """Trainable numbers of a safetensors file."""
    with checkpoint.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    shapes = [tensor["shape"] for name, tensor in header.items() if name != "__metadata__" and not re.search("running|scale$", name)]
    return sum(math.prod(shape) for shape in shapes)


def card(checkpoint, run):
    name = Path(run["file"]).stem
    rows = judged(name)
    correct = sum(row["correct"] == "true" for row in rows)
    recorded = run["epochs"][-1]["val_accuracy"]
    if abs(correct / len(rows) - recorded) > 1.5 / len(rows):
        raise SystemExit(f"{checkpoint}: {correct} of {len(rows)} are correct here, and {recorded:.4f} in its record: publish both anew")
    by_class = grouped(rows, "label")
    by_writer = ""
    if "writer" in rows[0]:
        groups = grouped(rows, "writer")
        shares = [right / count for count, right in groups.values()]
        by_writer = WRITERS.format(writers=len(groups), worst=min(shares), best=max(shares), rows=table(groups))
    seconds = sum(epoch["seconds"] for epoch in run["epochs"])
    low, high = wilson(correct, len(rows))
    data, environment = run["dataset"], run["environment"]
    digits = run["setup"].get("mnist_digits", 0)
    return CARD.format(
        stem=checkpoint.stem,
        file=checkpoint.relative_to(results.ROOT),
        run=name,
        seed=run["seed"],
        datasets=data["name"] + ", mnist" * bool(digits),
        classes=len(by_class),
        parameters=parameters(checkpoint),
        data=f"{data['name']}, {data['count']} images{' (a stand-in)' * data['synthetic']}"
        f"{f', and {digits} training digits of MNIST of each class' if digits else ''}; see `data/README.md` and "
        "`data/croissant/`. They are not redistributed here.",
        train=run["samples"]["train"],
        valid=run["samples"]["valid"],
        count=len(rows),
        accuracy=correct / len(rows),
        recorded=recorded,
        low=low,
        high=high,
        by_class=table(by_class),
        by_writer=by_writer,
        limits=LIMITS,
        hours=f"{seconds / 3600:.2f} hours" if seconds >= 3600 else f"{seconds / 60:.1f} minutes",
        threads=f"{environment['threads']} thread{'s' * (environment['threads'] != 1)}",
        cpu=environment["cpu"],
        cpu_model=environment["cpu_model"],
        instructions=environment["instructions"],
        epochs=len(run["epochs"]),
        weights=run["checkpoint"]["weights_sha256"],
        commit=environment["commit"],
    )


def main():
    runs = {Path(run["checkpoint"]["path"]).name: run for run in results.read(results.PUBLISHED)}
    for checkpoint in sorted(FOLDER.glob("*.safetensors")):
        checkpoint.with_suffix(".md").write_text(card(checkpoint, runs[checkpoint.name]))


if __name__ == "__main__":
    main()
