"""Reads the result files of a run, and sets them beside the figures of the 2021 report."""

import json
import statistics
from collections import defaultdict
from pathlib import Path

# Student's t for a 95 % interval, by degrees of freedom; from 10 on, nearly normal.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "outputs/reference/results"

# Protocols whose figure answers the 2021 report's: done as it was, and done our way.
COMPARABLE = ("report", "plain", "ours")

PARTS = {
    1: ("62 characters from drawings", "Validation accuracy after the last epoch"),
    2: ("MNIST, from a random start and from the pretrained digits", "Accuracy on the MNIST test set"),
    3: ("Labels that are hardly ever right", "Accuracy on the MNIST test set"),
}


def read(folder):
    """All results of a folder, in the order of their file names."""
    return [json.loads(path.read_text()) | {"file": path.name} for path in sorted(Path(folder).glob("*.json"))]


def with_published(runs):
    """`runs`, and for the same experiments on the same data the published runs of other seeds."""
    own = {run["file"] for run in runs}
    wanted = {(label(run), origin(run)) for run in runs}
    published = [
        run
        for run in read(PUBLISHED)
        if run["file"] not in own and (label(run), origin(run)) in wanted
    ]
    return runs + published


def origin(run):
    return tuple(data["sha256"] for data in trained_on(run))


def reference_2021():
    """The runs of the 2021 report, in the words of a result file."""
    return json.loads((ROOT / "lib/src/report/reference_2021.json").read_text())["runs"]


def datasets(runs):
    """Each data set that the runs used, once, with as many of its images as any of them."""
    found = {}
    for data in (data for run in runs for data in trained_on(run)):
        known = found.setdefault((data["name"], data["sha256"]), data)
        if data["count"] > known["count"]:
            found[(data["name"], data["sha256"])] = data
    return list(found.values())


def accuracy(run):
    """The figure that a table shows: in part 1, which has no test set yet, validation after the last epoch."""
    if run["part"] == 1 and run.get("epochs"):
        return run["epochs"][-1]["val_accuracy"]
    return run.get("test_accuracy")


def parts(runs):
    """One table for each part: runs that differ only by seed share a row."""
    tables = []
    for number, (title, measure) in PARTS.items():
        groups = defaultdict(list)
        for run in runs:
            if run.get("part") == number and accuracy(run) is not None:
                groups[label(run)].append(run)
        tables.append(
            {
                "number": number,
                "title": title,
                "measure": measure,
                "rows": [row(group) for group in groups.values()],
            }
        )
    return tables


def label(run):
    """What runs that differ only by seed have in common."""
    return (run["network"], run["init"], run["protocol"], run["dataset"]["name"], synthetic(run))


def synthetic(run):
    """Whether anything that the network learned is a stand-in."""
    return any(data["synthetic"] for data in trained_on(run))


def trained_on(run):
    """The data of a run, and of the network that it started from."""
    return [run["dataset"], *([run["pretraining"]] if run.get("pretraining") else [])]


def row(group):
    run = group[0]
    network, init, protocol, dataset, synthetic = label(run)
    reported = [
        entry["epochs"][-1]["val_accuracy"]
        for entry in reference_2021()
        if (entry["part"], entry["network"], entry["init"]) == (run["part"], network, init)
    ]
    return {
        "network": network,
        "init": init,
        "protocol": protocol,
        "dataset": dataset,
        "synthetic": synthetic,
        "seeds": len({r["seed"] for r in group}),
        "ours": interval([accuracy(r) for r in group]),
        "reported": f"{reported[0]:.4f}" if reported and protocol in COMPARABLE else "",
    }


def interval(values):
    """Mean and half of the 95 % interval, or the one value there is."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.4f}"
    t = T95.get(len(values) - 1, 2.1)
    return f"{mean:.4f} ± {t * statistics.stdev(values) / len(values) ** 0.5:.4f}"
