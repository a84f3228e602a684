"""Reads the result files of a run, and sets them beside the original's figures."""

import json
import statistics
from collections import defaultdict
from pathlib import Path

# Student's t for a 95 % interval, by degrees of freedom; from 10 on, nearly normal.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}

PARTS = {
    1: ("62 characters from photographs", "Validation accuracy after the last epoch"),
    2: ("MNIST, from a random start and from the pretrained digits", "Accuracy on the MNIST test set"),
    3: ("Labels that are never right", "Accuracy on the MNIST test set"),
}


def read(folder):
    """All results of a folder, in the order of their file names."""
    return [json.loads(path.read_text()) | {"file": path.name} for path in sorted(Path(folder).glob("*.json"))]


def original():
    """What the original study reported, in the same words as a result file."""
    return json.loads((Path(__file__).parent / "original.json").read_text())


def datasets(runs):
    """Each data set that the runs used, once."""
    found = {}
    for run in runs:
        data = run.get("dataset", {})
        found[(data.get("name"), data.get("sha256"))] = data
    return list(found.values())


def accuracy(run):
    """The figure that a table shows: test accuracy, or validation after the last epoch."""
    if run.get("test_accuracy") is not None:
        return run["test_accuracy"]
    return run["epochs"][-1]["val_accuracy"] if run.get("epochs") else None


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
    loss = run.get("config", {}).get("loss", "")
    data = run.get("dataset", {})
    return (run.get("network"), run.get("init"), str(run.get("protocol")), loss, data.get("name"), data.get("synthetic"))


def row(group):
    run = group[0]
    network, init, protocol, loss, dataset, synthetic = label(run)
    reference = [
        o["val_accuracy"]
        for o in original()
        if (o["part"], o["network"], o["init"]) == (run["part"], network, init)
        and loss in ("", "cross_entropy")
    ]
    return {
        "network": network,
        "init": init,
        "protocol": protocol if loss in ("", "cross_entropy") else f"{protocol}, {loss}",
        "dataset": dataset,
        "synthetic": synthetic,
        "seeds": len({r.get("seed") for r in group}),
        "ours": interval([accuracy(r) for r in group]),
        "original": f"{reference[0]:.4f}" if reference else "",
    }


def interval(values):
    """Mean and half of the 95 % interval, or the one value there is."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.4f}"
    t = T95.get(len(values) - 1, 2.1)
    return f"{mean:.4f} ± {t * statistics.stdev(values) / len(values) ** 0.5:.4f}"
